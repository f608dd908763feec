"""The admin port: metrics are for who shows the token, where there is one; probes are for anybody."""

from __future__ import annotations

import pytest
import structlog

from bridge.embedded import EmbeddedServer
from bridge.ingress.admin import GROW, SHRINK, redis_problems
from bridge.queue import connect
from tests.ingress.conftest import Serve

TOKEN = "canary-admin-token"


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        pytest.param({}, 401, id="nothing"),
        pytest.param({"Authorization": f"Bearer {TOKEN}"}, 200, id="the token"),
        pytest.param({"Authorization": f"Bearer {TOKEN}x"}, 401, id="more than it"),
        pytest.param({"Authorization": TOKEN}, 401, id="no scheme"),
        pytest.param({"Authorization": "Basic Y2FuYXJ5"}, 401, id="another scheme"),
        pytest.param({"Authorization": "Bearer é\udcff"}, 401, id="odd bytes"),
    ],
)
async def test_metrics_are_for_who_shows_the_token(serve: Serve, shown: dict[str, str], status: int) -> None:
    ingress = await serve(ingress={"admin_token": TOKEN})
    async with ingress.http.get(f"{ingress.addresses.admin_url}/metrics", headers=shown) as response:
        assert response.status == status
        assert ("moveo_bridge_" in await response.text()) == (status == 200)
    for path in ("/livez", "/readyz"):
        async with ingress.http.get(ingress.addresses.admin_url + path) as response:
            assert response.status == 200


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({}, False, id="on loopback"),
        pytest.param({"admin_host": "0.0.0.0"}, True, id="for all"),  # noqa: S104 -- that is the case
        pytest.param({"admin_host": "0.0.0.0", "admin_token": TOKEN}, False, id="with a token"),  # noqa: S104
    ],
)
async def test_the_start_says_when_metrics_are_for_all(
    serve: Serve, changes: dict[str, str], said: bool
) -> None:
    with structlog.testing.capture_logs() as logs:
        await serve(ingress=changes)
    assert any(log["event"] == "admin.open" for log in logs) == said
    assert TOKEN not in repr(logs)


@pytest.mark.parametrize(
    ("commands", "grow", "shrink"),
    [
        pytest.param(["REPLICAOF 127.0.0.1 1"], "ReadOnlyError", "ReadOnlyError", id="replica"),
        pytest.param(
            ["CONFIG SET replica-serve-stale-data no", "REPLICAOF 127.0.0.1 1"],
            "MASTERDOWN",
            "MASTERDOWN",
            id="replica without a master",
        ),
        pytest.param(["CONFIG SET min-replicas-to-write 1"], "NOREPLICAS", "NOREPLICAS", id="cut off"),
        pytest.param(["CONFIG SET maxmemory 1"], "OutOfMemoryError", "", id="full"),
        pytest.param(
            ["ACL SETUSER default -evalsha"], "PermissionLostError", "PermissionLostError", id="forbidden"
        ),
    ],
)
async def test_a_redis_that_answers_and_refuses_writes_is_a_problem(
    own_server: EmbeddedServer, commands: list[str], grow: str, shrink: str
) -> None:
    """A worker can drain a full one. To ask changes nothing."""
    async with connect(own_server.url) as client:
        for write in (GROW, SHRINK):
            assert await redis_problems(client, write) == []
        assert (await client.info("persistence"))["rdb_changes_since_last_save"] == 0
        for command in commands:
            await client.execute_command(*command.split())  # type: ignore[no-untyped-call]
        found = [await redis_problems(client, write) for write in (GROW, SHRINK)]
        assert found == [[f"redis: {name}"] if name else [] for name in (grow, shrink)]
