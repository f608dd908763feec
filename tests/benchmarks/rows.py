"""The rows of the table: each measures subject and base line in turn; the median of the pairs counts."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import msgspec
from arq import create_pool
from arq.connections import RedisSettings
from redis import Redis

from bridge.embedded import EmbeddedServer
from bridge.queue import Ack, GroupCommit, Limits, Queue, connect
from tests.benchmarks.child import Child, child
from tests.benchmarks.load import event, post_all, request
from tests.benchmarks.roles import NAME

ROUNDS: Final = 5
MICRO: Final = 1e6


class Row(msgspec.Struct, frozen=True):
    """One line of the table. `limit` is the figure to hold."""

    what: str
    figure: float
    limit: float
    detail: str
    unit: str = ""

    @property
    def held(self) -> bool:
        return self.figure <= self.limit


@contextmanager
def store() -> Iterator[EmbeddedServer]:
    """A server of this row's own, as durable as in production."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedServer(Path(folder)) as server:
        yield server


def pairs(subject: Callable[[int], float], base: Callable[[int], float]) -> tuple[float, float, float]:
    """Median ratio, and the median µs of subject and base line, after one round that does not count."""
    subject(-1), base(-1)
    measured = [(subject(number), base(number)) for number in range(ROUNDS)]
    return (
        statistics.median(one / other for one, other in measured),
        statistics.median(one for one, _ in measured) * MICRO,
        statistics.median(other for _, other in measured) * MICRO,
    )


def ingress_rows(events: int = 4_000) -> list[Row]:
    """Rows 1 and 2: an accepted event against the same handler without Redis, and with arq's enqueue."""
    with store() as server, ExitStack() as stack:
        children = {
            variant: stack.enter_context(child("ingress", redis_url=server.url, variant=variant))
            for variant in ("bridge", "bare", "arq")
        }
        ports = {variant: started.ask() for variant, started in children.items()}

        def cost(variant: str) -> Callable[[int], float]:
            def measure(number: int) -> float:
                first = (number + 2) * events
                posts = [request(f"/moveo/{NAME}", event(n, n)) for n in range(first, first + events)]
                before = children[variant].again()
                asyncio.run(post_all(ports[variant], posts))
                used: float = children[variant].again() - before
                with Redis.from_url(server.url) as redis:
                    redis.flushall()
                return used / events

            return measure

        bare, subject, base = pairs(cost("bridge"), cost("bare"))
        arq, again, enqueue = pairs(cost("bridge"), cost("arq"))
    return [
        Row("ingress: CPU of an accepted event / the same handler without Redis", bare, 1.25,
            f"{subject:.0f} µs / {base:.0f} µs"),
        Row("ingress: CPU of an accepted event / arq.enqueue_job in the same handler", arq, 0.35,
            f"{again:.0f} µs / {enqueue:.0f} µs"),
    ]  # fmt: skip


async def _fill(url: str, bodies: list[tuple[str, bytes]], name: str = NAME) -> None:
    redis = connect(url)
    queue = Queue(redis, name, "out", Limits(), GroupCommit(redis))
    for first in range(0, len(bodies), 512):
        await asyncio.gather(*(queue.push(session, body) for session, body in bodies[first : first + 512]))
    await redis.aclose()


async def _enqueue(url: str, bodies: list[tuple[str, bytes]]) -> None:
    pool = await create_pool(RedisSettings.from_dsn(url))
    for session, body in bodies:
        await pool.enqueue_job("deliver", session, body)
    await pool.aclose()


def worker_row(events: int = 4_000) -> Row:
    """Row 3: claim, decode, translate, plan, render and settle, against one arq job that does nothing."""
    with (
        store() as server,
        child("worker", redis_url=server.url) as ours,
        child("arq_worker", redis_url=server.url) as arq,
    ):
        ours.ask(), arq.ask()

        def bodies(number: int) -> list[tuple[str, bytes]]:
            first = (number + 2) * events
            return [(f"s{n}", event(n, n)) for n in range(first, first + events)]

        def one(number: int) -> float:
            asyncio.run(_fill(server.url, bodies(number)))
            return float(ours.again()) / events

        def other(number: int) -> float:
            asyncio.run(_enqueue(server.url, bodies(number)))
            return float(arq.again()) / events

        ratio, subject, base = pairs(one, other)
    return Row("worker: CPU of an event, channel that does nothing / one arq job", ratio, 0.10,
               f"{subject:.0f} µs / {base:.0f} µs")  # fmt: skip


