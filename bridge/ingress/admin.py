"""The admin port, for probes and scrapes: /livez, /readyz, /metrics. For the operator's network alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiohttp import web
from redis.asyncio import Redis

from bridge.metrics import Metrics
from bridge.queue import Queue
from bridge.queue.connection import FAILURES

PING_SECONDS: Final = 0.25
TEXT_FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"

Problems = Callable[[], Awaitable[list[str]]]


async def _nothing() -> list[str]:
    return []


def admin(
    metrics: Metrics, ready: Problems, queues: Sequence[Queue] = (), degraded: Problems = _nothing
) -> web.Application:
    """`ready` names what keeps the process from doing its work; nothing means ready.

    `degraded` names what it works around: somebody should look, and nobody should stop sending.
    """

    async def livez(_: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def readyz(_: web.Request) -> web.Response:
        problems = await ready()
        return web.json_response(
            {"ready": not problems, "problems": problems, "degraded": await degraded()},
            status=503 if problems else 200,
        )

    async def scrape(_: web.Request) -> web.Response:
        return web.Response(body=await metrics.render(queues), headers={"Content-Type": TEXT_FORMAT})

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", scrape)])
    return app


async def redis_problems(redis: Redis) -> list[str]:
    """Empty when Redis answers a PING in PING_SECONDS."""
    try:
        async with asyncio.timeout(PING_SECONDS):
            await redis.ping()
    except TimeoutError:
        return [f"redis: no answer within {PING_SECONDS} s"]
    except FAILURES as error:
        return [f"redis: {type(error).__name__}"]
    return []
