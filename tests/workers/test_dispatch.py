from __future__ import annotations

import asyncio
import random

import pytest
from prometheus_client import generate_latest
from redis.asyncio import Redis

from bridge.errors import Rejected, Unauthorized, Unavailable, Uncertain
from bridge.metrics import Metrics
from bridge.queue import Ack, Delivery, Park, Queue, Settle
from tests.workers.bench import Sent, dispatcher_of, queue_of, quiet, running, until
from workers.dispatch import Dispatcher, Waker
from workers.lease import Lease
from workers.outage import Outage
from workers.retry import Policy


async def claimed(queue: Queue) -> bool:
    """Whether there was something to claim; it is ours now, and nobody beats for it."""
    return bool((await queue.turn([], 1)).deliveries)


async def rests_paused(queue: Queue) -> bool:
    stats = await queue.stats()
    return bool(stats.paused) and not stats.in_flight


async def test_sessions_are_delivered_in_order_side_by_side_and_through_failures(redis: Redis) -> None:
    chance = random.Random(7)

    def fail(delivery: Delivery, lease: Lease) -> Settle | None:
        if chance.random() < 0.2:
            raise Unavailable("now and then", retry_after=chance.random() / 50)
        if chance.random() < 0.2:
            return Park(delivery, chance.random() / 50)
        return None

    sent = Sent(fail)
    queue = queue_of(redis)
    expected: dict[str, list[str]] = {}
    for number in range(30):
        for session in (f"s{each}" for each in range(20)):
            await queue.push(session, f"{session}-{number}".encode())
            expected.setdefault(session, []).append(f"{session}-{number}")
    async with running(redis, dispatcher_of(redis, sent), dispatcher_of(redis, sent)):
        await sent.has(600)
        await quiet(queue)
    assert sent.by_session == expected


async def test_a_flood_in_one_session_leaves_the_others_their_turn(redis: Redis) -> None:
    order: list[str] = []

    async def note(delivery: Delivery, lease: Lease) -> Settle:
        order.append(delivery.session)
        return Ack(delivery)

    queue = queue_of(redis)
    for number in range(200):
        await queue.push("flood", b"%d" % number)
    for number in range(10):
        await queue.push(f"calm{number}", b"calm %d" % number)
    async with running(redis, dispatcher_of(redis, note, concurrency=1)):
        await quiet(queue)
    assert max(order.index(f"calm{number}") for number in range(10)) < 30


async def test_an_idle_dispatcher_is_woken_by_a_push(redis: Redis) -> None:
    sent = Sent()
    queue = queue_of(redis)
    async with running(redis, dispatcher_of(redis, sent)):
        await queue.push("s", b"first")
        await sent.has(1)
        await asyncio.sleep(0.1)
        for number in range(5):
            before = asyncio.get_running_loop().time()
            await queue.push(f"s{number}", b"x%d" % number)
            await sent.has(2 + number)
            assert asyncio.get_running_loop().time() - before < 0.25


async def test_a_park_comes_back_when_it_is_due(redis: Redis) -> None:
    loop = asyncio.get_running_loop()
    times: list[float] = []

    def twice(delivery: Delivery, lease: Lease) -> Settle | None:
        times.append(loop.time())
        return Park(delivery, 0.3, b"here", counted=False) if not delivery.cursor else None

    sent = Sent(twice)
    async with running(redis, dispatcher_of(redis, sent)):
        await queue_of(redis).push("s", b"x")
        await sent.has(1)
    assert 0.3 <= times[1] - times[0] < 0.6


async def test_waits_hold_no_slot(redis: Redis) -> None:
    """One slot, twenty sessions that pause for a second: they pause together."""
    loop = asyncio.get_running_loop()
    sent = Sent(lambda each, _: None if each.cursor else Park(each, 1.0, b"waited", counted=False))
    queue = queue_of(redis)
    for number in range(20):
        await queue.push(f"s{number}", b"x%d" % number)
    before = loop.time()
    async with running(redis, dispatcher_of(redis, sent, concurrency=1)):
        await sent.has(20)
    assert 1.0 <= loop.time() - before < 2.5


async def test_leases_are_kept_while_a_delivery_takes_long(redis: Redis) -> None:
    starts = 0

    async def slow(delivery: Delivery, lease: Lease) -> Settle:
        nonlocal starts
        starts += 1
        await asyncio.sleep(1.5)
        await lease.hold()
        return Ack(delivery)

    queue = queue_of(redis)
    await queue.push("s", b"x")
    both = [dispatcher_of(redis, slow, lease_seconds=0.5) for _ in range(2)]
    async with running(redis, *both):
        await quiet(queue)
    assert starts == 1


