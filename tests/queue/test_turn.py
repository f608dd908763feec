"""turn: what settles do to a session, and what a claim hands out."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from bridge.queue import Ack, Beat, Bury, Park, Queue, server_ms
from tests.queue.hands import Hands, claim, claim_one


async def test_an_acked_session_without_more_leaves_nothing_behind(queue: Queue, hands: Hands) -> None:
    await queue.push("s", b"1")
    await queue.turn([Ack(await claim_one(queue))], 0)
    assert {key.partition(":")[0] for key in await hands.keys()} == {"stats", "seen"}


async def test_settle_and_claim_are_one_turn(queue: Queue) -> None:
    await queue.push("s", b"1")
    await queue.push("s", b"2")
    turn = await queue.turn([Ack(await claim_one(queue))], 1)
    assert [delivery.payload for delivery in turn.deliveries] == [b"2"]


async def test_no_more_is_claimed_than_there_are_slots(queue: Queue) -> None:
    for n in range(5):
        await queue.push(f"s{n}", b"%d" % n)
    assert len(await claim(queue, 3)) == 3
    assert len(await claim(queue, 0)) == 0
    assert len(await claim(queue, 3)) == 2


async def test_tokens_rise(queue: Queue) -> None:
    """Also across acks: a state that is deleted must not let a token come back."""
    tokens = []
    for n in range(4):
        await queue.push("s", b"%d" % n)
        delivery = await claim_one(queue)
        tokens.append(delivery.token)
        await queue.turn([Ack(delivery)], 0)
    assert tokens == sorted(set(tokens))


@pytest.mark.parametrize(("counted", "tries"), [(True, 1), (False, 0)], ids=["retry", "wait"])
async def test_a_park_keeps_the_head_and_counts_a_try_only_when_asked(
    queue: Queue, hands: Hands, counted: bool, tries: int
) -> None:
    await queue.push("s", b"1")
    await queue.push("s", b"2")
    turn = await queue.turn([Park(await claim_one(queue), 60, counted=counted)], 10)
    assert turn.deliveries == ()
    assert turn.next_due_seconds == pytest.approx(60, abs=9)
    await hands.time_passes("s")
    again = await claim_one(queue)
    assert (again.payload, again.tries, again.crashes) == (b"1", tries, 0)
    assert (await queue.stats()).retried_total == tries


async def test_a_park_of_no_time_is_a_release(queue: Queue) -> None:
    await queue.push("s", b"1")
    await queue.turn([Park(await claim_one(queue), 0, counted=False)], 0)
    assert (await claim_one(queue)).payload == b"1"


@pytest.mark.parametrize(
    ("cursor", "stored"), [(None, b"old"), (b"", b""), (b"new", b"new"), (b"=\0", b"=\0")], ids=repr
)
async def test_a_park_stores_the_cursor_it_is_given(
    queue: Queue, cursor: bytes | None, stored: bytes
) -> None:
    await queue.push("s", b"1")
    delivery = await claim_one(queue)
    await queue.beat([Beat(delivery, b"old")])
    await queue.turn([Park(delivery, 0, cursor)], 0)
    assert (await claim_one(queue)).cursor == stored


async def test_the_next_event_of_a_session_starts_afresh(queue: Queue) -> None:
    await queue.push("s", b"1")
    await queue.push("s", b"2")
    await queue.turn([Park(await claim_one(queue), 0, b"3")], 0)
    (following,) = (await queue.turn([Ack(await claim_one(queue))], 1)).deliveries
    assert (following.payload, following.tries, following.cursor) == (b"2", 0, b"")


async def test_an_expired_lease_is_a_crash(queue: Queue, hands: Hands) -> None:
    await queue.push("s", b"1")
    for crashes in range(3):
        assert (delivery := await claim_one(queue)).crashes == delivery.tries == crashes
        await hands.time_passes("s")
    stats = await queue.stats()
    assert (stats.in_flight, stats.retried_total) == (1, 2)


async def test_a_settle_ends_a_row_of_crashes_but_not_the_tries(queue: Queue, hands: Hands) -> None:
    await queue.push("s", b"1")
    await claim_one(queue)
    await hands.time_passes("s")
    await queue.turn([Park(await claim_one(queue), 0, counted=False)], 0)
    delivery = await claim_one(queue)
    assert (delivery.tries, delivery.crashes) == (1, 0)


async def test_a_buried_head_makes_way(queue: Queue) -> None:
    await queue.push("s", b"1")
    await queue.push("s", b"2")
    turn = await queue.turn([Bury(await claim_one(queue), "rejected")], 1)
    assert [delivery.payload for delivery in turn.deliveries] == [b"2"]


async def test_many_settles_in_one_turn_are_told_apart(queue: Queue, hands: Hands) -> None:
    for name in "abcd":
        await queue.push(name, name.encode())
        await queue.push(name, name.encode() + b"2")
    a, b, c, d = sorted(await claim(queue), key=lambda delivery: delivery.session)
    await hands.time_passes("c")
    await claim_one(queue)
    turn = await queue.turn([Ack(a), Park(b, 60), Ack(c), Bury(d, "rejected")], 10)
    assert turn.refused == {("c", c.token)}
    assert {delivery.payload for delivery in turn.deliveries} == {b"a2", b"d2"}


async def test_large_turns(queue: Queue) -> None:
    count = 1000
    for n in range(count):
        await queue.push(f"s{n}", b"%d" % n)
    deliveries = await claim(queue, count)
    assert len(deliveries) == count
    assert not (await queue.turn([Ack(delivery) for delivery in deliveries], 0)).refused
    assert (await queue.stats()).depth == 0


async def test_the_longest_due_goes_first(queue: Queue, hands: Hands) -> None:
    for n, name in enumerate("cab"):
        await queue.push(name, name.encode())
        await hands.do("ZADD", f"{hands.prefix}due", "XX", n + 1, name)
    assert [delivery.session for delivery in await claim(queue, 2)] == ["c", "a"]


async def test_a_session_that_floods_waits_behind_the_others(queue: Queue, hands: Hands) -> None:
    """After each ack it goes to the back: every other session is served once before it is again."""
    for n in range(50):
        await queue.push("flood", b"flood %d" % n)
    for n in range(5):
        await queue.push(f"calm{n}", b"calm %d" % n)
    for session in ("flood", *(f"calm{n}" for n in range(5))):
        await hands.time_passes(session)
    served: list[str] = []
    turn = await queue.turn([], 1)
    while len(served) < 7:
        (delivery,) = turn.deliveries
        served.append(delivery.session)
        turn = await queue.turn([Ack(delivery)], 1)
    assert sorted(served[:6]) == ["calm0", "calm1", "calm2", "calm3", "calm4", "flood"]


async def test_next_due_speaks_of_what_waits(queue: Queue, hands: Hands) -> None:
    assert (await queue.turn([], 1)).next_due_seconds is None
    await queue.push("a", b"1")
    assert (await queue.turn([], 0)).next_due_seconds == 0
    a = await claim_one(queue)
    assert (await queue.turn([], 1)).next_due_seconds == pytest.approx(5, abs=3)
    await queue.turn([Park(a, 3600)], 0)
    assert (await queue.turn([], 1)).next_due_seconds == pytest.approx(3600, abs=9)
    await hands.time_passes("a")
    assert (await queue.turn([], 0)).next_due_seconds == 0


async def test_a_mailbox_lost_by_the_server_is_an_empty_claim_that_can_be_buried(
    queue: Queue, hands: Hands
) -> None:
    """Eviction is a wrong setting of the server: the queue shows it as a dead letter and goes on."""
    await queue.push("s", b"1")
    await hands.do("DEL", f"{hands.prefix}mail:s")
    delivery = await claim_one(queue)
    assert (delivery.payload, delivery.accepted_at) == (b"", 0)
    turn = await queue.turn([Bury(delivery, "undecodable")], 1)
    assert (turn.refused, turn.deliveries, turn.next_due_seconds) == (frozenset(), (), None)
    assert [letter.session for letter in await queue.dead()] == ["s"]


async def test_a_turn_that_comes_too_late_settles_and_claims_nothing(queue: Queue) -> None:
    await queue.push("s", b"1")
    await queue.push("s", b"2")
    first = await queue.turn([], 1)
    late = await queue.turn([Ack(first.deliveries[0])], 1, claims_until_ms=first.at_ms - 1)
    assert (late.late, late.deliveries, late.refused) == (True, (), frozenset())
    in_time = await queue.turn([], 1, claims_until_ms=late.at_ms + 60_000)
    assert [delivery.payload for delivery in in_time.deliveries] == [b"2"]
    assert not in_time.late


async def test_a_turn_that_wants_nothing_is_never_late(queue: Queue) -> None:
    assert not (await queue.turn([], 0, claims_until_ms=1)).late


async def test_a_turn_says_what_time_it_is_on_the_server(queue: Queue, redis: Redis) -> None:
    before = await server_ms(redis)
    turn = await queue.turn([], 1)
    assert before <= turn.at_ms <= await server_ms(redis)
