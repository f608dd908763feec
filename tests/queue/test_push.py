"""push: accepted once, refused whole."""

from __future__ import annotations

import pytest

from bridge.queue import Ack, Limits, Pushed, Queue
from tests.queue.conftest import Make
from tests.queue.hands import Hands, claim, claim_one


async def test_a_pushed_event_comes_out_as_it_went_in(queue: Queue) -> None:
    payload = bytes(range(256))
    assert await queue.push("s", payload) is Pushed.ACCEPTED
    delivery = await claim_one(queue)
    assert (delivery.session, delivery.payload, delivery.cursor) == ("s", payload, b"")
    assert (delivery.tries, delivery.crashes) == (0, 0)


async def test_the_time_of_acceptance_is_the_servers(queue: Queue, hands: Hands) -> None:
    before, _ = await hands.do("TIME")
    await queue.push("s", b"1")
    after, _ = await hands.do("TIME")
    assert int(before) <= (await claim_one(queue)).accepted_at // 1000 <= int(after) + 1


@pytest.mark.parametrize("payload", [b"", b"\0", b"=", b"\xb11", b"x" * 300_000], ids=len)
async def test_payloads_are_opaque(queue: Queue, payload: bytes) -> None:
    await queue.push("s", payload)
    assert (await claim_one(queue)).payload == payload


@pytest.mark.parametrize("session", ["", " ", "a:b", "{x}", "ü😀", "\ud800", "\0\r\n*3", "s" * 2000])
async def test_any_text_may_name_a_session(queue: Queue, session: str) -> None:
    await queue.push(session, b"1")
    delivery = await claim_one(queue)
    assert delivery.session == session
    assert (await queue.turn([Ack(delivery)], 1)).refused == frozenset()


async def test_events_of_a_session_come_out_in_the_order_of_acceptance(queue: Queue) -> None:
    sent = [b"%d" % n for n in range(20)]
    for payload in sent:
        await queue.push("s", payload)
    got = []
    for _ in sent:
        delivery = await claim_one(queue)
        got.append(delivery.payload)
        await queue.turn([Ack(delivery)], 0)
    assert got == sent


async def test_a_session_is_claimed_by_one_at_a_time(queue: Queue, make: Make) -> None:
    await queue.push("s", b"1")
    await queue.push("s", b"2")
    assert len(await claim(queue)) == 1
    assert await claim(make()) == ()


async def test_an_equal_body_is_a_duplicate_even_after_delivery(queue: Queue) -> None:
    assert await queue.push("s", b"1") is Pushed.ACCEPTED
    assert await queue.push("s", b"1") is Pushed.DUPLICATE
    await queue.turn([Ack(await claim_one(queue))], 0)
    assert await queue.push("s", b"1") is Pushed.DUPLICATE
    stats = await queue.stats()
    assert (stats.depth, stats.duplicates_total) == (0, 2)


async def test_the_digest_given_decides_what_a_duplicate_is(queue: Queue) -> None:
    assert await queue.push("s", b"1", digest=b"update-7") is Pushed.ACCEPTED
    assert await queue.push("s", b"2", digest=b"update-7") is Pushed.DUPLICATE
    assert await queue.push("s", b"1", digest=b"update-8") is Pushed.ACCEPTED


async def test_a_digest_is_remembered_for_the_time_set(make: Make, hands: Hands) -> None:
    await make(limits=Limits(seen_seconds=900)).push("s", b"1")
    (seen,) = await hands.keys("seen:*")
    assert 890_000 < await hands.do("PTTL", hands.prefix + seen) <= 900_000


async def test_a_full_queue_refuses_and_forgets(make: Make, hands: Hands) -> None:
    """An event that was refused is no duplicate when its sender tries again."""
    queue = make(limits=Limits(depth=2))
    await queue.push("a", b"1")
    await queue.push("b", b"2")
    before = await hands.keys()
    assert await queue.push("c", b"3") is Pushed.FULL
    assert await hands.keys() == before
    await queue.turn([Ack(await claim_one(queue))], 0)
    assert await queue.push("c", b"3") is Pushed.ACCEPTED


async def test_a_duplicate_is_recognised_on_a_full_queue(make: Make) -> None:
    """It was accepted before: its sender must hear so, and stop."""
    queue = make(limits=Limits(depth=1))
    await queue.push("a", b"1")
    assert await queue.push("a", b"1") is Pushed.DUPLICATE


async def test_queues_do_not_see_each_other(make: Make) -> None:
    await make("one").push("s", b"1")
    assert await claim(make("two")) == ()
    assert await make("two").push("s", b"1") is Pushed.ACCEPTED


FLOODED = Limits(session_depth=20, dead=10)


async def fill(queue: Queue, count: int) -> None:
    for n in range(count):
        assert await queue.push("flood", b"%d" % n) is Pushed.ACCEPTED


async def test_what_is_ephemeral_is_shed_where_it_would_come_too_late(make: Make, hands: Hands) -> None:
    """From a hundredth of what the session may hold; ordinary events and other sessions are taken still."""
    queue = make(limits=FLOODED)
    assert await queue.push("flood", b"typing", ephemeral=True) is Pushed.ACCEPTED
    await fill(queue, 1)
    before = await hands.keys()
    assert await queue.push("flood", b"typing on", ephemeral=True) is Pushed.SHED
    assert (await hands.keys(), (await queue.stats()).depth) == (before, 2), "nothing is kept of it"
    assert await queue.push("flood", b"words") is Pushed.ACCEPTED
    assert await queue.push("calm", b"typing too", ephemeral=True) is Pushed.ACCEPTED


async def test_a_flooded_session_keeps_what_is_too_much_as_dead_letters(make: Make) -> None:
    queue = make(limits=FLOODED)
    await fill(queue, 20)
    assert await queue.push("flood", b"too much") is Pushed.FLOOD
    assert await queue.push("flood", b"too much") is Pushed.DUPLICATE
    assert await queue.push("calm", b"other") is Pushed.ACCEPTED
    (letter,) = await queue.dead()
    assert (letter.session, letter.reason, letter.payload) == ("flood", "flood", b"too much")
    stats = await queue.stats()
    assert (stats.depth, stats.buried_total, stats.duplicates_total) == (21, 1, 1)
    await queue.turn([Ack(each) for each in await claim(queue)], 0)
    assert await queue.push("flood", b"room again") is Pushed.ACCEPTED


async def test_a_replayed_flood_stands_where_it_would_have_stood(make: Make, hands: Hands) -> None:
    queue = make(limits=FLOODED)
    await fill(queue, 20)
    await queue.push("flood", b"too much")
    await queue.turn([Ack(await claim_one(queue))], 0)
    (letter,) = await queue.dead()
    while await hands.now() <= letter.accepted_at:
        pass
    await queue.push("flood", b"later")
    await queue.replay(await queue.dead())
    payloads = []
    while deliveries := await claim(queue, 1):
        payloads.append(deliveries[0].payload)
        await queue.turn([Ack(deliveries[0])], 0)
    assert payloads[-3:] == [b"19", b"too much", b"later"]


async def test_a_flood_takes_half_the_room_of_the_dead_letters_at_most(make: Make) -> None:
    """What is beyond is refused, so that its sender knows: the letters of others stay."""
    queue = make(limits=FLOODED)
    await fill(queue, 20)
    answers = [await queue.push("flood", b"more %d" % n) for n in range(7)]
    assert answers == [Pushed.FLOOD] * 5 + [Pushed.FULL] * 2
    assert await queue.push("flood", b"more 6") is Pushed.FULL, "it is no duplicate when it comes again"
