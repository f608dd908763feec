"""What the commands share: times, the choice of an integration, addresses, the demo's settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from bridge.cli.options import ingress_url, integration_of, moment
from bridge.config import load
from bridge.demo.folder import Ports, default_folder, write
from bridge.embedded import EmbeddedServer
from bridge.errors import ConfigError
from tests.cli.conftest import Run

TWO = """
[integrations.one]
channel = "console"
secrets = ["1"]
[integrations.two]
channel = "console"
secrets = ["2"]
"""


@pytest.mark.parametrize(
    ("value", "ago"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("7d", timedelta(7)),
    ],
)
def test_a_time_ago(value: str, ago: timedelta) -> None:
    assert abs(datetime.now(UTC) - ago - moment(value)) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("value", "utc"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31).astimezone(UTC)),
    ],
)
def test_a_time_of_the_calendar(value: str, utc: datetime) -> None:
    assert moment(value) == utc


@pytest.mark.parametrize("value", ["", "soon", "5 m", "-3h", "99999999999999d"])
def test_no_time(value: str) -> None:
    with pytest.raises(click.BadParameter, match="neither like"):
        moment(value)


def test_the_only_integration_needs_no_name_and_several_do(folder: Path) -> None:
    (folder / "bridge.toml").write_text(TWO)
    two = load()
    (folder / "bridge.toml").write_text(TWO.partition("[integrations.two]")[0])
    assert integration_of(load(), None).name == "one"
    assert integration_of(two, "two").name == "two"
    with pytest.raises(ConfigError, match="choose one with --integration: one, two"):
        integration_of(two, None)
    with pytest.raises(ConfigError, match="no integration is called 'three': there is one, two"):
        integration_of(two, "three")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8080"),  # noqa: S104
        ("::", "http://127.0.0.1:8080"),
        ("::1", "http://[::1]:8080"),
        ("bridge.internal", "http://bridge.internal:8080"),
    ],
)
def test_where_the_ingress_is(host: str, url: str) -> None:
    assert ingress_url(load(environ={"BRIDGE_INGRESS__HOST": host})) == url


def test_the_running_demo_is_found_where_nothing_is_configured(run: Run, folder: Path) -> None:
    """Its settings are used, and that is said; never over settings of one's own, or after it has ended."""
    data = default_folder()
    with EmbeddedServer(data) as server:
        write(data, server.url, Ports(1, 2, 3, 4))
        found = run("status")
        assert found.stdout.splitlines()[1].startswith("demo ")
        assert str(data / "bridge.toml") in found.stderr
        own = run("status", env={"REDIS_URL": server.url})
        assert own.stderr == ""
        assert "demo" not in own.stdout
        (folder / "bridge.toml").write_text(f'[redis]\nurl = "{server.url}"\n')
        assert "demo" not in run("status").stdout
        (folder / "bridge.toml").unlink()
    assert run("status").exit_code == 1, "the demo has ended: its Redis is not asked"
