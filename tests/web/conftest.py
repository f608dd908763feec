from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from redis.asyncio import Redis

from bridge.web.log import ChatLog
from tests.web.site import NAME, Site


@pytest.fixture
def log(redis_client: Redis) -> ChatLog:
    return ChatLog(redis_client, NAME)


@pytest.fixture
async def site(redis_client: Redis) -> AsyncIterator[Site]:
    async with Site(redis_client) as site:
        yield site


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
