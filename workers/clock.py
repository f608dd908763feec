"""The time of Redis, as near as a process can know it: a wrong clock must not age the events."""

from __future__ import annotations

import time

from redis.asyncio import Redis

from bridge.queue.connection import unavailable


class Clock:
    """Unix time in milliseconds, corrected by what Redis said last."""

    def __init__(self) -> None:
        self._ahead_ms = 0

    async def sync(self, redis: Redis) -> None:
        """Compares with Redis. Raises StoreUnavailable."""
        before = time.time()
        with unavailable():
            seconds, microseconds = await redis.time()
        here_ms = (before + time.time()) * 500
        self._ahead_ms = int(seconds * 1000 + microseconds // 1000 - here_ms)

    def now_ms(self) -> int:
        return int(time.time() * 1000) + self._ahead_ms

    def age_seconds(self, at_ms: int) -> float:
        """How long ago that was, never less than nothing."""
        return max(0.0, (self.now_ms() - at_ms) / 1000)
