"""A listening aiohttp server with bounds for slow clients and for many of them, stopped in two steps.

Who opens connections and says nothing must not keep out those who speak. So from nine tenths of the bound on,
those that have been idle the longest make room; only where all are busy is the next one turned away.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from typing import Final

import structlog
from aiohttp import hdrs, web

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
        app.on_response_prepare.append(_last_of_its_connection)
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


async def _last_of_its_connection(request: web.Request, response: web.StreamResponse) -> None:
    """Ends the connection after a request that could have a say in the next one: behind a proxy, another's.

    aiohttp's parser (3.14.5) hands the trailers of a chunked body to the request that follows, and takes what
    follows an upgrade for no request at all.
    """
    if hdrs.TRANSFER_ENCODING in request.headers or hdrs.UPGRADE in request.headers:
        response.force_close()
        response.headers[hdrs.CONNECTION] = "close"


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
        self._line_at = 0.0
        self._coming = 0
        """Whose protocol was made, and who are not among the connections yet: many may come at once."""

    def __call__(self) -> asyncio.Protocol:
        if len(self._server.connections) + self._coming < self._roomy:
            return self._let_in()
        staying = [each for each in self._server.connections if each.transport is not None]
        number = len(staying) + self._coming
        if number >= self._roomy:
            self._say(number)
            idle = sorted(
                (since, at) for at, each in enumerate(staying) if (since := _idle(each)) is not None
            )
            for _, at in idle[: max(1, self._most // 50)]:  # some at once, so that looking is worth it
                staying[at].force_close()
            if not idle and number >= self._most:
                return _TurnedAway()
        return self._let_in()

    def _let_in(self) -> asyncio.Protocol:
        self._coming += 1
        asyncio.get_running_loop().call_soon(self._came)  # just before it is told of its connection
        return self._server()

    def _came(self) -> None:
        self._coming -= 1

    def _say(self, number: int) -> None:
        """Now and then: strangers can connect at will."""
        if (now := time.monotonic()) >= self._line_at:
            self._line_at = now + LINE_SECONDS
            structlog.get_logger(__name__).warning("connections.crowded", open=number, most=self._most)


def _idle(handler: web.RequestHandler) -> float | None:
    """The lower, the longer it has had no request under way; None while it has one.

    aiohttp has no public word for either; without these names nobody would be asked to leave.
    """
    if getattr(handler, "_request_in_progress", True):
        return None
    since: float = getattr(handler, "_next_keepalive_close_time", 0.0)
    return since


class _TurnedAway(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
