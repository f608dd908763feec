"""Ends the process when its event loop is blocked for good, by a plug-in that never returns for example.

Such a worker delivers nothing. Its sessions go to other workers when their leases end, but the only worker
would have no replacement. A supervisor starts it again, and the event it hung over has cost a try.

Two clocks run, because neither sees everything:
- A thread counts its own ticks. It sees a loop that computes, and one that waits.
- The kernel counts the processor time since the loop's last tick. It also sees C code that holds the
  interpreter's lock, such as a regular expression that backtracks for ever: no thread can run then.
Neither counts while the process is stopped (SIGSTOP) or the machine stands still. C code that waits and holds
the interpreter's lock meanwhile is seen by neither.

Both write the stacks of all threads to stderr, and end the process with EXIT_CODE.
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

from workers.exit_timer import ExitTimer

TICK_SECONDS: Final = 0.5
EXIT_CODE: Final = 70
"""EX_SOFTWARE of sysexits.h: an internal software error."""

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
        # Where C code holds the lock, one timer writes the stacks (faulthandler's handler needs no lock), and
        # the other ends the process a tick later.
        faulthandler.register(signal.SIGVTALRM)
        self._exit_timer = ExitTimer(EXIT_CODE)
        self._ticking = asyncio.create_task(self._tick())
        self._thread.start()

    def stop(self) -> None:
        if self._ticking is None:
            return
        self._over.set()
        self._ticking.cancel()
        self._exit_timer.set(0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        faulthandler.unregister(signal.SIGVTALRM)

    async def _tick(self) -> None:
        while True:
            self._silent = 0.0
            signal.setitimer(signal.ITIMER_VIRTUAL, self._seconds + 2 * TICK_SECONDS)
            self._exit_timer.set(self._seconds + 4 * TICK_SECONDS)
            await asyncio.sleep(TICK_SECONDS)

    def _watch(self) -> None:
        while not self._over.wait(TICK_SECONDS):
            self._silent += TICK_SECONDS
            if self._silent > self._seconds:
                frame = sys._current_frames().get(self._watched)  # noqa: SLF001 -- there is no other way
                where = f"{frame.f_globals.get('__name__', '?')}:{frame.f_lineno}" if frame else "?"
                _log.critical("worker.hung", seconds=self._silent, at=where)
                faulthandler.dump_traceback()
                os._exit(EXIT_CODE)
