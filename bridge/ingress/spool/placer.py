"""From the spool into the queues, over a connection of its own that has time: what is slow is still done."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from redis.asyncio import Redis

from bridge.ingress.spool.frames import Frame
from bridge.queue import Direction, GroupCommit, Limits, NotReplicated, Queue
from bridge.queue.keys import decode


class Placer:
    """A Place. A queue need not be configured any more: who accepted an event cannot drop it for that."""

    def __init__(self, redis: Redis, limits: Limits, replicas: int = 0) -> None:
        self._redis = redis
        self._limits = limits
        self._commit = GroupCommit(redis, replicas=replicas)
        self._queues: dict[tuple[str, Direction], Queue] = {}

    async def __call__(self, frames: Sequence[Frame]) -> None:
        if not frames:
            await self._commit.command("PING")
            return
        # Together; group commit keeps their order.
        ends = await asyncio.gather(*map(self._place, frames), return_exceptions=True)
        errors = [end for end in ends if isinstance(end, BaseException)]
        for error in errors:
            if not isinstance(error, NotReplicated):
                raise error
        if errors:
            raise errors[0]

    async def _place(self, frame: Frame) -> None:
        queue, session = self._queue(frame), decode(frame.session)
        if frame.letter:
            await queue.reject(frame.payload, frame.letter, session=session)
        else:
            await queue.place(session, frame.payload, frame.arrived_at, frame.digest)

    def _queue(self, frame: Frame) -> Queue:
        name = (frame.integration, frame.direction)
        if name not in self._queues:
            self._queues[name] = Queue(self._redis, *name, self._limits, self._commit)
        return self._queues[name]
