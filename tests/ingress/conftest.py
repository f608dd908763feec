"""A running ingress on a real server, and a Moveo that signs what it posts."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from bridge.config import LogConfig, Settings
from bridge.embedded import EmbeddedServer
from bridge.ingress.server import Addresses, serving
from bridge.ingress.signature import HEADER, sign
from bridge.log import configure
from bridge.queue import Queue
from bridge.secret import Secret

SECRET = "canary-secret"
ECHO = "tests.ingress.echo:Echo"

Serve = Callable[..., Awaitable["Ingress"]]


class Ingress:
    """A running ingress: what is posted to it, and what it put into Redis."""

    def __init__(self, addresses: Addresses, http: aiohttp.ClientSession, redis: Redis) -> None:
        self.addresses = addresses
        self.http = http
        self._redis = redis

    @property
    def port(self) -> int:
        return int(self.addresses.url.rpartition(":")[2])

    async def post(
        self, body: bytes, *, name: str = "support", secret: str = SECRET, **headers: str
    ) -> tuple[int, bytes]:
        """Posts a signed webhook; status and body of the answer."""
        signed = {HEADER: sign(Secret(secret), body)} if secret else {}
        url = f"{self.addresses.url}/moveo/{name}"
        async with self.http.post(url, data=io.BytesIO(body), headers=signed | headers) as response:
            return response.status, await response.read()

    def queue(self, direction: str = "out", name: str = "support") -> Queue:
        return Queue(self._redis, name, "out" if direction == "out" else "in")

    async def queued(self, direction: str = "out", name: str = "support") -> list[tuple[str, bytes]]:
        """Session and payload of the head of each session."""
        turn = await self.queue(direction, name).turn([], 100)
        return [(delivery.session, delivery.payload) for delivery in turn.deliveries]

    async def dead(self, direction: str = "out", name: str = "support") -> list[tuple[str, bytes]]:
        """Reason and payload of each dead letter."""
        return [(letter.reason, letter.payload) for letter in await self.queue(direction, name).dead()]

    async def metrics(self) -> str:
        async with self.http.get(f"{self.addresses.admin_url}/metrics") as response:
            return await response.text()


def settings(redis_url: str, **changes: Any) -> Settings:
    """One signed integration `support` on the platform of the tests; any timestamp will do."""
    tables: dict[str, Any] = {
        "redis": {"url": redis_url},
        "ingress": {"host": "127.0.0.1", "port": 0, "admin_port": 0, "window_seconds": 0},
        "integrations": {"support": {"channel": ECHO, "secrets": [SECRET]}},
    }
    for table, values in changes.items():
        tables[table] = tables.get(table, {}) | values
    return Settings.model_validate(tables)


@pytest.fixture(autouse=True)
def _logs_as_in_production() -> None:
    """But every line of them."""
    configure(LogConfig(level="debug"))


@pytest.fixture
async def serve(server: EmbeddedServer, redis_client: Redis) -> AsyncIterator[Serve]:
    """Starts an ingress with changed settings; it is stopped at the end."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())

        async def start(redis_url: str = server.url, **changes: Any) -> Ingress:
            addresses = await stack.enter_async_context(serving(settings(redis_url, **changes)))
            return Ingress(addresses, http, redis_client)

        yield start


@pytest.fixture
async def ingress(serve: Serve) -> Ingress:
    return await serve()
