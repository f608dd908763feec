"""place and replay: what was accepted earlier goes in front of what is newer and still waits."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.queue import Ack, Bury, Limits, Park, Pushed, Queue
from tests.queue.conftest import Make
from tests.queue.hands import Hands, claim, claim_one

NOW = 2_000_000_000_000  # later than any server's clock will say: the script takes its own


def event(name: str, sent_at: int | None = None) -> bytes:
    return json.dumps({"name": name} | ({} if sent_at is None else {"timestamp": sent_at})).encode()


def sent_of(named: str | tuple[str, int]) -> int | None:
    return None if isinstance(named, str) else named[1]


async def drained(queue: Queue) -> list[str]:
    """The names of all that waits, as they are claimed."""
    found = []
    while deliveries := await claim(queue):
        found += [json.loads(each.payload)["name"] for each in deliveries]
        await queue.turn([Ack(each) for each in deliveries], 0)
    return found


async def clock(hands: Hands) -> int:
    seconds, micros = await hands.do("TIME")
    return int(seconds) * 1000 + int(micros) // 1000


async def test_a_placed_event_is_an_event_like_any_other(queue: Queue, hands: Hands) -> None:
    arrived_at = await clock(hands) - 5000
    assert await queue.place("s", event("a"), arrived_at) is Pushed.ACCEPTED
    stats = await queue.stats()
    assert (stats.depth, stats.sessions, stats.ready) == (1, 1, 1)
    assert stats.oldest_age_seconds >= 5
    delivery = await claim_one(queue)
    assert (delivery.session, delivery.payload, delivery.accepted_at) == ("s", event("a"), arrived_at)


async def test_it_is_accepted_once(queue: Queue) -> None:
    """Whether it was pushed, by a round trip that seemed to fail, or placed before."""
    await queue.push("s", event("a"))
    assert await queue.place("s", event("a"), NOW) is Pushed.DUPLICATE
    assert await queue.place("s", event("b"), NOW) is Pushed.ACCEPTED
    assert await queue.place("s", event("b"), NOW) is Pushed.DUPLICATE
    assert await queue.place("s", event("a, said again"), NOW, digest=b"1") is Pushed.ACCEPTED
    assert await queue.push("s", event("c"), b"1") is Pushed.DUPLICATE
    assert (await queue.stats()).duplicates_total == 3


async def test_it_never_claims_to_come_from_the_future(queue: Queue, hands: Hands) -> None:
    await queue.place("s", event("a"), NOW)
    assert (await claim_one(queue)).accepted_at <= await clock(hands)


async def test_the_limit_of_the_queue_is_not_for_what_was_accepted(make: Make) -> None:
    queue = make(limits=Limits(depth=1))
    await queue.push("s", event("a"))
    assert await queue.push("s", event("b")) is Pushed.FULL
    assert await queue.place("s", event("b"), NOW) is Pushed.ACCEPTED


@pytest.mark.parametrize(
    ("waiting", "placed", "ago", "order"),
    [
        (["w"], "p", 0, ["w", "p"]),
        (["w"], "p", 5000, ["p", "w"]),
        (["v", "w"], "p", 5000, ["p", "v", "w"]),
        ([("w", 20)], ("p", 10), 5000, ["p", "w"]),
        ([("w", 10)], ("p", 20), 5000, ["w", "p"]),
        ([("w", 10)], ("p", 10), 5000, ["w", "p"]),
        ([("w", 20)], ("p", 10), 0, ["w", "p"]),
        ([("v", 10), ("w", 30)], ("p", 20), 5000, ["v", "p", "w"]),
        ([("w", 20)], "p", 5000, ["p", "w"]),
    ],
    ids=[
        "accepted-before-it-arrived",
        "accepted-after-it-arrived",
        "several-accepted-after",
        "sent-later",
        "sent-earlier",
        "sent-at-the-same-time",
        "sent-later-and-accepted-before",
        "between",
        "one-without-a-time",
    ],
)
async def test_it_goes_before_what_is_newer(
    queue: Queue,
    hands: Hands,
    waiting: list[str | tuple[str, int]],
    placed: str | tuple[str, int],
    ago: int,
    order: list[str],
) -> None:
    def made(named: str | tuple[str, int]) -> bytes:
        return event(named) if isinstance(named, str) else event(*named)

    for each in waiting:
        await queue.push("s", made(each))
    await asyncio.sleep(0.02)  # clocks have ticked
    await queue.place("s", made(placed), await clock(hands) - ago, sent_of(placed))
    assert await drained(queue) == order


async def test_a_push_that_was_done_late_goes_back_to_where_it_belongs(queue: Queue, hands: Hands) -> None:
    """The server was frozen: it did the push when it woke, after what came by another way."""
    arrived_at = await clock(hands) - 5000
    await queue.push("s", event("w"))
    await queue.push("s", event("a"))
    await queue.push("s", event("x"))
    assert await queue.place("s", event("a"), arrived_at) is Pushed.DUPLICATE
    assert await queue.place("s", event("b"), arrived_at + 10) is Pushed.ACCEPTED
    stats = await queue.stats()
    assert (stats.depth, stats.sessions) == (4, 1)
    assert stats.oldest_age_seconds >= 5
    assert await drained(queue) == ["a", "b", "w", "x"]


async def test_a_push_that_was_done_late_and_claimed_stays(queue: Queue, hands: Hands) -> None:
    arrived_at = await clock(hands) - 5000
    await queue.push("s", event("a"))
    held = await claim_one(queue)
    assert await queue.place("s", event("a"), arrived_at) is Pushed.DUPLICATE
    assert await queue.place("s", event("b"), arrived_at + 10) is Pushed.ACCEPTED
    await queue.turn([Ack(held)], 0)
    assert await drained(queue) == ["b"]


@pytest.mark.parametrize("touch", ["claimed", "tried", "with-a-cursor"])
async def test_never_before_a_head_that_was_touched(queue: Queue, hands: Hands, touch: str) -> None:
    """Parts of it may have gone out already."""
    await queue.push("s", event("w"))
    held = await claim_one(queue)
    if touch == "tried":
        await queue.turn([Park(held, 0)], 0)
    if touch == "with-a-cursor":
        await queue.turn([Park(held, 0, b"1", counted=False)], 0)
    await queue.push("s", event("x"))
    await queue.place("s", event("p"), await clock(hands) - 5000)
    if touch == "claimed":
        await queue.turn([Ack(held)], 0)
        assert await drained(queue) == ["p", "x"]
    else:
        assert await drained(queue) == ["w", "p", "x"]


async def test_before_a_head_that_was_only_handed_back(queue: Queue, hands: Hands) -> None:
    await queue.push("s", event("w"))
    await queue.turn([Park(await claim_one(queue), 0, counted=False)], 0)
    await queue.place("s", event("p"), await clock(hands) - 5000)
    assert (await queue.stats()).oldest_age_seconds >= 5
    assert await drained(queue) == ["p", "w"]


async def test_what_cannot_be_read_is_placed_by_the_time_it_arrived(queue: Queue, hands: Hands) -> None:
    for payload in (b"{", b"[1]", b'{"timestamp": "soon"}', b"[" * 2000, b'"\\ud800"', b"\xff"):
        await queue.push("s", payload)
    await queue.place("s", event("p", 1), await clock(hands) - 5000, 1)
    assert (await claim_one(queue)).payload == event("p", 1)


async def test_many_pages_of_newer_events(queue: Queue, hands: Hands) -> None:
    await queue.push("s", event("v", 1))
    for n in range(150):
        await queue.push("s", event(f"w{n}", 100 + n))
    await queue.place("s", event("p", 50), await clock(hands) - 5000, 50)
    assert await drained(queue) == ["v", "p", *(f"w{n}" for n in range(150))]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    times=st.lists(st.integers(0, 9), max_size=12),
    arrived=st.integers(0, 9),
    sent=st.one_of(st.none(), st.integers(0, 9)),
)
async def test_against_a_sorted_insertion(
    queue: Queue, hands: Hands, times: list[int], arrived: int, sent: int | None
) -> None:
    """The model walks from the end, as one would with cards in one's hand. Times are in units of 4 ms."""
    await hands.do("FLUSHALL")
    begin = await clock(hands) - 100
    waiting = []
    for n, time in enumerate(sorted(times)):
        waiting.append((time, 10 - time % 3, f"w{n}"))
        value = b"\xb11%013d" % (begin + 4 * time) + event(f"w{n}", 10 - time % 3)
        await hands.do("RPUSH", f"{hands.prefix}mail:s", value)
        await hands.do("ZADD", f"{hands.prefix}due", 0, "s")
    at = len(waiting)
    while at and (
        waiting[at - 1][0] > arrived + 1
        if sent is None
        else waiting[at - 1][0] >= arrived - 1 and sent < waiting[at - 1][1]
    ):
        at -= 1
    names = [name for *_, name in waiting]
    await queue.place("s", event("p", sent), begin + 4 * arrived, sent)
    assert await drained(queue) == [*names[:at], "p", *names[at:]]