async def test_a_holder_that_was_overtaken_stops_before_its_next_send(redis: Redis) -> None:
    """What a frozen process meets when it wakes: its lease is over, another worker has the session."""
    sends: list[str] = []
    queue = queue_of(redis)

    async def frozen(delivery: Delivery, lease: Lease) -> Settle:
        sends.append("frozen 1")
        lease.until = 0.0  # its clock has gone on
        await until(lambda: claimed(queue))
        await lease.hold()
        sends.append("frozen 2")
        return Ack(delivery)

    dispatcher = dispatcher_of(redis, frozen, lease_seconds=60.0)
    await queue.push("s", b"x")
    async with running(redis, dispatcher):
        await until(lambda: bool(sends))
        await redis.zadd("{bridge:support:out}:due", {"s": 0})
        await until(lambda: not dispatcher.in_flight)
    assert sends == ["frozen 1"]
    assert (await queue.stats()).depth == 1, "the other one's to settle"


async def test_progress_is_what_the_next_one_starts_from(redis: Redis) -> None:
    """A run that is cancelled (a crash, to the queue) leaves its lease and its cursor behind."""
    queue = queue_of(redis, lease_seconds=0.3)
    there = asyncio.Event()
    seen: list[tuple[bytes, int, int]] = []

    async def halfway(delivery: Delivery, lease: Lease) -> Settle:
        seen.append((delivery.cursor, delivery.tries, delivery.crashes))
        if delivery.cursor:
            return Ack(delivery)
        await lease.progress(b"step 1")
        there.set()
        await asyncio.sleep(60)
        return Ack(delivery)

    await queue.push("s", b"x")
    crashed = asyncio.create_task(dispatcher_of(redis, halfway, lease_seconds=0.3).run())
    await there.wait()
    crashed.cancel()
    await asyncio.gather(crashed, return_exceptions=True)
    async with running(redis, dispatcher_of(redis, halfway, lease_seconds=0.3)):
        await quiet(queue)
    assert seen == [(b"", 0, 0), (b"step 1", 1, 1)]


async def test_an_event_that_kills_workers_is_buried(redis: Redis) -> None:
    queue = queue_of(redis, lease_seconds=0.05)
    sent = Sent()
    await queue.push("s", b"killer")
    await queue.push("s", b"harmless")
    for _ in range(3):
        await until(lambda: claimed(queue))
    await asyncio.sleep(0.06)
    async with running(redis, dispatcher_of(redis, sent, max_crashes=3)):
        await sent.has(1)
    assert sent.by_session == {"s": ["harmless"]}
    (letter,) = await queue.dead()
    assert (letter.reason, letter.payload) == ("crashed", b"killer")


async def test_a_dispatcher_that_fell_over_starts_again_without_what_it_held(redis: Redis) -> None:
    """Nothing it held is kept alive by its beats: the lease ends, and the next claim counts a crash."""
    starts: list[int] = []

    async def hang_once(delivery: Delivery, lease: Lease) -> Settle:
        starts.append(delivery.crashes)
        await asyncio.sleep(0 if delivery.crashes else 60)
        return Ack(delivery)

    queue = queue_of(redis)
    await queue.push("s", b"x")
    dispatcher = dispatcher_of(redis, hang_once, concurrency=1, lease_seconds=0.3)
    run = asyncio.create_task(dispatcher.run())
    await until(lambda: bool(starts))
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert dispatcher.in_flight == 0
    async with running(redis, dispatcher):
        await quiet(queue)
    assert starts == [0, 1]


async def test_a_rejected_event_is_kept_as_dead_and_the_session_goes_on(redis: Redis) -> None:
    def reject(delivery: Delivery, lease: Lease) -> Settle | None:
        if delivery.payload == b"bad":
            raise Rejected("blocked by the user")
        return None

    sent = Sent(reject)
    queue = queue_of(redis)
    for payload in (b"one", b"bad", b"two"):
        await queue.push("s", payload)
    async with running(redis, dispatcher_of(redis, sent)):
        await sent.has(2)
    assert sent.by_session == {"s": ["one", "two"]}
    (letter,) = await queue.dead()
    assert (letter.reason, letter.error) == ("rejected", "blocked by the user")


