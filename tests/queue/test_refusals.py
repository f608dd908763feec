"""Refusals that may mean one chat or the whole account: parked, buried, or the reason to pause the queue."""

from __future__ import annotations

import pytest

from bridge.queue import Ack, Bury, Delivery, Park, Queue, Refuse, Said
from tests.queue.conftest import Make
from tests.queue.hands import Hands, claim, claim_one
from tests.queue.test_breaker import down, push

WORDS = "200: no"
PARKED_SECONDS = 60.0


def refuse(delivery: Delivery, *, chat: str = "", account: bool = False) -> Refuse:
    return Refuse(delivery, WORDS, chat or delivery.session, b"done", account=account)


async def refused(queue: Queue, count: int) -> None:
    """That many sessions, each of a chat of its own, were refused in a row."""
    await push(queue, count, "r")
    await queue.turn([refuse(each) for each in await claim(queue, count)], 0)


async def get_through(queue: Queue, session: str) -> None:
    await queue.push(session, b"through " + session.encode())
    await queue.turn([Ack(await claim_one(queue), "up")], 0)


async def test_a_refusal_parks_its_session_and_no_other(queue: Queue, make: Make) -> None:
    await refused(queue, 1)
    turn = await make().turn([], 10)
    assert (turn.deliveries, turn.paused, turn.pause) == ((), False, "")
    assert turn.next_due_seconds == pytest.approx(PARKED_SECONDS, abs=9)
    assert (await queue.stats()).retried_total == 0, "it costs no try"
    await queue.push("other", b"x")
    assert (await claim_one(queue)).refusal == ""


async def test_after_a_while_it_is_given_out_to_be_buried(queue: Queue, hands: Hands) -> None:
    await refused(queue, 1)
    await hands.time_passes("r0")
    delivery = await claim_one(queue)
    assert (delivery.refusal, delivery.cursor, delivery.tries) == (WORDS, b"done", 0)
    await queue.push("r0", b"next")
    await queue.turn([Bury(delivery, "rejected", delivery.refusal)], 0)
    assert (await claim_one(queue)).refusal == "", "the next event of the session was not refused"


@pytest.mark.parametrize("count", [1, 2])
async def test_when_another_chat_gets_through_it_is_buried_at_once(queue: Queue, count: int) -> None:
    await refused(queue, count)
    await get_through(queue, "other")
    assert {each.refusal for each in await claim(queue)} == {WORDS}


@pytest.mark.parametrize("said", ["answered", "", "unsure", "down"])
async def test_what_did_not_get_through_shows_nothing_of_the_account(queue: Queue, said: Said) -> None:
    await refused(queue, 1)
    await queue.push("other", b"x")
    await queue.turn([Bury(await claim_one(queue), "rejected", said=said)], 0)
    assert await claim(queue) == ()


async def test_three_chats_in_a_row_pause_the_queue_once(queue: Queue) -> None:
    await push(queue, 5)
    *deliveries, last, open_one = await claim(queue)
    turns = [await queue.turn([refuse(each)], 0) for each in deliveries]
    assert [turn.paused for turn in turns] == [False, False, True]
    assert [turn.pause for turn in turns[:2]] == ["", ""]
    assert turns[2].pause == f"forbidden: 3 chats in a row were refused, the last one with {WORDS}"
    assert (await queue.stats()).paused == turns[2].pause
    turn = await queue.turn([refuse(last), Ack(open_one)], 10)
    assert (turn.paused, turn.pause, turn.deliveries) == (True, "", ())


async def test_a_call_that_was_under_way_and_gets_through_lifts_the_pause(queue: Queue) -> None:
    """In a burst to many chats those that refuse can be the first to answer."""
    await push(queue, 5)
    *deliveries, under_way = await claim(queue)
    assert (await queue.turn([refuse(each) for each in deliveries], 0)).paused
    turn = await queue.turn([Ack(under_way, "up")], 10)
    assert (turn.paused, turn.resumed, turn.pause) == (False, True, "")
    assert {each.refusal for each in turn.deliveries} == {WORDS}
    assert (await queue.stats()).paused == ""


async def test_a_pause_that_is_lifted_in_its_own_turn_is_none(queue: Queue) -> None:
    await push(queue, 4)
    *deliveries, under_way = await claim(queue)
    turn = await queue.turn([*map(refuse, deliveries), Ack(under_way, "up")], 10)
    assert (turn.paused, turn.resumed, turn.pause) == (False, False, "")


