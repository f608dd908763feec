"""The embedded server: durable, alone on its folder, and gone when its owner is gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from bridge import embedded
from bridge.embedded import EmbeddedServer, find_server
from bridge.errors import ConfigError

OWNER = """
import sys, time
from pathlib import Path
from bridge.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]))
server.start()
print(server.pid, server.url, flush=True)
time.sleep(60)
"""


def until(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def gone(pid: int) -> bool:
    """No such process, or one that has ended and only waits for its parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_what_was_answered_survives_kill_9(data: Path) -> None:
    server = EmbeddedServer(data)
    server.start()
    with redis.Redis.from_url(server.url) as client:
        client.set("kept", "yes")
    server.kill()
    with server, redis.Redis.from_url(server.url) as client:
        assert client.get("kept") == b"yes"


def test_it_is_as_durable_as_the_promise_needs(data: Path) -> None:
    with EmbeddedServer(data) as server, redis.Redis.from_url(server.url) as client:
        settings = client.config_get("append*", "maxmemory-policy")
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "always"
    assert settings["maxmemory-policy"] == "noeviction"


def test_only_its_owner_reaches_it(data: Path) -> None:
    """No TCP port is open, and the socket is closed to other users."""
    with EmbeddedServer(data) as server, redis.Redis.from_url(server.url) as client:
        assert client.config_get("port") == {"port": "0"}
        assert (data / "server.sock").stat().st_mode & 0o077 == 0
        assert data.stat().st_mode & 0o077 == 0


def test_what_it_keeps_is_its_owners_though_the_folder_is_open(data: Path) -> None:
    data.mkdir(mode=0o755)
    with EmbeddedServer(data) as server, redis.Redis.from_url(server.url) as client:
        client.set("said", "in confidence")
        kept = data / "appendonlydir"
        assert all(each.stat().st_mode & 0o077 == 0 for each in (kept, *kept.iterdir()))


def test_stop_leaves_neither_process_nor_socket(data: Path) -> None:
    server = EmbeddedServer(data)
    server.start()
    pid = server.pid
    server.stop()
    assert gone(pid)
    assert server.pid == 0
    assert not (data / "server.sock").exists()
    server.stop()  # harmless


def test_a_second_server_on_the_same_folder_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "LOCK_SECONDS", 0.1)
    with EmbeddedServer(data) as first:
        with pytest.raises(ConfigError, match=rf"is in use: .*\(process {first.pid}\)$"):
            EmbeddedServer(data).start()
        with redis.Redis.from_url(first.url) as client:
            assert client.ping()


def test_the_lock_waits_for_a_server_that_is_ending(data: Path) -> None:
    """Right after a kill the folder is free as soon as the old server has ended."""
    first, second = EmbeddedServer(data), EmbeddedServer(data)
    first.start()
    os.kill(first.pid, signal.SIGTERM)
    with second:
        assert second.pid != first.pid
        assert gone(first.pid)
    first.kill()


def test_a_stale_socket_is_no_obstacle(data: Path) -> None:
    data.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(data / "server.sock"))
    with EmbeddedServer(data) as server, redis.Redis.from_url(server.url) as client:
        assert client.ping()


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(tmp_path: Path) -> None:
    data = tmp_path / ("long" * 30)
    server = EmbeddedServer(data)
    with server, redis.Redis.from_url(server.url) as client:
        client.set("kept", "yes")
        folder = Path(server.url.removeprefix("unix://")).parent
        assert folder != data
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()
    again = EmbeddedServer(data)
    assert again.url == server.url
    with again, redis.Redis.from_url(again.url) as client:
        assert client.get("kept") == b"yes"


def test_a_socket_folder_that_others_can_write_is_refused(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / ("long" * 30))
    folder = Path(server.url.removeprefix("unix://")).parent
    folder.mkdir()
    folder.chmod(0o777)
    try:
        with pytest.raises(ConfigError, match="only its owner"):
            server.start()
    finally:
        folder.rmdir()


def test_no_server_program_is_one_line_with_the_remedies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ConfigError) as refused:
        find_server()
    line = str(refused.value)
    assert "\n" not in line
    assert all(remedy in line for remedy in ("moveo-bridge[demo]", "redis-server", "packages"))


def test_a_server_on_path_is_found_without_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_server() == str(program)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param("#!/bin/sh\nexit 3\n", "exited with 3: see .*server.log", id="exits"),
        pytest.param("#!/nonexistent\n", "cannot start: .*No such file", id="cannot be run"),
    ],
)
def test_a_server_that_does_not_start_says_where_to_look(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    program = tmp_path / "broken"
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setattr(embedded, "find_server", lambda: str(program))
    server = EmbeddedServer(data)
    with pytest.raises(ConfigError, match=reason):
        server.start()
    assert server.pid == 0


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"^the embedded server cannot start: .*file"):
        EmbeddedServer(tmp_path / "file" / "data").start()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_kill_9_of_the_owner_leaves_no_server(data: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data)], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        pid, url = owner.stdout.readline().split()
        with redis.Redis.from_url(url) as client:
            client.set("kept", "yes")
        owner.kill()
        owner.wait()
    assert until(lambda: gone(int(pid)))
    with EmbeddedServer(data) as server, redis.Redis.from_url(server.url) as client:
        assert client.get("kept") == b"yes"
