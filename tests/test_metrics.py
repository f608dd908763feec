"""Metrics: what this process counted, and the queues as Redis has them at the scrape."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from bridge.metrics import Metrics
from bridge.queue import Queue, connect

Samples = dict[str, float]


def samples(text: bytes) -> Samples:
    """The samples by name and labels, as they are written: `name{label="value",...}`."""
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


async def test_counters_and_histograms_carry_the_names_and_labels_people_rely_on() -> None:
    metrics = Metrics()
    metrics.events.labels("a", "accepted").inc()
    metrics.messages.labels("a", "accepted").inc()
    metrics.deliveries.labels("a", "out", "delivered").inc(2)
    metrics.calls.labels("a", "sent").inc()
    metrics.losses.labels("a", "Carousel").inc()
    metrics.ingress_seconds.labels("a").observe(0.002)
    metrics.delivery_seconds.labels("a", "out").observe(0.002)
    metrics.end_to_end_seconds.labels("a", "out").observe(1000)
    found = samples(await metrics.render([]))
    assert {
        name: value
        for name, value in found.items()
        if not name.startswith("process") and "_bucket" not in name
    } == {
        'moveo_bridge_events_total{integration="a",outcome="accepted"}': 1,
        'moveo_bridge_messages_total{integration="a",outcome="accepted"}': 1,
        'moveo_bridge_deliveries_total{direction="out",integration="a",outcome="delivered"}': 2,
        'moveo_bridge_calls_total{integration="a",outcome="sent"}': 1,
        'moveo_bridge_losses_total{content="Carousel",integration="a"}': 1,
        'moveo_bridge_ingress_seconds_count{integration="a"}': 1,
        'moveo_bridge_ingress_seconds_sum{integration="a"}': 0.002,
        'moveo_bridge_delivery_seconds_count{direction="out",integration="a"}': 1,
        'moveo_bridge_delivery_seconds_sum{direction="out",integration="a"}': 0.002,
        'moveo_bridge_end_to_end_seconds_count{direction="out",integration="a"}': 1,
        'moveo_bridge_end_to_end_seconds_sum{direction="out",integration="a"}': 1000,
        "moveo_bridge_redis_up{}": 1,
    }
    assert found['moveo_bridge_ingress_seconds_bucket{integration="a",le="0.001"}'] == 0
    assert found['moveo_bridge_ingress_seconds_bucket{integration="a",le="0.0025"}'] == 1


async def test_the_gauges_of_each_queue_are_read_at_the_scrape(redis_client: Redis) -> None:
    queue = Queue(redis_client, "a", "out")
    for number in range(3):
        await queue.push("one", b"%d" % number)
    await queue.push("two", b"x")
    await queue.push("three", b"y")
    (delivery,) = (await queue.turn([], 1)).deliveries
    await queue.reject(b"z", "unroutable")
    await queue.pause("wrong token")
    empty = Queue(redis_client, "b", "in")
    found = samples(await Metrics().render([queue, empty]))
    assert delivery.session == "one"
    assert {
        name.removeprefix("moveo_bridge_")
        .replace(',integration="a"', "")
        .replace('direction="out"', ""): value
        for name, value in found.items()
        if 'integration="a"' in name and "age" not in name
    } == {
        "queue_depth{}": 5,
        'queue_sessions{,state="total"}': 3,
        'queue_sessions{,state="ready"}': 2,
        'queue_sessions{,state="parked"}': 0,
        'queue_sessions{,state="in_flight"}': 1,
        "queue_dead{}": 1,
        "queue_paused{}": 1,
        "queue_held_seconds{}": 0,
        "queue_down{}": 0,
    }
    assert 0 <= found['moveo_bridge_queue_oldest_age_seconds{direction="out",integration="a"}'] < 60
    assert found['moveo_bridge_queue_depth{direction="in",integration="b"}'] == 0
    assert found["moveo_bridge_redis_up{}"] == 1


async def test_without_redis_the_process_still_reports_what_it_knows(tmp_path: Path) -> None:
    metrics = Metrics()
    metrics.events.labels("a", "unavailable").inc()
    client = connect(f"unix://{tmp_path / 'nowhere.sock'}")
    found = samples(await metrics.render([Queue(client, "a", "out")]))
    await client.aclose()
    assert found["moveo_bridge_redis_up{}"] == 0
    assert found['moveo_bridge_events_total{integration="a",outcome="unavailable"}'] == 1
    assert not [name for name in found if "queue" in name]


async def test_two_processes_worth_of_metrics_do_not_meet() -> None:
    first, second = Metrics(), Metrics()
    first.events.labels("a", "accepted").inc()
    assert b'outcome="accepted"' not in await second.render([])


async def test_the_text_is_well_formed_and_says_nothing_of_creation_times() -> None:
    metrics = Metrics()
    metrics.events.labels('odd"name\n', "accepted").inc()
    text = (await metrics.render([])).decode()
    assert "_created" not in text
    assert re.search(r"^# TYPE moveo_bridge_events_total counter$", text, re.MULTILINE)
    assert 'integration="odd\\"name\\n"' in text
