"""A session that is dropped is as if it had never been; who holds it finds that out."""

from __future__ import annotations

from bridge.queue import Ack, Beat, Pushed, Queue
from tests.queue.hands import Hands, claim, claim_one


async def test_a_dropped_session_leaves_nothing_behind(queue: Queue, hands: Hands) -> None:
    await queue.push("other", b"0")
    before = await hands.keys("mail:*") | await hands.keys("state:*")
    for number in b"123":
        await queue.push("s", b"%d" % number)
    assert await queue.waiting("s") == 3
    assert await queue.drop("s") == 3
    assert await queue.waiting("s") == 0
    assert await hands.keys("mail:*") | await hands.keys("state:*") == before
    stats = await queue.stats()
    assert (stats.depth, stats.sessions, stats.in_flight) == (1, 1, 0)
    assert [delivery.session for delivery in await claim(queue)] == ["other"]


async def test_who_holds_a_dropped_session_is_refused(queue: Queue) -> None:
    await queue.push("s", b"1")
    held = await claim_one(queue)
    assert await queue.drop("s") == 1
    assert await queue.beat([Beat(held)]) == {(held.session, held.token)}
    assert (await queue.turn([Ack(held)], 0)).refused == {(held.session, held.token)}
    stats = await queue.stats()
    assert (stats.depth, stats.in_flight, stats.delivered_total) == (0, 0, 0)


async def test_a_dropped_session_can_begin_again(queue: Queue) -> None:
    await queue.push("s", b"1")
    await queue.drop("s")
    assert await queue.push("s", b"2") is Pushed.ACCEPTED
    assert (await claim_one(queue)).payload == b"2"


async def test_there_is_nothing_to_drop_of_a_session_nobody_knows(queue: Queue) -> None:
    assert await queue.drop("nobody") == 0
    assert (await queue.stats()).depth == 0
