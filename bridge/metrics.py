"""What is counted and timed, in one registry for the process; never labelled by session, chat or text.

Counters and histograms belong to the process that counted. The gauges of the queues are read from Redis at
each scrape, so every process reports the same: aggregate them with `max`, not with `sum`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bridge.errors import StoreUnavailable
from bridge.queue import Queue, Stats

PREFIX: Final = "moveo_bridge"
STATS_SECONDS: Final = 1.0
"""How long a scrape waits for Redis before it goes on without the gauges."""

_REQUEST: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_DELIVERY: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_END_TO_END: Final = (*_DELIVERY[1:], 60.0, 300.0, 900.0, 3600.0)


class Held(Protocol):
    """What a spool holds; `oldest_at` in ms."""

    events: int
    size: int
    oldest_at: int | None


class Metrics:
    """`metrics.events.labels("support", "accepted").inc()`: label values in the order given here."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(f"{PREFIX}_{name}", meaning, labels, registry=registry)

        def histogram(name: str, meaning: str, buckets: Sequence[float], *labels: str) -> Histogram:
            return Histogram(f"{PREFIX}_{name}", meaning, labels, buckets=buckets, registry=registry)

        self.events = counter(
            "events", "Webhooks of Moveo, by what became of them.", "integration", "outcome"
        )
        self.messages = counter(
            "messages", "Messages and clicks of users, by what became of them.", "integration", "outcome"
        )
        self.deliveries = counter(
            "deliveries", "Tries to deliver, by how they ended.", "integration", "direction", "outcome"
        )
        self.calls = counter(
            "calls", "Calls to platforms and to Moveo, by how they ended.", "integration", "outcome"
        )
        self.streams = Gauge(
            f"{PREFIX}_streams", "Event streams of the web chat that are open.", ["integration"],
            registry=registry,
        )  # fmt: skip
        self.streams_refused = counter(
            "streams_refused", "Event streams that were refused.", "integration", "reason"
        )
        self.losses = counter("losses", "What a channel could not show as it is.", "integration", "content")
        self.ingress_seconds = histogram(
            "ingress_seconds", "From a webhook's head to its answer.", _REQUEST, "integration"
        )
        self.delivery_seconds = histogram(
            "delivery_seconds", "Time a worker spent on one claim.", _DELIVERY, "integration", "direction"
        )
        self.end_to_end_seconds = histogram(
            "end_to_end_seconds", "From accepted to delivered.", _END_TO_END, "integration", "direction"
        )

    def watch_spool(self, spool: Held) -> None:
        """Shows what ingress keeps on disk: of this process, so add them up over all."""

        def gauge(name: str, meaning: str, read: Callable[[], float]) -> None:
            Gauge(f"{PREFIX}_spool_{name}", meaning, registry=self._registry).set_function(read)

        gauge("events", "Events on disk that Redis has not taken.", lambda: spool.events)
        gauge("bytes", "Their size.", lambda: spool.size)
        gauge("oldest_age_seconds", "Age of the oldest of them.", lambda: _age_seconds(spool.oldest_at))

    async def render(self, queues: Sequence[Queue]) -> bytes:
        """All of it in Prometheus' text format; without Redis the queues' gauges are left out."""
        stats: dict[Queue, Stats] = {}
        try:
            async with asyncio.timeout(STATS_SECONDS):
                stats = dict(
                    zip(queues, await asyncio.gather(*(queue.stats() for queue in queues)), strict=True)
                )
            reached = True
        except (StoreUnavailable, TimeoutError):
            reached = False
        return generate_latest(_Families([*self._own(), *_gauges(stats, reached)]))

    def _own(self) -> Iterator[Metric]:
        """The registry's families without the times at which each series was made, which nobody asks for."""
        for family in self._registry.collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family


def _age_seconds(at_ms: int | None) -> float:
    return 0.0 if at_ms is None else max(0.0, time.time() - at_ms / 1000)


class _Families(Collector):
    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Sequence[Metric]:
        return self._families


def _gauges(stats: dict[Queue, Stats], reached: bool) -> Iterator[Metric]:
    up = GaugeMetricFamily(f"{PREFIX}_redis_up", "1 if Redis answered this scrape.")
    up.add_metric([], float(reached))
    yield up

    names = ["integration", "direction"]
    depth = GaugeMetricFamily(
        f"{PREFIX}_queue_depth", "Events that wait or are being delivered.", labels=names
    )
    oldest = GaugeMetricFamily(
        f"{PREFIX}_queue_oldest_age_seconds", "Age of the oldest event of the queue.", labels=names
    )
    sessions = GaugeMetricFamily(
        f"{PREFIX}_queue_sessions", "Sessions with events, by their state.", labels=[*names, "state"]
    )
    dead = GaugeMetricFamily(f"{PREFIX}_queue_dead", "Dead letters.", labels=names)
    paused = GaugeMetricFamily(f"{PREFIX}_queue_paused", "1 while nothing is delivered.", labels=names)
    held = GaugeMetricFamily(
        f"{PREFIX}_queue_held_seconds",
        "How long nothing goes out still, as the platform asked.",
        labels=names,
    )
    down = GaugeMetricFamily(
        f"{PREFIX}_queue_down",
        "1 while nothing gets through and one delivery at a time probes.",
        labels=names,
    )
    for queue, now in stats.items():
        labels = [queue.name, queue.direction]
        depth.add_metric(labels, now.depth)
        oldest.add_metric(labels, now.oldest_age_seconds)
        for state, number in (
            ("total", now.sessions),
            ("ready", now.ready),
            ("parked", now.parked),
            ("in_flight", now.in_flight),
        ):
            sessions.add_metric([*labels, state], number)
        dead.add_metric(labels, now.dead)
        paused.add_metric(labels, float(bool(now.paused)))
        held.add_metric(labels, now.held_seconds)
        down.add_metric(labels, float(now.down_seconds is not None))
    yield from (depth, oldest, sessions, dead, paused, held, down)
