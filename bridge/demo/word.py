"""The word to end: Ctrl-C, SIGTERM, or a closed terminal."""

from __future__ import annotations

import asyncio
import signal
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Word:
    """Heard before the first child is started and after the last has ended: never does it kill the demo.

    The event loop's own handlers would be there only while it runs. After the block it means nothing any
    more, until the process is gone.
    """

    def __init__(self) -> None:
        self.signal = ""
        """The name of the first that was given."""
        self._given = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()
        for number in SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup means it
                signal.signal(number, self._hear)

    def __enter__(self) -> Word:
        return self

    def __exit__(self, *_: object) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _hear(self, number: int, _: object) -> None:
        self.signal = self.signal or signal.Signals(number).name
        self._given = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)

    async def given(self) -> None:
        """Waits for it; at once when it was given before and not forgotten."""
        self._loop = asyncio.get_running_loop()
        if self._given:
            return
        await self._event.wait()

    def forget(self) -> None:
        """From now on it must be given again."""
        self._given = False
        self._event.clear()
