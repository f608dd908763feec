"""Traffic: the requests under way, so that a stop can let them finish.

aiohttp drops what a client still sends once its server is told to close; so the server is told only after the
requests that had begun are answered.
"""

from __future__ import annotations

import asyncio


class Traffic:
    """`with traffic:` around each request; `drain` when no new connections are taken any more."""

    def __init__(self) -> None:
        self.stopping = False
        """Whether a connection is to be closed after its answer."""
        self._under_way = 0
        self._quiet = asyncio.Event()

    def __enter__(self) -> None:
        self._under_way += 1

    def __exit__(self, *_: object) -> None:
        self._under_way -= 1
        if self.stopping and not self._under_way:
            self._quiet.set()

    async def drain(self, seconds: float) -> bool:
        """Waits until nothing is under way; False when that took longer than `seconds`."""
        self.stopping = True
        if not self._under_way:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._quiet.wait()
        except TimeoutError:
            return False
        return True
