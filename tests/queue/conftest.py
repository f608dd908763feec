"""Every rule of the queue is shown on fakeredis (logic) and on the real server (the truth)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import fakeredis
import pytest
from redis.asyncio import Redis

from bridge.embedded import EmbeddedServer
from bridge.queue import Limits, Queue, connect
from tests.queue.hands import Hands

Make = Callable[..., Queue]


@pytest.fixture(params=["fake", "real"])
async def redis(request: pytest.FixtureRequest) -> AsyncIterator[Redis]:
    """An empty server: once fakeredis, once the real one."""
    if request.param == "fake":
        client: Redis = fakeredis.FakeAsyncRedis()
    else:
        server: EmbeddedServer = request.getfixturevalue("server")
        client = connect(server.url)
        await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def make(redis: Redis) -> Make:
    """A queue of its own group commit, as another process would have it."""

    def make(name: str = "support", limits: Limits | None = None) -> Queue:
        return Queue(redis, name, "out", limits or Limits())

    return make


@pytest.fixture
def queue(make: Make) -> Queue:
    return make()


@pytest.fixture
def hands(redis: Redis, queue: Queue) -> Hands:
    return Hands(redis, queue)
