"""Events that kill, block or hang the worker that renders them: counted, buried in the end, and harmless to
all other sessions. Real worker processes, which the test starts again as whoever runs them would.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bridge.queue import Limits, Queue
from tests.workers.bench import quiet, until
from tests.workers.children import Child, worker
from tests.workers.platform import Platform
from tests.workers.test_process import push
from workers.watchdog import EXIT_CODE

CONFIG = """
[worker]
admin_port = 0
lease_seconds = 1.0
[integrations.support]
channel = "tests.workers.poison:Poison"
secrets = ["x"]
max_crashes = 5
[integrations.support.poison]
url = "{url}"
"""
INNOCENT = 40


@pytest.fixture
def queue(redis_client: Redis) -> Queue:
    return Queue(redis_client, "support", "out", Limits(lease_seconds=1.0))


@asynccontextmanager
async def kept_running(folder: Path, config: str, redis_url: str, number: int) -> AsyncIterator[list[Child]]:
    """So many workers, each replaced when it ends; the list has all that ever were."""
    with ExitStack() as stack:
        children = [stack.enter_context(worker(folder, config, redis_url)) for _ in range(number)]

        async def replace() -> None:
            while True:
                await asyncio.sleep(0.05)
                if sum(child.alive for child in children) < number:
                    children.append(stack.enter_context(worker(folder, config, redis_url)))

        replacing = asyncio.create_task(replace())
        try:
            yield children
        finally:
            replacing.cancel()


def shown(there: Platform) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in there.received:
        found.setdefault(each.json["to"], []).append(each.json["text"])
    return found


@pytest.mark.parametrize("workers", [1, 2])
async def test_an_event_that_ends_its_worker_is_buried_and_nobody_else_is(
    queue: Queue, there: Platform, redis_url: str, tmp_path: Path, workers: int
) -> None:
    """Its session goes on, and so do those that were in the same hands each time it happened."""
    innocent = [f"s{number:02}" for number in range(INNOCENT)]
    for session in innocent:
        await push(queue, session, "hello")
    await push(queue, "s20-poison", "exit")
    await push(queue, "s20-poison", "after")
    async with kept_running(tmp_path, CONFIG.format(url=there.url), redis_url, workers):
        await until(lambda: "after" in shown(there).get("s20-poison", ()), 60)
        await quiet(queue, 30)
    [letter] = await queue.dead()
    assert (letter.session, letter.reason, letter.tries) == ("s20-poison", "crashed", 5)
    assert letter.error == "5 workers vanished over it"
    assert {session: set(texts) for session, texts in shown(there).items()} == {
        **{session: {"hello"} for session in innocent},
        "s20-poison": {"after"},
    }


@pytest.mark.parametrize("deed", ["spin", "backtrack", "block"])
async def test_a_worker_that_hangs_ends_itself_and_its_successor_goes_on(
    queue: Queue, there: Platform, redis_url: str, tmp_path: Path, deed: str
) -> None:
    """A loop without an end, one that lets no other thread run, and a wait without an end."""
    config = CONFIG.format(url=there.url).replace("max_crashes = 5", "max_crashes = 1")
    config = config.replace("lease_seconds = 1.0", "lease_seconds = 0.5")
    await push(queue, "poison", deed)
    await push(queue, "poison", "after")
    async with kept_running(tmp_path, config, redis_url, 1) as children:
        await until(lambda: shown(there) == {"poison": ["after"]}, 60)
        assert len(children) == 2
        first = children[0]
        assert first.ended() == EXIT_CODE
        assert re.search(r'poison\.py", line \d+ in render', first.log), "it says where"
        lines = [json.loads(line) for line in first.log.splitlines() if line.startswith("{")]
        hung = [line["at"] for line in lines if line["event"] == "worker.hung"]
        if deed == "backtrack":
            assert hung == [], "no Python code could run"
        else:
            assert len(hung) == 1
            assert hung[0].startswith("tests.workers.poison:")
    [letter] = await queue.dead()
    assert (letter.session, letter.reason) == ("poison", "crashed")


async def test_a_worker_that_was_frozen_is_not_hung(
    redis_url: str, queue: Queue, there: Platform, tmp_path: Path
) -> None:
    """The time in which it does not run is none of its own."""
    config = CONFIG.format(url=there.url).replace("lease_seconds = 1.0", "lease_seconds = 0.4")
    with worker(tmp_path, config, redis_url) as child:
        await until(lambda: child.started, 20)
        await asyncio.sleep(1.5)  # it is watched by now
        child.signal(signal.SIGSTOP)
        await asyncio.sleep(4)
        child.signal(signal.SIGCONT)
        await push(queue, "s", "hello")
        await there.has(1)
        await asyncio.sleep(1.5)  # and has been looked at since
        child.signal(signal.SIGTERM)
        assert await asyncio.to_thread(child.ended) == 0, child.log


async def test_a_loop_that_is_blocked_past_its_leases_sends_nothing_that_others_have(
    queue: Queue, there: Platform, redis_url: str, tmp_path: Path
) -> None:
    """It wakes, finds its sessions gone, and goes on with what is its own; what blocked it is buried."""
    config = CONFIG.format(url=there.url)
    await push(queue, "napping", "nap")
    await push(queue, "napping", "after")
    async with kept_running(tmp_path, config, redis_url, 2) as children:
        await until(lambda: "after" in shown(there).get("napping", ()), 60)
        await quiet(queue, 20)
        assert len(children) == 2
        assert "lease.lost" in children[0].log + children[1].log
    assert shown(there) == {"napping": ["after"]}
    [letter] = await queue.dead()
    assert letter.reason == "crashed"
