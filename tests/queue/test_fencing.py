"""Who has lost a claim changes nothing any more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.queue import Ack, Beat, Bury, Delivery, Park, Queue, Settle
from tests.queue.hands import Hands, claim, claim_one

SETTLES: list[Callable[[Delivery], Settle]] = [
    Ack,
    lambda delivery: Park(delivery, 60, b"zombie"),
    lambda delivery: Park(delivery, 60, b"zombie", counted=False),
    lambda delivery: Bury(delivery, "rejected"),
]
settles = pytest.mark.parametrize("settle", SETTLES, ids=["ack", "retry", "wait", "bury"])


async def image(hands: Hands) -> dict[str, object]:
    """All that a settle could change."""
    state = await hands.keys("state:*")
    return {
        "state": {key: await hands.do("HGETALL", hands.prefix + key) for key in state},
        "mail": await hands.do("LRANGE", f"{hands.prefix}mail:s", 0, -1),
        "due": await hands.do("ZRANGE", f"{hands.prefix}due", 0, -1, "WITHSCORES"),
        "head": await hands.do("ZRANGE", f"{hands.prefix}head", 0, -1, "WITHSCORES"),
        "stats": await hands.do("HGETALL", f"{hands.prefix}stats"),
        "dead": await hands.do("XLEN", f"{hands.prefix}dead"),
    }


@settles
async def test_a_zombie_is_refused_after_another_claimed(
    queue: Queue, hands: Hands, settle: Callable[[Delivery], Settle]
) -> None:
    await queue.push("s", b"1")
    zombie = await claim_one(queue)
    await hands.time_passes("s")
    await claim_one(queue)
    before = await image(hands)
    assert (await queue.turn([settle(zombie)], 0)).refused == {("s", zombie.token)}
    assert await queue.beat([Beat(zombie, b"zombie")]) == {("s", zombie.token)}
    assert await image(hands) == before


@settles
@pytest.mark.parametrize("more", [False, True], ids=["empty", "more-waits"])
async def test_a_zombie_is_refused_after_the_event_was_acked(
    queue: Queue, hands: Hands, settle: Callable[[Delivery], Settle], more: bool
) -> None:
    await queue.push("s", b"1")
    zombie = await claim_one(queue)
    await hands.time_passes("s")
    await queue.turn([Ack(await claim_one(queue))], 0)
    if more:
        await queue.push("s", b"2")
    before = await image(hands)
    assert (await queue.turn([settle(zombie)], 0)).refused == {("s", zombie.token)}
    assert await queue.beat([Beat(zombie)]) == {("s", zombie.token)}
    assert await image(hands) == before


@settles
async def test_a_zombie_is_refused_while_a_new_event_of_the_session_is_claimed(
    queue: Queue, hands: Hands, settle: Callable[[Delivery], Settle]
) -> None:
    """The state was deleted by the ack: a token counted by session would start again and match."""
    await queue.push("s", b"1")
    zombie = await claim_one(queue)
    await hands.time_passes("s")
    await queue.turn([Ack(await claim_one(queue))], 0)
    await queue.push("s", b"2")
    await claim_one(queue)
    assert (await queue.turn([settle(zombie)], 0)).refused == {("s", zombie.token)}
    assert (await queue.stats()).depth == 1


@pytest.mark.parametrize("first", SETTLES, ids=["ack", "retry", "wait", "bury"])
@settles
@pytest.mark.parametrize("together", [True, False], ids=["one-turn", "two-turns"])
async def test_a_delivery_is_settled_once(
    queue: Queue,
    first: Callable[[Delivery], Settle],
    settle: Callable[[Delivery], Settle],
    together: bool,
) -> None:
    await queue.push("s", b"1")
    await queue.push("s", b"2")
    delivery = await claim_one(queue)
    if together:
        turn = await queue.turn([first(delivery), settle(delivery)], 0)
    else:
        await queue.turn([first(delivery)], 0)
        turn = await queue.turn([settle(delivery)], 0)
    assert turn.refused == {("s", delivery.token)}
    stats = await queue.stats()
    assert (stats.depth + stats.delivered_total + stats.buried_total, stats.in_flight) == (2, 0)


@settles
async def test_a_late_settle_counts_while_nobody_else_has_claimed(
    queue: Queue, hands: Hands, settle: Callable[[Delivery], Settle]
) -> None:
    """The lease is over, but nothing was sent by another: refusing would only repeat the work."""
    await queue.push("s", b"1")
    delivery = await claim_one(queue)
    await hands.time_passes("s")
    assert (await queue.turn([settle(delivery)], 10)).refused == frozenset()
    assert (await queue.stats()).in_flight == 0


async def test_of_many_claimers_one_wins(queue: Queue, hands: Hands) -> None:
    await queue.push("s", b"1")
    claims: list[Delivery] = []
    for _ in range(5):
        claims += await claim(queue)
        await hands.time_passes("s")
    turn = await queue.turn([Ack(delivery) for delivery in claims], 0)
    assert turn.refused == {("s", delivery.token) for delivery in claims[:-1]}
    stats = await queue.stats()
    assert (stats.depth, stats.in_flight, stats.delivered_total) == (0, 0, 1)
