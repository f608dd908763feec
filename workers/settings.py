"""arq hosts the worker process: start, signals, graceful stop, health key, cron and side jobs. It carries no
events, and nothing else knows it.

`moveo-bridge worker` and `arq workers.settings.WorkerSettings` start the same. arq ends its process at the
first refused command; ours goes on without Redis, so arq is given a client that waits until Redis is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec
import structlog
from arq import cron
from arq.connections import ArqRedis, RedisSettings
from arq.typing import WorkerCoroutine
from arq.worker import run_worker
from redis.asyncio.client import Pipeline
from redis.exceptions import NoPermissionError, OutOfMemoryError, WatchError

from bridge.config import Settings, load
from bridge.errors import ConfigError
from bridge.log import configure
from bridge.queue import Direction, Queue, Wanted, connect, server_ms
from bridge.queue.connection import FAILURES, not_now, store_error
from bridge.runtime import event_loop, lift_file_limit, on_stop_signal, settle_memory
from workers import housekeeping
from workers.outage import Outage
from workers.process import Process
from workers.watchdog import Watchdog

JOBS: Final = "bridge:jobs"
"""The sorted set that holds arq's jobs; its health key is beside it."""
POLL_SECONDS: Final = 2.0
DELETE_SECONDS: Final = 0.25
JOB_TRIES: Final = 5
"""A job that was cut off by the end of its worker is run again by another; one that fails is not."""
HUNG_LEASES: Final = 6
"""For so long, in lives of a lease, the event loop may be blocked; its sessions are others' after one."""
CANCEL_SECONDS: Final = 0.3
"""For what was cancelled; then it is again, and jobs with it."""

_log = structlog.get_logger(__name__)


# ---- what arq is given -------------------------------------------------------------------------------------


def worker_settings(settings: Settings) -> dict[str, Any]:
    """arq's settings for a worker with these of ours. Raises ConfigError."""
    process = Process(settings)
    watchdog = Watchdog(HUNG_LEASES * settings.worker.lease_seconds)

    async def startup(context: dict[str, Any]) -> None:
        settle_memory()
        watchdog.start()
        context["process"] = process
        context["dead_days"] = settings.queue.dead_days
        await process.start()
        _end_when_told(process)

    async def shutdown(_: dict[str, Any]) -> None:
        await process.stop()
        watchdog.stop()

    redis = PatientRedis(
        connect(settings.redis.url).connection_pool,
        job_serializer=_dump,
        job_deserializer=msgspec.json.decode,
        default_queue_name=JOBS,
    )
    redis.outage = process.outage
    return {
        "functions": [replay_dead, purge_dead],
        "cron_jobs": [cron(cast("WorkerCoroutine", retain_dead), minute=17, run_at_startup=True)],
        "queue_name": JOBS,
        "redis_settings": RedisSettings.from_dsn(settings.redis.url),  # of `arq --check` alone
        "redis_pool": redis,
        "on_startup": startup,
        "on_shutdown": shutdown,
        "job_serializer": _dump,
        "job_deserializer": msgspec.json.decode,
        "poll_delay": POLL_SECONDS,
        "health_check_interval": 60,
        "max_tries": JOB_TRIES,
    }


def run(settings: Settings) -> None:
    """The worker process, until SIGTERM, SIGINT or SIGHUP. Raises ConfigError when it cannot start."""
    configure(settings.log)
    lift_file_limit()
    given = worker_settings(settings)
    loop = (event_loop() or asyncio.new_event_loop)()
    asyncio.set_event_loop(loop)
    try:
        with contextlib.suppress(asyncio.CancelledError):  # of a job that was not over
            run_worker(given)
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def _end_when_told(process: Process) -> None:
    """In place of arq's handler of signals, which may be asked in vain, or end without a handing over.

    It cancels its main task once, and a client of Redis may swallow that (see bridge.runtime.cancelled); it
    cancels jobs wherever they are, and fails when that is between its own commands.
    """
    loop, main = asyncio.get_running_loop(), asyncio.current_task()
    assert main  # noqa: S101 -- arq starts its hooks in a task
    ending: list[asyncio.Task[None]] = []

    def told(name: str) -> None:
        if not ending:
            process.wind_down(name)
            ending.append(loop.create_task(process.stop()))
            ending[0].add_done_callback(end)

    def end(_: object = None) -> None:
        for task in asyncio.all_tasks(loop) if main.done() else {main}:
            task.cancel()
        loop.call_later(CANCEL_SECONDS, end)

    on_stop_signal(told)


