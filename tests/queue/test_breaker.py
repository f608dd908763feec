"""The breaker: sessions that fail with nothing getting through stop the claims, but for one that probes."""

from __future__ import annotations

import pytest

from bridge.queue import Ack, Bury, Delivery, Park, Queue, Said, Settle
from tests.queue.conftest import Make
from tests.queue.hands import Hands, claim, claim_one

OPENS_AT = 5
FIRST, LONGEST = 1.0, 15.0


def down(delivery: Delivery, seconds: float = 0.0) -> Park:
    return Park(delivery, seconds, said="down")


async def push(queue: Queue, count: int, name: str = "s") -> None:
    for n in range(count):
        await queue.push(f"{name}{n}", f"{name}{n}".encode())


async def opened(queue: Queue, sessions: int = 20) -> tuple[Delivery, ...]:
    """Opens it; the deliveries that are in flight still."""
    await push(queue, sessions)
    deliveries = await claim(queue, sessions)
    turn = await queue.turn([down(each) for each in deliveries[:OPENS_AT]], 0)
    assert turn.opened
    return deliveries[OPENS_AT:]


async def is_down(queue: Queue) -> bool:
    return (await queue.stats()).down_seconds is not None


async def test_sessions_that_fail_with_nothing_getting_through_open_it_once(queue: Queue, make: Make) -> None:
    await push(queue, OPENS_AT + 1)
    *failing, last = await claim(queue)
    for number, each in enumerate(failing, 1):
        assert (await queue.turn([down(each)], 0)).opened == (number == OPENS_AT)
    turn = await make().turn([down(last)], 10)
    assert (turn.opened, turn.deliveries) == (False, ()), "nothing is claimed by anybody"
    assert FIRST / 2 < (turn.next_due_seconds or 0) <= FIRST
    assert await is_down(queue)


async def test_one_chat_that_always_fails_opens_nothing(queue: Queue) -> None:
    await queue.push("poison", b"x")
    for _ in range(3 * OPENS_AT):
        assert not (await queue.turn([down(await claim_one(queue))], 0)).opened
    assert not await is_down(queue)


async def test_what_gets_through_in_between_forgets_the_failures(queue: Queue) -> None:
    await push(queue, 2 * OPENS_AT)
    deliveries = await claim(queue)
    settles: list[Settle] = [down(each) for each in deliveries]
    settles[OPENS_AT - 1] = Ack(deliveries[OPENS_AT - 1], "up")
    for settle in settles[:-1]:
        assert not (await queue.turn([settle], 0)).opened
    assert (await queue.turn(settles[-1:], 0)).opened


@pytest.mark.parametrize("verb", ["ack", "sign", "park"])
async def test_what_says_nothing_of_the_other_side_forgets_nothing(queue: Queue, verb: str) -> None:
    await push(queue, OPENS_AT + 1)
    quiet, *deliveries = await claim(queue)
    await queue.turn([down(each) for each in deliveries[1:]], 0)
    ends: dict[str, Settle] = {"ack": Ack(quiet), "sign": Ack(quiet, "unsure"), "park": Park(quiet, 0)}
    assert not (await queue.turn([ends[verb]], 0)).opened
    assert (await queue.turn([down(deliveries[0])], 0)).opened


async def test_failures_that_are_long_past_do_not_count(queue: Queue, hands: Hands) -> None:
    await push(queue, OPENS_AT)
    *most, last = await claim(queue)
    await queue.turn([down(each) for each in most], 0)
    assert 0 < await hands.do("PTTL", f"{hands.prefix}failing") <= 60_000
    await hands.do("DEL", f"{hands.prefix}failing")
    assert not (await queue.turn([down(last)], 0)).opened


async def test_a_platform_that_shuts_for_all_opens_it_at_once(queue: Queue) -> None:
    await queue.push("s", b"x")
    assert (await queue.turn([Park(await claim_one(queue), 0, said="shut")], 0)).opened


async def test_what_was_in_flight_neither_counts_nor_lengthens_the_wait(queue: Queue) -> None:
    in_flight = await opened(queue)
    retried = (await queue.stats()).retried_total
    turn = await queue.turn([down(each, 60) for each in in_flight], 10)
    assert (turn.opened, turn.deliveries) == (False, ())
    assert (turn.next_due_seconds or 0) <= FIRST
    assert (await queue.stats()).retried_total == retried == OPENS_AT
    await queue.resume()
    after = {each.session: each.tries for each in await claim(queue, 20)}
    assert {after[each.session] for each in in_flight} == {0}, "due, and without a try lost"


