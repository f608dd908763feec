"""What time and accidents do to a queue, done by hand, so that no test waits for a clock."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from bridge.queue import Delivery, Queue


class Hands:
    def __init__(self, redis: Redis, queue: Queue) -> None:
        self.redis = redis
        self.queue = queue
        self.prefix = f"{{bridge:{queue.name}:{queue.direction}}}:"

    async def do(self, *words: Any) -> Any:
        """A plain command."""
        return await self.redis.execute_command(*words)  # type: ignore[no-untyped-call]

    async def now(self) -> int:
        """The server's clock, in ms."""
        seconds, micros = await self.do("TIME")
        return int(seconds) * 1000 + int(micros) // 1000

    async def time_passes(self, session: str) -> None:
        """The session's lease or park is over."""
        await self.do("ZADD", f"{self.prefix}due", "XX", 0, session)

    async def probe_is_due(self) -> None:
        """The wait of an open breaker is over."""
        await self.do("HSET", f"{self.prefix}stats", "down_until", 0, "down_fresh", 0)

    async def hold_ends(self) -> None:
        await self.do("HDEL", f"{self.prefix}stats", "hold_until")

    async def keys(self, pattern: str = "*") -> set[str]:
        """The queue's keys, without their common prefix."""
        found = await self.do("KEYS", f"{self.prefix}{pattern}")
        return {key.decode().removeprefix(self.prefix) for key in found}


async def claim(queue: Queue, slots: int = 10) -> tuple[Delivery, ...]:
    """What a worker without work gets."""
    return (await queue.turn([], slots)).deliveries


async def claim_one(queue: Queue) -> Delivery:
    (delivery,) = await claim(queue, 1)
    return delivery


async def somebody_blocks(redis: Redis) -> None:
    """Returns when a client of the server waits in a BLPOP."""
    while not any(each["cmd"] == "blpop" for each in await redis.client_list()):
        pass
