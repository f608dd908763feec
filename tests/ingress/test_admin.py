"""The admin port: metrics are for who shows the token, where there is one; probes are for anybody."""

from __future__ import annotations

import pytest
import structlog

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