@pytest.mark.parametrize("reason", ["a person's", "unauthorized: 401"])
async def test_no_other_pause_is_lifted_by_a_call_that_gets_through(queue: Queue, reason: str) -> None:
    await refused(queue, 2)
    await queue.push("other", b"x")
    delivery = await claim_one(queue)
    await queue.pause(reason)
    turn = await queue.turn([Ack(delivery, "up")], 10)
    assert (turn.paused, turn.resumed, turn.deliveries) == (True, False, ())


async def test_one_chat_does_not_count_three_times(queue: Queue) -> None:
    await push(queue, 4)
    for each in await claim(queue):
        assert not (await queue.turn([refuse(each, chat="the same")], 0)).paused


async def test_what_gets_through_in_between_begins_the_row_anew(queue: Queue) -> None:
    await refused(queue, 2)
    await get_through(queue, "other")
    await queue.turn([Bury(each, "rejected") for each in await claim(queue)], 0)
    await push(queue, 3, "t")
    for number, each in enumerate(await claim(queue), 1):
        assert (await queue.turn([refuse(each)], 0)).paused == (number == 3)


async def test_chats_that_were_buried_still_count(queue: Queue, hands: Hands) -> None:
    """Where an account without rights has few messages, each is buried before the next is refused."""
    for number in range(3):
        await queue.push(f"s{number}", b"%d" % number)
        turn = await queue.turn([refuse(await claim_one(queue))], 0)
        assert turn.paused == (number == 2)
        await hands.time_passes(f"s{number}")
        await queue.turn([Bury(each, "rejected") for each in await claim(queue)], 0)


async def test_a_refused_account_pauses_at_once(queue: Queue) -> None:
    await queue.push("s", b"x")
    turn = await queue.turn([refuse(await claim_one(queue), account=True)], 0)
    assert turn.pause == f"unauthorized: {WORDS}"


async def test_the_first_reason_stays(queue: Queue) -> None:
    await queue.push("s", b"x")
    delivery = await claim_one(queue)
    await queue.pause("a person's")
    assert (await queue.turn([refuse(delivery, account=True)], 0)).pause == ""
    assert (await queue.stats()).paused == "a person's"


@pytest.mark.parametrize("account", [True, False])
async def test_after_a_resume_the_others_go_first(queue: Queue, make: Make, account: bool) -> None:
    """Even those that are due for less long; and one alone, until the platform has answered it."""
    await push(queue, 3, "r")
    await queue.turn([refuse(each, account=account) for each in await claim(queue)], 0)
    await push(queue, 2, "new")
    await queue.resume()
    (first,) = await claim(queue)
    assert first.session == "new0"
    assert await claim(make()) == ()
    assert (await queue.stats()).down_seconds is None, "nothing says that the platform is down"
    turn = await queue.turn([Ack(first, "up")], 10)
    assert {each.session for each in turn.deliveries} == {"new1", "r0", "r1", "r2"}
    assert {each.refusal for each in turn.deliveries} == {""}, "they are tried again"
    assert turn.closed_after_seconds is None


async def test_after_a_resume_the_refused_are_tried_where_there_are_no_others(queue: Queue) -> None:
    await refused(queue, 3)
    await queue.resume()
    (probe,) = await claim(queue)
    assert probe.refusal == ""
    assert (await queue.turn([refuse(probe)], 10)).pause, "nothing has got through yet"
    await queue.resume()
    (probe,) = await claim(queue)
    turn = await queue.turn([Ack(probe, "up")], 10)
    assert [each.refusal for each in turn.deliveries] == [""] * 2


async def test_after_a_resume_chats_that_are_refused_again_do_not_pause_it_again(queue: Queue) -> None:
    """Others got through meanwhile, so the account works."""
    await refused(queue, 3)
    await queue.resume()
    await get_through(queue, "other")
    again = await claim(queue)
    assert len(again) == 3
    turn = await queue.turn([refuse(each) for each in again], 10)
    assert (turn.paused, [each.refusal for each in turn.deliveries]) == (False, [WORDS] * 3)


async def test_what_gets_through_beside_a_refused_account_closes_no_chat(queue: Queue) -> None:
    """Calls that were under way when the credentials ended."""
    await push(queue, 2)
    one, two = await claim(queue)
    await queue.turn([refuse(one, account=True)], 0)
    await queue.turn([Ack(two, "up")], 0)
    await queue.resume()
    await queue.turn([refuse(await claim_one(queue))], 0)
    assert await claim(queue) == (), "it is parked, as of a chat that was never refused"


