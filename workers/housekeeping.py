"""What is not delivery: the retention of dead letters by age, and side jobs that people start.

Each is an ordinary coroutine over the queues; workers.settings makes jobs of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog
from redis.asyncio import Redis

from bridge.queue import Direction, Queue, Wanted, dead

DAY_MS: Final = 86_400_000

_log = structlog.get_logger(__name__)


async def retain(redis: Redis, now_ms: int, days: float) -> int:
    """Deletes the letters that are older than `days` (0: none is); returns how many.

    Those of integrations that are configured no more too: nobody else would ever delete them.
    """
    if not days:
        return 0
    expired = await dead.expire(redis, now_ms - int(days * DAY_MS))
    for name, direction, count in expired:
        _log.info("dead.expired", integration=name, direction=direction, letters=count)
    return sum(count for _, _, count in expired)


async def replay(queue: Queue, wanted: Wanted) -> int:
    """Puts the letters back into their sessions; returns how many."""
    return await _said("dead.replayed", dead.replay, queue, wanted)


async def purge(queue: Queue, wanted: Wanted) -> int:
    """Deletes the letters; returns how many."""
    return await _said("dead.purged", dead.purge, queue, wanted)


async def _said(
    event: str, done: Callable[[Queue, Wanted], Awaitable[int]], queue: Queue, wanted: Wanted
) -> int:
    count = await done(queue, wanted)
    _log.info(event, integration=queue.name, direction=queue.direction, letters=count)
    return count


def find(queues: Sequence[Queue], integration: str, direction: Direction) -> Queue:
    """The queue of that name. Raises LookupError."""
    for queue in queues:
        if (queue.name, queue.direction) == (integration, direction):
            return queue
    raise LookupError(f"no queue {integration}:{direction}")
