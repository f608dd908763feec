from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bridge.queue import Queue, connect
from workers import housekeeping
from workers.clock import Clock

LATER_MS = 10**15


@pytest.fixture
async def queue(redis_url: str) -> AsyncIterator[Queue]:
    async with connect(redis_url) as client:
        queue = Queue(client, "support", "out")
        for number in range(5):
            session, reason = f"s{number % 2}", "rejected" if number else "expired"
            await queue.reject(b'{"number":%d}' % number, reason, session)
        yield queue


async def left(queue: Queue) -> list[bytes]:
    return [letter.payload[-2:-1] for letter in await queue.dead()]


@pytest.mark.parametrize(
    ("given", "remain"),
    [
        ({}, []),
        ({"session": "s1"}, [b"0", b"2", b"4"]),
        ({"reason": "rejected"}, [b"0"]),
        ({"session": "s0", "reason": "expired"}, [b"1", b"2", b"3", b"4"]),
    ],
)
async def test_what_matches_is_purged(queue: Queue, given: dict[str, str], remain: list[bytes]) -> None:
    assert await housekeeping.purge(queue, LATER_MS, **given) == 5 - len(remain)
    assert await left(queue) == remain


async def test_what_matches_is_pushed_again_in_order(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 2)
    assert await housekeeping.replay(queue, LATER_MS, session="s0") == 3
    assert await left(queue) == [b"1", b"3"]
    (head,) = (await queue.turn([], 5)).deliveries
    assert (head.session, head.payload) == ("s0", b'{"number":0}')


async def test_letters_of_later_are_left_alone(queue: Queue) -> None:
    assert await housekeeping.purge(queue, 1000) == 0
    assert await housekeeping.replay(queue, 1000) == 0


async def test_only_old_letters_expire(queue: Queue) -> None:
    now_ms = Clock().now_ms()
    assert await housekeeping.retain([queue], now_ms) == 0
    assert await housekeeping.retain([queue], now_ms + housekeeping.RETENTION_SECONDS * 1000 + 60_000) == 5


def test_a_queue_is_found_by_its_name(queue: Queue) -> None:
    assert housekeeping.find([queue], "support", "out") is queue
    with pytest.raises(LookupError, match="sales:out"):
        housekeeping.find([queue], "sales", "out")


async def test_the_clock_is_that_of_redis(redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose clock is a day ahead."""
    real = Clock().now_ms()
    monkeypatch.setattr("workers.clock.time.time", lambda: real / 1000 + 86_400)
    clock = Clock()
    assert clock.age_seconds(real) >= 86_000
    await clock.sync(redis_client)
    assert clock.age_seconds(real) < 60
