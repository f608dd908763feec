"""`status` and `resume`: the queues as they are."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.cli import queues
from bridge.queue import Ack, Park, Queue, announce, connect
from tests.cli.conftest import Run
from tests.cli.queued import bury, claim, configure, with_queue

FIELDS = [
    "integration", "direction", "channel", "depth", "sessions", "ready", "parked", "in_flight",
    "oldest_age_seconds", "dead", "delivered_total", "retried_total", "duplicates_total", "paused",
    "held_seconds", "down_seconds",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _configured(folder: Path, redis_url: str) -> None:
    configure(folder, redis_url)


async def everything(queue: Queue) -> None:
    """One delivered, one dead, one repeated, one in flight, one parked after a try, two ready at once."""
    await queue.turn([Ack(await claim(queue, "s-1", b"delivered"))], 0)
    await bury(queue, "s-1", b"dead")
    await queue.push("s-1", b"dead")
    await claim(queue, "s-2", b"in flight")
    await queue.turn([Park(await claim(queue, "s-3", b"parked"), 60.0)], 0)
    await queue.push("s-4", b"ready")
    await queue.push("s-4", b"ready too")


def test_json_has_a_row_for_each_integration_and_direction(run: Run, redis_url: str) -> None:
    with_queue(redis_url, everything)
    shown = json.loads(run("status", "--json").stdout)
    assert set(shown) == {"queues", "workers"}
    assert all(list(row) == FIELDS for row in shown["queues"])
    rows = {(row["integration"], row["direction"]): row for row in shown["queues"]}
    assert set(rows) == {("support", "out"), ("support", "in"), ("sales", "out"), ("sales", "in")}
    row = rows["support", "out"]
    assert 0 <= row.pop("oldest_age_seconds") < 60
    assert row == {
        "integration": "support", "direction": "out", "channel": "telegram",
        "depth": 4, "sessions": 3, "ready": 1, "parked": 1, "in_flight": 1, "dead": 1,
        "delivered_total": 1, "retried_total": 1, "duplicates_total": 1, "paused": "",
        "held_seconds": 0, "down_seconds": None,
    }  # fmt: skip
    assert rows["sales", "in"]["depth"] == 0


def test_json_has_the_workers(run: Run, redis_url: str) -> None:
    async def say() -> None:
        redis = connect(redis_url)
        await announce(redis, "worker-1", 7)
        await redis.aclose()

    asyncio.run(say())
    [worker] = json.loads(run("status", "--json").stdout)["workers"]
    assert (worker["id"], worker["in_flight"]) == ("worker-1", 7)
    assert 0 <= worker["seen_seconds_ago"] < 60
    assert set(worker) == {"id", "seen_seconds_ago", "in_flight"}


def test_the_table_says_the_same(run: Run, redis_url: str) -> None:
    with_queue(redis_url, everything)
    header, first, *_ = run("status").stdout.splitlines()
    assert header.split()[:5] == ["integration", "dir", "channel", "depth", "sessions"]
    assert first.split()[:7] == ["support", "out", "telegram", "4", "3", "1", "1"]
    assert "no worker is running" in run("status").stdout


def test_a_paused_queue_says_why_and_resume_lets_it_go_on(run: Run, redis_url: str) -> None:
    with_queue(redis_url, lambda queue: queue.pause("token refused"))
    assert "token refused" in run("status").stdout
    assert json.loads(run("status", "--json").stdout)["queues"][0]["paused"] == "token refused"
    resumed = run("resume", "support")
    assert resumed.stdout == "support out: was paused: token refused\nsupport in: was not paused\n"
    assert with_queue(redis_url, lambda queue: queue.stats()).paused == ""


async def shut_and_held(queue: Queue) -> None:
    await queue.turn([Park(await claim(queue, "s-1", b"x"), 60.0, said="shut")], 0)
    await queue.hold(3600)


def test_what_holds_a_queue_is_shown(run: Run, redis_url: str) -> None:
    """Resume closes the breaker; what a platform asked for it leaves."""
    with_queue(redis_url, shut_and_held)
    row = json.loads(run("status", "--json").stdout)["queues"][0]
    assert 3500 < row["held_seconds"] <= 3600
    assert 0 <= row["down_seconds"] < 60
    assert "59m" in run("status").stdout
    run("resume", "support")
    row = json.loads(run("status", "--json").stdout)["queues"][0]
    assert (row["held_seconds"] > 3400, row["down_seconds"]) == (True, None)


def test_resume_of_an_integration_that_is_not_there(run: Run) -> None:
    result = run("resume", "suport")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is support, sales" in result.stderr


HEARS_CTRL_C = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from bridge.cli import main; main()"
)
"""Also where the tests run in the background of a script, whose processes ignore it."""


def test_watch_looks_again_until_ctrl_c(folder: Path, redis_url: str) -> None:
    command = [sys.executable, "-c", HEARS_CTRL_C, "status", "--json", "--watch", "--interval", "0.1"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
    ) as watch:
        assert watch.stdout is not None
        assert watch.stderr is not None
        assert json.loads(watch.stdout.readline())["queues"][0]["depth"] == 0
        with_queue(redis_url, lambda queue: queue.push("s-1", b"new"))
        while json.loads(watch.stdout.readline())["queues"][0]["depth"] == 0:
            pass
        os.kill(watch.pid, signal.SIGINT)
        assert watch.wait(10) == 0
        assert watch.stderr.read() == ""


def test_watch_ends_though_a_look_did_not_hear_of_ctrl_c(
    folder: Path, redis_url: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client of Redis may swallow that, right when it has its answer."""
    looks = 0

    async def deaf(*_: object) -> dict[str, list[object]]:
        nonlocal looks
        looks += 1
        assert looks == 1
        task = asyncio.current_task()
        assert task
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        return {"queues": [], "workers": []}

    monkeypatch.setattr(queues, "look", deaf)
    assert run("status", "--json", "--watch").exit_code == 0
