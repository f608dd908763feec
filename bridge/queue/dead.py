"""Many dead letters at once, for people and for housekeeping: a page at a time, in the order of their deaths.

A letter is put back or deleted by one command, so it may be done again after it was broken off, and by two at
the same time: each letter is taken once, and both together keep the order.
"""

from __future__ import annotations

import re
from typing import Final

from redis.asyncio import Redis

from bridge.queue.connection import unavailable
from bridge.queue.keys import Keys
from bridge.queue.letters import Wanted
from bridge.queue.queue import Queue
from bridge.queue.values import Direction

SCAN: Final = 1000
_KEY: Final = re.compile(rb"\{bridge:([a-z0-9_-]+):(out|in)\}:dead")


async def count(queue: Queue, wanted: Wanted) -> int:
    """How many there are."""
    return sum([len(page) async for page in queue.pages(wanted)])


async def replay(queue: Queue, wanted: Wanted) -> int:
    """Puts them back into their sessions; returns how many.

    Give `until_at`, usually now: otherwise those come again that die again meanwhile.
    """
    return sum([await queue.replay(page) async for page in queue.pages(wanted)])


async def purge(queue: Queue, wanted: Wanted) -> int:
    """Deletes them for good; returns how many."""
    return sum([await queue.purge(page) async for page in queue.pages(wanted)])


async def expire(redis: Redis, before_at: int) -> list[tuple[str, Direction, int]]:
    """Deletes the letters that died before that time (ms); which queues had any, and how many.

    Raises StoreUnavailable.
    """
    found: list[tuple[str, Direction, int]] = []
    for name, direction in await with_letters(redis):
        with unavailable():
            count: int = await redis.xtrim(Keys(name, direction).dead, minid=before_at, approximate=False)
        if count:
            found.append((name, direction, count))
    return found


async def with_letters(redis: Redis) -> list[tuple[str, Direction]]:
    """Every queue that has any, by integration and direction: also of integrations configured no more.

    Looks through all keys of the server. Raises StoreUnavailable.
    """
    found: set[tuple[str, Direction]] = set()
    with unavailable():
        # The type is checked here, since `SCAN ... TYPE` asks for more than every stand-in for Redis knows.
        async for key in redis.scan_iter(match="{bridge:*}:dead", count=SCAN):
            if parts := _KEY.fullmatch(key):
                found.add((parts[1].decode(), "out" if parts[2] == b"out" else "in"))
    return sorted(found)
