"""What Redis keeps: each weaker setting is named, and a server that may not be asked breaks nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis.asyncio import Redis

from bridge.embedded import DURABLE, EmbeddedServer
from bridge.errors import StoreUnavailable
from bridge.persistence import UNKNOWN, _state, persistence_warnings
from bridge.queue import connect


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        pytest.param({}, [], id="as-it-should-be"),
        pytest.param({"appendfsync": "everysec"}, ["appendfsync is everysec"], id="fsync-each-second"),
        pytest.param({"appendonly": "no"}, ["appendonly is no"], id="no-file"),
        pytest.param(
            {"no-appendfsync-on-rewrite": "yes"},
            ["no-appendfsync-on-rewrite is yes"],
            id="not-while-rewritten",
        ),
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
        pytest.param(["-info"], ["appendonly is no", "maxmemory-policy is allkeys-lru"], id="config-tells"),
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


async def test_what_info_does_not_tell_is_named(own_server: EmbeddedServer) -> None:
    """A managed server that writes a file, and does not say how."""
    async with connect(own_server.url) as client:
        await client.acl_setuser(
            "guest", enabled=True, nopass=True, commands=["+@all", "-config"], keys=["*"]
        )
    async with connect(f"{own_server.url}?username=guest&password=any") as guest:
        assert await persistence_warnings(guest) == [
            "it may not be asked: see to appendfsync always, no-appendfsync-on-rewrite no"
        ]


async def test_a_replica_is_named(own_server: EmbeddedServer) -> None:
    async with connect(own_server.url) as client:
        await client.replicaof("127.0.0.1", "1")
        (warning,) = await persistence_warnings(client)
    assert warning.startswith("role is slave: ")


async def test_replicas_that_are_not_there_are_named(own_server: EmbeddedServer) -> None:
    async with connect(own_server.url) as client:
        assert await persistence_warnings(client, replicas=0) == []
        (warning,) = await persistence_warnings(client, replicas=2)
    assert warning.startswith("connected_slaves is 0: redis.replicas asks for 2")


async def test_a_node_of_a_cluster_is_named(data: Path) -> None:
    with EmbeddedServer(data, options=(*DURABLE, "--cluster-enabled", "yes")) as server:
        async with connect(server.url) as client:
            (warning,) = await persistence_warnings(client)
    assert warning.startswith("cluster_enabled is 1: ")


@pytest.mark.parametrize(
    ("info", "named"),
    [
        pytest.param({"redis_version": "6.0.16"}, ["redis_version is 6.0.16"], id="too old"),
        pytest.param({"redis_version": "6.2.0"}, [], id="old enough"),
        pytest.param({"redis_version": "10.0"}, [], id="newer than anything"),
        pytest.param({"redis_version": "unstable"}, [], id="of no number"),
        pytest.param(
            {"aof_enabled": 1, "aof_last_write_status": "err"}, ["aof_last_write_status is err"], id="disk"
        ),
        pytest.param(
            {"aof_enabled": 1, "aof_last_bgrewrite_status": "err"},
            ["aof_last_bgrewrite_status is err"],
            id="rewriting",
        ),
        pytest.param({"aof_enabled": 0, "aof_last_write_status": "err"}, [], id="of no file"),
    ],
)
def test_what_the_server_says_of_itself(info: dict[str, object], named: list[str]) -> None:
    """What no server of ours can be brought to say."""
    assert [warning.partition(":")[0] for warning in _state(info, 0)] == named


async def test_no_server_is_unavailable(tmp_path: Path) -> None:
    client = connect(f"unix://{tmp_path / 'nowhere.sock'}")
    with pytest.raises(StoreUnavailable):
        await persistence_warnings(client)
    await client.aclose()
