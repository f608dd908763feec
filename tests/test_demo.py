"""The demo: one command starts everything, and nothing of it is left however it ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from bridge.channels.registry import build
from bridge.channels.webchat import WebChat
from bridge.config import load
from bridge.demo import BANNER, STOP_SECONDS, default_folder, reserve
from bridge.demo import child as child_module
from bridge.demo.child import Child
from bridge.demo.folder import Ports, write
from bridge.emulator.script import Talk, hear
from bridge.errors import ConfigError

START_SECONDS: Final = 60.0
END_SECONDS: Final = 30.0
FOREIGN: Final = {
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "BRIDGE_INGRESS__PORT": "1",
    "BRIDGE_EMULATOR_PORT": "1",
}
"""Settings of a deployment, as they may stand in the environment of who tries the demo."""

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


class Demo:
    """A running `moveo-bridge demo`, and what it said."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bridge", "demo", "--port", "0", "--data", str(data)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | FOREIGN,
        )  # fmt: skip
        self.said: dict[str, str] = {}
        assert self.process.stdout is not None
        for line in self.process.stdout:
            match line.split():
                case ["Chat" | "Webhook" | "Secret" | "Settings" as name, value]:
                    self.said[name] = value
                case ["moveo-bridge", *_, "--watch"]:
                    break

    @property
    def error(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read()

    @property
    def pids(self) -> list[int]:
        pid = self.process.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def pid_of(self, command: str) -> int:
        [pid] = [
            pid
            for pid in self.pids
            if command in Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        ]
        return pid

    def run(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "bridge", "--config", self.said["Settings"], *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def queue(self, direction: str = "out") -> Any:
        rows = json.loads(self.run("status", "--json"))["queues"]
        return next(row for row in rows if row["direction"] == direction)

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(END_SECONDS)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@contextmanager
def demo(data: Path) -> Iterator[Demo]:
    started = Demo(data)
    try:
        yield started
    finally:
        started.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with demo(tmp_path_factory.mktemp("running")) as started:
        yield started


def until(holds: Callable[[], bool], seconds: float = END_SECONDS) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_it_says_where_the_chat_is(running: Demo) -> None:
    with urllib.request.urlopen(running.said["Chat"]) as page:  # noqa: S310 -- our own http
        assert page.status == 200
        assert b"<html" in page.read()


def test_an_event_signed_with_its_secret_is_delivered(running: Demo) -> None:
    url, secret = running.said["Webhook"], running.said["Secret"]
    before = running.queue()["delivered_total"]
    assert running.run("trigger", "--url", url, "--secret", secret) == "200 message:brain_send\n"
    assert until(lambda: running.queue()["delivered_total"] == before + 1)


def test_commands_find_it_through_its_settings(running: Demo) -> None:
    assert running.run("trigger", "--count", "2").count("200 ") == 2
    assert all(line.startswith("OK ") for line in running.run("check").splitlines())


def test_its_secrets_are_its_owners_alone(running: Demo) -> None:
    secret = running.said["Secret"]
    assert running.data.joinpath("webhook-secret").read_text() == secret
    for name in ("webhook-secret", "api-key"):
        assert running.data.joinpath(name).stat().st_mode & 0o077 == 0
    assert secret not in running.data.joinpath("bridge.toml").read_text()
    assert not any(secret in log.read_text() for log in running.data.glob("*.log"))


@pytest.mark.parametrize(
    ("same", "said"),
    [
        pytest.param("folder", r"is in use: end the demo that runs there", id="folder"),
        pytest.param("port", r"port \d+ cannot be used \(.*\): choose another with --port", id="port"),
    ],
)
def test_a_second_one_is_refused_in_one_line(running: Demo, tmp_path: Path, same: str, said: str) -> None:
    port = running.said["Chat"].split(":")[2].split("/")[0] if same == "port" else "0"
    data = str(running.data if same == "folder" else tmp_path / "other")
    second = subprocess.run(
        [sys.executable, "-m", "bridge", "demo", "--data", data, "--port", port],
        capture_output=True, text=True, check=False, timeout=END_SECONDS,
    )  # fmt: skip
    assert second.returncode == 2
    assert re.search(said, second.stderr)
    assert second.stderr.count("\n") == 1
    assert second.stdout == ""


@linux
def test_what_was_queued_outlives_kill_9_and_secrets_stay(tmp_path: Path) -> None:
    """Killed while its worker hangs, the demo leaves no process; the next one delivers what was waiting."""
    data = tmp_path / "data"
    with demo(data) as first:
        secret, pids = first.said["Secret"], first.pids
        assert len(pids) == 4
        os.kill(first.pid_of("worker"), signal.SIGSTOP)
        first.run("trigger", "--count", "3")
        assert first.queue()["depth"] == 3
        first.process.kill()
        assert until(lambda: all(map(ended, pids)))
    with demo(data) as second:
        assert second.said["Secret"] == secret
        assert until(lambda: second.queue()["delivered_total"] == 3)
        assert second.queue()["depth"] == 0
        pids = second.pids
        assert second.end() == 0
        assert second.error == ""
        assert all(map(ended, pids))


@linux
def test_a_process_that_ends_by_itself_is_named_and_ends_the_rest(tmp_path: Path) -> None:
    with demo(tmp_path) as broken:
        pids = broken.pids
        os.kill(broken.pid_of("ingress"), signal.SIGKILL)
        assert broken.process.wait(END_SECONDS) == 1
        assert broken.error.startswith("moveo-bridge: the ingress ended unexpectedly (killed by SIGKILL): ")
        assert all(map(ended, pids))


@linux
@pytest.mark.usefixtures("hangups")
def test_sighup_stops_each_part_in_order(tmp_path: Path) -> None:
    with demo(tmp_path) as started:
        pids = started.pids
        assert started.end(signal.SIGHUP) == 0
        assert started.process.stdout is not None
        assert "Ended by SIGHUP." in started.process.stdout.read()
        assert all(map(ended, pids))
    for name in ("emulator", "ingress", "worker"):
        assert f"{name}.stopped" in (tmp_path / f"{name}.log").read_text()


@linux
def test_told_again_it_does_not_wait_for_what_hangs(tmp_path: Path) -> None:
    with demo(tmp_path) as hanging:
        pids = hanging.pids
        os.kill(hanging.pid_of("emulator"), signal.SIGSTOP)
        asked_at = time.monotonic()
        while hanging.process.poll() is None:
            hanging.process.send_signal(signal.SIGTERM)
            time.sleep(0.05)  # two signals at once are one
        assert hanging.process.returncode == 0
        assert time.monotonic() - asked_at < STOP_SECONDS
        assert all(map(ended, pids))


@linux
async def test_a_child_that_does_not_end_is_killed_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print(subprocess.Popen(['sleep', '60']).pid, flush=True); signal.pause()"
    )
    stubborn = Child("stubborn", ["-c", script], tmp_path / "log", port=0)
    monkeypatch.setattr(child_module, "PROGRAM", (sys.executable,))
    await stubborn.start(os.environ)
    try:
        while not (said := (tmp_path / "log").read_text()):
            await asyncio.sleep(0.02)
        await stubborn.stop(0.1)
        assert await stubborn.ended() == -signal.SIGKILL
        assert until(lambda: ended(int(said)))
        assert stubborn.why() == f"{said.strip()} (see {tmp_path / 'log'})"
    finally:
        await stubborn.end()


@pytest.mark.parametrize(
    ("log", "line"),
    [
        pytest.param(b"one\ntwo\n\n", "two", id="the last line"),
        pytest.param(b"", "it said nothing", id="nothing"),
        pytest.param(b"x" * 10_000 + b"\n\xff\n", "\N{REPLACEMENT CHARACTER}", id="what is no text"),
    ],
)
def test_why_a_child_ended_is_its_last_line(tmp_path: Path, log: bytes, line: str) -> None:
    (tmp_path / "log").write_bytes(log)
    assert Child("worker", [], tmp_path / "log", port=0).why() == f"{line} (see {tmp_path / 'log'})"


def test_any_port_is_a_free_one_and_all_differ() -> None:
    ports = msgspec.structs.astuple(reserve(0))
    assert len(set(ports)) == 4
    assert all(1024 <= port <= 65535 for port in ports)


def test_a_port_that_only_recovers_is_free_and_one_that_listens_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match=f"^port {port} cannot be used "):
            reserve(port)
        with socket.create_connection(("127.0.0.1", port)):
            listener.accept()[0].close()  # the server's end closes first: TIME_WAIT stays on its side
    assert reserve(port).ingress == port


