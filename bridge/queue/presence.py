"""Which workers there are: each says so every second, whoever wants to know reads one hash."""

from __future__ import annotations

from typing import Final

import msgspec
from redis.asyncio import Redis

from bridge.queue.clock import server_ms
from bridge.queue.connection import unavailable

KEY: Final = "bridge:workers"
FORGET_SECONDS: Final = 60.0

_ANNOUNCE: Final = """
redis.call('PERSIST', KEYS[1]) -- first, a write that cannot grow: a full server lets the rest through
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
"""


class Worker(msgspec.Struct, frozen=True):
    """A worker process, as it last spoke."""

    id: str
    seen_seconds_ago: float
    in_flight: int


class _Sign(msgspec.Struct, frozen=True):
    at: int
    in_flight: int


_decode: Final = msgspec.json.Decoder(_Sign).decode
_encode: Final = msgspec.json.Encoder().encode


async def announce(redis: Redis, id: str, in_flight: int) -> None:  # noqa: A002 -- the field's name
    """This worker lives and has so many deliveries in hand. Raises StoreUnavailable."""
    with unavailable():
        # By the server's clock, since readers are on other machines.
        sign = _encode(_Sign(await server_ms(redis), in_flight))
        await redis.eval(_ANNOUNCE, 1, KEY, id, sign.decode())  # type: ignore[misc]


async def present(redis: Redis) -> list[Worker]:
    """The workers heard of within a minute, by id; older ones are forgotten. Raises StoreUnavailable."""
    with unavailable():
        now = await server_ms(redis)
        signs = await redis.hgetall(KEY)  # type: ignore[misc]
        workers = []
        for key, value in signs.items():
            sign = _decode(value)
            ago = max(0.0, (now - sign.at) / 1000)
            if ago > FORGET_SECONDS:
                await redis.hdel(KEY, key)  # type: ignore[misc]
            else:
                workers.append(Worker(key.decode(), ago, sign.in_flight))
    return sorted(workers, key=lambda worker: worker.id)


async def leave(redis: Redis, id: str) -> None:  # noqa: A002 -- the field's name
    """This worker has ended in order. Raises StoreUnavailable."""
    with unavailable():
        await redis.hdel(KEY, id)  # type: ignore[misc]