async def test_one_probes_for_all(queue: Queue, make: Make, hands: Hands) -> None:
    await opened(queue)
    await hands.probe_is_due()
    (probe,) = await claim(queue)
    assert await claim(make()) == ()
    await hands.probe_is_due()
    assert await claim(make()) == (), "for as long as its lease is kept"
    turn = await queue.turn([Ack(probe, "up")], 0)
    assert turn.closed_after_seconds is not None
    assert turn.next_due_seconds == 0
    assert len(await claim(make(), 50)) == OPENS_AT - 1
    assert not await is_down(queue)


async def test_a_probe_that_fails_doubles_the_wait_up_to_a_bound(queue: Queue, hands: Hands) -> None:
    await opened(queue)
    waits = []
    for _ in range(7):
        await hands.probe_is_due()
        turn = await queue.turn([down(await claim_one(queue))], 1)
        assert (turn.deliveries, turn.opened) == ((), False)
        waits.append(turn.next_due_seconds or 0)
    for wait, bound in zip(waits, [2, 4, 8, LONGEST, LONGEST, LONGEST, LONGEST], strict=True):
        assert 0.7 * bound < wait <= bound
    assert (await queue.stats()).retried_total == OPENS_AT + 7, "a probe is a try"


async def test_probes_go_round(queue: Queue, hands: Hands) -> None:
    """One poison chat among many healthy ones does not keep it open."""
    await opened(queue, OPENS_AT)
    probed = []
    for _ in range(OPENS_AT):
        await hands.probe_is_due()
        probed.append(await claim_one(queue))
        await queue.turn([down(probed[-1])], 0)
    assert len({each.session for each in probed}) == OPENS_AT


async def test_signs_that_fail_are_no_way_around_the_wait(queue: Queue, hands: Hands) -> None:
    await opened(queue)
    await hands.probe_is_due()
    turn = await queue.turn([Ack(await claim_one(queue), "unsure")], 10)
    assert turn.deliveries == ()
    assert (turn.next_due_seconds or 0) > 1.0


@pytest.mark.parametrize("said", ["", "up"])
async def test_a_probe_that_did_not_get_as_far_lets_another_one_probe(
    queue: Queue, hands: Hands, said: Said
) -> None:
    """Handed over at a stop, or held up by its own chat; one that heard the other side has heard enough."""
    await opened(queue)
    await hands.probe_is_due()
    turn = await queue.turn([Park(await claim_one(queue), 60, counted=False, said=said)], 10)
    assert len(turn.deliveries) == (OPENS_AT - 1 if said else 1)


async def test_a_probe_whose_worker_died_is_followed_by_another(queue: Queue, hands: Hands) -> None:
    await opened(queue, OPENS_AT)
    await hands.probe_is_due()
    probe = await claim_one(queue)
    await hands.time_passes(probe.session)
    await hands.probe_is_due()
    (another,) = await claim(queue)
    assert (another.session, another.crashes) == (probe.session, 1)
    assert (await queue.turn([down(probe)], 0)).refused == {(probe.session, probe.token)}


async def test_what_is_buried_fails_too(queue: Queue, hands: Hands) -> None:
    await push(queue, OPENS_AT)
    *most, last = await claim(queue)
    await queue.turn([down(each) for each in most], 0)
    assert (await queue.turn([Bury(last, "expired", said="down")], 0)).opened
    await hands.probe_is_due()
    turn = await queue.turn([Bury(await claim_one(queue), "expired", said="down")], 10)
    assert turn.deliveries == ()


async def test_the_state_is_gone_when_it_is_closed(queue: Queue, hands: Hands) -> None:
    await opened(queue, OPENS_AT)
    await hands.probe_is_due()
    await queue.turn([Ack(await claim_one(queue), "up")], 0)
    fields = {field.decode() for field in await hands.do("HKEYS", f"{hands.prefix}stats")}
    assert not fields & {"down_since", "down_until", "down_tries", "probe"}
    assert "failing" not in await hands.keys()


async def test_a_hold_and_a_pause_go_before_a_probe(queue: Queue, hands: Hands) -> None:
    await opened(queue)
    await hands.probe_is_due()
    await queue.hold(60)
    assert await claim(queue) == ()
    await hands.hold_ends()
    await queue.pause("bad token")
    assert await claim(queue) == ()
    await queue.resume()
    assert len(await claim(queue)) == OPENS_AT, "resume closes the breaker too"


# ---- chats that fail by themselves -------------------------------------------------------------------------


async def test_what_names_a_chat_says_that_the_platform_is_up(queue: Queue) -> None:
    await push(queue, 4 * OPENS_AT)
    for each in await claim(queue, 4 * OPENS_AT):
        assert not (await queue.turn([Park(each, 60, said="answered")], 0)).opened
    assert not await is_down(queue)


async def test_the_probe_is_of_a_session_that_has_not_failed_lately(queue: Queue, hands: Hands) -> None:
    """Though those that fail are due for longer."""
    await opened(queue, OPENS_AT)
    await push(queue, 3, "healthy")
    await hands.probe_is_due()
    assert (await claim_one(queue)).session == "healthy0"


