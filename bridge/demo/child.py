"""One process of the demo: started, waited for, watched, and ended in any case."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bridge.embedded import die_with_parent

PROGRAM: Final = (sys.executable, "-m", "bridge")
POLL_SECONDS: Final = 0.05
TAIL_BYTES: Final = 8192


class Child:
    """`python -m bridge ARGUMENTS`, in a session of its own, so that Ctrl-C reaches only the demo.

    Ready when `port` answers GET `path` with 200 (without a path: when it accepts a connection).
    """

    def __init__(self, name: str, arguments: Sequence[str], log: Path, port: int, path: str = "") -> None:
        self.name = name
        self.log = log
        self._arguments = arguments
        self._port = port
        self._path = path
        self._process: Process | None = None

    async def start(self, environ: Mapping[str, str]) -> None:
        with self.log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *PROGRAM, *self._arguments,
                stdin=DEVNULL, stdout=log, stderr=log, env=environ,
                start_new_session=True, preexec_fn=die_with_parent(signal.SIGKILL),
            )  # fmt: skip

    async def ended(self) -> int:
        """Waits for its end and gives its exit code, negative for a signal."""
        assert self._process is not None  # noqa: S101 -- only started children are watched
        return await self._process.wait()

    async def ready(self, host: str) -> None:
        """Waits until it can do its work."""
        while not await self._answers(host):  # noqa: ASYNC110 -- another process gives no event to wait for
            await asyncio.sleep(POLL_SECONDS)

    async def _answers(self, host: str) -> bool:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_connection(host, self._port)
                with contextlib.closing(writer):
                    if not self._path:
                        return True
                    writer.write(f"GET {self._path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
                    return (await reader.readline()).split()[1:2] == [b"200"]
        return False

    async def stop(self, seconds: float) -> None:
        """Asks it to end, and ends it when it has not after `seconds`."""
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._process.wait()
        await self.end()

    async def end(self) -> None:
        """kill -9, for it and whatever it started, if it still runs."""
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    def why(self) -> str:
        """What it said last, and where the rest is."""
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = log.read().decode("utf-8", "replace").splitlines()
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        return f"{last} (see {self.log})"
