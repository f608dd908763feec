"""Clients of the server, and which of its errors mean "not now"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import redis.asyncio
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import (
    ClusterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as LinkError
from redis.exceptions import TimeoutError as LinkTimeout

from bridge.errors import StoreFull, StoreUnavailable

# An error inside a script comes with its code in front or, before Redis 7, in its midst after a "-".
_NOT_NOW: Final = re.compile(
    r"(?:^|-)(?:OOM|READONLY|BUSY|LOADING|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|UNKILLABLE"
    r"|UNBLOCKED)\b|max number of clients|SCRIPT KILL"
)
_FULL: Final = re.compile(r"(?:^|-)OOM\b")
_CLOSED: Final = "the handler is closed"

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
    return client


def not_now(error: Exception) -> bool:
    """Whether the same command may pass later: the server is away, starting, full, busy, or a replica."""
    match error:
        case LinkError() | LinkTimeout() | OSError():
            return True
        case ReadOnlyError() | OutOfMemoryError() | NoScriptError() | ClusterDownError() | TryAgainError():
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
