"""Dead letters: kept with their reason, found, replayed, purged, bounded."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from bridge.queue import SUSPICION, Ack, Bury, DeadLetter, Limits, Park, Pushed, Queue, Wanted, dead
from bridge.queue.commit import Argument
from bridge.queue.letters import PAGE
from tests.queue.conftest import Make
from tests.queue.hands import Hands, claim, claim_one


async def bury(queue: Queue, session: str, payload: bytes, reason: str = "rejected") -> None:
    await queue.push(session, payload)
    (delivery,) = await claim(queue)
    await queue.turn([Bury(delivery, reason)], 0)


async def test_a_letter_tells_what_happened(queue: Queue) -> None:
    await queue.push("s\ud800", b"\xff{")
    await queue.turn([Park(await claim_one(queue), 0)], 0)
    delivery = await claim_one(queue)
    await queue.turn([Bury(delivery, "rejected", "403 Forbidden: \ud800 ü")], 0)
    (letter,) = await queue.dead()
    assert letter.died_at >= letter.accepted_at == delivery.accepted_at
    assert letter == DeadLetter(
        letter.id,
        "s\ud800",
        "rejected",
        "403 Forbidden: ? ü",
        1,
        letter.accepted_at,
        letter.died_at,
        b"\xff{",
    )


async def test_a_rejected_body_is_a_letter_though_it_never_was_an_event(queue: Queue) -> None:
    await queue.reject(b"[]", "unroutable", error="no session")
    (letter,) = await queue.dead()
    assert (letter.session, letter.reason, letter.error, letter.payload) == (
        "",
        "unroutable",
        "no session",
        b"[]",
    )
    assert letter.accepted_at > 0
    stats = await queue.stats()
    assert (stats.depth, stats.sessions, stats.dead, stats.buried_total) == (0, 0, 1, 1)


async def test_a_repeated_body_is_one_letter(queue: Queue, hands: Hands) -> None:
    """Letters are bounded in number: who replays a body at will must not push the others out."""
    assert await queue.reject(b"[]", "stale", "s")
    assert not await queue.reject(b"[]", "stale", "s")
    assert not await queue.reject(b"[]", "unroutable")
    assert await queue.push("s", b"[]") is Pushed.DUPLICATE
    stats = await queue.stats()
    assert (stats.dead, stats.buried_total, stats.duplicates_total) == (1, 1, 3)
    (seen,) = await hands.keys("seen:*")
    assert 0 < await hands.do("PTTL", hands.prefix + seen) <= Limits().seen_seconds * 1000
    await hands.do("DEL", hands.prefix + seen)
    assert await queue.reject(b"[]", "stale", "s")


async def test_what_was_accepted_is_not_rejected_later(queue: Queue) -> None:
    """A webhook that is replayed when its time is over is still the one that was taken."""
    await queue.push("s", b"[]")
    assert not await queue.reject(b"[]", "stale", "s")
    assert await queue.dead() == []


async def test_letters_are_found_by_what_is_known_of_them(queue: Queue) -> None:
    await bury(queue, "a", b"1", "rejected")
    await bury(queue, "b", b"2", "expired")
    await bury(queue, "a", b"3", "expired")
    first, second, third = await queue.dead()
    assert [letter.payload for letter in (first, second, third)] == [b"1", b"2", b"3"]
    assert await queue.dead(session="a") == [first, third]
    assert await queue.dead(reason="expired") == [second, third]
    assert await queue.dead(session="a", reason="expired") == [third]
    assert await queue.dead(ids=[third.id, "1-1", first.id]) == [third, first]
    assert await queue.dead(limit=2) == [first, second]
    assert await queue.dead(limit=0) == []
    assert await queue.dead(since_at=third.died_at + 1) == []
    assert await queue.dead(until_at=first.died_at - 1) == []
    assert await queue.dead(since_at=first.died_at, until_at=third.died_at) == [first, second, third]


async def test_many_letters_are_read_in_pages(queue: Queue) -> None:
    for n in range(450):
        await queue.reject(b"%d" % n, "odd" if n % 2 else "even")
    assert [letter.payload for letter in await queue.dead(limit=1000)] == [b"%d" % n for n in range(450)]
    assert [letter.payload for letter in await queue.dead(reason="odd", limit=3)] == [b"1", b"3", b"5"]


async def test_a_replayed_letter_is_an_event_again(queue: Queue) -> None:
    """It goes back to its place, aged from now, with no tries behind it, once."""
    await queue.push("s", b"1")
    await queue.turn([Park(await claim_one(queue), 0)], 0)
    await queue.turn([Bury(await claim_one(queue), "expired")], 0)
    await queue.push("s", b"2")
    letters = await queue.dead()
    assert await queue.replay([*letters, *letters]) == 1
    assert await queue.dead() == []
    stats = await queue.stats()
    assert (stats.depth, stats.sessions, stats.dead) == (2, 1, 0)
    again = await claim_one(queue)
    assert (again.payload, again.tries, again.crashes) == (b"1", 0, 0)
    assert again.accepted_at >= letters[0].died_at >= letters[0].accepted_at


async def test_letters_are_replayed_in_their_order(queue: Queue) -> None:
    sent = [b"%d" % n for n in range(30)]
    for payload in sent:
        await bury(queue, "s", payload)
    assert await queue.replay(await queue.dead()) == 30
    got = []
    while deliveries := await claim(queue):
        got += [each.payload for each in deliveries]
        await queue.turn([Ack(each) for each in deliveries], 0)
    assert got == sent


async def test_a_replay_wakes_a_worker(queue: Queue, hands: Hands) -> None:
    await bury(queue, "s", b"1")
    await queue.replay(await queue.dead())
    assert await hands.do("LLEN", queue.wake_key) == 1
    assert (await claim_one(queue)).payload == b"1"


async def test_a_replay_is_no_duplicate_but_the_webhook_still_is(queue: Queue) -> None:
    await bury(queue, "s", b"1")
    assert await queue.replay(await queue.dead()) == 1
    assert await queue.push("s", b"1") is Pushed.DUPLICATE


async def test_a_purged_letter_is_gone(queue: Queue) -> None:
    await bury(queue, "a", b"1")
    await bury(queue, "b", b"2")
    letters = await queue.dead(session="a")
    assert await queue.purge(letters) == 1
    assert await queue.purge(letters) == 0
    assert await queue.purge([]) == 0
    assert [letter.session for letter in await queue.dead()] == ["b"]
    assert await queue.replay(letters) == 0


async def test_the_number_of_letters_is_bounded(make: Make) -> None:
    """The server trims whole nodes of its stream, so a few more than the limit may stay, the newest first."""
    queue = make(limits=Limits(dead=50))
    for n in range(400):
        await queue.reject(b"%d" % n, "unroutable")
    letters = await queue.dead(limit=1000)
    assert 50 <= len(letters) <= 200
    assert letters[-1].payload == b"399"


@pytest.mark.parametrize(
    ("value", "accepted_at"),
    [(b"\xb13" + b"1700000000000" + b"\x00new form", 1_700_000_000_000), (b"\xb1", 0), (b"{}", 0), (b"", 0)],
    ids=["later-version", "torn", "no-header", "empty"],
)
async def test_a_value_of_another_version_can_be_buried_and_put_back(
    queue: Queue, hands: Hands, value: bytes, accepted_at: int
) -> None:
    """During an upgrade an old worker may meet it: it must neither fail nor change it."""
    await queue.push("s", b"1")
    await hands.do("RPUSH", f"{hands.prefix}mail:s", value)
    turn = await queue.turn([Ack(await claim_one(queue))], 1)
    (delivery,) = turn.deliveries
    assert (delivery.payload, delivery.accepted_at) == (value, accepted_at)
    await queue.turn([Bury(delivery, "undecodable")], 0)
    letters = await queue.dead()
    assert [letter.payload for letter in letters] == [value]
    await queue.replay(letters)
    assert await hands.do("LRANGE", f"{hands.prefix}mail:s", 0, -1) == [value]


# ---- many at once ------------------------------------------------------------------------------------------


async def test_many_are_put_back_in_order_and_never_held_together(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are not meant are passed over once, whatever there is of them."""
    asked: list[object] = []
    real = queue._commit.command

    async def command(*words: Argument) -> Any:
        asked.append(words[0])
        return await real(*words)

    monkeypatch.setattr(queue._commit, "command", command)
    for n in range(1000):
        await queue.reject(b"%d" % n, "odd" if n % 2 else "even", f"s{n % 4}")
    assert await dead.count(queue, Wanted()) == 1000
    asked.clear()
    assert await dead.replay(queue, Wanted(reason="odd")) == 500
    assert asked == ["XRANGE"] * (1000 // PAGE + 1)
    got: dict[str, list[int]] = {}
    while deliveries := await claim(queue):
        for each in deliveries:
            got.setdefault(each.session, []).append(int(each.payload))
        await queue.turn([Ack(each) for each in deliveries], 0)
    assert got == {"s1": list(range(1, 1000, 4)), "s3": list(range(3, 1000, 4))}
    assert await dead.purge(queue, Wanted(session="s0")) == 250
    assert await dead.count(queue, Wanted()) == 250


async def test_two_who_replay_the_same_take_each_letter_once_and_keep_the_order(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.queue.letters.PAGE", 7)
    one, other = make(), make()
    for n in range(100):
        await one.reject(b"%d" % n, "stale", "s")
    done = await asyncio.gather(dead.replay(one, Wanted()), dead.replay(other, Wanted(session="s")))
    assert sum(done) == 100
    got = []
    while deliveries := await claim(one):
        got += [int(each.payload) for each in deliveries]
        await one.turn([Ack(each) for each in deliveries], 0)
    assert got == list(range(100))


async def test_what_dies_again_meanwhile_is_not_replayed_again(queue: Queue) -> None:
    await bury(queue, "s", b"1")
    [letter] = await queue.dead()
    wanted = Wanted(until_at=letter.died_at)
    assert await dead.replay(queue, wanted) == 1
    await asyncio.sleep(0.002)  # the ms of its death is over
    await queue.turn([Bury(await claim_one(queue), "rejected")], 0)
    assert await dead.replay(queue, wanted) == 0
    [again] = await queue.dead()
    assert again.died_at > letter.died_at
    assert again.accepted_at == letter.accepted_at


async def test_queues_with_letters_are_found_whoever_they_belong_to(make: Make, redis: Redis) -> None:
    await make("gone-2").reject(b"[]", "stale")
    await make("a_b").reject(b"[]", "stale")
    await make("empty").push("s", b"[]")
    await redis.set("{bridge:x:sideways}:dead", "")
    assert await dead.with_letters(redis) == [("a_b", "out"), ("gone-2", "out")]


async def test_letters_expire_by_the_time_they_died(queue: Queue, redis: Redis) -> None:
    for n in range(3):
        await queue.reject(b"%d" % n, "stale")
        await asyncio.sleep(0.002)
    first, _, third = await queue.dead()
    assert await dead.expire(redis, first.died_at) == []
    assert await dead.expire(redis, third.died_at) == [("support", "out", 2)]
    assert await queue.dead() == [third]


async def test_who_is_suspected_of_ending_workers_is_claimed_with_few_others(
    queue: Queue, hands: Hands
) -> None:
    """After two crashes a worker gets eight of them, after three one: who is to blame is found out soon."""
    sessions = [f"s{number:02}" for number in range(12)]
    for session in sessions:
        await queue.push(session, session.encode())

    async def crashed() -> int:
        for session in sessions:
            await hands.time_passes(session)
        return len((await queue.turn([], 64, SUSPICION)).deliveries)

    assert len((await queue.turn([], 64, SUSPICION)).deliveries) == 12
    assert await crashed() == 12, "one crash says nothing"
    assert await crashed() == 8
    assert await crashed() == 1, "of those that were claimed, and now have crashed thrice, one at most"
    assert (await queue.stats()).depth == 12
