"""Ends the process when its event loop is blocked for good: by a plug-in that never returns, say.

Such a worker delivers nothing, and its sessions went to others when their leases ended; but it would stay
there, and where it is the only one nobody would come in its place. Whoever runs it starts it again, and the
event it hung over has cost a try.

A process that was frozen meanwhile is not hung: the time it counts is its own.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import sys
import threading
from typing import Final

import structlog

TICK_SECONDS: Final = 0.5
EXIT_CODE: Final = 70

_log = structlog.get_logger(__name__)


class Watchdog:
    """`seconds` is how long the loop may be blocked. Start it in the loop's thread."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._silent = 0.0
        self._over = threading.Event()
        self._watched = threading.get_ident()
        self._ticking: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        # Code that holds the interpreter's lock (a regular expression that backtracks for ever) lets no
        # thread run: then the kernel ends the process, by the processor time it used since the last tick.
        faulthandler.register(signal.SIGVTALRM, chain=True)
        self._ticking = asyncio.create_task(self._tick())
        self._thread.start()

    def stop(self) -> None:
        if self._ticking is None:
            return
        self._over.set()
        self._ticking.cancel()
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        faulthandler.unregister(signal.SIGVTALRM)

    async def _tick(self) -> None:
        while True:
            self._silent = 0.0
            signal.setitimer(signal.ITIMER_VIRTUAL, self._seconds + 2 * TICK_SECONDS)
            await asyncio.sleep(TICK_SECONDS)

    def _watch(self) -> None:
        while not self._over.wait(TICK_SECONDS):
            self._silent += TICK_SECONDS
            if self._silent > self._seconds:
                frame = sys._current_frames().get(self._watched)  # noqa: SLF001 -- there is no other way
                where = f"{frame.f_globals.get('__name__', '?')}:{frame.f_lineno}" if frame else "?"
                _log.critical("worker.hung", seconds=self._silent, at=where)
                os._exit(EXIT_CODE)
