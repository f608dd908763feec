"""The time of Redis, as near as a process can know it: a wrong clock must not age the events."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bridge.errors import StoreUnavailable
from bridge.queue.connection import unavailable

PROMPT_SECONDS: Final = 0.1


async def server_ms(redis: Redis) -> int:
    """What the clock of Redis says now: Unix time in ms. Raises what the client does."""
    seconds, microseconds = await redis.time()
    return int(seconds * 1000 + microseconds // 1000)


class Clock:
    """Unix time in milliseconds, corrected by what Redis said last."""

    def __init__(self) -> None:
        self._ahead_ms = 0.0

    async def sync(self, redis: Redis) -> None:
        """Compares with Redis; an answer that took long says little and is left. Raises StoreUnavailable."""
        before = time.time()
        with unavailable():
            seconds, microseconds = await redis.time()
        after = time.time()
        if after - before > PROMPT_SECONDS:
            return
        self._ahead_ms = seconds * 1000 + microseconds / 1000 - (before + after) * 500

    async def keep(self, redis: Redis, every_seconds: float) -> None:
        """Compares now and then, whenever Redis answers, until cancelled."""
        while True:
            with contextlib.suppress(
                StoreUnavailable, RedisError
            ):  # what is known of its clock is still the best guess
                await self.sync(redis)
            await asyncio.sleep(every_seconds)

    def now_ms(self) -> int:
        return int(time.time() * 1000 + self._ahead_ms)

    def now(self) -> float:
        """In seconds, as time.time tells it."""
        return time.time() + self._ahead_ms / 1000

    def age_seconds(self, at_ms: int) -> float:
        """How long ago that was, never less than nothing."""
        return max(0.0, (self.now_ms() - at_ms) / 1000)
