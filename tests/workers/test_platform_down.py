"""A platform that is down as a whole, and comes back: few calls meanwhile, everything in order after."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bridge.queue import Queue
from tests.queue.hands import Hands
from tests.workers.bench import quiet, until
from tests.workers.children import worker
from tests.workers.platform import Answer, Platform, Received
from tests.workers.test_process import CONFIG, by_session, push, started

SESSIONS, EVENTS = 40, 5
DOWN = {
    "503": Answer(status=503),
    "a cut": Answer(cut=True),
}


async def is_down(queue: Queue) -> bool:
    return (await queue.stats()).down_seconds is not None


@pytest.mark.parametrize("answer", DOWN.values(), ids=DOWN.keys())
async def test_an_outage_costs_few_calls_and_no_order(
    redis: Redis, redis_url: str, there: Platform, tmp_path: Path, answer: Answer
) -> None:
    """Two workers; all sessions are in flight when it begins. One probes for all, then all go on at once."""
    loop, down = asyncio.get_running_loop(), True
    shown: list[Received] = []

    def answered(received: Received, number: int) -> Answer:
        if down:
            return answer
        shown.append(received)
        return Answer()

    there.answer = answered
    queue = Queue(redis, "support", "out")
    config = CONFIG.format(url=there.url)
    with worker(tmp_path, config, redis_url) as one, worker(tmp_path, config, redis_url) as two:
        await started(one, two)
        for number in range(EVENTS):
            for session in range(SESSIONS):
                await push(queue, f"s{session}", f"{number}")
        await until(lambda: is_down(queue))
        await asyncio.sleep(1.0)
        began, before = loop.time(), len(there.received)
        for session in range(100):
            await type_in(queue, f"t{session}")
            await Hands(redis, queue).time_passes(f"t{session}")  # first in the row
        await asyncio.sleep(4.0)
        asked, seconds = len(there.received) - before, loop.time() - began
        assert asked <= 1 + seconds, "one probe a wait, whatever the number of workers"
        assert before <= 3 * SESSIONS
        down, back_at = False, loop.time()
        await quiet(queue, 40)
        assert shown[0].at - back_at < 10
        assert shown[-1].at - shown[0].at < 10, "at full speed"
        logs = one.log + two.log
    assert (logs.count("platform.down"), logs.count("platform.up")) == (1, 1)
    there.received[:] = [each for each in shown if each.json["chat"].startswith("s")]
    expected = [f"{number}" for number in range(EVENTS)]
    assert by_session(there) == {f"s{session}": expected for session in range(SESSIONS)}
    stats = await queue.stats()
    assert (stats.dead, stats.down_seconds) == (0, None)
    assert stats.retried_total < SESSIONS, "what was in flight when it opened lost no try"


async def type_in(queue: Queue, session: str) -> None:
    """A typing sign, which is tried once and never again."""
    event = {
        "event_type": "message:compose",
        "session_id": session,
        "external_session_id": session,
        "action": "start",
    }
    await queue.push(session, json.dumps(event).encode())


async def test_a_chat_that_always_fails_stops_nobody(
    redis: Redis, redis_url: str, there: Platform, tmp_path: Path
) -> None:
    there.answer = lambda received, _: Answer(status=500 if received.json["chat"] == "poison" else 200)
    queue = Queue(redis, "support", "out")
    await push(queue, "poison", "x")
    with worker(tmp_path, CONFIG.format(url=there.url), redis_url) as child:
        await started(child)
        for number in range(20):
            await push(queue, f"s{number % 4}", f"{number}")
            await asyncio.sleep(0.1)  # it fails in between
        await until(lambda: only_one_waits(queue))
        assert by_session(there)["poison"].count("x") > 1
        assert "platform.down" not in child.log


async def test_a_bad_token_pauses_loudly_and_resume_goes_on_at_once(
    redis: Redis, redis_url: str, there: Platform, tmp_path: Path
) -> None:
    """On workers that run on, with nothing lost and no try counted; said once, whatever was in flight."""
    there.answer = lambda *_: Answer(status=401)
    queue, config = Queue(redis, "support", "out"), CONFIG.format(url=there.url)
    with worker(tmp_path, config, redis_url) as one, worker(tmp_path, config, redis_url) as two:
        await started(one, two)
        for number in range(3):
            for session in range(20):
                await push(queue, f"s{session}", f"{number}")
        await until(lambda: rests_paused(queue))
        lines = [json.loads(line) for line in (one.log + two.log).splitlines()]
        (said,) = [line for line in lines if line["event"] == "queue.paused"]
        assert (said["level"], said["integration"]) == ("error", "support")
        assert said["reason"].startswith("unauthorized")
        asked = len(there.received)
        there.answer = lambda *_: Answer()
        resumed = await asyncio.to_thread(resume, tmp_path, redis_url)
        back_at = asyncio.get_running_loop().time()
        assert "support out: was paused: unauthorized" in resumed
        (first, *_) = (await there.has(asked + 1))[asked:]
        assert first.at - back_at < 1.0
        await quiet(queue)
    del there.received[:asked]
    assert by_session(there) == {f"s{session}": ["0", "1", "2"] for session in range(20)}
    stats = await queue.stats()
    assert (stats.retried_total, stats.dead, stats.paused) == (0, 0, "")


def resume(folder: Path, redis_url: str) -> str:
    """What the command says."""
    return subprocess.run(
        [sys.executable, "-m", "bridge", "resume", "support"],
        env={**os.environ, "REDIS_URL": redis_url, "BRIDGE_CONFIG": str(folder / "bridge0.toml")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


async def rests_paused(queue: Queue) -> bool:
    stats = await queue.stats()
    return bool(stats.paused) and not stats.in_flight


async def only_one_waits(queue: Queue) -> bool:
    return (await queue.stats()).depth == 1
