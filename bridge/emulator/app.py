"""The stand-in as an aiohttp application, and as a process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import structlog
from aiohttp import web

from bridge.emulator.api import Api
from bridge.emulator.bodies import refusals
from bridge.emulator.config import EmulatorConfig
from bridge.emulator.files import media
from bridge.emulator.outbox import Outbox
from bridge.errors import ConfigError
from bridge.runtime import on_stop_signal

BODY_MAX: Final = 20 * 1024 * 1024  # bytes; an upload
SHUTDOWN_SECONDS: Final = 2.0
_log: Final = structlog.get_logger()


def build(config: EmulatorConfig) -> web.Application:
    """The application; its webhooks go out while it runs."""
    outbox = Outbox(config)
    api = Api(config, outbox)

    async def running(_: web.Application) -> AsyncIterator[None]:
        async with outbox:
            yield
            api.sessions.clear()

    async def status(_: web.Request) -> web.Response:
        return web.json_response(
            {
                "sessions": len(api.sessions),
                "busy": outbox.busy,
                "delivered": outbox.delivered,
                "failed": outbox.failed,
            }
        )

    app = web.Application(middlewares=[refusals, api.authorized], client_max_size=BODY_MAX)
    app.cleanup_ctx.append(running)
    app.add_routes(api.routes())
    app.add_routes(
        [
            web.put("/files/{file_id}", api.files.put),
            web.get("/files/{file_id}", api.files.download),
            web.get("/media/{name}", media),
            web.get("/emulator/status", status),
        ]
    )
    return app


async def run(config: EmulatorConfig) -> None:
    """Serves until SIGTERM, SIGINT or SIGHUP. Raises ConfigError when the address cannot be used."""
    told = asyncio.Queue[str]()
    on_stop_signal(told.put_nowait)
    runner = web.AppRunner(build(config), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, config.host, config.port).start()
        except OSError as error:
            raise ConfigError(
                f"the emulator cannot listen on {config.host}:{config.port}: {error.strerror}"
            ) from error
        _log.info("emulator.started", host=config.host, port=runner.addresses[0][1])
        _log.info("emulator.stopping", signal=await told.get())
    finally:
        await runner.cleanup()
    _log.info("emulator.stopped")
