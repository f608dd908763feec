"""A machine whose clock is wrong: leases, waits and ages go by the clock of Redis. Real processes, whose own
clock is moved before anything of the bridge is imported.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from pathlib import Path

import aiohttp
import pytest

from bridge.ingress.signature import HEADER, sign
from bridge.queue import Queue
from bridge.secret import Secret
from tests.workers.bench import quiet, until
from tests.workers.children import RUN, worker
from tests.workers.events import answer
from tests.workers.platform import Answer, Platform

AHEAD = "import time; real = time.time; time.time = lambda: real() + {seconds}; "
INGRESS = "import sys; sys.argv = ['moveo-bridge', 'ingress']; from bridge.cli import main; main()"
CONFIG = """
[ingress]
host = "127.0.0.1"
port = 0
admin_port = 0
[worker]
admin_port = 0
lease_seconds = 1.0
[integrations.support]
channel = "webhook"
secrets = ["x"]
[integrations.support.webhook]
url = "{url}"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""


def wrong(what: str, seconds: int) -> tuple[str, ...]:
    return (sys.executable, "-c", AHEAD.format(seconds=seconds) + what)


def event(session: str, text: str, at: float | None = None) -> bytes:
    return answer(session, text, timestamp=int((time.time() if at is None else at) * 1000))


def texts(there: Platform) -> list[str]:
    return [each.json["data"]["text"] for each in there.received]


@pytest.mark.parametrize("seconds", [-86_400, 86_400], ids=["a-day-behind", "a-day-ahead"])
async def test_a_worker_with_a_wrong_clock_works_as_any(
    queue: Queue, there: Platform, redis_url: str, tmp_path: Path, seconds: int
) -> None:
    """What is due is due, what has to wait waits, nothing is too old, and a killed one's sessions move."""
    there.answer = lambda _, number: Answer(
        status=503 if number == 0 else 200, headers={"Retry-After": "2"} if number == 0 else {}
    )
    config = CONFIG.format(url=there.url)
    with worker(tmp_path, config, redis_url, wrong(RUN, seconds)) as first:
        await until(lambda: first.started, 20)
        await queue.push("a", event("a", "1"))
        received = await there.has(2, 20)
        assert 1.9 <= received[1].at - received[0].at < 4
        await quiet(queue)
        there.answer = lambda *_: Answer(seconds=3)
        await queue.push("b", event("b", "2"))
        await there.has(3, 20)
        first.signal(signal.SIGKILL)
        killed_at = asyncio.get_running_loop().time()
    there.answer = lambda *_: Answer()
    with worker(tmp_path, config, redis_url, wrong(RUN, -seconds)):
        received = await there.has(4, 20)
        await quiet(queue)
    assert received[3].at - killed_at < 10
    assert texts(there) == ["1", "1", "2", "2"]
    assert await queue.dead() == []


@pytest.mark.parametrize("seconds", [-3600, 3600], ids=["an-hour-behind", "an-hour-ahead"])
async def test_an_ingress_with_a_wrong_clock_knows_new_from_stale(
    queue: Queue, there: Platform, redis_url: str, tmp_path: Path, seconds: int
) -> None:
    """What is signed is never lost: it is counted, said and kept, and can be replayed."""
    fresh, stale = event("a", "new"), event("a", "old", time.time() + seconds)
    config = CONFIG.format(url=there.url)
    with worker(tmp_path, config, redis_url, wrong(INGRESS, seconds)) as ingress:
        await until(lambda: "ingress.started" in ingress.log, 20)
        lines = [json.loads(line) for line in ingress.log.splitlines()]
        started = next(line for line in lines if line["event"] == "ingress.started")
        async with aiohttp.ClientSession() as http:
            for body in (fresh, stale):
                headers = {HEADER: sign(Secret("x"), body)}
                async with http.post(f"{started['url']}/moveo/support", data=body, headers=headers) as answer:
                    assert answer.status == 200
            async with http.get(f"{started['admin']}/metrics") as answer:
                metrics = await answer.text()
        assert 'moveo_bridge_events_total{integration="support",outcome="accepted"} 1.0' in metrics
        assert 'moveo_bridge_events_total{integration="support",outcome="stale"} 1.0' in metrics
        [said] = [line for line in map(json.loads, ingress.log.splitlines()) if line["event"] == "event.kept"]
        assert (said["outcome"], said["level"]) == ("stale", "warning")
    [letter] = await queue.dead()
    assert (letter.reason, letter.payload) == ("stale", stale)
    assert await queue.replay([letter]) == 1
    with worker(tmp_path, config, redis_url):
        await until(lambda: texts(there) == ["new", "old"], 20)
