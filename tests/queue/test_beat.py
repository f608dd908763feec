"""beat: a lease lasts as long as its holder says so."""

from __future__ import annotations

import pytest

from bridge.queue import Ack, Beat, Queue
from tests.queue.hands import Hands, claim, claim_one


async def test_a_beat_moves_the_lease_forward(queue: Queue, hands: Hands) -> None:
    await queue.push("s", b"1")
    delivery = await claim_one(queue)
    await hands.time_passes("s")
    assert await queue.beat([Beat(delivery)]) == frozenset()
    assert await claim(queue) == ()
    assert (await queue.turn([], 0)).next_due_seconds == pytest.approx(5, abs=3)


@pytest.mark.parametrize(
    ("cursors", "stored"),
    [
        ((b"1",), b"1"),
        ((b"1", b"2"), b"2"),
        ((b"1", None), b"1"),
        ((b"1", b""), b""),
        ((b"=\r\n\0",), b"=\r\n\0"),
    ],
    ids=["one", "replaced", "left", "emptied", "any-bytes"],
)
async def test_the_next_claim_finds_the_last_cursor(
    queue: Queue, hands: Hands, cursors: tuple[bytes | None, ...], stored: bytes
) -> None:
    await queue.push("s", b"1")
    delivery = await claim_one(queue)
    for cursor in cursors:
        await queue.beat([Beat(delivery, cursor)])
    await hands.time_passes("s")
    assert (await claim_one(queue)).cursor == stored


async def test_one_beat_names_the_lost_and_keeps_the_rest(queue: Queue, hands: Hands) -> None:
    for name in "abc":
        await queue.push(name, name.encode())
    a, b, c = sorted(await claim(queue), key=lambda delivery: delivery.session)
    await hands.time_passes("a")
    await claim_one(queue)
    await queue.turn([Ack(c)], 0)
    assert await queue.beat([Beat(a, b"x"), Beat(b, b"y"), Beat(c, b"z")]) == {("a", a.token), ("c", c.token)}
    assert await hands.keys("state:*") == {"state:a", "state:b"}


async def test_a_beat_of_nothing_asks_nothing(queue: Queue) -> None:
    assert await queue.beat([]) == frozenset()
