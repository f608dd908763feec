"""Dispatchers, and the whole way out of an integration, on the real server, made in one line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client import generate_latest
from redis.asyncio import Redis

from bridge.channels import Channel
from bridge.config import Integration
from bridge.metrics import Metrics
from bridge.queue import Ack, Clock, Delivery, Limits, Queue, Settle
from bridge.secret import Secret
from bridge.sender import Transport
from bridge.sessions import Sessions
from tests.workers.events import event
from workers.deliver import Deliverer
from workers.dispatch import Dispatcher, Handler, Waker
from workers.lease import Lease
from workers.observe import Observer
from workers.outage import Outage
from workers.retry import Policy
from workers.upload import Uploader

NAME = "support"


def queue_of(redis: Redis, lease_seconds: float = 5.0) -> Queue:
    return Queue(redis, NAME, "out", Limits(lease_seconds=lease_seconds))


def dispatcher_of(
    redis: Redis,
    handler: Handler,
    *,
    concurrency: int = 16,
    lease_seconds: float = 5.0,
    max_crashes: int = 5,
    policy: Policy = Policy(),  # noqa: B008 -- a frozen value
    outage: Outage | None = None,
    metrics: Metrics | None = None,
) -> Dispatcher:
    return Dispatcher(
        queue_of(redis, lease_seconds),
        handler,
        clock=Clock(),
        outage=outage or Outage(),
        observer=Observer(metrics or Metrics(), NAME, "out"),
        policy=policy,
        concurrency=concurrency,
        lease_seconds=lease_seconds,
        max_crashes=max_crashes,
    )


@asynccontextmanager
async def running(redis: Redis, *dispatchers: Dispatcher) -> AsyncIterator[None]:
    """They run, each woken as in a process of its own, and are stopped in order at the end."""
    wakers = [asyncio.create_task(Waker(redis, [each], Outage()).run()) for each in dispatchers]
    runs = [asyncio.create_task(each.run()) for each in dispatchers]
    try:
        yield
    finally:
        for each in dispatchers:
            each.stop()
        async with asyncio.timeout(5):
            await asyncio.gather(*runs)
        for waker in wakers:
            waker.cancel()
        await asyncio.gather(*wakers, return_exceptions=True)


class Bridge:
    """A worker's way out for one integration, and a short way to push."""

    def __init__(
        self, redis: Redis, send: Transport, channel: Channel, uploader: Uploader | None = None
    ) -> None:
        self.redis = redis
        self.queue: Queue = queue_of(redis)
        self.sessions = Sessions(redis, NAME)
        self.metrics = Metrics()
        self._send = send
        self._channel = channel
        self._uploader = uploader

    def dispatcher(self, concurrency: int = 16, channel: Channel | None = None, **given: Any) -> Dispatcher:
        integration = Integration(name=NAME, channel="x", secrets=(Secret("x"),), **given)
        channel = channel or self._channel
        observer = Observer(self.metrics, NAME, "out")
        clock, queue = Clock(), queue_of(self.redis)
        deliverer = Deliverer(
            integration,
            channel,
            send=self._send,
            queue=queue,
            sessions=self.sessions,
            clock=clock,
            observer=observer,
            uploader=self._uploader,
        )
        return Dispatcher(
            queue,
            deliverer,
            clock=clock,
            outage=Outage(),
            observer=observer,
            policy=Policy(
                max_age_seconds=integration.max_age_seconds,
                resend=integration.resend,
                idempotent=channel.capabilities.idempotent,
            ),
            concurrency=concurrency,
            lease_seconds=5.0,
            max_crashes=5,
        )

    @asynccontextmanager
    async def running(self, **given: Any) -> AsyncIterator[None]:
        async with running(self.redis, self.dispatcher(**given)):
            yield

    async def push(self, *responses: dict[str, Any], session: str = "s1", **fields: Any) -> None:
        fields = {"external_session_id": f"chat-{session}"} | fields
        await self.queue.push(session, event(session, responses, **fields))

    def value(self, sample: str) -> float:
        for line in generate_latest(self.metrics._registry).decode().splitlines():
            if line.startswith(f"{sample} "):
                return float(line.rpartition(" ")[2])
        return 0.0


class Sent:
    """A handler that notes what it was given, and may be told what else to do."""

    def __init__(self, also: Callable[[Delivery, Lease], Settle | None] | None = None) -> None:
        self.by_session: dict[str, list[str]] = {}
        self.count = 0
        self._also = also
        self._news = asyncio.Condition()

    async def __call__(self, delivery: Delivery, lease: Lease) -> Settle:
        settle = self._also(delivery, lease) if self._also else None
        if settle is not None:
            return settle
        self.by_session.setdefault(delivery.session, []).append(delivery.payload.decode())
        self.count += 1
        async with self._news:
            self._news.notify_all()
        return Ack(delivery)

    async def has(self, count: int, seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(lambda: self.count >= count)


async def quiet(queue: Queue, seconds: float = 10.0) -> None:
    """Returns when the queue is empty."""

    async def empty() -> bool:
        return not (await queue.stats()).depth

    await until(empty, seconds)


async def until(asked: Callable[[], bool | Awaitable[bool]], seconds: float = 10.0) -> None:
    """Returns when the answer is yes; for what happens elsewhere and says nothing."""
    async with asyncio.timeout(seconds):
        while True:
            answer = asked()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.01)
