"""A server, its replica, and the link between them, which can be frozen and cut."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from redis.asyncio import Redis

from bridge.embedded import DURABLE, EmbeddedServer
from tests.chaos.proxy import Proxy
from tests.workers.bench import until

PROMPT = ("--repl-diskless-sync-delay", "0")  # else the first replica waits for others


class Pair(NamedTuple):
    first: EmbeddedServer
    second: EmbeddedServer
    link: Proxy


@asynccontextmanager
async def pair(folder: Path) -> AsyncIterator[Pair]:
    with EmbeddedServer(folder / "first", options=[*DURABLE, *PROMPT]) as first:
        async with Proxy(first.data / "server.sock") as link:
            port = link.url.rpartition(":")[2].partition("/")[0]
            replica = [*DURABLE, "--replicaof", "127.0.0.1", port]
            with EmbeddedServer(folder / "second", options=replica) as second:
                yield Pair(first, second, link)


async def linked(client: Redis) -> None:
    """Returns when the replica of this server has what the server has."""

    async def asked() -> bool:
        await client.set("written", 1)
        return bool(await client.wait(1, 100))

    await until(asked, 30)
