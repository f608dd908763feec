"""The ingress process: listens, says where, and stops in order.

At SIGTERM, SIGINT or SIGHUP no new connection is taken, requests that have begun are answered, then the
process ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bridge.config import Settings
from bridge.errors import ConfigError, StoreUnavailable
from bridge.ingress.admin import admin, warn_if_open
from bridge.ingress.app import QUEUES, TRAFFIC, build, limits_of
from bridge.ingress.health import Health
from bridge.ingress.listening import Server
from bridge.ingress.reception import BODY_SECONDS, STORE_SECONDS
from bridge.ingress.spool import Log, Placer, Spool
from bridge.log import configure
from bridge.metrics import Metrics
from bridge.persistence import persistence_warnings
from bridge.queue import Clock, connect
from bridge.runtime import end, event_loop, lift_file_limit, on_stop_signal, settle_memory

DRAIN_SECONDS: Final = BODY_SECONDS + STORE_SECONDS + 1
REDIS_SECONDS: Final = 1.0
"""When a round trip takes longer, its connection is given up for a new one."""


CLOCK_SECONDS: Final = 10.0
"""Between two looks at the clock of Redis."""
NO_SPOOL: Final = (
    "while Redis is away events are refused, and Moveo soon gives them up: set ingress.spool to a folder"
)


class Addresses(msgspec.Struct, frozen=True):
    """Where the process listens, as URLs without a path."""

    url: str
    admin_url: str


def run(settings: Settings) -> None:
    """The whole process, until SIGTERM, SIGINT or SIGHUP. Raises ConfigError when it cannot start."""
    if not settings.integrations:
        raise ConfigError("integrations: none is configured: add a table [integrations.NAME] to bridge.toml")
    configure(settings.log)
    settle_memory()
    lift_file_limit()
    with asyncio.Runner(loop_factory=event_loop()) as runner:
        runner.run(_until_told(settings))


async def _until_told(settings: Settings) -> None:
    log, told = structlog.get_logger(), asyncio.Queue[str]()
    on_stop_signal(told.put_nowait)
    async with serving(settings) as addresses:
        log.info(
            "ingress.started",
            url=addresses.url,
            admin=addresses.admin_url,
            integrations=sorted(settings.integrations),
        )
        log.info("ingress.stopping", signal=await told.get())
    log.info("ingress.stopped")


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Addresses]:
    """The ingress within a running event loop, for as long as the block runs."""
    redis = connect(settings.redis.url, timeout_seconds=REDIS_SECONDS)
    metrics, ingress = Metrics(), settings.ingress

    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(redis.aclose)
        clock, spool = await stack.enter_async_context(_clock(redis)), None
        if ingress.spool:
            spool = await stack.enter_async_context(_spooling(settings, ingress.spool))
            metrics.watch_spool(spool.log)
        app = build(settings, redis, metrics, clock, spool)
        traffic, queues = app[TRAFFIC], app[QUEUES]
        health = Health(redis, traffic, spool)
        probes = Server(
            admin(metrics, health.problems, queues, health.degraded, token=ingress.admin_token),
            ingress.admin_host,
            ingress.admin_port,
            key="ingress.admin_port",
        )
        await probes.start()
        stack.push_async_callback(probes.stop)
        server = Server(
            app, ingress.host, ingress.port, key="ingress.port", connections=ingress.max_connections
        )
        await server.start()
        stack.push_async_callback(server.stop)
        await _warn(settings, redis)
        try:
            yield Addresses(server.url, probes.url)
        finally:
            await server.close()
            if not await traffic.drain(DRAIN_SECONDS):
                structlog.get_logger().warning("ingress.cut_off", after_seconds=DRAIN_SECONDS)


@contextlib.asynccontextmanager
async def _clock(redis: Redis) -> AsyncIterator[Clock]:
    """The clock of Redis, kept: this machine's may be wrong, and events would be taken for stale."""
    clock = Clock()
    with contextlib.suppress(StoreUnavailable, RedisError):
        await clock.sync(redis)
    keeping = asyncio.create_task(clock.keep(redis, CLOCK_SECONDS))
    try:
        yield clock
    finally:
        await end(keeping)


@contextlib.asynccontextmanager
async def _spooling(settings: Settings, folder: Path) -> AsyncIterator[Spool]:
    """The spool, at work. It has a client of its own, which waits for Redis longer than a sender would."""
    redis = connect(settings.redis.url)
    place = Placer(redis, limits_of(settings), settings.redis.replicas)
    spool = Spool(Log(folder), place, most_bytes=settings.ingress.spool_bytes)
    running = asyncio.create_task(spool.run())
    try:
        yield spool
    finally:
        await end(running)
        await spool.close()
        await redis.aclose()


async def _warn(settings: Settings, redis: Redis) -> None:
    """Says at the start what an operator should know and may not have meant."""
    log = structlog.get_logger()
    if not settings.ingress.spool:
        log.warning("ingress.no_spool", advice=NO_SPOOL)
    if settings.queue.seen_seconds < 2 * settings.ingress.window_seconds:
        log.warning(
            "ingress.window_too_wide",
            advice="a replayed event can be within ingress.window_seconds and no longer be known: "
            "set queue.seen_seconds to twice that",
        )
    warn_if_open("ingress", settings.ingress.admin_host, settings.ingress.admin_token)
    for name, integration in settings.integrations.items():
        if integration.unsigned:
            log.warning(
                "ingress.unsigned", integration=name, advice="whoever reaches the port may post events"
            )
    try:
        async with asyncio.timeout(REDIS_SECONDS):
            for advice in await persistence_warnings(redis, settings.redis.replicas):
                log.warning("redis.not_durable", advice=advice)
    except (StoreUnavailable, TimeoutError) as error:
        log.warning("redis.unreachable", url=settings.redis.shown, reason=str(error) or "no answer")