async def test_failures_from_before_the_opening_are_remembered(queue: Queue, hands: Hands) -> None:
    """What gets through ends the count that opens the breaker, but says nothing of the chats that fail."""
    await push(queue, 2 * OPENS_AT)
    deliveries = await claim(queue, 20)
    await queue.turn([down(each) for each in deliveries[: OPENS_AT - 1]], 0)
    await queue.push("healthy", b"1")
    await queue.turn([Ack(await claim_healthy(queue), "up")], 0)
    assert (await queue.turn([down(each) for each in deliveries[OPENS_AT:]], 0)).opened
    await queue.push("healthy", b"2")
    await hands.probe_is_due()
    assert (await claim_one(queue)).session == "healthy"


async def claim_healthy(queue: Queue) -> Delivery:
    """Gives all others back as they were."""
    claimed = await claim(queue, 20)
    await queue.turn([Park(each, 0, counted=False) for each in claimed if each.session != "healthy"], 0)
    (healthy,) = (each for each in claimed if each.session == "healthy")
    return healthy


async def test_a_session_that_got_through_has_not_failed_lately(queue: Queue, hands: Hands) -> None:
    await opened(queue, OPENS_AT)
    await hands.probe_is_due()
    probe = await claim_one(queue)
    await queue.push(probe.session, b"more")
    turn = await queue.turn([Ack(probe, "up")], 10)
    failing = [each for each in turn.deliveries if each.session != probe.session]
    await queue.turn([Park(each, 0, said="shut") for each in failing], 0)
    await queue.turn([Park(each, 0) for each in turn.deliveries if each.session == probe.session], 0)
    await hands.probe_is_due()
    assert (await claim_one(queue)).session == probe.session


async def test_of_those_that_failed_the_one_probes_that_failed_first(queue: Queue, hands: Hands) -> None:
    await opened(queue, OPENS_AT)
    await hands.do("ZADD", f"{hands.prefix}failed", "XX", await hands.now() - 10_000, "s3")
    await hands.probe_is_due()
    assert (await claim_one(queue)).session == "s3"


async def test_chats_that_always_fail_delay_no_other_chat(queue: Queue, hands: Hands) -> None:
    """Their probes lengthen the wait for them alone; who has not failed lately may go at once."""
    await opened(queue, OPENS_AT)
    for _ in range(4):
        await hands.probe_is_due()
        await queue.turn([down(await claim_one(queue))], 0)
    assert (await queue.turn([], 10)).next_due_seconds == pytest.approx(LONGEST, abs=LONGEST / 4 + 1)
    await queue.push("healthy", b"x")
    turn = await queue.turn([], 10)
    assert [each.session for each in turn.deliveries] == ["healthy"]
    assert (await queue.turn([Ack(turn.deliveries[0], "up")], 0)).closed_after_seconds is not None


async def test_a_breaker_that_they_open_again_delays_no_other_chat(queue: Queue, hands: Hands) -> None:
    await test_chats_that_always_fail_delay_no_other_chat(queue, hands)
    assert (await queue.turn([down(each) for each in await claim(queue)], 0)).opened
    await queue.push("healthy", b"again")
    assert (await claim_one(queue)).session == "healthy"


async def test_a_new_session_that_fails_too_makes_all_wait(queue: Queue, hands: Hands) -> None:
    """So an outage costs one call a wait, however many sessions are new."""
    await opened(queue, OPENS_AT)
    await hands.probe_is_due()
    await queue.turn([down(await claim_one(queue))], 0)
    await push(queue, 3, "new")
    turn = await queue.turn([down(await claim_one(queue))], 10)
    assert turn.deliveries == ()
    assert 1.0 < (turn.next_due_seconds or 0) <= 4.0


async def test_only_the_sessions_due_for_longest_are_looked_at(queue: Queue, hands: Hands) -> None:
    """A bound on the cost of a turn; behind it, the one that failed first is taken."""
    await push(queue, 40)
    await queue.turn([down(each) for each in await claim(queue, 40)], 0)
    for number in range(40):
        await hands.do("ZADD", f"{hands.prefix}due", "XX", number + 1, f"s{number}")
    await queue.push("healthy", b"x")
    await hands.probe_is_due()
    assert (await claim_one(queue)).session != "healthy"


async def test_the_record_of_failures_is_bounded_and_ends(queue: Queue, hands: Hands) -> None:
    await push(queue, 1_100)
    for _ in range(11):
        await queue.turn([down(each, 60) for each in await claim(queue, 100)], 0)
        await queue.resume()
    assert await hands.do("ZCARD", f"{hands.prefix}failed") == 1_000
    assert 0 < await hands.do("PTTL", f"{hands.prefix}failed") <= 60_000
