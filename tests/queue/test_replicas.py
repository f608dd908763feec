"""Replicas: with them a push is done once enough of them have it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bridge.queue import GroupCommit, Limits, NotReplicated, Pushed, Queue, connect
from tests.pair import Pair, linked, pair


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[Pair]:
    async with pair(tmp_path) as started:
        yield started


@pytest.fixture
async def client(servers: Pair) -> AsyncIterator[Redis]:
    client = connect(servers.first.url)
    await linked(client)
    yield client
    await client.aclose()


def queue_of(client: Redis, replicas: int) -> Queue:
    return Queue(client, "support", "out", Limits(), GroupCommit(client, replicas=replicas))


async def test_what_enough_replicas_have_is_accepted(client: Redis) -> None:
    assert await queue_of(client, 1).push("s", b"1") is Pushed.ACCEPTED


async def test_without_a_replica_it_is_there_and_not_safe(servers: Pair, client: Redis) -> None:
    queue = queue_of(client, 1)
    await queue.push("s", b"1")
    servers.link.freeze()
    try:
        with pytest.raises(NotReplicated, match="0 of 1 replicas"):
            await queue.push("s", b"2")
        with pytest.raises(NotReplicated):
            await queue.push("s", b"2")  # known already, and still not safe
        with pytest.raises(NotReplicated):
            await queue.place("s", b"3", 1)
        assert await queue_of(client, 0).push("s", b"4") is Pushed.ACCEPTED
    finally:
        servers.link.thaw()
    assert await queue.push("s", b"2") is Pushed.DUPLICATE
    assert (await queue.stats()).depth == 4


async def test_more_replicas_than_there_are_is_never_enough(client: Redis) -> None:
    with pytest.raises(NotReplicated, match="1 of 2 replicas"):
        await queue_of(client, 2).push("s", b"1")


async def test_the_scripts_are_loaded_and_errors_are_their_own_with_replicas_too(client: Redis) -> None:
    queue = queue_of(client, 1)
    await client.script_flush()
    assert await queue.push("s", b"1") is Pushed.ACCEPTED
    await client.set("{bridge:broken:out}:due", "no set")
    commit = GroupCommit(client, replicas=1)
    broken = Queue(client, "broken", "out", Limits(), commit)
    with pytest.raises(Exception, match="wrong kind"):
        await broken.push("s", b"1")
    assert await Queue(client, "support", "out", Limits(), commit).push("s", b"2") is Pushed.ACCEPTED
