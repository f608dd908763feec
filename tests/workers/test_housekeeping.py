from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from bridge.queue import Clock, Queue, Wanted
from workers import housekeeping

LATER_MS = 10**15


@pytest.fixture
async def queue(redis_client: Redis) -> Queue:
    queue = Queue(redis_client, "support", "out")
    for number in range(5):
        session, reason = f"s{number % 2}", "rejected" if number else "expired"
        await queue.reject(b'{"number":%d}' % number, reason, session)
    return queue


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
async def test_what_matches_is_purged(queue: Queue, given: dict[str, Any], remain: list[bytes]) -> None:
    assert await housekeeping.purge(queue, Wanted(**given)) == 5 - len(remain)
    assert await left(queue) == remain


async def test_what_matches_is_put_back_in_order(queue: Queue) -> None:
    assert await housekeeping.replay(queue, Wanted(session="s0")) == 3
    assert await left(queue) == [b"1", b"3"]
    (head,) = (await queue.turn([], 5)).deliveries
    assert (head.session, head.payload) == ("s0", b'{"number":0}')


async def test_letters_of_later_are_left_alone(queue: Queue) -> None:
    assert await housekeeping.purge(queue, Wanted(until_at=1000)) == 0
    assert await housekeeping.replay(queue, Wanted(until_at=1000)) == 0


async def test_only_old_letters_expire(queue: Queue, redis_client: Redis) -> None:
    """To the millisecond, and nothing where they are kept for ever."""
    letters = await queue.dead()
    day = 86_400_000
    assert await housekeeping.retain(redis_client, letters[0].died_at + 30 * day, 30) == 0
    assert await housekeeping.retain(redis_client, letters[-1].died_at + 365 * day, 0) == 0
    assert await left(queue) == [b"0", b"1", b"2", b"3", b"4"]
    assert await housekeeping.retain(redis_client, letters[-1].died_at + 30 * day + 1, 30) == 5
    assert await left(queue) == []


async def test_letters_of_an_integration_that_was_removed_expire_too(redis_client: Redis) -> None:
    """Nobody delivers for it any more, and nobody else would ever delete what people wrote to it."""
    removed = Queue(redis_client, "removed", "in")
    await removed.reject(b"[]", "undecodable")
    await redis_client.set("{bridge:removed}:dead", "no queue of ours")
    assert await housekeeping.retain(redis_client, LATER_MS, 30) == 1
    assert await removed.dead() == []


def test_a_queue_is_found_by_its_name(queue: Queue) -> None:
    assert housekeeping.find([queue], "support", "out") is queue
    with pytest.raises(LookupError, match="sales:out"):
        housekeeping.find([queue], "sales", "out")


async def test_the_clock_is_that_of_redis(redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose clock is a day ahead."""
    real = Clock().now_ms()
    monkeypatch.setattr("bridge.queue.clock.time.time", lambda: real / 1000 + 86_400)
    clock = Clock()
    assert clock.age_seconds(real) >= 86_000
    await clock.sync(redis_client)
    assert clock.age_seconds(real) < 60
