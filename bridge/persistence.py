"""Whether Redis keeps what it acknowledged: what the promise of a 2xx asks of its settings.

Measured: with `appendfsync everysec` a kill -9 can lose acknowledged writes by the ten thousand when the disk
is slow; with `always` it lost none. Managed servers often forbid CONFIG, so INFO is asked too, and what
neither says is not guessed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Final, TypeVar

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bridge.queue.connection import unavailable

T = TypeVar("T")

_WANTED: Final = {
    "appendonly": ("yes", "an accepted event can be lost when Redis ends: set appendonly yes"),
    "appendfsync": ("always", "an accepted event can be lost when Redis is killed: set appendfsync always"),
    "maxmemory-policy": (
        "noeviction",
        "Redis throws events away when its memory is full: set maxmemory-policy noeviction",
    ),
}
UNKNOWN: Final = (
    "it may not be asked how it keeps data: see to appendonly yes, appendfsync always, noeviction"
)


async def persistence_warnings(redis: Redis) -> list[str]:
    """One line for each setting that is weaker than the promise. Raises StoreUnavailable without Redis."""
    settings = await _configured(redis) or await _reported(redis)
    if not settings:
        return [UNKNOWN]
    return [
        f"{name} is {settings[name]}: {advice}"
        for name, (wanted, advice) in _WANTED.items()
        if name in settings and settings[name] != wanted and _matters(name, settings)
    ]


def _matters(name: str, settings: Mapping[str, str]) -> bool:
    """Without an append-only file it does not matter how it is written."""
    return name != "appendfsync" or settings.get("appendonly") == "yes"


async def _configured(redis: Redis) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _WANTED:
        found |= {
            _text(key): _text(value) for key, value in (await _allowed(redis.config_get(name), {})).items()
        }
    return found


async def _reported(redis: Redis) -> dict[str, str]:
    info: dict[str, Any] = await _allowed(redis.info(), {})
    found = {}
    if "aof_enabled" in info:
        found["appendonly"] = "yes" if info["aof_enabled"] else "no"
    if "maxmemory_policy" in info:
        found["maxmemory-policy"] = _text(info["maxmemory_policy"])
    return found


async def _allowed(asked: Awaitable[T], otherwise: T) -> T:
    """The answer, or `otherwise` where the server forbids the question or does not know it."""
    with unavailable():
        try:
            return await asked
        except ResponseError:
            return otherwise


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
