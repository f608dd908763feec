"""The ingress under attack: a real process with every channel whose users can write, and its log."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tests.hostile.signers import SIGNERS

MOVEO: Final = "canary-moveo-secret"
START_SECONDS: Final = 30.0
DRAIN_SECONDS: Final = 20.0
SPOOL: Final = "spool"


class Target:
    """`log` is all that the process has said so far."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, spool: Path) -> None:
        self._process = process
        self._log = log
        self._spool = spool
        self.port = 0
        self.admin_port = 0

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "backslashreplace")

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def rss(self) -> int:
        """Bytes of memory that it has now."""
        fields = Path(f"/proc/{self._process.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    @property
    def files(self) -> int:
        """File descriptors that it has open."""
        return len(os.listdir(f"/proc/{self._process.pid}/fd"))  # noqa: PTH208 -- it only counts

    @property
    def complaints(self) -> list[str]:
        """Lines of its log that no stranger may cause. (That Redis is late for once, a busy machine may.)"""
        return [
            line
            for line in self.log.splitlines()
            if not line.startswith("{")
            or (json.loads(line)["level"] in ("error", "critical") and "spool.holding" not in line)
            or "Traceback" in line
        ]

    async def drained(self) -> None:
        """Returns when all that it took is in Redis."""
        async with asyncio.timeout(DRAIN_SECONDS):
            while any(self._spool.glob("*.frames")):
                await asyncio.sleep(0.05)

    def end(self) -> int:
        """SIGTERM; the exit code."""
        self._process.terminate()
        return self._process.wait(20)

    async def _started(self) -> None:
        async with asyncio.timeout(START_SECONDS):
            while "ingress.started" not in self.log:
                assert self.alive, self.log
                await asyncio.sleep(0.05)
        (line,) = (json.loads(line) for line in self.log.splitlines() if "ingress.started" in line)
        self.port, self.admin_port = (urlsplit(line[name]).port for name in ("url", "admin"))


@asynccontextmanager
async def target(
    folder: Path,
    redis_url: str,
    *,
    keys_url: str = "",
    level: str = "info",
    files: int | None = None,
    **ingress: object,
) -> AsyncIterator[Target]:
    """The process, for as long as the block lasts. `ingress` are settings of that table.

    `files` is the most files that the process may have open (`ulimit -n`).
    """
    file, log = folder / "bridge.toml", folder / "ingress.log"
    file.write_text(_config(folder, redis_url, keys_url, level, ingress))
    with log.open("wb") as stream:
        limit = f"ulimit -n {files} && " if files else ""
        process = subprocess.Popen(  # noqa: ASYNC220 -- it returns at once
            ["sh", "-c", f'{limit}exec "$0" -m bridge ingress --config "$1"', sys.executable, str(file)],
            stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=_clean(os.environ),
        )  # fmt: skip
    try:
        started = Target(process, log, folder / SPOOL)
        await started._started()
        yield started
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith(("BRIDGE_", "REDIS_"))}


def _config(folder: Path, redis_url: str, keys_url: str, level: str, ingress: Mapping[str, object]) -> str:
    integrations: dict[str, Any] = {
        kind: {"channel": kind, "secrets": [MOVEO], kind: dict(signer.settings)}
        for kind, signer in SIGNERS.items()
    }
    integrations["teams"]["teams"]["openid_url"] = keys_url
    integrations["web"] = {
        "channel": "webchat",
        "secrets": [MOVEO],
        "webchat": {"file_total_bytes": 50_000_000},
    }
    tables = {
        "redis": {"url": redis_url},
        "log": {"level": level, "format": "json"},
        "ingress": {
            "host": "127.0.0.1",
            "port": 0,
            "admin_port": 0,
            "window_seconds": 0,
            "spool": str(folder / SPOOL),
            **ingress,
        },
        "integrations": integrations,
    }
    return "".join(_toml(tables))


def _toml(table: Mapping[str, Any], path: str = "") -> Iterator[str]:
    if path:
        yield f"[{path}]\n"
    for key, value in table.items():
        if not isinstance(value, Mapping):
            yield f"{key} = {json.dumps(value)}\n"
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _toml(value, f"{path}.{key}" if path else key)
