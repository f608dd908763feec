"""Waits that platforms ask for: to the moment, by all workers, for the chat or for all; and their cost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from bridge.channels.capabilities import Pace
from bridge.queue import Park, Queue
from tests.workers.bench import Bridge, dispatcher_of, quiet, running, until
from tests.workers.children import worker
from tests.workers.plain import CAPABILITIES, Plain
from tests.workers.platform import Answer, Platform, Received
from tests.workers.test_deliver import text, texts
from tests.workers.test_process import CONFIG, push
from tests.workers.test_process import started as running_both

MOMENT = 3.0
"""What a wait may be longer on a busy machine."""
PACED = msgspec.structs.replace(CAPABILITIES, chat_pace=Pace(per_second=1.0, burst=50))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"Retry-After": "2"}, 2.0, id="seconds"),
        pytest.param({"Retry-After": "1.25"}, 1.25, id="a fraction"),
        pytest.param(
            {"Date": "Wed, 21 Oct 2026 07:28:00 GMT", "Retry-After": "Wed, 21 Oct 2026 07:28:02 GMT"},
            2.0,
            id="a date",
        ),
    ],
)
async def test_a_wait_is_to_the_moment_also_over_a_restart(
    redis: Redis, redis_url: str, there: Platform, tmp_path: Path, headers: dict[str, str], seconds: float
) -> None:
    """And costs no try. The webhook channel's is for all chats."""
    there.answer = lambda _, count: Answer(status=429, headers=headers) if not count else Answer()
    config, queue = CONFIG.format(url=there.url), Queue(redis, "support", "out")
    with worker(tmp_path, config, redis_url) as first, worker(tmp_path, config, redis_url) as second:
        await running_both(first, second)
        second.signal(signal.SIGSTOP)  # it is there when the first has gone
        await push(queue, "s1", "one")
        await until(lambda: is_held(queue), 20)
        await push(queue, "s2", "two")
        first.signal(signal.SIGTERM)
        second.signal(signal.SIGCONT)
        await quiet(queue, 20)
    refused, *later = [each.at for each in there.received]
    assert len(later) == 2
    assert all(seconds <= each - refused < seconds + MOMENT for each in later)
    assert (await queue.stats()).retried_total == 0


async def is_held(queue: Queue) -> bool:
    return (await queue.stats()).held_seconds > 0


async def test_a_wait_of_years_is_a_wait(redis: Redis) -> None:
    queue = Queue(redis, "support", "out")
    await queue.push("s", b"x")
    (delivery,) = (await queue.turn([], 1)).deliveries
    await queue.hold(999_999_999, "chat")
    await queue.hold(999_999_999)
    turn = await queue.turn([Park(delivery, 999_999_999, counted=False)], 1)
    assert turn.next_due_seconds == pytest.approx(999_999_999, abs=9)
    assert await queue.held("chat") == pytest.approx(999_999_999, abs=9)


@pytest.mark.parametrize("capabilities", [CAPABILITIES, PACED], ids=["unpaced", "paced"])
async def test_a_chats_limit_holds_the_chat_in_all_its_sessions(
    bridge: Bridge, there: Platform, capabilities: object
) -> None:
    """Whichever worker has them; and no other chat."""

    def answer(received: Received, count: int) -> Answer:
        return Answer(status=429, headers={"Retry-After": "0.8"}) if not count else Answer()

    there.answer = answer
    channel = Plain(there.url, capabilities)  # type: ignore[arg-type]
    both = [bridge.dispatcher(channel=channel) for _ in range(2)]
    async with running(bridge.redis, *both):
        await bridge.push(text("1"), session="a", external_session_id="busy")
        await there.has(1)
        await asyncio.sleep(0.1)
        for session in "bcdef":
            await bridge.push(text("2"), session=session, external_session_id="busy")
        await bridge.push(text("calm"), session="g", external_session_id="other")
        await quiet(bridge.queue)
    (refused, *later) = [each for each in there.received if each.json["to"] == "busy"]
    assert len(later) == 6
    assert all(0.8 <= each.at - refused.at < 0.8 + MOMENT for each in later)
    (calm,) = [each for each in there.received if each.json["to"] == "other"]
    assert calm.at - refused.at < 0.7
    assert (await bridge.queue.stats()).retried_total == 0


