"""hold and pause: nothing is claimed, everything can be settled."""

from __future__ import annotations

import pytest

from bridge.queue import Ack, Queue, wait_for_wake
from tests.queue.hands import Hands, claim, claim_one


async def test_a_hold_stops_claims_for_its_time(queue: Queue, hands: Hands) -> None:
    await queue.push("a", b"1")
    await queue.push("b", b"2")
    delivery = await claim_one(queue)
    await queue.hold(60)
    turn = await queue.turn([Ack(delivery)], 10)
    assert (turn.refused, turn.deliveries, turn.paused) == (frozenset(), (), False)
    assert turn.next_due_seconds == pytest.approx(60, abs=9)
    await hands.hold_ends()
    assert len(await claim(queue)) == 1


@pytest.mark.parametrize("seconds", [(60, 1), (1, 60)], ids=["longer-first", "longer-last"])
async def test_the_longer_hold_stays(queue: Queue, seconds: tuple[float, float]) -> None:
    await queue.push("a", b"1")
    for each in seconds:
        await queue.hold(each)
    assert (await queue.turn([], 1)).next_due_seconds == pytest.approx(60, abs=9)


async def test_a_hold_that_is_over_stops_nothing(queue: Queue) -> None:
    await queue.push("a", b"1")
    await queue.hold(0)
    assert len(await claim(queue)) == 1


async def test_a_pause_stops_claims_until_it_is_lifted(queue: Queue) -> None:
    await queue.push("a", b"1")
    await queue.push("b", b"2")
    delivery = await claim_one(queue)
    await queue.pause("the token is refused: \ud800")
    turn = await queue.turn([Ack(delivery)], 10)
    assert (turn.refused, turn.deliveries, turn.next_due_seconds, turn.paused) == (
        frozenset(),
        (),
        None,
        True,
    )
    assert (await queue.stats()).paused == "the token is refused: ?"
    await queue.resume()
    assert (await queue.stats()).paused == ""
    assert len(await claim(queue)) == 1


async def test_a_lifted_pause_wakes_a_worker_only_for_work(queue: Queue, hands: Hands) -> None:
    await queue.pause("x")
    await queue.resume()
    assert await wait_for_wake(hands.redis, [queue], 0.01) is None
    await queue.push("a", b"1")
    await queue.pause("x")
    assert (await queue.turn([], 10)).deliveries == ()
    assert await wait_for_wake(hands.redis, [queue], 0.01) is None
    await queue.resume()
    assert await wait_for_wake(hands.redis, [queue], 1) is queue
