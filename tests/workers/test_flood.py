"""One session floods: the others' events go out meanwhile, not after."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bridge.queue import Queue, connect
from tests.workers.bench import until
from tests.workers.children import worker
from tests.workers.platform import Answer, platform
from tests.workers.test_process import CONFIG, by_session, push, started

FLOOD, CALM, EVENTS = 3000, 20, 5
SLOWEST = 2.0
"""Seconds; generous, as the machine may be busy. tests/benchmarks has the figure."""


async def test_while_one_session_floods_the_others_are_served(redis_url: str, tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with connect(redis_url) as redis, platform() as there:
        there.answer = lambda *_: Answer(seconds=0.01)

        def flooded() -> list[str]:
            return by_session(there).get("flood", [])

        queue = Queue(redis, "support", "out")
        with worker(tmp_path, CONFIG.format(url=there.url), redis_url) as child:
            await started(child)
            await asyncio.gather(*(push(queue, "flood", f"{number}") for number in range(FLOOD)))
            pushed_at: dict[tuple[str, str], float] = {}
            for number in range(EVENTS):
                for session in range(CALM):
                    pushed_at[f"s{session}", f"{number}"] = loop.time()
                    await push(queue, f"s{session}", f"{number}")
                    await asyncio.sleep(0.01)
            await until(lambda: sum(map(len, by_session(there).values())) - len(flooded()) == CALM * EVENTS)
            assert await queue.waiting("flood") > FLOOD / 4, "it floods still"
            assert flooded() == [f"{number}" for number in range(len(flooded()))], "in order, too"
        arrived_at = {(each.json["chat"], each.json["data"]["text"]): each.at for each in there.received}
        assert max(arrived_at[key] - at for key, at in pushed_at.items()) < SLOWEST
