"""stats: one look, true at every moment."""

from __future__ import annotations

import pytest

from bridge.queue import Ack, Bury, Park, Queue, Stats
from tests.queue.hands import Hands, claim, claim_one


def numbers(stats: Stats) -> dict[str, int]:
    names = ("depth", "sessions", "ready", "parked", "in_flight", "dead")
    return {name: getattr(stats, name) for name in names}


async def test_an_unused_queue_is_all_zero(queue: Queue) -> None:
    assert await queue.stats() == Stats(0, 0, 0, 0, 0, 0.0, 0, 0, 0, 0, 0, "")


async def test_the_states_of_sessions_are_told_apart(queue: Queue) -> None:
    for name in "abcd":
        await queue.push(name, name.encode())
        await queue.push(name, name.encode() + b"2")
    first, second, third = await claim(queue, 3)
    await queue.turn([Park(first, 60), Bury(second, "rejected")], 0)
    assert numbers(await queue.stats()) == {
        "depth": 7, "sessions": 4, "ready": 2, "parked": 1, "in_flight": 1, "dead": 1,
    }  # fmt: skip
    await queue.turn([Ack(third)], 0)
    stats = await queue.stats()
    assert (stats.delivered_total, stats.retried_total, stats.buried_total) == (1, 1, 1)


async def test_a_dead_holder_is_counted_once(queue: Queue, hands: Hands) -> None:
    await queue.push("s", b"1")
    await claim_one(queue)
    await hands.time_passes("s")
    assert (await queue.stats()).parked == 0
    await claim_one(queue)
    assert numbers(await queue.stats())["in_flight"] == 1


async def test_the_oldest_age_is_that_of_the_oldest_head(queue: Queue, hands: Hands) -> None:
    """Whatever became of it since: parked and claimed events wait as well."""

    async def accepted(session: str, seconds_ago: int) -> None:
        now, _ = await hands.do("TIME")
        await hands.do("ZADD", f"{hands.prefix}head", (int(now) - seconds_ago) * 1000, session)

    await queue.push("a", b"1")
    await queue.push("b", b"2")
    await accepted("a", 100)
    await accepted("b", 50)
    assert (await queue.stats()).oldest_age_seconds == pytest.approx(100, abs=9)
    await hands.do("ZADD", f"{hands.prefix}due", "XX", 1, "a")
    a = await claim_one(queue)
    assert (await queue.stats()).oldest_age_seconds == pytest.approx(100, abs=9)
    await queue.turn([Park(a, 60)], 0)
    assert (await queue.stats()).oldest_age_seconds == pytest.approx(100, abs=9)
    await hands.time_passes("a")
    await queue.turn([Ack(await claim_one(queue))], 0)
    assert (await queue.stats()).oldest_age_seconds == pytest.approx(50, abs=9)


async def test_each_head_has_its_own_age(queue: Queue, hands: Hands) -> None:
    async def age() -> list[object]:
        return list(await hands.do("ZRANGE", f"{hands.prefix}head", 0, -1, "WITHSCORES"))

    await queue.push("s", b"1")
    await queue.push("s", b"2")
    first = await claim_one(queue)
    assert await age() == [b"s", b"%d" % first.accepted_at]
    (following,) = (await queue.turn([Ack(first)], 1)).deliveries
    assert await age() == [b"s", b"%d" % following.accepted_at]
