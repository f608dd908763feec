"""A real worker of the bridge for a room, and a short way to give it events of Moveo's."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
from redis.asyncio import Redis

from bridge.queue import Limits, Queue
from tests.matrix.homeserver import AS_TOKENS, SENDER
from tests.workers.children import Child, worker

NAME = "support"
START_SECONDS = 30.0
CONFIG = """
[worker]
admin_port = 0
media_hosts = ["127.0.0.1"]
[integrations.{name}]
channel = "matrix"
secrets = ["x"]
[integrations.{name}.matrix]
api_url = "{api_url}"
user_id = "{user_id}"
token = "{token}"
"""


def config(api_url: str, *, name: str = NAME, user_id: str = SENDER, token: str = AS_TOKENS[SENDER]) -> str:
    return CONFIG.format(api_url=api_url, name=name, user_id=user_id, token=token)


@contextmanager
def working(folder: Path, config: str, redis_url: str) -> Iterator[Child]:
    with worker(folder, config, redis_url) as child:
        ends_at = time.monotonic() + START_SECONDS
        while not child.started:
            assert time.monotonic() < ends_at, child.log
            time.sleep(0.02)
        yield child


class Pusher:
    """Puts events into the queue to the room."""

    def __init__(self, redis: Redis, room: str, name: str = NAME) -> None:
        self.queue = Queue(redis, name, "out", Limits())
        self._room = room
        self._number = 0

    async def push(self, *responses: Mapping[str, Any]) -> None:
        await self.post({"event_type": "message:brain_send", "output": {"responses": responses}})

    async def post(self, event: Mapping[str, Any]) -> None:
        self._number += 1
        known = {"session_id": "s1", "external_session_id": self._room, "request_id": f"r{self._number}"}
        await self.queue.push("s1", json.dumps({**event, **known}).encode())

    async def letters(self) -> list[str]:
        return [f"{letter.reason}: {letter.error}" for letter in await self.queue.dead()]


@asynccontextmanager
async def lossy(url: str, lost: Collection[int]) -> AsyncIterator[tuple[str, list[str]]]:
    """A way to the homeserver on which the answers to some messages, by their number, are lost.

    The second thing is what was sent on it, by path.
    """
    sent: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name: request.headers[name] for name in ("authorization", "content-type")}
        async with http.request(request.method, url + request.raw_path, data=body, headers=headers) as reply:
            answer = web.Response(
                status=reply.status, body=await reply.read(), content_type=reply.content_type
            )
        if "/send/" in request.path:
            sent.append(request.raw_path)
            if len(sent) in lost:
                assert request.transport
                request.transport.abort()
        return answer

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as http:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", sent
    await runner.cleanup()
