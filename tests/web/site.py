"""A web chat on loopback as a deployment has it: routes in an aiohttp server, the history on a real server.

An agent is played by `agent`, which goes the way of a delivery: render, request, transport, check.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Self

import msgspec
from aiohttp import web
from redis.asyncio import Redis

from bridge.channels import Incoming, Reply, Request
from bridge.channels.webchat import WebChat
from bridge.config import Integration
from bridge.content import Content
from bridge.errors import Unavailable
from bridge.ingress import chat
from bridge.ingress.chat.told import HUB
from bridge.ingress.streams import Streams
from bridge.metrics import Metrics
from bridge.queue import Ack, Limits, Queue
from bridge.secret import Secret
from bridge.web.log import ChatLog, transport

NAME = "support"


class Site:
    """Start and stop as often as wanted; the port stays the same."""

    def __init__(
        self,
        redis: Redis,
        *,
        table: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
        public_url: str = "",
    ) -> None:
        self.redis = redis
        self.log = ChatLog(redis, NAME)
        self.queue = Queue(redis, NAME, "in", limits or Limits())
        self.metrics = Metrics()
        self.streams = Streams(self.metrics, 500, 100)
        self.channel = WebChat()
        self.public_url = public_url
        self.port = 0
        self.extra_routes: list[web.AbstractRouteDef] = []
        self.integration = _integration(table or {})
        self._carry = transport(self.log)
        self._calls = 0
        self._runner: web.AppRunner | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/chat/{NAME}"

    async def start(self) -> None:
        app = web.Application()
        chat.install(app, self.redis, self.streams)
        app.add_routes(chat.routes(self.integration, self.log, self.queue, self.metrics, self.public_url))
        app.add_routes(self.extra_routes)
        self._runner = web.AppRunner(app, shutdown_timeout=5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def restart(self, table: Mapping[str, Any]) -> None:
        """On the same port, with another table of settings."""
        await self.stop()
        self.integration = _integration(table)
        await self.start()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def watching(self, chat_id: str) -> int:
        """The browsers that look at the chat."""
        assert self._runner
        return self._runner.app[HUB].watching(self.log, chat_id)

    async def agent(self, chat_id: str, *contents: Content) -> list[str | None]:
        """Says the contents one after another, as the worker would. Gives the ids of the messages."""
        places = []
        for content in contents:
            for call in self.channel.render(content, chat_id):
                self._calls += 1
                stamped = msgspec.structs.replace(call, to=chat_id, id=f"{self._calls:032x}")
                places.append(self.channel.check(await self._deliver(self.channel.request(stamped))))
        return places

    async def _deliver(self, request: Request) -> Reply:
        """A few tries, as a worker has them: connections of the pool may have died since they were used."""
        for _ in range(5):
            try:
                return await self._carry(request)
            except Unavailable:
                await asyncio.sleep(0.05)
        return await self._carry(request)

    async def heard(self) -> list[Incoming]:
        """What users said, in order, as the worker would claim it; acknowledged."""
        found: list[Incoming] = []
        settles: list[Ack] = []
        while True:
            turn = await self.queue.turn(settles, 100)
            if not turn.deliveries:
                return found
            found += [msgspec.json.decode(one.payload, type=Incoming) for one in turn.deliveries]
            settles = [Ack(one) for one in turn.deliveries]


def _integration(table: Mapping[str, Any]) -> Integration:
    return Integration(name=NAME, channel="webchat", secrets=(Secret("s"),), extra={"webchat": dict(table)})