async def test_after_a_refused_account_works_again_its_refusals_do_not_count(queue: Queue) -> None:
    await push(queue, 3)
    await queue.turn([refuse(each, account=True) for each in await claim(queue)], 0)
    await queue.resume()
    assert not (await queue.turn([refuse(await claim_one(queue))], 0)).paused


# ---- chats that are closed ---------------------------------------------------------------------------------


async def closed(queue: Queue, count: int = 1) -> None:
    """So many sessions were refused while another got through."""
    await refused(queue, count)
    await get_through(queue, "other")
    await queue.turn([Bury(each, "rejected") for each in await claim(queue)], 0)


async def test_what_a_closed_chat_is_refused_next_is_buried_at_once(queue: Queue) -> None:
    await closed(queue)
    await queue.push("r0", b"next")
    (again,) = (await queue.turn([refuse(await claim_one(queue))], 10)).deliveries
    assert again.refusal == WORDS


async def test_closed_chats_do_not_pause_the_queue(queue: Queue) -> None:
    await closed(queue, 2)
    await push(queue, 3, "t")
    await queue.turn([refuse(each) for each in (await claim(queue))[:1]], 0)
    await queue.push("r0", b"next")
    await queue.push("r1", b"and next")
    for each in await claim(queue):
        assert not (await queue.turn([refuse(each)], 0)).paused or each.session.startswith("t")


async def test_a_chat_that_gets_through_is_closed_no_more(queue: Queue) -> None:
    await closed(queue)
    await get_through(queue, "r0")
    await queue.push("r0", b"next")
    assert (await queue.turn([refuse(await claim_one(queue))], 10)).deliveries == ()


async def test_closed_chats_are_known_for_a_day_and_are_bounded(queue: Queue, hands: Hands) -> None:
    await closed(queue)
    assert 86_000_000 < await hands.do("PTTL", f"{hands.prefix}closed") <= 86_400_000
    for page in range(11):
        pairs = [word for n in range(1_000) for word in (n + 1e12, f"c{page}-{n}")]
        await hands.do("ZADD", f"{hands.prefix}closed", *pairs)
    await hands.do("ZADD", f"{hands.prefix}closed", await hands.now() - 1, "lately")
    await queue.push("r9", b"x")
    await queue.turn([refuse(await claim_one(queue))], 0)
    await get_through(queue, "more")
    assert {*await hands.do("ZRANGE", f"{hands.prefix}closed", 0, -1)} >= {b"lately", b"r9", b"r0"}
    assert await hands.do("ZCARD", f"{hands.prefix}closed") <= 10_000


async def test_a_resume_of_what_was_not_paused_tries_nothing_again(queue: Queue) -> None:
    await refused(queue, 2)
    await queue.resume()
    assert await claim(queue) == ()


async def test_a_refused_session_that_is_gone_is_in_nobodys_way(queue: Queue) -> None:
    await refused(queue, 2)
    assert await queue.drop("r0") == 1
    await get_through(queue, "other")
    assert [each.session for each in await claim(queue)] == ["r1"]


async def test_no_key_is_left(queue: Queue, hands: Hands) -> None:
    await refused(queue, 2)
    await get_through(queue, "other")
    await queue.turn([Bury(each, "rejected") for each in await claim(queue)], 0)
    keys = {key for key in await hands.keys() if not key.startswith("seen:")}
    assert keys <= {"stats", "dead", "wake", "closed"}


async def test_a_refusal_closes_the_breaker(queue: Queue, hands: Hands) -> None:
    await push(queue, 6)
    await queue.turn([down(each) for each in (await claim(queue))[:5]], 0)
    await hands.probe_is_due()
    turn = await queue.turn([refuse(await claim_one(queue))], 10)
    assert turn.closed_after_seconds is not None


@pytest.mark.parametrize("words", ["up", "down", ""])
async def test_the_platforms_words_are_no_signal(queue: Queue, words: str) -> None:
    await push(queue, 2)
    one, two = await claim(queue)
    await queue.turn([refuse(one)], 0)
    await queue.turn([Refuse(two, words, "two", b"")], 0)
    assert await claim(queue) == ()
    assert (await queue.turn([Park(one, 0)], 0)).refused == {(one.session, one.token)}
