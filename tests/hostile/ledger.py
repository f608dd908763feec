"""What Redis holds, read without the queue's own scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable
from typing import cast

from redis.asyncio import Redis

from bridge.queue import Direction, Queue
from bridge.queue.mail import unwrap


async def kept(redis: Redis, name: str, direction: Direction = "out") -> Counter[bytes]:
    """The payloads of a queue that wait or are dead letters, each with how often it is there."""
    found: Counter[bytes] = Counter()
    async for key in redis.scan_iter(f"{{bridge:{name}:{direction}}}:mail:*", count=1000):
        found.update(await mailbox(redis, key))
    for letter in await Queue(redis, name, direction).dead(limit=10**9):
        found[letter.payload] += 1
    return found


async def mailbox(redis: Redis, key: bytes | str) -> list[bytes]:
    """The payloads of a session, in their order."""
    values = await cast("Awaitable[list[bytes]]", redis.lrange(key, 0, -1))  # type: ignore[arg-type]
    return [unwrap(value)[-1] for value in values]
