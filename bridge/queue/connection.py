"""Clients of the server, and which of its errors mean "not now".

After a failover behind a virtual address, old connections stay open to a server that no longer takes writes.
So an error reply about the server makes every connection of the client reconnect before its next use.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import redis.asyncio
from redis.asyncio import Connection, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import (
    ClusterDownError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as LinkError
from redis.exceptions import TimeoutError as LinkTimeout

from bridge.errors import StoreFull, StoreUnavailable

# An error inside a script comes with its code in front or, before Redis 7, in its midst after a "-". redis-py
# puts words in front of an error of a pipeline.
_CODE: Final = r"(?:^|-|caused error: \(['\"])"
_NOT_NOW: Final = re.compile(
    rf"{_CODE}(?:OOM|READONLY|BUSY|LOADING|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|UNKILLABLE"
    r"|UNBLOCKED|DENIED)\b|max number of clients|SCRIPT KILL|WAIT cannot be used with replica"
)
_FULL: Final = re.compile(rf"{_CODE}OOM\b")
_WRONG_SERVER: Final = re.compile(
    rf"{_CODE}(?:READONLY|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|UNBLOCKED)\b"
    r"|WAIT cannot be used with replica"
)
"""The server takes no writes in its present state, and another one may have become the master."""
_DENIED: Final = re.compile(rf"{_CODE}NOPERM\b|ACL failure in script|The user executing the script can't")
_CLOSED: Final = "the handler is closed"

REOPEN_SECONDS: Final = 0.25
"""The connections of a client are closed for an error reply at most once in this time."""

FAILURES: Final = (RedisError, OSError, RuntimeError)
"""What a client raises. uvloop's answer to who writes to a connection just lost is a RuntimeError."""


def connect(url: str, *, timeout_seconds: float = 5.0, retries: int = 0) -> Redis:
    """A client of the server at `url`. It connects at its first command.

    A command that is not answered within `timeout_seconds` fails. `retries` are those of connecting; no
    command is ever repeated behind the caller's back.
    """
    options: dict[str, Any] = {
        "decode_responses": False,
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "health_check_interval": 30,
    }
    if not url.startswith("unix:"):
        options["socket_keepalive"] = True
    if retries:
        options["retry"] = Retry(ExponentialWithJitterBackoff(cap=1.0, base=0.05), retries)
    client: Redis = redis.asyncio.from_url(url, **options)  # type: ignore[no-untyped-call]
    pool = client.connection_pool
    pool.connection_class = _CLASSES[pool.connection_class]
    pool.connection_kwargs["endpoint"] = Endpoint()
    return client


class PermissionLostError(NoPermissionError):
    """The server denies a command that it allowed before, for instance after a failover."""


class Endpoint:
    """What the connections of one client share: when to reconnect, and which commands were allowed."""

    def __init__(self) -> None:
        self.left_at = -math.inf
        """Connections opened before this time of the event loop are not used again."""
        self.allowed: set[str] = set()
        """Names of commands that have succeeded; "" stands for all that GroupCommit sends."""


class _Leaving(AbstractConnection):
    """Reconnect at the next `connect` after an error reply about the server.

    The pool calls `connect` before each use, and so does GroupCommit. The connection is not closed within a
    use: the replies of a pipeline are all read, and a transaction keeps what it watches. NOAUTH, WRONGPASS
    and LOADING are not handled here, because redis-py closes the connection at once.
    """

    def __init__(self, *, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint = endpoint
        self._opened_at = math.inf
        self._packed: list[str] = []
        self._asked: deque[str] = deque()
        """Names of the commands whose replies are to be read; GroupCommit packs its commands elsewhere."""

    async def connect(self) -> None:
        self._packed.clear()
        self._asked.clear()
        if self.is_connected and self._opened_at < self._endpoint.left_at:
            await self.disconnect(nowait=True)
        if not self.is_connected:
            opened_at = asyncio.get_running_loop().time()
            # An error reply within connect(), such as NOPERM for CLIENT SETINFO, must not cause a reconnect.
            self._opened_at = math.inf
            await super().connect()  # type: ignore[no-untyped-call]
            self._opened_at = opened_at

    def pack_command(self, *args: Any) -> list[bytes]:
        self._packed.append(str(args[0]))
        return super().pack_command(*args)

    async def send_packed_command(self, *args: Any, **options: Any) -> None:
        packed, self._packed = self._packed, []
        await super().send_packed_command(*args, **options)  # this may send and read a PING first
        self._asked += packed

    async def read_response(self, *args: Any, **options: Any) -> Any:
        asked = self._asked.popleft() if self._asked else ""
        try:
            reply = await super().read_response(*args, **options)
        except ResponseError as error:
            if _denied(error) and asked in self._endpoint.allowed:
                self._leave()
                raise PermissionLostError(str(error)) from error
            if isinstance(error, ReadOnlyError) or _WRONG_SERVER.search(str(error)):
                self._leave()
            raise
        self._endpoint.allowed.add(asked)
        return reply

    def _leave(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - max(self._opened_at, self._endpoint.left_at) >= REOPEN_SECONDS:
            self._endpoint.left_at = now


class _Tcp(_Leaving, Connection):
    pass


class _Tls(_Leaving, SSLConnection):
    pass


class _Unix(_Leaving, UnixDomainSocketConnection):
    pass


_CLASSES: Final[dict[type, type]] = {
    Connection: _Tcp,
    SSLConnection: _Tls,
    UnixDomainSocketConnection: _Unix,
}


def _denied(error: ResponseError) -> bool:
    return isinstance(error, NoPermissionError) or bool(_DENIED.search(str(error)))


def not_now(error: Exception) -> bool:
    """Whether the same command may pass later: the server is away, starting, full, busy, or a replica."""
    match error:
        case LinkError() | LinkTimeout() | OSError():
            return True
        case ReadOnlyError() | OutOfMemoryError() | NoScriptError() | ClusterDownError() | TryAgainError():
            return True
        case PermissionLostError():
            return True
        case RedisError():
            return bool(_NOT_NOW.search(str(error)))
        case RuntimeError():
            return str(error).endswith(_CLOSED)
        case _:
            return False


def store_error(error: Exception) -> StoreUnavailable:
    """Return the error to raise in place of one that means "not now"."""
    reason = str(error) or type(error).__name__
    full = isinstance(error, OutOfMemoryError) or _FULL.search(reason)
    return StoreFull(reason) if full else StoreUnavailable(reason)


@contextmanager
def unavailable() -> Iterator[None]:
    """Turns what means "not now" into StoreUnavailable; other errors are bugs or wrong rights, and pass."""
    try:
        yield
    except FAILURES as error:
        if not_now(error):
            raise store_error(error) from error
        raise
