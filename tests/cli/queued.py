"""Queues to look at: what `status` and `dead` are tested on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from bridge.queue import Bury, Delivery, Direction, Queue, connect

T = TypeVar("T")

SETTINGS = """
[redis]
url = "{url}"
[integrations.support]
channel = "telegram"
secrets = ["one"]
[integrations.sales]
channel = "webchat"
secrets = ["two"]
"""


def configure(folder: Path, redis_url: str) -> None:
    (folder / "bridge.toml").write_text(SETTINGS.format(url=redis_url))


def with_queue(
    redis_url: str, work: Callable[[Queue], Awaitable[T]], name: str = "support", direction: Direction = "out"
) -> T:
    """Does something with a queue from a test that runs commands, which have event loops of their own."""

    async def run() -> T:
        redis = connect(redis_url)
        try:
            return await work(Queue(redis, name, direction))
        finally:
            await redis.aclose()

    return asyncio.run(run())


async def claim(queue: Queue, session: str, payload: bytes) -> Delivery:
    """Pushes the payload and claims it."""
    await queue.push(session, payload)
    [delivery] = (await queue.turn([], 1)).deliveries
    return delivery


async def bury(queue: Queue, session: str, payload: bytes, reason: str = "rejected", error: str = "") -> None:
    """Makes the payload a dead letter of the session."""
    await queue.turn([Bury(await claim(queue, session, payload), reason, error)], 0)
