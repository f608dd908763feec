"""A platform on 127.0.0.1 that writes down what it receives and answers as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
from aiohttp import web


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """`at` is the time of the event loop's clock, `url` path and query as they were sent."""

    at: float
    path: str
    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """`seconds` pass before it; `cut` drops the connection in its place."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = {}
    seconds: float = 0.0
    cut: bool = False
    then: bytes = b""
    """What follows the body, so many `times`, with `every` seconds before each."""
    times: int = 0
    every: float = 0.0


class Platform:
    """`answer` decides from the request, and from how many came before it, what is answered."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Received] = []
        self.answer: Callable[[Received, int], Answer] = lambda received, number: Answer()
        self._news = asyncio.Condition()

    async def has(self, number: int, seconds: float = 10.0) -> list[Received]:
        """What was received, once there is that much of it."""
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(lambda: len(self.received) >= number)
        return self.received

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        now = asyncio.get_running_loop().time()
        received = Received(
            at=now,
            path=request.path,
            url=request.raw_path,
            method=request.method,
            headers=headers,
            body=body,
        )
        answer = self.answer(received, len(self.received))
        self.received.append(received)
        async with self._news:
            self._news.notify_all()
        if answer.seconds:
            await asyncio.sleep(answer.seconds)
        if answer.cut:
            assert request.transport
            request.transport.abort()
        if answer.times:
            return await _streamed(request, answer)
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


async def _streamed(request: web.Request, answer: Answer) -> web.StreamResponse:
    """An answer that goes on, for as long as anybody listens."""
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    with suppress(ConnectionError):
        await response.prepare(request)
        await response.write(answer.body)
        for _ in range(answer.times):
            await asyncio.sleep(answer.every)
            await response.write(answer.then)
    return response


@asynccontextmanager
async def platform() -> AsyncIterator[Platform]:
    """A platform that listens for as long as the block lasts."""
    there = Platform()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", there.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    there.url = f"http://{host}:{port}"
    try:
        yield there
    finally:
        await runner.cleanup()
