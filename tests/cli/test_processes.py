"""ingress, worker and emulator as processes: their options reach them, and SIGTERM ends them in order."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Run

SETTINGS = """
[integrations.support]
channel = "console"
secrets = ["canary"]
integration_id = "i"
api_key = "canary"
"""
START_SECONDS = 30.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(
    ("command", "options", "ports"),
    [
        pytest.param("ingress", ("--host=127.0.0.1", "--port={}", "--admin-port={}"), 2, id="ingress"),
        pytest.param("worker", ("--concurrency=8", "--admin-port={}"), 1, id="worker"),
        pytest.param("emulator", ("--port={}",), 1, id="emulator"),
    ],
)
def test_a_process_listens_where_it_is_told_and_ends_when_it_is_told(
    folder: Path,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    options: tuple[str, ...],
    ports: int,
) -> None:
    (folder / "bridge.toml").write_text(SETTINGS)
    monkeypatch.setenv("REDIS_URL", redis_url)
    told = [free_port() for _ in range(ports)]
    left = iter(told)
    arguments = [option.format(next(left)) if "{}" in option else option for option in options]
    with subprocess.Popen(
        [sys.executable, "-m", "bridge", command, *arguments], stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + START_SECONDS
        while not all(map(listens, told)):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 0
    assert f'"event": "{command}.stopped"' in log
    assert "canary" not in log


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param("", "no integration is configured", id="no integration"),
        pytest.param(
            SETTINGS.replace('api_key = "canary"', ""),
            "integrations.support.api_key: is missing",
            id="no API key",
        ),
    ],
)
def test_an_emulator_without_its_settings_is_one_line(
    run: Run, folder: Path, settings: str, said: str
) -> None:
    (folder / "bridge.toml").write_text(settings)
    result = run("emulator")
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
