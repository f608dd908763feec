"""A listening aiohttp server with bounds for slow clients and for many of them, stopped in two steps.

Who opens connections and says nothing must not keep out those who speak. So when there are many, the oldest
that has no request under way makes room for the next; only where all are busy is the next one turned away.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from typing import Final
from weakref import WeakSet

import structlog
from aiohttp import web

from bridge.errors import ConfigError

KEEPALIVE_SECONDS: Final = 3.0
"""Ends idle connections, and those that never finish the head of a request."""
LINGERING_SECONDS: Final = 1.0
"""For so long the rest of a refused body is read and thrown away, so that the client sees the answer."""
SHUTDOWN_SECONDS: Final = 5.0
BACKLOG: Final = 1024
CONNECTIONS: Final = 1_000
FILES_ASIDE: Final = 128
"""File descriptors that connections leave free, for Redis, the spool and whatever else."""
LINE_SECONDS: Final = 60.0
"""Between two lines of the log that say that it is crowded."""


class Server:
    """start(), then close() to take no new connections, then stop(). `key` names the setting of the port.

    No more than `connections` are open at once, and no more than the process may have files.
    """

    def __init__(
        self, app: web.Application, host: str, port: int, *, key: str, connections: int = CONNECTIONS
    ) -> None:
        self._host = host.strip("[]")
        self._port = port
        self._key = key
        self._most = connections
        self._listening: asyncio.Server | None = None
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
        server = self._runner.server
        assert server is not None  # noqa: S101 -- setup() has just made it
        door = _Door(server, min(self._most, _files()))
        try:
            self._listening = await asyncio.get_running_loop().create_server(
                door, self._host, self._port, backlog=BACKLOG
            )
        except OSError as error:
            await self._runner.cleanup()
            reason = error.strerror or type(error).__name__
            raise ConfigError(
                f"{self._key}: cannot listen on {self._host} port {self._port}: {reason}"
            ) from None

    @property
    def url(self) -> str:
        """Where it listens; the port is the real one where 0 was asked for."""
        assert self._listening is not None  # noqa: S101 -- it has been started
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._listening.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Takes no new connections; those that are open live on."""
        if self._listening is not None:
            self._listening.close()

    async def stop(self) -> None:
        """Ends the application: idle connections at once, the others when they are answered."""
        await self.close()
        await self._runner.cleanup()


def _files() -> int:
    """How many connections the process may have files for."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if files == resource.RLIM_INFINITY else max(1, files - FILES_ASIDE)


class _Door:
    """Makes the protocol of each new connection, and room for it."""

    def __init__(self, server: web.Server, most: int) -> None:
        self._server = server
        self._most = most
        self._roomy = most - most // 10
        """From here on the oldest are asked to leave; those that are busy do so later."""
        self._asked: WeakSet[web.RequestHandler] = WeakSet()
        self._line_at = 0.0

    def __call__(self) -> asyncio.Protocol:
        handlers = self._server.connections
        if len(handlers) < self._roomy:
            return self._server()
        self._say(len(handlers))
        for oldest in handlers:
            if oldest not in self._asked:
                self._asked.add(oldest)
                oldest.close()  # at once where nothing is under way, else after the answer
                break
        return self._server() if len(handlers) < self._most else _TurnedAway()

    def _say(self, number: int) -> None:
        """Now and then: strangers can connect at will."""
        if (now := time.monotonic()) >= self._line_at:
            self._line_at = now + LINE_SECONDS
            structlog.get_logger(__name__).warning("connections.crowded", open=number, most=self._most)


class _TurnedAway(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- TCP has no other
        transport.abort()
