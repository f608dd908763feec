"""Wake-ups: one blocking call for many queues, at most one token a queue."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from bridge.queue import Queue, wait_for_wake
from tests.queue.conftest import Make
from tests.queue.hands import Hands, claim, claim_one


async def test_a_push_wakes_a_waiting_worker(redis: Redis, queue: Queue) -> None:
    waiting = asyncio.create_task(wait_for_wake(redis, [queue], 30))
    await asyncio.sleep(0)
    await queue.push("s", b"1")
    assert await waiting is queue


async def test_many_queues_have_one_waiter(redis: Redis, make: Make) -> None:
    queues = [make(f"n{n}") for n in range(300)]
    assert await wait_for_wake(redis, queues, 0.01) is None
    await queues[217].push("s", b"1")
    assert await wait_for_wake(redis, queues, 30) is queues[217]


async def test_no_queue_is_overheard_behind_a_busy_one(redis: Redis, make: Make) -> None:
    """The server answers with the first key that has a token: the order must not be always the same."""
    busy, calm = make("busy"), make("calm")
    woken = set()
    for n in range(200):
        await busy.push(f"{n}", b"%d" % n)
        await calm.push(f"{n}", b"%d" % n)
        woken.add(await wait_for_wake(redis, [busy, calm], 1))
    assert woken == {busy, calm}


async def test_a_thousand_pushes_leave_one_token(queue: Queue, hands: Hands) -> None:
    await asyncio.gather(*(queue.push(f"s{n}", b"%d" % n) for n in range(1000)))
    assert await hands.do("LLEN", queue.wake_key) == 1


async def test_a_turn_that_takes_all_leaves_no_token(queue: Queue, hands: Hands) -> None:
    await queue.push("s", b"1")
    await claim(queue)
    assert await hands.do("LLEN", queue.wake_key) == 0


async def test_a_turn_that_leaves_work_wakes_the_next_worker(queue: Queue, hands: Hands) -> None:
    for n in range(3):
        await queue.push(f"s{n}", b"%d" % n)
    await claim_one(queue)
    assert await hands.do("LLEN", queue.wake_key) == 1
    await claim_one(queue)
    await claim_one(queue)
    assert await hands.do("LLEN", queue.wake_key) == 0


async def test_a_further_event_of_a_waiting_session_wakes_nobody(queue: Queue, hands: Hands) -> None:
    await queue.push("s", b"1")
    await claim_one(queue)
    await queue.push("s", b"2")
    assert await hands.do("LLEN", queue.wake_key) == 0


async def test_waiting_for_no_queue_only_passes_the_time(redis: Redis) -> None:
    assert await wait_for_wake(redis, [], 0.01) is None