# ---- replay ------------------------------------------------------------------------------------------------


async def die(queue: Queue, *names: str) -> None:
    """They are pushed and buried, one after the other."""
    for name in names:
        await queue.push("s", event(name))
        await queue.turn([Bury(await claim_one(queue), "rejected")], 0)


async def test_letters_go_back_before_what_came_after_them(queue: Queue) -> None:
    await die(queue, "a", "b", "c")
    for name in ("d", "e"):
        await queue.push("s", event(name))
    assert await queue.replay(await queue.dead()) == 3
    assert await drained(queue) == ["a", "b", "c", "d", "e"]


async def letter(hands: Hands, name: str, accepted_at: int) -> None:
    """A letter as a worker leaves it, of an event accepted then."""
    value = b"\xb11%013d" % accepted_at + event(name)
    fields = ("session", "s", "reason", "expired", "error", "", "tries", 0, "value", value)
    await hands.do("XADD", f"{hands.prefix}dead", "*", *fields)


async def test_letters_find_their_places_in_whatever_order_they_are_replayed(
    queue: Queue, hands: Hands
) -> None:
    for at, name in enumerate("abcd", start=1):
        await letter(hands, name, at)
    await queue.push("s", event("e"))
    a, b, c, d = await queue.dead()
    for each in (c, a, d, b):
        await queue.replay([each])
    assert await drained(queue) == ["a", "b", "c", "d", "e"]


