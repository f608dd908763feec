"""The stand-in on a real port, and somebody who receives its webhooks."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import aiohttp
import pytest
from aiohttp import web

from bridge.emulator import EmulatorConfig, build
from bridge.secret import Secret

SECRET = "whsec-emulator"
INTEGRATION = "intg-1"
KEY = "key-1"


@dataclass
class Receiver:
    """Takes webhooks, checks their signature by itself, answers with the statuses in `answers` and then 200.

    `bodies` holds every try, `events` what was answered with 200. An answer of None waits for the gate.
    """

    arrived_at: list[float] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    answers: list[int | None] = field(default_factory=list)
    unsigned: int = 0
    change: asyncio.Condition = field(default_factory=asyncio.Condition)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        self.unsigned += request.headers.get("X-Moveo-Signature") != expected
        assert request.content_type == "application/json"
        event = json.loads(body)
        self.bodies.append(body)
        self.arrived_at.append(asyncio.get_running_loop().time())
        answer = self.answers.pop(0) if self.answers else 200
        if answer == 200:
            self.events.append(event)
        async with self.change:
            self.change.notify_all()
        if answer is None:
            await self.gate.wait()
        return web.Response(status=answer or 200, headers={"Location": "/hook"})

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(10), self.change:
            await self.change.wait_for(met)

    async def received(self, count: int) -> list[str]:
        """The types of the first `count` events, once they are there."""
        await self.until(lambda: len(self.events) >= count)
        return [event["event_type"] for event in self.events[:count]]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/hook", made.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    made.gate.set()
    await runner.cleanup()


class Client:
    """Moveo's API as somebody with the key uses it."""

    def __init__(self, http: aiohttp.ClientSession, origin: str) -> None:
        self.http = http
        self.origin = origin

    async def call(
        self,
        path: str,
        body: object = None,
        *,
        method: str = "POST",
        key: str = KEY,
        integration: str = INTEGRATION,
    ) -> tuple[int, dict[str, Any]]:
        url = f"{self.origin}/v1/custom/{integration}/{path}"
        data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        headers = {"Authorization": f"apikey {key}", "Content-Type": "application/json"}
        async with self.http.request(method, url, data=data, headers=headers) as reply:
            return reply.status, await reply.json()

    async def open(self, chat: str = "chat-1", **more: object) -> str:
        status, answer = await self.call("sessions", {"external_session_id": chat, **more})
        assert status == 201
        return str(answer["session_id"])

    async def say(self, session: str, text: str) -> int:
        status, _ = await self.call(f"sessions/{session}/messages", {"input": {"text": text}})
        return status

    async def status(self) -> dict[str, int]:
        async with self.http.get(f"{self.origin}/emulator/status") as reply:
            counts: dict[str, int] = await reply.json()
            return counts


Start: TypeAlias = Callable[..., Awaitable[Client]]


@pytest.fixture
async def start(receiver: Receiver) -> AsyncIterator[Start]:
    """Starts a stand-in with settings of its own; without pauses unless asked for."""
    runners: list[web.AppRunner] = []
    async with aiohttp.ClientSession() as http:

        async def started(**settings: Any) -> Client:
            base: dict[str, Any] = {
                "webhook_url": receiver.url, "secret": Secret(SECRET), "integration_id": INTEGRATION,
                "api_key": Secret(KEY), "pace": 0, "backoff_seconds": (0, 0, 0, 0, 0),
            }  # fmt: skip
            runner = web.AppRunner(build(EmulatorConfig(**base | settings)), shutdown_timeout=0.1)
            await runner.setup()
            runners.append(runner)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return Client(http, f"http://127.0.0.1:{runner.addresses[0][1]}")

        yield started
        receiver.gate.set()
        for runner in runners:
            await runner.cleanup()


@pytest.fixture
async def moveo(start: Start) -> Client:
    return await start()
