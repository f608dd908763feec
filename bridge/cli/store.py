"""The connection of commands to Redis, and the queues they look at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from bridge.cli.options import Failure

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from bridge.config import Integration, Settings
    from bridge.queue import Direction, Queue

DIRECTIONS: Final[tuple[Direction, ...]] = ("out", "in")


@asynccontextmanager
async def connected(found: Settings) -> AsyncIterator[Redis]:
    """A client of the settings' server. Whatever the server refuses is a Failure of one line."""
    from redis.exceptions import RedisError

    from bridge.errors import StoreUnavailable
    from bridge.queue import connect

    client = connect(found.redis.url)
    try:
        yield client
    except (RedisError, StoreUnavailable) as error:
        raise Failure(f"Redis at {found.redis.shown}: {error}") from error
    finally:
        await client.aclose()


def queues(found: Settings, redis: Redis) -> Iterator[tuple[Integration, Queue]]:
    """Every queue there is: two for each integration."""
    from bridge.queue import Queue

    for integration in found.integrations.values():
        for direction in DIRECTIONS:
            yield integration, Queue(redis, integration.name, direction)
