"""Real worker processes, started and ended by pid."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.zygote import Forked, zygote

RUN = "from bridge.config import load; from workers.settings import run; run(load())"
ARQ = (sys.executable, "-m", "arq", "workers.settings.WorkerSettings")
OWN = (sys.executable, "-c", RUN)


class Child:
    """One worker process; `log` is where its standard error goes."""

    def __init__(self, process: subprocess.Popen[bytes] | Forked, log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def started(self) -> bool:
        assert self.alive, self.log
        return "worker.started" in self.log

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ended(self, seconds: float = 10.0) -> int:
        """The exit code."""
        return self._process.wait(seconds)


@contextmanager
def worker(folder: Path, config: str, redis_url: str, command: tuple[str, ...] = ()) -> Iterator[Child]:
    """A worker with this configuration, killed at the end if it still runs. No command: it is forked."""
    number = len(list(folder.glob("*.toml")))
    file, log = folder / f"bridge{number}.toml", folder / f"worker{number}.log"
    file.write_text(config)
    process = _started(command, {"REDIS_URL": redis_url, "BRIDGE_CONFIG": str(file)}, log)
    try:
        yield Child(process, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _started(command: tuple[str, ...], env: dict[str, str], log: Path) -> subprocess.Popen[bytes] | Forked:
    if not command:
        log.touch()
        return zygote().fork("worker", env, log)
    with log.open("wb") as stream:
        return subprocess.Popen(command, env={**os.environ, **env}, stdout=stream, stderr=stream)
