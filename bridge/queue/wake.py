"""One blocking call that waits for work in many queues, so that connections do not grow with integrations."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Final

from redis.asyncio import Redis

from bridge.queue.connection import unavailable
from bridge.queue.queue import Queue

MARGIN: Final = 0.8
"""The part of the client's own timeout that a blocking call may use up."""


async def wait_for_wake(redis: Redis, queues: Sequence[Queue], seconds: float) -> Queue | None:
    """A queue in which something became due, or None after `seconds`, at most most of the client's timeout.

    A wake is a hint for one worker: take a turn with free slots at once. Wait only on queues with free slots,
    since a turn that leaves work due wakes again. On a cluster, wait for the queues one by one: each has its
    own slot. Raises StoreUnavailable.
    """
    if not queues:
        await asyncio.sleep(seconds)
        return None
    if timeout := redis.connection_pool.connection_kwargs.get("socket_timeout"):
        seconds = min(seconds, timeout * MARGIN)
    # The server answers with the first key that has something: no place in that order is better than another.
    turned = random.randrange(len(queues))
    by_key = {queue.wake_key: queue for queue in (*queues[turned:], *queues[:turned])}
    with unavailable():
        woken = await redis.blpop(list(by_key), timeout=max(seconds, 0.01))  # type: ignore[misc, arg-type]
    return by_key[woken[0]] if woken else None
