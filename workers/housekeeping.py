"""What is not delivery: the retention of dead letters by age, and side jobs that people start.

Each is an ordinary coroutine over the queues; workers.settings makes jobs of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog

from bridge.queue import Direction, Queue

RETENTION_SECONDS: Final = 30 * 86_400
BATCH: Final = 500

_log = structlog.get_logger(__name__)


async def retain(queues: Sequence[Queue], now_ms: int) -> int:
    """Deletes the dead letters that are older than RETENTION_SECONDS; returns how many."""
    before, count = now_ms - RETENTION_SECONDS * 1000, 0
    for queue in queues:
        while letters := await queue.dead(until_at=before, limit=BATCH):
            count += await queue.purge(letters)
    if count:
        _log.info("dead.expired", letters=count)
    return count


async def replay(
    queue: Queue, until_at: int, *, session: str | None = None, reason: str | None = None
) -> int:
    """Pushes all matching dead letters again, in the order in which they died; returns how many.

    `until_at` (ms, usually now) keeps it from meeting those again that die again meanwhile.
    """
    count = 0
    while letters := await queue.dead(session=session, reason=reason, until_at=until_at, limit=BATCH):
        count += await queue.replay(letters)
    _log.info("dead.replayed", integration=queue.name, direction=queue.direction, letters=count)
    return count


async def purge(queue: Queue, until_at: int, *, session: str | None = None, reason: str | None = None) -> int:
    """Deletes all matching dead letters up to `until_at` (ms); returns how many."""
    count = 0
    while letters := await queue.dead(session=session, reason=reason, until_at=until_at, limit=BATCH):
        count += await queue.purge(letters)
    _log.info("dead.purged", integration=queue.name, direction=queue.direction, letters=count)
    return count


def find(queues: Sequence[Queue], integration: str, direction: Direction) -> Queue:
    """The queue of that name. Raises LookupError."""
    for queue in queues:
        if (queue.name, queue.direction) == (integration, direction):
            return queue
    raise LookupError(f"no queue {integration}:{direction}")