async def test_a_fault_in_a_handler_is_tried_again_and_never_quoted(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.retry.BASE_SECONDS", 0.01)

    def fault(delivery: Delivery, lease: Lease) -> Settle | None:
        if delivery.payload.startswith(b"CANARY"):
            raise ValueError(delivery.payload)
        return None

    sent = Sent(fault)
    queue = queue_of(redis)
    await queue.push("s", b"CANARY")
    await queue.push("s", b"next")
    async with running(redis, dispatcher_of(redis, sent)):
        await sent.has(1)
    (letter,) = await queue.dead()
    assert (letter.reason, letter.tries) == ("fault", 4)
    assert letter.error.startswith("ValueError at tests.workers.test_dispatch:")


async def test_a_refused_credential_pauses_the_queue(redis: Redis) -> None:
    wrong = True

    def refuse(delivery: Delivery, lease: Lease) -> Settle | None:
        if wrong:
            raise Unauthorized("401")
        return None

    sent = Sent(refuse)
    queue = queue_of(redis)
    await queue.push("s", b"x")
    async with running(redis, dispatcher_of(redis, sent)):
        await until(lambda: rests_paused(queue))
        stats = await queue.stats()
        assert (stats.paused, stats.depth, stats.dead) == ("unauthorized: 401", 1, 0)
        wrong = False
        await queue.resume()
        await sent.has(1)


async def test_the_limit_of_a_channel_holds_all_its_sessions(redis: Redis) -> None:
    loop = asyncio.get_running_loop()
    starts: list[float] = []

    def limit(delivery: Delivery, lease: Lease) -> Settle | None:
        starts.append(loop.time())
        if len(starts) == 1:
            raise Unavailable("429", retry_after=0.5, scope="channel")
        return None

    sent = Sent(limit)
    queue = queue_of(redis)
    async with running(redis, dispatcher_of(redis, sent, concurrency=1)):
        for number in range(3):
            await queue.push(f"s{number}", b"x%d" % number)
        await sent.has(3)
    assert min(starts[1:]) - starts[0] >= 0.5


async def test_stopping_finishes_the_part_in_flight_and_hands_over_the_rest(redis: Redis) -> None:
    queue = queue_of(redis)
    parts: list[str] = []
    underway = asyncio.Event()
    finish = asyncio.Event()

    async def two_parts(delivery: Delivery, lease: Lease) -> Settle:
        parts.append(f"1 of {delivery.payload.decode()}")
        underway.set()
        await finish.wait()
        if lease.stopping:
            return Park(delivery, 0.0, b"1", counted=False)
        return Ack(delivery)

    await queue.push("a", b"a")
    await queue.push("b", b"b")
    first = dispatcher_of(redis, two_parts, concurrency=1)
    run = asyncio.create_task(first.run())
    await underway.wait()
    first.stop()
    finish.set()
    await asyncio.wait_for(run, 5)
    assert parts == ["1 of a"], "nothing new is claimed"
    (again,) = [each for each in (await queue.turn([], 2)).deliveries if each.session == "a"]
    assert (again.cursor, again.tries) == (b"1", 0), "at once, and no try counted"


async def test_what_hangs_at_a_stop_is_cut_short_and_counted(redis: Redis) -> None:
    queue = queue_of(redis)
    there = asyncio.Event()

    async def hang(delivery: Delivery, lease: Lease) -> Settle:
        lease.cursor = b"1"
        there.set()
        await asyncio.sleep(60)
        return Ack(delivery)

    await queue.push("a", b"a")
    dispatcher = dispatcher_of(redis, hang)
    run = asyncio.create_task(dispatcher.run())
    await there.wait()
    dispatcher.stop()
    dispatcher.cut_short()
    await asyncio.wait_for(run, 5)
    (again,) = (await queue.turn([], 1)).deliveries
    assert (again.cursor, again.tries, again.crashes) == (b"1", 1, 0)


async def test_a_waker_ends_although_the_client_swallowed_its_cancellation(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def swallows(*_: object) -> None:
        nonlocal asked
        asked += 1
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if asked > 1:
                raise

    monkeypatch.setattr("workers.dispatch.wait_for_wake", swallows)
    waker = asyncio.create_task(Waker(redis, [dispatcher_of(redis, Sent())], Outage()).run())
    await asyncio.sleep(0)
    waker.cancel()
    await asyncio.wait([waker], timeout=2)
    waker.cancel()
    await asyncio.wait([waker])
    assert asked == 1


async def test_hundreds_of_idle_queues_ask_little(redis: Redis) -> None:
    outage = Outage()
    dispatchers: list[Dispatcher] = []
    for number in range(100):
        made = dispatcher_of(redis, Sent(), outage=outage)
        made.queue = type(made.queue)(redis, f"q{number}", "out")
        dispatchers.append(made)
    waker = asyncio.create_task(Waker(redis, dispatchers, outage).run())
    runs = [asyncio.create_task(each.run()) for each in dispatchers]
    await asyncio.sleep(0.5)
    before = (await redis.info("stats"))["total_commands_processed"]
    await asyncio.sleep(1.0)
    scripts = (await redis.info("stats"))["total_commands_processed"] - before
    for each in dispatchers:
        each.stop()
    await asyncio.gather(*runs)
    waker.cancel()
    await asyncio.gather(waker, return_exceptions=True)
    assert scripts < 100 * 8


async def test_the_policy_decides_about_what_may_have_arrived(redis: Redis) -> None:
    def cut(delivery: Delivery, lease: Lease) -> Settle | None:
        raise Uncertain("no reply in time")

    queue = queue_of(redis)
    await queue.push("s", b"x")
    async with running(redis, dispatcher_of(redis, Sent(cut), policy=Policy(resend="hold"))):
        await quiet(queue)
    assert [letter.reason for letter in await queue.dead()] == ["uncertain"]


async def test_what_was_held_back_because_the_lease_was_lost_settles_nothing(redis: Redis) -> None:
    """The sender says Uncertain; the other worker's claim knows better."""
    queue, metrics = queue_of(redis), Metrics()

    async def held_back(delivery: Delivery, lease: Lease) -> Settle:
        lease.lost = True
        raise Uncertain("the reply was cut off")

    await queue.push("s", b"1")
    async with running(redis, dispatcher_of(redis, held_back, metrics=metrics)):
        await until(lambda: b'outcome="lost"} 1.0' in generate_latest(metrics._registry))
        stats = await queue.stats()
    assert (stats.in_flight, stats.retried_total) == (1, 0)
