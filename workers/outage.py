"""Whether Redis is away, as one process sees it: waited for with jitter, said once when it goes and comes."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from bridge.errors import StoreFull, StoreUnavailable
from bridge.runtime import cancelled

T = TypeVar("T")

WAIT_SECONDS: Final = (0.1, 0.4)
SETTLING_SECONDS: Final = 0.5  # longer than anybody waits before asking again
FULL_SECONDS: Final = 60.0
"""Between two log lines about writes for which Redis has no memory."""

_log = structlog.get_logger(__name__)


class Outage:
    """Shared by everything in the process that talks to Redis. Nobody gives up; each waits and asks again."""

    def __init__(self) -> None:
        self.away = False
        self._back_at = -math.inf
        self._full_said_at = -math.inf

    def over(self) -> None:
        """Redis has answered."""
        if self.away:
            self.away = False
            self._back_at = asyncio.get_running_loop().time()
            _log.info("store.available")

    @property
    def settling_seconds(self) -> float:
        """How long nothing is to be claimed yet: leases may have ended while Redis was away, and who had them
        is to speak first."""
        if self.away:
            return SETTLING_SECONDS
        return max(0.0, self._back_at + SETTLING_SECONDS - asyncio.get_running_loop().time())

    def settle(self, silent_seconds: float) -> None:
        """Redis is there again after so long a silence that leases may have ended (infinite: it was never
        heard before, and they are nobody's business yet)."""
        if math.isfinite(silent_seconds) and not self.settling_seconds:
            self._back_at = asyncio.get_running_loop().time()
            _log.warning("store.silent", seconds=round(silent_seconds, 1))

    async def wait(self, error: StoreUnavailable) -> None:
        """Redis has not answered: lets some time pass, a different one for each process.

        Who was cancelled meanwhile ends here: redis-py answers that with an error while it is connecting.
        """
        if cancelled():
            raise asyncio.CancelledError
        if isinstance(error, StoreFull):
            self.full(error)
        elif not self.away:
            self.away = True
            _log.error("store.unavailable", reason=str(error))
        await asyncio.sleep(random.uniform(*WAIT_SECONDS))

    def full(self, error: StoreUnavailable) -> None:
        """Log that Redis refuses a write for want of memory. It is not away: deliveries go on."""
        now = asyncio.get_running_loop().time()
        if now - self._full_said_at >= FULL_SECONDS:
            self._full_said_at = now
            _log.warning("store.full", reason=str(error))

    async def insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Asks until Redis answers."""
        while True:
            try:
                answer = await ask()
            except StoreUnavailable as error:
                await self.wait(error)
            else:
                self.over()
                return answer
