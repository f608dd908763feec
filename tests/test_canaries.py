"""The guard of tests/canaries.py sees what it is to see: each way out, tried with a canary."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import structlog
from aiohttp.http_exceptions import BadStatusLine
from click.testing import CliRunner

from bridge.cli import main
from bridge.errors import ConfigError, Unavailable
from bridge.metrics import Metrics
from tests.canaries import TEXT, Listener, printed

pytestmark = pytest.mark.leaks
WORD = "a-canary-token"


@pytest.fixture
def listener() -> Iterator[Listener]:
    """One of the test's own, in the place of the suite's, which would fail the test."""
    with pytest.MonkeyPatch.context() as patch:
        made = Listener()
        made.listen(patch)
        yield made


def _raise_and_log() -> None:
    try:
        raise ValueError(WORD)
    except ValueError:
        structlog.get_logger().exception("step.failed")


LEAKS: dict[str, Callable[[], object]] = {
    "an error": lambda: ConfigError(f"token: {WORD} is none"),
    "an error with more to it": lambda: Unavailable(WORD, retry_after=1.0),
    "a field": lambda: structlog.get_logger().debug("event.odd", body=WORD),
    "a bound field": lambda: structlog.get_logger().bind(body=WORD).debug("event.odd"),
    "an exception in the log": _raise_and_log,
    "a library's line": lambda: logging.getLogger("lib").warning("sent %s", WORD),
    "a command": lambda: CliRunner().invoke(main, [WORD]),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_is_seen(listener: Listener, leak: str) -> None:
    LEAKS[leak]()
    assert listener.seen


def test_what_nobody_is_shown_is_no_leak(listener: Listener) -> None:
    error = BadStatusLine(WORD)
    logging.getLogger("aiohttp.server").error("Error handling request", exc_info=error)
    logging.getLogger("lib").info("sent %s", WORD)
    Unavailable("refused")
    assert listener.seen == []


async def test_a_leak_into_the_metrics_is_seen(listener: Listener) -> None:
    metrics = Metrics()
    metrics.losses.labels("support", WORD).inc()
    await metrics.render([])
    assert listener.seen


def test_a_leak_into_a_childs_log_and_into_what_is_printed_is_seen(
    listener: Listener, tmp_path: Path
) -> None:
    (tmp_path / "worker.log").write_text(f'{{"event": "{WORD}"}}\n')
    listener.look_at_logs(tmp_path)
    assert len(listener.seen) == 1
    assert printed({"Captured stderr call": WORD, "Captured stdout call": "fine"})


@pytest.mark.parametrize("key", [f"{{bridge:x:out}}:mail:{TEXT}", "{bridge:x:out}:dead"])
def test_a_leak_into_redis_is_seen(listener: Listener, redis_url: str, key: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.xadd(key, {"reason": "rejected", "error": WORD, "value": ""})
        listener.look_at_redis(redis_url)
        client.delete(key)
    assert listener.seen
