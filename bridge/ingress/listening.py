"""A listening aiohttp server with bounds for slow clients, stopped in two steps."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bridge.errors import ConfigError

KEEPALIVE_SECONDS: Final = 3.0
"""Ends idle connections, and those that never finish the head of a request."""
LINGERING_SECONDS: Final = 1.0
"""For so long the rest of a refused body is read and thrown away, so that the client sees the answer."""
SHUTDOWN_SECONDS: Final = 5.0
BACKLOG: Final = 1024


class Server:
    """start(), then close() to take no new connections, then stop(). `key` names the setting of the port."""

    def __init__(self, app: web.Application, host: str, port: int, *, key: str) -> None:
        self._host = host.strip("[]")
        self._port = port
        self._key = key
        self._runner = web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,  # a signature is over the bytes that came
            keepalive_timeout=KEEPALIVE_SECONDS,
            lingering_time=LINGERING_SECONDS,
            shutdown_timeout=SHUTDOWN_SECONDS,
        )

    async def start(self) -> None:
        """Raises ConfigError when it cannot listen there."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, backlog=BACKLOG)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            reason = error.strerror or type(error).__name__
            raise ConfigError(
                f"{self._key}: cannot listen on {self._host} port {self._port}: {reason}"
            ) from None

    @property
    def url(self) -> str:
        """Where it listens; the port is the real one where 0 was asked for."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        """Takes no new connections; those that are open live on."""
        for site in self._runner.sites:
            await site.stop()

    async def stop(self) -> None:
        """Ends the application: idle connections at once, the others when they are answered."""
        await self._runner.cleanup()
