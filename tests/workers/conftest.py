"""What the tests of workers share. Logging is as in production: at info, so that what a test says is seen."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from redis.asyncio import Redis

from bridge.config import LogConfig
from bridge.log import configure
from bridge.queue import Queue, connect
from bridge.sender import Sender, open_http
from tests.workers.bench import Bridge
from tests.workers.plain import Plain
from tests.workers.platform import Platform, platform

AS_HERE = LogConfig(level="info", format="console")


@pytest.fixture(autouse=True, scope="package")
def _log() -> None:
    configure(AS_HERE)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What is logged by all that is made from now on; shown when the test fails."""
    stream = io.StringIO()
    configure(AS_HERE, stream)
    yield stream
    configure(AS_HERE)
    print(stream.getvalue())


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with connect(redis_url) as client:
        yield client


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_http(total_seconds=2.0) as session:
        yield session


@pytest.fixture
async def there() -> AsyncIterator[Platform]:
    async with platform() as started:
        yield started


@pytest.fixture
def bridge(redis: Redis, http: aiohttp.ClientSession, there: Platform) -> Bridge:
    return Bridge(redis, Sender(http).send, Plain(there.url))


@pytest.fixture
def queue(redis_client: Redis) -> Queue:
    return Queue(redis_client, "support", "out")
