"""The admin port, for probes and scrapes: /livez, /readyz, /metrics. For the operator's network alone.

With a token, /metrics asks for it (`Authorization: Bearer TOKEN`); probes, which tell no secret, do not.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog
from aiohttp import hdrs, web
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bridge.config import loopback
from bridge.metrics import Metrics
from bridge.queue import Queue
from bridge.queue.connection import FAILURES
from bridge.secret import Secret

PROBE_SECONDS: Final = 0.25
PROBE_KEY: Final = "bridge:probe"
"""Never exists, so the writes below change nothing. A server that refuses writes refuses them too."""
GROW: Final = "return redis.call('SET', KEYS[1], '', 'XX')"
"""The probe of ingress: a full server refuses it."""
SHRINK: Final = "return redis.call('DEL', KEYS[1])"
"""The probe of a worker: a full server takes it, since workers must drain it."""
TEXT_FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"

Problems = Callable[[], Awaitable[list[str]]]


async def _nothing() -> list[str]:
    return []


def admin(
    metrics: Metrics,
    ready: Problems,
    queues: Sequence[Queue] = (),
    degraded: Problems = _nothing,
    *,
    token: Secret | None = None,
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

    async def scrape(request: web.Request) -> web.Response:
        if token is not None and not _shown(request, token):
            raise web.HTTPUnauthorized(headers={hdrs.WWW_AUTHENTICATE: "Bearer"})
        return web.Response(body=await metrics.render(queues), headers={"Content-Type": TEXT_FORMAT})

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", scrape)])
    return app


def _shown(request: web.Request, token: Secret) -> bool:
    """Whether the request shows the token, compared in constant time whatever bytes were given."""
    given = request.headers.get(hdrs.AUTHORIZATION, "").encode("utf-8", "surrogateescape")
    return hmac.compare_digest(given, f"Bearer {token.reveal()}".encode("utf-8", "surrogateescape"))


def warn_if_open(table: str, host: str, token: Secret | None) -> None:
    """Says at the start of a process that others may read its metrics, which may not be meant."""
    if token is None and not loopback(host):
        structlog.get_logger().warning(
            "admin.open",
            host=host,
            advice=f"whoever reaches the admin port may read the metrics: set {table}.admin_token",
        )


async def redis_problems(redis: Redis, write: str) -> list[str]:
    """Return nothing if Redis takes `write` (GROW or SHRINK) within PROBE_SECONDS."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await redis.register_script(write)(keys=[PROBE_KEY])
    except TimeoutError:
        return [f"redis: no answer within {PROBE_SECONDS} s"]
    except FAILURES as error:
        return [f"redis: {_name(error)}"]
    return []


def _name(error: Exception) -> str:
    """The error's code where redis-py has no class for it, without the server's words."""
    code = str(error).partition(" ")[0]
    return code if type(error) is ResponseError and code.isupper() else type(error).__name__