async def test_a_limit_of_the_channel_that_a_typing_sign_meets_is_the_messages_too(
    bridge: Bridge, there: Platform
) -> None:
    limit = Answer(status=429, headers={"Retry-After": "0.5", "scope": "channel"})
    there.answer = lambda _, count: limit if not count else Answer()
    await bridge.push({"type": "pause", "duration": 0.05, "show_typing": True}, text("after"))
    async with bridge.running():
        await quiet(bridge.queue)
    assert [each.path for each in there.received] == ["/typing", "/text"], "and it is not tried again"
    assert there.received[1].at - there.received[0].at >= 0.5


async def test_turns_that_pass_during_a_hold_are_not_all_used_when_it_ends(
    bridge: Bridge, there: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.journey.MISSED_MS", 100)
    paced = Plain(there.url, msgspec.structs.replace(CAPABILITIES, channel_pace=Pace(per_second=5.0)))
    for number in range(6):
        await bridge.push(text(f"{number}"), session=f"s{number}")
    async with bridge.running(channel=paced):
        await there.has(1)
        await until(lambda: all_have_turns(bridge.queue, 5))
        await bridge.queue.hold(1.5)
        await quiet(bridge.queue)
    assert len(texts(there)) == 6
    times = [each.at for each in there.received][-4:]
    assert all(later - earlier > 0.15 for earlier, later in pairwise(times))


async def all_have_turns(queue: Queue, count: int) -> bool:
    stats = await queue.stats()
    return stats.parked == count or stats.depth < count


# ---- what waiting costs ------------------------------------------------------------------------------------


async def held(queue: Queue, redis: Redis) -> None:
    await queue.hold(3600)


async def paused(queue: Queue, redis: Redis) -> None:
    await queue.pause("bad token")


async def shut(queue: Queue, redis: Redis) -> None:
    (delivery,) = (await queue.turn([], 1)).deliveries
    await queue.turn([Park(delivery, 0, said="shut")], 0)
    late = {"down_until": str(2**52), "down_fresh": str(2**52)}
    await redis.hset("{bridge:support:out}:stats", mapping=late)  # type: ignore[misc]


async def parked(queue: Queue, redis: Redis) -> None:
    while deliveries := (await queue.turn([], 500)).deliveries:
        await queue.turn([Park(each, 3600) for each in deliveries], 0)


async def leased(queue: Queue, redis: Redis) -> None:
    """By workers that live."""
    while (await queue.turn([], 500)).deliveries:
        pass


WORKERS, SESSIONS, SECONDS = 4, 3000, 3.0


async def commands(redis: Redis) -> int:
    """What the server was asked so far, within scripts too."""
    stats = await redis.info("commandstats")
    return sum(each["calls"] for each in stats.values())


@pytest.mark.parametrize("waits", [held, paused, shut, parked, leased], ids=lambda waits: waits.__name__)
async def test_waiting_asks_little_of_redis(
    redis: Redis, waits: Callable[[Queue, Redis], Awaitable[None]]
) -> None:
    """Four workers and three thousand sessions: nobody looks more than a few times a second."""
    queue = Queue(redis, "support", "out")
    await asyncio.gather(*(queue.push(f"s{number}", b"%d" % number) for number in range(SESSIONS)))
    await waits(queue, redis)

    async def never(*_: object) -> Park:
        raise AssertionError

    dispatchers = [dispatcher_of(redis, never, lease_seconds=3600) for _ in range(WORKERS)]
    async with running(redis, *dispatchers):
        await asyncio.sleep(0.5)
        before = await commands(redis)
        await asyncio.sleep(SECONDS)
        asked = await commands(redis) - before
    # A look is a dozen commands, and there are two of them a second; then the blocking call, once a second.
    assert asked / SECONDS / WORKERS < 60
