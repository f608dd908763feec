"""Redis goes away and comes back: the browser is told "not now", and then goes on where it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bridge.content import Receipt, Text
from bridge.embedded import EmbeddedServer
from bridge.errors import StoreFull
from bridge.queue import connect
from tests.web.site import Site
from tests.web.test_chat_routes import CHAT, Stream, message, post, stream


@pytest.fixture
async def outage_site(own_server: EmbeddedServer) -> AsyncIterator[Site]:
    client = connect(own_server.url)
    async with Site(client) as site:
        yield site
    await client.aclose()


async def test_the_stream_ends_and_the_next_one_goes_on_without_gap_or_repeat(
    own_server: EmbeddedServer, outage_site: Site, http: aiohttp.ClientSession
) -> None:
    site = outage_site
    await site.agent(CHAT, Text("one"))
    async with stream(site, http) as browser:
        ((_, last, _),) = await browser.until_ready()
        own_server.kill()
        params = {"chat": CHAT}
        async with http.get(f"{site.url}/events", params=params) as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (503, "2")
        assert await post(site, http, message()) == 503
        own_server.start()
    assert await post(site, http, message()) == 200
    await site.agent(CHAT, Text("two"))
    async with stream(site, http, after=last) as again:
        assert await again.texts(2) == ["hi", "two"]
        await site.agent(CHAT, Text("three"))
        assert await again.texts(1) == ["three"]


async def test_a_full_server_refuses_what_users_say_until_there_is_room_and_shows_what_agents_said(
    own_server: EmbeddedServer, outage_site: Site, http: aiohttp.ClientSession
) -> None:
    """A stranger gets no memory from it; an agent's words come out of the queue, which gives as much back.
    A history of their own takes more."""
    site = outage_site
    await site.agent(CHAT, Text("hello"))
    await site.redis.config_set("maxmemory", 1)
    assert await post(site, http, message()) == 503
    await site.agent(CHAT, Text("one"), Receipt(kind="read"))
    with pytest.raises(StoreFull):
        await site.agent("chat-0002", Text("one"))
    await site.redis.config_set("maxmemory", 0)
    assert await post(site, http, message()) == 200
    async with stream(site, http) as browser:
        assert await browser.texts(3) == ["hello", "one", "hi"]
    assert len(await site.heard()) == 1
    assert set(await site.log.marks(CHAT)) == {"read"}


async def test_a_stream_that_slept_through_it_is_woken_by_the_new_subscription(
    own_server: EmbeddedServer, outage_site: Site, http: aiohttp.ClientSession
) -> None:
    site = outage_site
    async with stream(site, http) as browser:
        await browser.until_ready()
        own_server.kill()
        own_server.start()
        await site.agent(CHAT, Text("spoken while nobody listened"))
        async with asyncio.timeout(10):
            assert await resumed(site, http, browser) == ["spoken while nobody listened"]


async def resumed(site: Site, http: aiohttp.ClientSession, browser: Stream) -> list[str]:
    """As a browser does: should the stream end meanwhile, the next one is asked."""
    try:
        return await browser.texts(1)
    except EOFError:
        async with stream(site, http) as again:
            return await again.texts(1)
