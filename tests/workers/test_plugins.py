"""A channel whose `check` lies by accident: what failed is never counted as delivered."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bridge.channels import registry
from bridge.queue import Queue
from tests.plugin import CHANNEL, install, line_of
from tests.workers.bench import Bridge, until
from tests.workers.children import OWN, worker
from tests.workers.events import answer
from tests.workers.platform import Answer, Platform

CONFIG = f"""
[worker]
admin_port = 0
[integrations.support]
channel = "{CHANNEL}"
secrets = ["x"]
"""
BRIDGE = (sys.executable, "-m", "bridge", "worker")
CHECK = "    def check("
WRONG = {
    "a coroutine": ("    @traced\n    def check(", "a coroutine (is the function async?)"),
    "True": ("    def check(self, reply):\n        return True\n\n    def other(", "bool"),
    "bytes": ("    def check(self, reply):\n        return reply.body\n\n    def other(", "bytes"),
}


def test_an_async_check_starts_no_worker(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = install(tmp_path, monkeypatch, CHECK, "    async def check(")
    with worker(tmp_path, CONFIG, redis_url, BRIDGE) as child:
        assert child.ended(30) == 2
        place = f"{path}:{line_of(path, 'async def check')}"
        assert child.log == (
            f'moveo-bridge: integrations.support.channel "{CHANNEL}": {place}: '
            "Pager.check must be a plain function, not async: remove `async`, and do no I/O in it\n"
        )


@pytest.mark.parametrize(("wrong", "returned"), WRONG.values(), ids=WRONG)
async def test_a_failure_is_not_a_delivery(
    redis: Redis,
    redis_url: str,
    there: Platform,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wrong: str,
    returned: str,
) -> None:
    """A real worker says where the mistake is, and keeps the event."""
    path = install(tmp_path, monkeypatch, CHECK, wrong)
    monkeypatch.setenv("PAGER_URL", there.url)
    there.answer = lambda *_: Answer(status=500)
    queue = Queue(redis, "support", "out")
    await queue.push("s", answer("s", "text"))
    with worker(tmp_path, CONFIG, redis_url, OWN) as child:
        await until(lambda: child.log.count("delivery.parked") >= 2, 30)
        assert (await queue.stats()).depth == 1
        place = line_of(path, wrong.strip().splitlines()[0])
        assert f"{path}:{place}: Pager.check returned {returned}; expected a str or None" in child.log
        assert "never awaited" not in child.log


@pytest.fixture
def pager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the plug-in in this process."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "pager", raising=False)
    yield lambda: registry.build(CHANNEL, {})
    sys.modules.pop("pager", None)


@pytest.mark.parametrize(
    ("right", "wrong", "error"),
    [
        *((CHECK, wrong, f"Pager.check returned {said}; expected a str or None")
          for wrong, said in WRONG.values()),
        ("        return None\n", "        return json.loads(reply.body)['id']\n", "KeyError"),
        ("        return None\n", "        return json.loads('')\n", "JSONDecodeError"),
        ("        return [Call(", "        1 / 0\n        return [Call(", "ZeroDivisionError"),
    ],
    ids=[*WRONG, "raises", "raises in a library", "raises in render"],
)  # fmt: skip
async def test_after_a_few_tries_it_is_a_dead_letter_that_says_where(
    bridge: Bridge, there: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pager: Any,
    right: str, wrong: str, error: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("workers.retry.BASE_SECONDS", 0.01)
    monkeypatch.setenv("PAGER_URL", there.url)
    there.answer = lambda *_: Answer(status=500)
    path = install(tmp_path, monkeypatch, right, wrong)
    await bridge.queue.push("s", answer("s", "text"))

    async def is_buried() -> bool:
        return bool(await bridge.queue.dead())

    async with bridge.running(channel=pager()):
        await until(is_buried)
    [letter] = await bridge.queue.dead()
    place = line_of(path, wrong.strip().splitlines()[0])
    assert (letter.reason, letter.error) == ("fault", f"{path}:{place}: {error}")
    delivered = 'moveo_bridge_deliveries_total{direction="out",integration="support",outcome="delivered"}'
    assert bridge.value(delivered) == 0
