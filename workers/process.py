"""A worker process: every integration's two queues with their dispatchers, and what they share.

Nothing here knows who hosts it: `start` returns once it works, `stop` once it has handed over what it held.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import aiohttp
import structlog

from bridge.channels import Channel, Loaded, Request, Uploads
from bridge.config import Integration, Settings
from bridge.config.channels import channels
from bridge.errors import ConfigError, StoreUnavailable
from bridge.fetch import TOTAL_SECONDS, download, open_fetcher
from bridge.ingress.admin import SHRINK, admin, redis_problems, warn_if_open
from bridge.ingress.listening import Server
from bridge.metrics import Metrics
from bridge.moveo import Moveo
from bridge.persistence import persistence_warnings
from bridge.queue import Clock, Direction, GroupCommit, Limits, Queue, announce, connect, leave
from bridge.runtime import cancelled
from bridge.sender import Sender, Transport, open_http, stdout
from bridge.sessions import Sessions
from bridge.web.log import ChatLog, transport
from workers.attach import Attacher, Download
from workers.deliver import Deliverer
from workers.dispatch import Dispatcher, Handler, Waker
from workers.observe import Observer
from workers.outage import Outage
from workers.receive import Receiver
from workers.retry import Policy, describe
from workers.upload import Load, Uploader

PRESENCE_SECONDS: Final = 1.0
CLOCK_SECONDS: Final = 60.0
FAULT_SECONDS: Final = 1.0
GRACE_SECONDS: Final = 7.0
"""For parts in flight at a stop; then they are cut short."""
FLUSH_SECONDS: Final = 1.5
"""For storing what was handed over after that."""
CLOSE_SECONDS: Final = 0.4
"""For what holds nothing any more: a connection that was lost may never say that it is closed."""
CANCELS: Final = 4
"""A client of Redis may swallow one (see bridge.runtime.cancelled)."""

_log = structlog.get_logger(__name__)


class _Outside(NamedTuple):
    """What one integration reaches the world with."""

    sender: Sender
    moveo: Sender
    load: Load
    download: Download
    upload: Transport
    """Sends what takes longer than a message."""


class Process:
    """Made outside the event loop, so that a wrong setting is said before anything starts (ConfigError)."""

    def __init__(self, settings: Settings) -> None:
        if not settings.integrations:
            raise ConfigError(
                "integrations: none is configured: add a table [integrations.NAME] to bridge.toml"
            )
        self.id = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self.queues: list[Queue] = []
        self._settings = settings
        self._channels = channels(settings)
        self._metrics = Metrics()
        self._clock = Clock()
        self.outage = Outage()
        self._dispatchers: list[Dispatcher] = []
        self._working: list[asyncio.Task[None]] = []
        self._attending: list[asyncio.Task[None]] = []
        self._stopping = self._stopped = False
        self._grace_ends_at = 0.0
        self._open = contextlib.AsyncExitStack()

    @property
    def in_flight(self) -> int:
        return sum(dispatcher.in_flight for dispatcher in self._dispatchers)

    async def start(self) -> None:
        """Raises ConfigError when the admin port is taken. Redis may be away: then it is waited for."""
        settings, worker = self._settings, self._settings.worker
        self._redis = connect(settings.redis.url)
        self._open.push_async_callback(self._redis.aclose)
        http = await self._open.enter_async_context(open_http())
        moveo_http = await self._open.enter_async_context(
            open_http(total_seconds=settings.moveo.timeout_seconds)
        )
        fetcher = await self._open.enter_async_context(open_fetcher(worker.media_hosts))
        commit = GroupCommit(self._redis)
        files_http = await self._open.enter_async_context(open_http(total_seconds=TOTAL_SECONDS))
        moveo_sender = Sender(moveo_http)
        for name, integration in settings.integrations.items():
            log = ChatLog(self._redis, name)
            sender = Sender(http, {"chat": transport(log), "stdout": stdout})
            outside = _Outside(
                sender, moveo_sender, fetcher.load, _downloader(files_http, sender), Sender(files_http).send
            )
            self._integrate(integration, self._channels[name], commit, outside)

        probes = Server(
            admin(self._metrics, self._problems, self.queues, token=worker.admin_token),
            worker.admin_host,
            worker.admin_port,
            key="worker.admin_port",
        )
        warn_if_open("worker", worker.admin_host, worker.admin_token)
        await probes.start()
        self._open.push_async_callback(probes.stop)
        waker = Waker(self._redis, self._dispatchers, self.outage)
        self._attending = [asyncio.create_task(_kept(each)) for each in (waker.run, self._attend)]
        self._working = [asyncio.create_task(_kept(each.run)) for each in self._dispatchers]
        _log.info("worker.started", id=self.id, admin=probes.url, integrations=sorted(settings.integrations))

    def wind_down(self, signal: str | None = None) -> None:
        """Claims no more. The host says so as soon as it is told to end, and calls `stop` when it can."""
        if self._stopping:
            return
        self._stopping = True
        self._grace_ends_at = asyncio.get_running_loop().time() + GRACE_SECONDS
        _log.info("worker.stopping", id=self.id, in_flight=self.in_flight, signal=signal)
        for dispatcher in self._dispatchers:
            dispatcher.stop()

    async def stop(self) -> None:
        """Lets the parts in flight finish, hands over the rest. It is over 10 s after `wind_down` at most."""
        if self._stopped:
            return
        self.wind_down()
        await self._ended(self._working, max(0.0, self._grace_ends_at - asyncio.get_running_loop().time()))
        for dispatcher in self._dispatchers:
            dispatcher.cut_short()
        await self._ended(self._working, FLUSH_SECONDS)
        left = [*self._working, *self._attending]
        for _ in range(CANCELS):
            for task in left:
                task.cancel()
            await self._ended(left, CLOSE_SECONDS / CANCELS)
        for last in (self._leave, self._open.aclose):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await last()
        self._stopped = True
        _log.info("worker.stopped", id=self.id)

    async def _leave(self) -> None:
        if self._working:
            with contextlib.suppress(StoreUnavailable):  # readers forget who is silent
                await leave(self._redis, self.id)

    @staticmethod
    async def _ended(tasks: list[asyncio.Task[None]], seconds: float) -> None:
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    def _integrate(
        self, integration: Integration, channel: Channel, commit: GroupCommit, outside: _Outside
    ) -> None:
        """The dispatchers of one integration, there and back."""
        name, settings = integration.name, self._settings
        sessions = Sessions(self._redis, name)
        api_key, url = integration.api_key, integration.moveo_url or settings.moveo.url
        out_queue, in_queue = self._queue(name, "out", commit), self._queue(name, "in", commit)
        is_key = channel.capabilities.chat_is_key
        out_observer = Observer(self._metrics, name, "out", chat_is_key=is_key)
        in_observer = Observer(self._metrics, name, "in", chat_is_key=is_key)
        send = outside.sender.send
        deliverer = Deliverer(
            integration,
            channel,
            send=send,
            queue=out_queue,
            sessions=sessions,
            clock=self._clock,
            observer=out_observer,
            uploader=Uploader(channel, load=outside.load, send=outside.upload)
            if isinstance(channel, Uploads)
            else None,
        )
        moveo = Moveo(outside.moveo.send, url, integration.integration_id, api_key) if api_key else None
        receiver = Receiver(
            channel,
            send=send,
            moveo=moveo,
            attacher=Attacher(channel, moveo, download=outside.download, send=send) if moveo else None,
            sessions=sessions,
            clock=self._clock,
            observer=in_observer,
        )
        idempotent = channel.capabilities.idempotent
        self._dispatch(integration, out_queue, deliverer, out_observer, idempotent=idempotent)
        self._dispatch(integration, in_queue, receiver, in_observer, idempotent=False)

    def _queue(self, name: str, direction: Direction, commit: GroupCommit) -> Queue:
        config = self._settings.queue
        limits = Limits(config.depth, config.seen_seconds, self._settings.worker.lease_seconds, config.dead)
        queue = Queue(self._redis, name, direction, limits, commit)
        self.queues.append(queue)
        return queue

    def _dispatch(
        self,
        integration: Integration,
        queue: Queue,
        handler: Handler,
        observer: Observer,
        *,
        idempotent: bool,
    ) -> None:
        self._dispatchers.append(
            Dispatcher(
                queue,
                handler,
                clock=self._clock,
                outage=self.outage,
                observer=observer,
                policy=Policy(
                    max_age_seconds=integration.max_age_seconds,
                    resend=integration.resend,
                    idempotent=idempotent,
                ),
                concurrency=self._settings.worker.concurrency,
                lease_seconds=self._settings.worker.lease_seconds,
                max_crashes=integration.max_crashes,
            )
        )

    async def _attend(self) -> None:
        """Says every second that this worker lives, and now and then asks Redis for the time."""
        loop = asyncio.get_running_loop()
        next_sync_at = loop.time()
        warned = False
        while not cancelled():
            try:
                if not warned:
                    await self._warn()
                    warned = True
                await announce(self._redis, self.id, self.in_flight)
                if loop.time() >= next_sync_at:
                    await self._clock.sync(self._redis)
                    next_sync_at = loop.time() + CLOCK_SECONDS
            except StoreUnavailable as error:
                await self.outage.wait(error)
            await asyncio.sleep(PRESENCE_SECONDS)

    async def _warn(self) -> None:
        """As ingress does: who starts the workers may not be who reads its log."""
        for advice in await persistence_warnings(self._redis, self._settings.redis.replicas):
            _log.warning("redis.not_durable", advice=advice)

    async def _problems(self) -> list[str]:
        return ["stopping"] if self._stopping else await redis_problems(self._redis, SHRINK)


def _downloader(http: aiohttp.ClientSession, sender: Sender) -> Download:
    async def load(request: Request, max_bytes: int) -> Loaded:
        return await download(http, await sender.authorized(request), max_bytes)

    return load


async def _kept(run: Callable[[], Awaitable[None]]) -> None:
    """Runs it to its end, again after a fault: one integration's trouble is not the others'."""
    while True:
        try:
            return await run()
        except Exception as error:  # noqa: BLE001 -- said loudly, and tried again
            _log.error("worker.fault", error=describe(error))
            await asyncio.sleep(FAULT_SECONDS)
