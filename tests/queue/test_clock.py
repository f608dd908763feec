"""The clock of Redis, as a process knows it."""

from __future__ import annotations

import asyncio
import time
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as LinkError

from bridge.errors import StoreUnavailable
from bridge.queue import Clock


class Server:
    """Tells a time that is `ahead` seconds off, after `slow` seconds."""

    def __init__(self, ahead: float = 0.0, slow: float = 0.0) -> None:
        self.ahead = ahead
        self.slow = slow
        self.asked = 0

    async def time(self) -> tuple[int, int]:
        self.asked += 1
        await asyncio.sleep(self.slow)
        seconds, part = divmod(time.time() + self.ahead, 1)
        return int(seconds), int(part * 1_000_000)


def as_redis(server: Any) -> Redis:
    return cast("Redis", server)


@pytest.mark.parametrize("ahead", [0.0, 3600.0, -3600.0])
async def test_it_is_that_of_the_server(ahead: float) -> None:
    clock = Clock()
    await clock.sync(as_redis(Server(ahead)))
    assert abs(clock.now_ms() - (time.time() + ahead) * 1000) < 50
    assert clock.age_seconds(clock.now_ms() - 5000) == pytest.approx(5, abs=0.1)
    assert clock.age_seconds(clock.now_ms() + 60_000) == 0


async def test_an_answer_that_took_long_says_nothing() -> None:
    clock = Clock()
    await clock.sync(as_redis(Server(ahead=3600, slow=0.15)))
    assert abs(clock.now_ms() - time.time() * 1000) < 50


async def test_it_is_kept_whether_or_not_the_server_answers() -> None:
    class Away(Server):
        async def time(self) -> tuple[int, int]:
            if self.asked == 1:
                self.asked += 1
                raise LinkError("away")
            return await super().time()

    server, clock = Away(ahead=60), Clock()
    keeping = asyncio.create_task(clock.keep(as_redis(server), 0.01))
    async with asyncio.timeout(10):
        while server.asked < 4:
            await asyncio.sleep(0.01)
    keeping.cancel()
    assert abs(clock.now_ms() - (time.time() + 60) * 1000) < 50


async def test_a_server_that_is_away_is_said() -> None:
    class Away(Server):
        async def time(self) -> tuple[int, int]:
            raise LinkError("away")

    with pytest.raises(StoreUnavailable):
        await Clock().sync(as_redis(Away()))