def delivery_row(events: int = 4_000) -> Row:
    """Row 4: an event delivered over HTTP, against a bare aiohttp client that posts the same bodies."""
    text = json.loads(event(0, 0))["output"]["responses"][0]["text"]
    with (
        store() as server,
        child("sink") as sink,
        tempfile.NamedTemporaryFile("w", suffix=".jsonl") as bodies,
    ):
        url = f"http://127.0.0.1:{sink.ask()}/"
        bodies.write("\n".join([json.dumps(text)] * events))
        bodies.flush()
        with (
            child("worker", redis_url=server.url, url=url) as ours,
            child("client", url=url, bodies=bodies.name) as bare,
        ):
            ours.ask(), bare.ask()

            def one(number: int) -> float:
                first = (number + 2) * events
                waiting = [(f"s{n}", event(n, n)) for n in range(first, first + events)]
                asyncio.run(_fill(server.url, waiting))
                return float(ours.again()) / events

            ratio, subject, base = pairs(one, lambda _: float(bare.again()) / events)
    return Row("delivery over HTTP: CPU of an event / bare aiohttp client, same bodies", ratio, 1.35,
               f"{subject:.0f} µs / {base:.0f} µs")  # fmt: skip


async def _cycle(url: str, waiting: int, events: int, batch: int = 64) -> float:
    """CPU seconds, ours and the server's, of an event pushed, claimed and acked among `waiting` sessions."""
    redis = connect(url)
    name = f"w{waiting}"
    queue = Queue(redis, name, "out", Limits(lease_seconds=300), GroupCommit(redis))
    number = (await queue.stats()).delivered_total + (await queue.stats()).depth
    done: tuple[Ack, ...] = ()

    async def used() -> float:
        info = await redis.info("cpu")
        return float(info["used_cpu_user"] + info["used_cpu_sys"]) + time.process_time()

    before = await used()
    for _ in range(events // batch):
        fresh = range(number, number + batch)
        number += batch
        await asyncio.gather(*(queue.push(f"s{n}", event(n, n)) for n in fresh))
        turn = await queue.turn(done, batch)
        done = tuple(map(Ack, turn.deliveries))
    spent = await used() - before
    await queue.turn(done, 0)
    await redis.aclose()
    return spent / events


def backlog_rows(many: int = 100_000, few: int = 1_000, events: int = 6_400) -> list[Row]:
    """Rows 6 and 7: what an event costs, and what it weighs, while many sessions wait."""
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedServer(Path(folder), options=("--save", "")) as server,
    ):
        with Redis.from_url(server.url) as redis:
            empty = redis.info("memory")["used_memory"]
            asyncio.run(_fill(server.url, [(f"s{n}", event(n, n)) for n in range(many)], f"w{many}"))
            megabytes = (redis.info("memory")["used_memory"] - empty) / 1e6
        asyncio.run(_fill(server.url, [(f"s{n}", event(n, n)) for n in range(few)], f"w{few}"))
        ratio, subject, base = pairs(
            lambda _: asyncio.run(_cycle(server.url, many, events)),
            lambda _: asyncio.run(_cycle(server.url, few, events)),
        )
    return [
        Row(f"an event among {many:,} waiting sessions / among {few:,}", ratio, 1.3,
            f"{subject:.0f} µs / {base:.0f} µs, client and server"),
        Row(f"memory of {many:,} waiting events of {len(event(0, 0)):,} bytes, one a session", megabytes, 250,
            "used_memory", unit=" MB"),
    ]  # fmt: skip


__all__ = ["Child", "Row", "backlog_rows", "delivery_row", "ingress_rows", "worker_row"]