def __getattr__(name: str) -> Any:
    """`WorkerSettings` is made when it is asked for: importing this module reads no settings."""
    if name != "WorkerSettings":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        settings = load()
        configure(settings.log)
        logging.getLogger("arq").propagate = False  # the command arq, which asks, writes its lines itself
        return type(name, (), worker_settings(settings))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None


def _dump(job: dict[str, Any]) -> bytes:
    """JSON, never pickle; an exception, which a job may end with, is its text."""
    return msgspec.json.encode(job, enc_hook=str)


# ---- jobs --------------------------------------------------------------------------------------------------


async def replay_dead(
    context: dict[str, Any],
    integration: str,
    direction: Direction = "out",
    session: str | None = None,
    reason: str | None = None,
    since_at: int | None = None,
    until_at: int | None = None,
) -> int:
    """Puts the matching dead letters of a queue back into their sessions; times are those of death, in ms."""
    queue, now = _queue(context, integration, direction), await server_ms(context["redis"])
    until = now if until_at is None else min(now, until_at)  # not those that die again meanwhile
    return await housekeeping.replay(
        queue, Wanted(session=session, reason=reason, since_at=since_at, until_at=until)
    )


async def purge_dead(
    context: dict[str, Any],
    integration: str,
    direction: Direction = "out",
    session: str | None = None,
    reason: str | None = None,
    since_at: int | None = None,
    until_at: int | None = None,
) -> int:
    """Deletes the matching dead letters of a queue; times are those of death, in ms."""
    queue = _queue(context, integration, direction)
    wanted = Wanted(session=session, reason=reason, since_at=since_at, until_at=until_at)
    return await housekeeping.purge(queue, wanted)


async def retain_dead(context: dict[str, Any]) -> int:
    """Deletes the dead letters that are too old."""
    redis = context["redis"]
    return await housekeeping.retain(redis, await server_ms(redis), context["dead_days"])


def _queue(context: dict[str, Any], integration: str, direction: Direction) -> Queue:
    process: Process = context["process"]
    return housekeeping.find(process.queues, integration, direction)


# ---- a client that waits -----------------------------------------------------------------------------------


class PatientRedis(ArqRedis):
    """Waits for Redis where another client would raise; what means "never" is raised still."""

    outage: Outage

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        while True:
            try:
                reply = await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
            except OutOfMemoryError as error:
                # It was arq's health key, which expires anyway: jobs need not wait for it.
                self.outage.full(store_error(error))
                return None
            except FAILURES as error:
                await _patience(error, self.outage)
            else:
                self.outage.over()
                return reply

    async def delete(self, *names: Any) -> int:
        """arq's last act is to delete its health key, which without Redis expires by itself."""
        try:
            async with asyncio.timeout(DELETE_SECONDS):
                return int(await super().execute_command("DEL", *names))  # type: ignore[no-untyped-call]
        except FAILURES as error:
            if not not_now(error):
                raise
            return 0

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        pipeline = _PatientPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint or ""
        )
        pipeline.outage = self.outage
        return pipeline


class _PatientPipeline(Pipeline):
    """A pipeline that is sent again as a whole. What it watched when Redis went away, it watches anew."""

    outage: Outage
    _watched: Sequence[Any] = ()

    async def watch(self, *names: Any) -> Any:  # type: ignore[override]
        self._watched = names
        return await super().watch(*names)

    async def reset(self) -> None:
        """What was watched is forgotten, by the server too, which may not be there to be told."""
        try:
            await super().reset()  # type: ignore[no-untyped-call]
        except FAILURES as error:
            if not not_now(error):
                raise
            self.watching = False
            if self.connection:
                await self.connection.disconnect(nowait=True)
            await super().reset()  # type: ignore[no-untyped-call]

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        while True:
            try:
                return await super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]
            except WatchError:
                await super().watch(*self._watched)
            except FAILURES as error:
                await _patience(error, self.outage)

    async def execute(self, raise_on_error: bool = True) -> Any:
        commands, watching = list(self.command_stack), self.watching
        while True:
            try:
                return await super().execute(raise_on_error)
            except WatchError:
                raise
            except FAILURES as error:
                if isinstance(error, NoPermissionError) and commands[0][0][0] == "INFO":
                    return [{}, {}, {}, "?"]  # what arq logs at its start; a careful server does not tell it
                if isinstance(error, NoPermissionError) and not not_now(error):
                    raise
                if watching:
                    raise WatchError("the server went away") from error
                await _patience(error, self.outage)
                self.command_stack = list(commands)


async def _patience(error: Exception, outage: Outage) -> None:
    if not not_now(error):
        raise error
    await outage.wait(store_error(error))
