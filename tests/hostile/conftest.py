"""The process under attack, with keys to check Microsoft's signatures with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.hostile.signers import KEYS
from tests.hostile.target import Target, target

Serve = Callable[..., Awaitable[Target]]


@pytest.fixture
async def keys_url() -> AsyncIterator[str]:
    """Where Microsoft publishes its keys."""

    async def keys(_: web.Request) -> web.Response:
        return web.json_response(KEYS)

    app = web.Application()
    app.router.add_get("/keys", keys)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/keys"
    await runner.cleanup()


@pytest.fixture
async def serve(tmp_path: Path, redis_url: str, keys_url: str) -> AsyncIterator[Serve]:
    """Starts the process with changed settings of [ingress]. It has to live through it, and end in order."""
    async with AsyncExitStack() as stack:
        started: list[Target] = []

        async def start(**ingress: Any) -> Target:
            made = await stack.enter_async_context(target(tmp_path, redis_url, keys_url=keys_url, **ingress))
            started.append(made)
            return made

        yield start
        for each in started:
            assert each.alive, each.log
            assert each.complaints == []
            assert each.end() == 0, each.log
            assert each.complaints == []


@pytest.fixture
async def ingress(serve: Serve) -> Target:
    return await serve()
