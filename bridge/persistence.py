"""Whether Redis keeps what it acknowledged: what the promise of a 2xx asks of its settings.

Measured: with `appendfsync everysec` a kill -9 can lose acknowledged writes by the ten thousand when the disk
is slow; with `always` it lost none. Managed servers often forbid CONFIG, so INFO is asked too; what neither
says is not guessed, but named.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Mapping
from typing import Any, Final, TypeVar

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bridge.queue.connection import unavailable

T = TypeVar("T")

_WANTED: Final = {
    "appendonly": ("yes", "an accepted event can be lost when Redis ends: set appendonly yes"),
    "appendfsync": ("always", "an accepted event can be lost when Redis is killed: set appendfsync always"),
    "no-appendfsync-on-rewrite": (
        "no",
        "an accepted event can be lost while the file is rewritten: set no-appendfsync-on-rewrite no",
    ),
    "maxmemory-policy": (
        "noeviction",
        "Redis throws events away when its memory is full: set maxmemory-policy noeviction",
    ),
}
OLDEST: Final = (6, 2)
"""The oldest version that the queue's commands are in."""
UNKNOWN: Final = (
    "it may not be asked how it keeps data: see to appendonly yes, appendfsync always, noeviction"
)


async def persistence_warnings(redis: Redis, replicas: int = 0) -> list[str]:
    """One line for each thing that is weaker than the promise; `replicas` is what the settings ask for.

    Raises StoreUnavailable without Redis.
    """
    info: dict[str, Any] = await _allowed(redis.info(), {})
    settings = _reported(info) | await _configured(redis)
    found = [
        f"{name} is {settings[name]}: {advice}"
        for name, (wanted, advice) in _WANTED.items()
        if name in settings and settings[name] != wanted and _matters(name, settings)
    ]
    if unsaid := [name for name in _WANTED if name not in settings and _matters(name, settings)]:
        found.append(
            UNKNOWN if len(unsaid) == len(_WANTED) else f"it may not be asked: see to {_list(unsaid)}"
        )
    return [*found, *_state(info, replicas)]


def _matters(name: str, settings: Mapping[str, str]) -> bool:
    """Without an append-only file it does not matter how it is written."""
    return "appendfsync" not in name or settings.get("appendonly", "yes") == "yes"


def _list(names: list[str]) -> str:
    return ", ".join(f"{name} {_WANTED[name][0]}" for name in names)


def _state(info: Mapping[str, Any], replicas: int) -> Iterator[str]:
    """What the server is, apart from its settings; it says nothing where INFO is forbidden."""
    if info.get("role") == "slave":
        yield "role is slave: a replica takes no events, so name the primary in redis.url"
    version = str(info.get("redis_version", ""))
    if _numbers(version) and _numbers(version) < OLDEST:
        yield f"redis_version is {version}: 6.2 is the oldest that will do"
    if info.get("cluster_enabled"):
        yield "cluster_enabled is 1: queues live on different nodes of a cluster, so take a single server"
    for name in ("aof_last_write_status", "aof_last_bgrewrite_status"):
        if info.get("aof_enabled") and info.get(name, "ok") != "ok":
            yield f"{name} is {info[name]}: Redis cannot write its file, so look at its disk and its log"
    have = int(info.get("connected_slaves", replicas))
    if have < replicas:
        yield f"connected_slaves is {have}: redis.replicas asks for {replicas}, so no event is safe in Redis"


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")[:2]
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()


async def _configured(redis: Redis) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _WANTED:
        found |= {
            _text(key): _text(value) for key, value in (await _allowed(redis.config_get(name), {})).items()
        }
    return found


def _reported(info: Mapping[str, Any]) -> dict[str, str]:
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
