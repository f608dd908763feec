"""What one session that floods costs the others: from posted to arrived, through the real processes."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Final

from tests.benchmarks.latency import through
from tests.benchmarks.load import event, exchange, post_all, request
from tests.benchmarks.rows import Row

RATE: Final = 50
"""Events a second of the others, each in a session of its own."""
SECONDS: Final = 15
FLOOD: Final = 10_000


def flood_row() -> Row:
    """The slowest hundredth of the others while one session floods, against twice that of a quiet system."""
    quiet, flooded = asyncio.run(_measure())
    return Row(
        f"posted -> on the wire, while one other session floods {FLOOD:,} events: p99",
        flooded * 1000,
        2 * quiet * 1000 + 250,
        f"{quiet * 1000:.0f} ms while it is quiet; {RATE} events/s for {SECONDS} s",
        unit=" ms",
    )


async def _measure() -> tuple[float, float]:
    async with through() as (port, arrived):
        await _calm(port, arrived, "warm", 2)
        quiet = await _calm(port, arrived, "quiet", SECONDS)
        requests = [request("/moveo/bench", event(1_000_000 + n, "flood")) for n in range(FLOOD)]
        flood = asyncio.create_task(post_all(port, requests, connections=8))
        flooded = await _calm(port, arrived, "beside", SECONDS)
        await flood
    return quiet, flooded


async def _calm(port: int, arrived: dict[str, float], name: str, seconds: int) -> float:
    """The slowest hundredth, in seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sent: dict[str, float] = {}
    start = time.perf_counter()
    for number in range(RATE * seconds):
        await asyncio.sleep(max(0, start + number / RATE - time.perf_counter()))
        session = f"{name}-{number}"
        sent[f"chat-{session}"] = time.perf_counter()
        status, _ = await exchange(reader, writer, request("/moveo/bench", event(number, session)))
        if status != 200:
            raise RuntimeError(f"the ingress answered {status}")
    async with asyncio.timeout(30):
        while not sent.keys() <= arrived.keys():
            await asyncio.sleep(0.05)
    writer.close()
    return statistics.quantiles([arrived[chat] - at for chat, at in sent.items()], n=100)[98]
