"""What every test may use: a real server process and clients of it.

And guards: no test leaves the machine, and none lets be seen what nobody may see (tests/canaries.py).
"""

from __future__ import annotations

import signal
import socket
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, settings
from redis.asyncio import Redis
from xdist.scheduler import LoadFileScheduling

from bridge.embedded import DURABLE, EmbeddedServer
from bridge.queue import connect
from tests.canaries import Listener, printed

# How fast the machine is says nothing of the code.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")

BROWSER = "tests/browser/"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
FAST = (*DURABLE[:2], "--appendfsync", "no", *DURABLE[4:])


class OneBrowser(LoadFileScheduling):  # type: ignore[misc]
    """The tests of a file together, as one server serves them; those with a browser, as two would be slow."""

    def _split_scope(self, nodeid: str) -> str:
        return BROWSER if nodeid.startswith(BROWSER) else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneBrowser:
    return OneBrowser(config, log)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """One Valkey process for the whole run (its disk does not matter, so it does not wait for it)."""
    with EmbeddedServer(tmp_path_factory.mktemp("server"), options=FAST) as started:
        yield started


@pytest.fixture
async def redis_client(server: EmbeddedServer) -> AsyncIterator[Redis]:
    """A client of the real server, emptied before the test."""
    client = connect(server.url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def redis_url(server: EmbeddedServer) -> str:
    """The URL of the real server, emptied before the test; for tests that start processes."""
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
    return server.url


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def own_server(data: Path) -> Iterator[EmbeddedServer]:
    """A server of this test alone, which waits for its disk: to be stopped, killed, frozen, set otherwise."""
    with EmbeddedServer(data) as started:
        yield started


@pytest.fixture
def hangups() -> Iterator[None]:
    """Processes that the test starts are not those of nohup, even if the tests are run by it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails the test that tries to leave the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in (
            "127.0.0.1",
            "::1",
            "localhost",
        ):
            pytest.fail(f"a test tried to connect to {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _canaries(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails the test that lets a secret or a person's text be seen."""
    if request.node.get_closest_marker("leaks"):
        yield
        return
    listener = Listener()
    with pytest.MonkeyPatch.context() as patch:
        listener.listen(patch)
        yield
    used: dict[str, Any] = getattr(request.node, "funcargs", {})
    if folder := used.get("tmp_path"):
        listener.look_at_logs(folder)
    if {"redis_url", "redis_client"} & used.keys():
        listener.look_at_redis(
            used["server"].url if "server" in used else request.getfixturevalue("server").url
        )
    if listener.seen:
        pytest.fail("\n".join(["a canary was seen in", *listener.seen[:5]]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What the processes of a passed test printed is read too."""
    report = yield
    shown = {
        name: text for name, text in report.sections if "log" not in name
    }  # nobody reads those of pytest
    if report.passed and not item.get_closest_marker("leaks") and (seen := printed(shown)):
        report.outcome = "failed"
        report.longrepr = "\n".join(["a canary was printed", *seen[:5]])
    return report
