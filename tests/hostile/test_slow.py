"""A thousand clients that are slow or say nothing: they are let go within seconds, and others are served."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from redis.asyncio import Redis

from bridge.ingress.chat.told import BEAT_SECONDS
from tests.hostile.conftest import Serve
from tests.hostile.framing import HOST, get
from tests.hostile.honest import honest
from tests.hostile.target import Target
from tests.hostile.wire import answer, answers, connection

SOCKETS: Final = int(os.environ.get("HOSTILE_SOCKETS", "1000"))
GONE_SECONDS: Final = 15.0
"""Head or body: 3 or 5 seconds and a lingering one, on a machine that is busy with all of them."""
WAIT_SECONDS: Final = 5.0
"""The longest that an honest client may wait for an answer meanwhile; it was 0.3 s."""
MEGABYTE: Final = 2**20

HEAD: Final = b"POST /moveo/web HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n"
FILE: Final = HEAD.replace(b"/moveo/web", b"/chat/web/files?chat=chat-1234&name=a")
CHUNKED: Final = HEAD.replace(b"Content-Length: 100000", b"Transfer-Encoding: chunked")
SLOW: Final = {
    "says nothing": (b"", b""),
    "stops within the head": (HEAD, b""),
    "drips a head": (HEAD, b"X: y\r\n"),
    "drips bytes": (b"", b"G"),
    "drips empty lines": (b"", b"\r\n"),
    "stops within the body": (HEAD + b"\r\nabc", b""),
    "drips a body": (HEAD + b"\r\nabc", b"x"),
    "drips chunks": (CHUNKED + b"\r\n", b"1\r\nx\r\n"),
    "drips a body to nowhere": (HEAD.replace(b"moveo", b"nowhere") + b"\r\nabc", b"x"),
    "drips after a request": (get(b"/nowhere"), b"G"),
    "drips a file": (FILE + b"\r\nabc", b"x"),
}


async def _until_let_go(port: int, first: bytes, drip: bytes) -> float:
    """Seconds until the server closes."""
    async with connection(port) as (reader, writer):
        started = time.monotonic()

        async def feed() -> None:
            with contextlib.suppress(ConnectionError):
                writer.write(first)
                while drip:
                    await asyncio.sleep(0.5)
                    writer.write(drip)

        feeding = asyncio.create_task(feed())
        try:
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(60):
                    while await reader.read(65_536):
                        pass
        finally:
            feeding.cancel()
        return time.monotonic() - started


@pytest.mark.timeout(300)
async def test_slow_clients_are_let_go_and_others_are_served(ingress: Target, redis_client: Redis) -> None:
    """All kinds of them at once, in equal parts."""
    kinds = list(SLOW.items())
    before = ingress.rss
    async with honest(ingress.port) as moveo:
        slow = [_until_let_go(ingress.port, *kinds[number % len(kinds)][1]) for number in range(SOCKETS)]
        seconds = await asyncio.gather(*slow)
    await ingress.drained()
    await moveo.check(redis_client)
    assert max(moveo.seconds) < WAIT_SECONDS
    took = {name: max(seconds[number :: len(kinds)]) for number, (name, _) in enumerate(kinds)}
    assert {name: each for name, each in took.items() if each > GONE_SECONDS} == {}
    assert ingress.rss - before < 150 * MEGABYTE
    assert ingress.files < 50


@asynccontextmanager
async def _crowd(port: int, number: int, said: bytes) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        for each in range(number):
            _, writer = await stack.enter_async_context(connection(port))
            writer.write(said % each if b"%d" in said else said)
        yield


@pytest.mark.parametrize("said", [b"", HEAD], ids=["silent", "within the head"])
async def test_a_crowd_that_says_nothing_keeps_nobody_out(
    serve: Serve, redis_client: Redis, said: bytes
) -> None:
    """Far more of them than may be open: those that have been idle the longest make room."""
    ingress = await serve(max_connections=200)
    async with honest(ingress.port) as moveo:
        for _ in range(3):
            async with _crowd(ingress.port, 400, said):
                assert ingress.files < 200 + 50
                found = await answers(ingress.port, get(b"/chat/web", HOST + b"Connection: close\r\n"))
                assert [answer.status for answer in found] == [200]
    await ingress.drained()
    await moveo.check(redis_client)
    assert ingress.log.count("connections.crowded") == 1


async def test_who_follows_a_chat_is_not_sent_away_for_a_newcomer(serve: Serve) -> None:
    """Streams take half of the connections; the next is let in once others have left."""
    ingress = await serve(max_connections=20)

    async def opened(stack: contextlib.AsyncExitStack, number: int) -> int:
        """The status; a stream that is opened stays."""
        reader, writer = await stack.enter_async_context(connection(ingress.port))
        writer.write(get(b"/chat/web/events?chat=chat-%08d" % number))
        return (await answer(reader)).status

    async with contextlib.AsyncExitStack() as chats, asyncio.timeout(60):
        assert [await opened(chats, number) for number in range(10)] == [200] * 10
        assert [await opened(chats, 10 + number) for number in range(3)] == [503] * 3
        assert ingress.log.count("streams.refused") == 1
        await chats.aclose()
        started = time.monotonic()
        while await opened(chats, 100) != 200:
            await asyncio.sleep(0.1)
        assert time.monotonic() - started < BEAT_SECONDS / 2
