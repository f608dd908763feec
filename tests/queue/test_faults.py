"""What a server can do to its clients. Its own process, since it is frozen, filled and killed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bridge.channels.capabilities import Pace
from bridge.embedded import EmbeddedServer
from bridge.errors import StoreUnavailable
from bridge.queue import (
    Ack,
    Beat,
    Bury,
    GroupCommit,
    Limits,
    Park,
    Pushed,
    Queue,
    Settle,
    connect,
    wait_for_wake,
)
from tests.queue.hands import Hands, claim, claim_one, somebody_blocks

TIMEOUT = 1.0


@pytest.fixture
async def client(own_server: EmbeddedServer) -> AsyncIterator[Redis]:
    client = connect(own_server.url, timeout_seconds=TIMEOUT)
    yield client
    await client.aclose()


@pytest.fixture
def queue(client: Redis) -> Queue:
    return Queue(client, "support", "out", Limits())


@pytest.fixture
def hands(client: Redis, queue: Queue) -> Hands:
    return Hands(client, queue)


async def test_what_was_accepted_survives_a_kill(own_server: EmbeddedServer, queue: Queue) -> None:
    """And the same client goes on with the server that comes back."""
    await queue.push("a", b"1")
    delivery = await claim_one(queue)
    await queue.push("b", b"2")
    own_server.kill()
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await queue.push("c", b"3")
    with pytest.raises(StoreUnavailable):
        await queue.turn([Ack(delivery)], 10)
    own_server.start()
    assert await queue.push("b", b"2") is Pushed.DUPLICATE
    turn = await queue.turn([Ack(delivery)], 10)
    assert turn.refused == frozenset()
    assert [each.payload for each in turn.deliveries] == [b"2"]


async def test_a_server_that_restarts_while_nothing_is_asked_is_not_noticed(
    own_server: EmbeddedServer, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.queue.commit.IDLE_SECONDS", 0)
    await queue.push("s", b"1")
    await asyncio.to_thread(own_server.stop)
    await asyncio.to_thread(own_server.start)
    assert await queue.push("s", b"2") is Pushed.ACCEPTED


async def test_all_that_waits_fails_when_the_server_dies(own_server: EmbeddedServer, queue: Queue) -> None:
    await queue.push("s", b"0")
    os.kill(own_server.pid, signal.SIGSTOP)
    waiting = [asyncio.create_task(queue.push("s", b"%d" % n)) for n in range(1, 20)]
    await asyncio.sleep(0)
    own_server.kill()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(answer) for answer in answers} == {StoreUnavailable}


async def test_a_timed_out_push_that_landed_is_recognised(own_server: EmbeddedServer, queue: Queue) -> None:
    """And the late answers of a frozen server are never taken for those of later commands."""
    await queue.push("s", b"0")
    os.kill(own_server.pid, signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable):
            await queue.push("s", b"1")
    finally:
        os.kill(own_server.pid, signal.SIGCONT)
    assert await queue.push("other", b"2") is Pushed.ACCEPTED
    assert await queue.push("s", b"1") is Pushed.DUPLICATE
    assert (await queue.stats()).depth == 3


async def test_a_caller_can_give_up_on_a_frozen_server_sooner(
    own_server: EmbeddedServer, queue: Queue
) -> None:
    await queue.push("s", b"0")
    os.kill(own_server.pid, signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(TIMEOUT / 20):
                await queue.push("s", b"1")
    finally:
        os.kill(own_server.pid, signal.SIGCONT)
    assert (await queue.stats()).depth == 2


async def test_flushall_loses_what_it_must_and_nothing_breaks(queue: Queue, hands: Hands) -> None:
    await queue.push("a", b"1")
    delivery = await claim_one(queue)
    await hands.do("FLUSHALL")
    await hands.do("SCRIPT", "FLUSH")
    turn = await queue.turn([Ack(delivery)], 10)
    assert turn.refused == {("a", delivery.token)}
    assert await queue.beat([Beat(delivery)]) == {("a", delivery.token)}
    assert (await queue.stats()).depth == (await queue.stats()).in_flight == 0
    await queue.push("a", b"1")
    assert (await claim_one(queue)).payload == b"1"


async def test_a_full_server_refuses_pushes_and_can_be_drained(queue: Queue, hands: Hands) -> None:
    for n in range(4):
        await queue.push(f"s{n}", b"%d" % n)
        await queue.push(f"s{n}", b"more %d" % n)
    await hands.do("CONFIG", "SET", "maxmemory", 1)
    await hands.do("SCRIPT", "FLUSH")
    depth = (await queue.stats()).depth
    with pytest.raises(StoreUnavailable):
        await queue.push("new", b"5")
    assert (await queue.stats()).depth == depth
    with pytest.raises(StoreUnavailable):
        await queue.place("s0", b"5", arrived_at=1)
    with pytest.raises(StoreUnavailable):
        await queue.reject(b"5", "stale")
    assert await queue.push("s0", b"0") is Pushed.DUPLICATE
    assert not await queue.reject(b"0", "stale")
    a, b, c, d = await claim(queue)
    assert await queue.beat([Beat(a, b"1"), Beat(b, b"2")]) == frozenset()
    assert await queue.pace("c", Pace(1), Pace(30)) == 0
    turn = await queue.turn([Ack(a), Park(b, 60, b"3"), Park(c, 60, counted=False), Bury(d, "rejected")], 10)
    assert turn.refused == frozenset()
    assert {delivery.session for delivery in turn.deliveries} == {a.session, d.session}
    await queue.hold(60)
    await queue.pause("no token")
    await queue.resume()
    await hands.hold_ends()
    turn = await queue.turn([Ack(delivery) for delivery in turn.deliveries], 0)
    assert (await queue.stats()).depth == 4
    await hands.do("CONFIG", "SET", "maxmemory", 0)
    assert await queue.push("new", b"5") is Pushed.ACCEPTED, "what was refused is not remembered"


async def test_a_full_server_stores_cursors(queue: Queue, hands: Hands) -> None:
    await queue.push("a", b"1")
    await hands.do("CONFIG", "SET", "maxmemory", 1)
    delivery = await claim_one(queue)
    await queue.turn([Park(delivery, 0, b"parked")], 0)
    delivery = await claim_one(queue)
    assert delivery.cursor == b"parked"
    assert await queue.beat([Beat(delivery, b"beaten")]) == frozenset()
    await hands.do("CONFIG", "SET", "maxmemory", 0)
    await hands.time_passes("a")
    assert (await claim_one(queue)).cursor == b"beaten"


REFUSALS = {
    "read-only-replica": [("REPLICAOF", "127.0.0.1", "1")],
    "replica-without-master": [
        ("CONFIG", "SET", "replica-serve-stale-data", "no"),
        ("REPLICAOF", "127.0.0.1", "1"),
    ],
    "too-few-replicas": [("CONFIG", "SET", "min-replicas-to-write", "1")],
}


@pytest.mark.parametrize("commands", REFUSALS.values(), ids=REFUSALS.keys())
async def test_a_server_that_refuses_writes_is_unavailable(
    queue: Queue, hands: Hands, commands: list[tuple[str, ...]]
) -> None:
    await queue.push("s", b"0")
    for command in commands:
        await hands.do(*command)
    with pytest.raises(StoreUnavailable):
        await queue.push("s", b"1")
    with pytest.raises(StoreUnavailable):
        await queue.turn([], 1)
    await hands.do("REPLICAOF", "NO", "ONE")
    await hands.do("CONFIG", "SET", "min-replicas-to-write", "0")
    assert await queue.push("s", b"1") is Pushed.ACCEPTED


async def test_a_busy_server_is_unavailable(own_server: EmbeddedServer, queue: Queue, hands: Hands) -> None:
    await queue.push("s", b"0")
    await hands.do("CONFIG", "SET", "lua-time-limit", 1)
    hog: Redis = connect(own_server.url)
    looping = asyncio.create_task(Hands(hog, queue).do("EVAL", "while true do end", 0))
    await asyncio.sleep(0.05)
    with pytest.raises(StoreUnavailable):
        await queue.push("s", b"1")
    await hands.do("SCRIPT", "KILL")
    await asyncio.gather(looping, return_exceptions=True)
    await hog.aclose()
    assert await queue.push("s", b"1") is Pushed.ACCEPTED


async def test_waiting_outlasts_no_dead_server(
    own_server: EmbeddedServer, client: Redis, queue: Queue
) -> None:
    waiting = asyncio.create_task(wait_for_wake(client, [queue], 30))
    await somebody_blocks(client)
    own_server.kill()
    with pytest.raises(StoreUnavailable):
        await waiting


async def test_a_wait_is_no_timeout_of_the_client(client: Redis, queue: Queue) -> None:
    assert await wait_for_wake(client, [queue], 30) is None


async def test_memory_of_waiting_events(queue: Queue, hands: Hands) -> None:
    """What a waiting event of 1 kB costs, each in a session of its own: the figure of 250 MB for 100,000."""
    info = await hands.redis.info("memory")
    count = 5000
    for first in range(0, count, 500):
        await asyncio.gather(
            *(queue.push(f"session-{n:06}", b"%06d" % n + b"x" * 994) for n in range(first, first + 500))
        )
    used = (await hands.redis.info("memory"))["used_memory"] - info["used_memory"]
    assert used / count < 2000


async def test_sessions_that_come_and_go_leave_no_keys(queue: Queue, hands: Hands) -> None:
    """However their events end: delivered, tried again, crashed over, held, failed, buried, replayed."""
    for first in range(0, 3000, 500):
        await asyncio.gather(*(queue.push(f"s{n}", b"%d" % n) for n in range(first, first + 500)))
    while deliveries := await claim(queue, 64):
        settles: list[Settle] = []
        for each in deliveries:
            number = int(each.payload)
            if each.tries or number % 5 == 0:
                settles.append(Ack(each))
            elif number % 5 == 1:
                settles.append(Park(each, 0, b"cursor"))
            elif number % 5 == 2:
                settles.append(Bury(each, "rejected", "blocked"))
            elif number % 5 == 3:
                await queue.beat([Beat(each, b"cursor")])
                await hands.time_passes(each.session)  # its holder vanished
            else:
                settles.append(Ack(each))
        await queue.turn(settles, 0)
        if letters := await queue.dead(limit=10):
            await queue.purge(letters[1:])
            await queue.purge(letters[:1])
    stats = await queue.stats()
    assert (stats.depth, stats.sessions, stats.in_flight, stats.dead) == (0, 0, 0, 0)
    assert {key.partition(":")[0] for key in await hands.keys()} <= {"stats", "seen", "dead"}
    for key in await hands.keys("seen:*"):
        assert await hands.do("PTTL", hands.prefix + key) > 0, "and these go by themselves"


async def test_nobody_waits_longer_than_the_patience(own_server: EmbeddedServer) -> None:
    """Neither those whose round trip hangs, nor those behind it, nor those who come while it still hangs."""
    redis = connect(own_server.url, timeout_seconds=30)
    commit = GroupCommit(redis, patience_seconds=0.05)
    await commit.command("PING")
    os.kill(own_server.pid, signal.SIGSTOP)
    try:
        hanging = asyncio.ensure_future(commit.command("INCR", "n"))
        await asyncio.sleep(0.01)  # it is under way
        behind = commit.command("INCR", "n")
        told = await asyncio.gather(hanging, behind, return_exceptions=True)
        assert [type(each) for each in told] == [StoreUnavailable] * 2
        with pytest.raises(StoreUnavailable):
            await commit.command("INCR", "n")
    finally:
        os.kill(own_server.pid, signal.SIGCONT)
    async with asyncio.timeout(10):
        while True:
            try:
                assert await commit.command("ECHO", "in step") == b"in step"
            except StoreUnavailable:
                continue
            break
    await redis.aclose()
