"""What every test may use: a real server process, clients of it, and a guard against leaving the machine."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, settings
from redis.asyncio import Redis

from bridge.embedded import DURABLE, EmbeddedServer
from bridge.queue import connect

# How fast the machine is says nothing of the code.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")

LOOPBACK = ("127.0.0.1", "::1", "localhost")
FAST = (*DURABLE[:2], "--appendfsync", "no", *DURABLE[4:])


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