async def test_letters_accepted_at_once_keep_the_order_in_which_they_are_replayed(
    queue: Queue, hands: Hands
) -> None:
    for name in "ab":
        await letter(hands, name, 1)
    await queue.replay(await queue.dead())
    assert await drained(queue) == ["a", "b"]


async def test_a_letter_that_dies_again_keeps_its_place(queue: Queue, hands: Hands) -> None:
    await die(queue, "a")
    await queue.push("s", event("b"))
    [first] = await queue.dead()
    await queue.replay([first])
    again = await claim_one(queue)
    assert again.accepted_at >= first.died_at
    await queue.turn([Bury(again, "expired")], 0)
    [second] = await queue.dead()
    assert (second.accepted_at, second.payload) == (first.accepted_at, first.payload)
    await queue.replay([second])
    assert await drained(queue) == ["a", "b"]


async def test_the_oldest_age_is_not_that_of_a_replayed_letter(queue: Queue, hands: Hands) -> None:
    """An alarm on age would cry at each replay."""
    await letter(hands, "a", 1_700_000_000_000)
    await queue.push("s", event("b"))
    held = await claim_one(queue)
    await queue.replay(await queue.dead())
    await queue.turn([Ack(held)], 0)
    assert (await queue.stats()).oldest_age_seconds < 60
    assert await drained(queue) == ["a"]
