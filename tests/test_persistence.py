"""What Redis keeps: each weaker setting is named, and a server that may not be asked breaks nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bridge.embedded import DURABLE, EmbeddedServer
from bridge.errors import StoreUnavailable
from bridge.persistence import UNKNOWN, persistence_warnings
from bridge.queue import connect


@pytest.fixture
def own_server(data: Path) -> Iterator[EmbeddedServer]:
    """A server as the demo runs it, whose settings a test may change."""
    with EmbeddedServer(data, options=DURABLE) as started:
        yield started


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        pytest.param({}, [], id="as-it-should-be"),
        pytest.param({"appendfsync": "everysec"}, ["appendfsync is everysec"], id="fsync-each-second"),
        pytest.param({"appendonly": "no"}, ["appendonly is no"], id="no-file"),
        pytest.param(
            {"appendonly": "no", "appendfsync": "no", "maxmemory-policy": "allkeys-lru"},
            ["appendonly is no", "maxmemory-policy is allkeys-lru"],
            id="a-cache",
        ),
    ],
)
async def test_each_weaker_setting_is_named(
    own_server: EmbeddedServer, changes: dict[str, str], named: list[str]
) -> None:
    client = connect(own_server.url)
    for name, value in changes.items():
        await client.config_set(name, value)
    warnings = await persistence_warnings(client)
    await client.aclose()
    assert [warning.partition(":")[0] for warning in warnings] == named


@pytest.mark.parametrize(
    ("forbidden", "named"),
    [
        pytest.param(["-config"], ["appendonly is no", "maxmemory-policy is allkeys-lru"], id="info-tells"),
        pytest.param(["-config", "-info"], [UNKNOWN.partition(":")[0]], id="nothing-tells"),
    ],
)
async def test_a_server_that_may_not_be_asked(
    own_server: EmbeddedServer, forbidden: list[str], named: list[str]
) -> None:
    client = connect(own_server.url)
    await client.config_set("appendonly", "no")
    await client.config_set("maxmemory-policy", "allkeys-lru")
    await client.acl_setuser("guest", enabled=True, nopass=True, commands=["+@all", *forbidden], keys=["*"])
    guest: Redis = connect(f"{own_server.url}?username=guest&password=any")
    warnings = await persistence_warnings(guest)
    await guest.aclose()
    await client.aclose()
    assert [warning.partition(":")[0] for warning in warnings] == named


async def test_no_server_is_unavailable(tmp_path: Path) -> None:
    client = connect(f"unix://{tmp_path / 'nowhere.sock'}")
    with pytest.raises(StoreUnavailable):
        await persistence_warnings(client)
    await client.aclose()