@pytest.mark.parametrize(
    ("home", "folder"),
    [
        pytest.param("/data", "/data/moveo-bridge/demo", id="XDG_DATA_HOME"),
        pytest.param(
            "relative", "/home/me/.local/share/moveo-bridge/demo", id="a relative one does not count"
        ),
        pytest.param("", "/home/me/.local/share/moveo-bridge/demo", id="home"),
    ],
)
def test_where_the_data_folder_is(monkeypatch: pytest.MonkeyPatch, home: str, folder: str) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", home)
    monkeypatch.setenv("HOME", "/home/me")
    assert default_folder() == Path(folder)


def test_the_settings_are_valid_whatever_the_folder_is_called(tmp_path: Path) -> None:
    folder = tmp_path / 'a "folder" \\ with ünusual signs'
    folder.mkdir()
    secret = write(folder, f"unix://{folder}/server.sock", Ports(1, 2, 3, 4))
    settings = load(folder / "bridge.toml", {})
    assert settings.redis.url == f"unix://{folder}/server.sock"
    assert [each.reveal() for each in settings.integrations["demo"].secrets] == [secret]
    assert settings.ingress.window_seconds == 0, "samples of any age are welcome"


def test_its_agent_understands_the_words_its_chat_begins_with(tmp_path: Path) -> None:
    write(tmp_path, "unix:///x", Ports(1, 2, 3, 4))
    chat = build("webchat", load(tmp_path / "bridge.toml", {}).integrations["demo"].extra)
    assert isinstance(chat, WebChat)
    assert chat.settings.greeting
    assert chat.settings.starters
    for words in chat.settings.starters:
        _, actions = hear(Talk(greeted=True), words, (), "")
        assert "I do not know" not in repr(actions), words


def test_its_agent_understands_the_words_its_banner_names() -> None:
    words = re.findall(r'"(\w+)"', BANNER)
    assert words
    for word in words:
        _, actions = hear(Talk(greeted=True), word, (), "")
        assert "I do not know" not in repr(actions), word


def test_a_secret_that_was_never_written_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "webhook-secret").touch()
    made = write(tmp_path, "unix:///x", Ports(1, 2, 3, 4))
    assert len(made) == 48
    assert write(tmp_path, "unix:///x", Ports(1, 2, 3, 4)) == made
