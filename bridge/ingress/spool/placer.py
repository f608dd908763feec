"""From the spool into the queues, over a connection of its own that has time: what is slow is still done.

After an outage other ingresses may hold events of the same sessions. So while it begins to give up what it
holds, nothing is claimed of the queues that it goes to: what comes from all of them finds its place first.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Final

from redis.asyncio import Redis

from bridge.ingress.spool.frames import Frame
from bridge.queue import Direction, GroupCommit, Limits, NotReplicated, Queue
from bridge.queue.keys import decode

HOLD_SECONDS: Final = 0.3
"""After each batch: longer than another ingress waits before it tries Redis again."""
LONGEST_SECONDS: Final = 1.2
"""How long that may go on: then events are delivered while there is still much to place."""
NEW_SECONDS: Final = 5.0
"""After so long without any, batches are those of another outage."""


class Placer:
    """A Place. A queue need not be configured any more: who accepted an event cannot drop it for that."""

    def __init__(self, redis: Redis, limits: Limits, replicas: int = 0) -> None:
        self._redis = redis
        self._limits = limits
        self._commit = GroupCommit(redis, replicas=replicas)
        self._queues: dict[tuple[str, Direction], Queue] = {}
        self._began_at = self._ended_at = -math.inf

    async def __call__(self, frames: Sequence[Frame]) -> None:
        if not frames:
            await self._commit.command("PING")
            return
        # Together; group commit keeps their order.
        holds = [queue.hold(HOLD_SECONDS) for queue in self._held(frames)]
        ends = await asyncio.gather(*holds, *map(self._place, frames), return_exceptions=True)
        self._ended_at = asyncio.get_running_loop().time()
        errors = [end for end in ends if isinstance(end, BaseException)]
        for error in errors:
            if not isinstance(error, NotReplicated):
                self._ended_at = -math.inf  # it begins anew
                raise error
        if errors:
            raise errors[0]

    def _held(self, frames: Sequence[Frame]) -> set[Queue]:
        """The queues of which nothing is to be claimed for a moment."""
        now = asyncio.get_running_loop().time()
        if now - self._ended_at > NEW_SECONDS:
            self._began_at = now
        return {self._queue(each) for each in frames} if now - self._began_at < LONGEST_SECONDS else set()

    async def _place(self, frame: Frame) -> None:
        queue, session = self._queue(frame), decode(frame.session)
        if frame.letter:
            await queue.reject(frame.payload, frame.letter, session=session)
        else:
            await queue.place(session, frame.payload, frame.arrived_at, frame.sent_at, frame.digest)

    def _queue(self, frame: Frame) -> Queue:
        name = (frame.integration, frame.direction)
        if name not in self._queues:
            self._queues[name] = Queue(self._redis, *name, self._limits, self._commit)
        return self._queues[name]
