"""Presence: who works, as last heard."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from bridge.errors import StoreUnavailable
from bridge.queue import announce, connect, leave, present
from bridge.queue.presence import KEY


async def test_workers_come_speak_and_go(redis: Redis) -> None:
    assert await present(redis) == []
    await announce(redis, "host-2", 3)
    await announce(redis, "host-1", 0)
    await announce(redis, "host-2", 4)
    workers = await present(redis)
    assert [(worker.id, worker.in_flight) for worker in workers] == [("host-1", 0), ("host-2", 4)]
    assert all(worker.seen_seconds_ago < 5 for worker in workers)
    await leave(redis, "host-2")
    assert [worker.id for worker in await present(redis)] == ["host-1"]


async def test_a_worker_not_heard_of_for_a_minute_is_forgotten(redis: Redis) -> None:
    await announce(redis, "alive", 1)
    seconds, _ = await redis.time()
    for worker, ago in (("slow", 59), ("dead", 62)):
        await redis.hset(KEY, worker, f'{{"at":{(seconds - ago) * 1000},"in_flight":1}}')  # type: ignore[misc]
    workers = {worker.id: worker.seen_seconds_ago for worker in await present(redis)}
    assert workers == {"alive": pytest.approx(0, abs=2), "slow": pytest.approx(59, abs=2)}
    assert await redis.hkeys(KEY) == [b"alive", b"slow"]  # type: ignore[misc]


async def test_without_a_server_it_says_so() -> None:
    client = connect("redis://127.0.0.1:1/0")
    for call in (announce(client, "a", 1), leave(client, "a"), present(client)):
        with pytest.raises(StoreUnavailable):
            await call
    await client.aclose()
