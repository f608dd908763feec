"""A listening aiohttp server with bounds for slow clients and for many of them, stopped in two steps.

Strangers must not keep out webhooks, whatever they hold open. Event streams, which may last for hours, take
half of the connections at most (see bridge.ingress.streams). An idle connection over which nothing signed has
come is closed soon. From nine tenths of the limit on, a new connection closes others (see `_Door._rank`).

A proxy that may use a connection again must be the one to end it: a request that crosses with our end of it
gets no answer, and while it is repeated the next event of its session goes before it. So the connections of
those who have signed something are kept for longer than any usual proxy keeps them.
"""

from __future__ import annotations

import asyncio
import math
import resource
import sys
import time
from typing import Final, TypeAlias

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from bridge.errors import ConfigError
from bridge.ingress.streams import STREAMS, Streams

STRANGER_SECONDS: Final = 3.0
"""Ends idle connections, and those that never finish the head of a request, where nothing signed has come."""
KNOWN_SECONDS: Final = 620.0
"""Ends the idle ones of others. Proxies keep theirs for 60 s as a rule, Google's load balancer for 600 s:
https://cloud.google.com/load-balancing/docs/https#timeouts_and_retries"""
LOOK_SECONDS: Final = 1.0
"""Between two looks at who is idle."""
LINGERING_SECONDS: Final = 1.0
"""For so long the rest of a refused body is read and thrown away, so that the client sees the answer."""
SHUTDOWN_SECONDS: Final = 5.0
BACKLOG: Final = 1024
CONNECTIONS: Final = 1_000
RESERVE: Final = 0.5
"""This part of the connections is never taken by event streams."""
PROMPT_SECONDS: Final = 1.0
"""A connection without a signed request may be closed to make room after so long in one state."""
SIGNED_SECONDS: Final = 10.0
"""Longer than any signed request takes: what takes longer is a stranger's, over a connection of a proxy."""
FILES_ASIDE: Final = 128
"""File descriptors that connections leave free, for Redis, the spool and whatever else."""
LINE_SECONDS: Final = 60.0
"""Between two lines of the log that say that it is crowded."""


_Known: TypeAlias = "set[web.RequestHandler]"
_KNOWN: Final = web.AppKey[_Known]("known")
_Started: TypeAlias = "dict[web.RequestHandler, float]"


def know(request: web.Request) -> None:
    """What came over this connection was signed: it is no stranger's."""
    if (known := request.app.get(_KNOWN)) is not None:
        known.add(request.protocol)


def most_streams(connections: int) -> int:
    """Return how many event streams a Server with this limit of connections may carry."""
    return max(1, int(min(connections, _files()) * (1 - RESERVE)))


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
        self._known = app[_KNOWN] = set()
        self._started: _Started = {}
        self._streams = app.get(STREAMS)
        app.middlewares.append(self._note_start)
        self._look: asyncio.TimerHandle | None = None
        app.on_response_prepare.append(_last_of_its_connection)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,  # a signature is over the bytes that came
            keepalive_timeout=KNOWN_SECONDS,
            lingering_time=LINGERING_SECONDS,
            shutdown_timeout=SHUTDOWN_SECONDS,
        )

    async def start(self) -> None:
        """Raises ConfigError when it cannot listen there."""
        await self._runner.setup()
        server = self._runner.server
        assert server is not None  # noqa: S101 -- setup() has just made it
        door = _Door(server, min(self._most, _files()), self._known, self._started, self._streams)
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

        self._look_again()

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
        if self._look is not None:
            self._look.cancel()
        await self.close()
        await self._runner.cleanup()

    def _look_again(self) -> None:
        """Ends the idle connections of strangers, now and every while."""
        loop, server = asyncio.get_running_loop(), self._runner.server
        assert server is not None  # noqa: S101 -- it has been started
        there = set(server.connections)
        self._known.intersection_update(there)
        for gone in self._started.keys() - there:
            del self._started[gone]
        if self._streams is not None:
            self._streams.end_lost()
        for stranger in there - self._known:
            since = _idle_since(stranger)
            if since is not None and loop.time() - since > STRANGER_SECONDS:
                stranger.force_close()
        self._look = loop.call_later(LOOK_SECONDS, self._look_again)

    @web.middleware
    async def _note_start(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._started[request.protocol] = asyncio.get_running_loop().time()
        return await handler(request)


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


_SPARED: Final = 2


class _Door:
    """Makes the protocol of each new connection, and room for it."""

    def __init__(
        self, server: web.Server, most: int, known: _Known, started: _Started, streams: Streams | None
    ) -> None:
        self._server = server
        self._most = most
        self._known = known
        self._started = started
        self._streams = () if streams is None else streams
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
            now = asyncio.get_running_loop().time()
            ranked = sorted(
                (*rank, at) for at, each in enumerate(staying) if (rank := self._rank(each, now)) is not None
            )
            leaving = [each for each in ranked if each[0] < _SPARED][: max(1, self._most // 50)]
            if not leaving and number >= self._most:
                leaving = ranked[:1]
                if not leaving:
                    return _TurnedAway()
            for *_, at in leaving:  # some at once, so that looking is worth it
                _abort(staying[at])
        return self._let_in()

    def _let_in(self) -> asyncio.Protocol:
        self._coming += 1
        asyncio.get_running_loop().call_soon(self._came)  # just before it is told of its connection
        return self._server()

    def _rank(self, handler: web.RequestHandler, now: float) -> tuple[int, float] | None:
        """Return the place in the order in which connections are closed to make room; None: not at all.

        First those that strangers leave idle, then requests that take long. From _SPARED on, only where the
        limit is reached: those of strangers who may be about to speak, then the idle ones of known senders.
        """
        known, since = handler in self._known, _idle_since(handler)
        if since is None:
            since = self._started.get(handler, 0.0)
            takes_long = now - since > (SIGNED_SECONDS if known else PROMPT_SECONDS)
            return (1, since) if takes_long and handler not in self._streams else None
        if known:
            return None if self._coming else (3, since)  # those who come are strangers yet, and many
        return (0 if now - since > PROMPT_SECONDS else 2), since

    def _came(self) -> None:
        self._coming -= 1

    def _say(self, number: int) -> None:
        """Now and then: strangers can connect at will."""
        if (now := time.monotonic()) >= self._line_at:
            self._line_at = now + LINE_SECONDS
            structlog.get_logger(__name__).warning("connections.crowded", open=number, most=self._most)


def _idle_since(handler: web.RequestHandler) -> float | None:
    """Return since when the connection has been idle, by the event loop's clock; None if it is in use.

    It is in use while it has a request under way or an answer that is not sent yet. aiohttp has no public
    name for the former and for the time; without these names no connection would be closed.
    """
    unsent = handler.transport is not None and handler.transport.get_write_buffer_size()
    if unsent or getattr(handler, "_request_in_progress", True):
        return None
    until: float = getattr(handler, "_next_keepalive_close_time", math.inf)
    return until - KNOWN_SECONDS


def _abort(handler: web.RequestHandler) -> None:
    """Close the connection even if its client does not read what is still to be sent."""
    transport = handler.transport
    handler.force_close()
    if transport is not None:
        transport.abort()


class _TurnedAway(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
