"""`check`: a line for each finding, and exit code 1 when something cannot work."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.embedded import EmbeddedServer
from tests.cli.answering import Platform, platform
from tests.cli.conftest import Run

GOOD = '[integrations.support]\nchannel = "telegram"\nsecrets = ["s"]\nintegration_id = "i"\napi_key = "k"\n'
TOKEN = '[integrations.support.telegram]\ntoken = "1:canary"\n'


def test_all_is_well(run: Run, folder: Path, data: Path) -> None:
    (folder / "bridge.toml").write_text(GOOD + TOKEN)
    env = {"BRIDGE_INGRESS__SPOOL": str(folder / "not" / "yet" / "there")}
    with EmbeddedServer(data) as server:
        result = run("check", "--offline", env={"REDIS_URL": server.url, **env})
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["OK"] * 4
    assert not (folder / "not").exists()


@pytest.mark.parametrize(
    ("spool", "finding"),
    [
        pytest.param(None, "WARN ingress.spool: is not set", id="none"),
        pytest.param("bridge.toml", "FAIL ingress.spool: bridge.toml cannot be used", id="a-file"),
        pytest.param("bridge.toml/below", "FAIL ingress.spool: bridge.toml/below cannot", id="below-a-file"),
    ],
)
def test_what_keeps_ingress_from_keeping_events(
    run: Run, folder: Path, redis_url: str, spool: str | None, finding: str
) -> None:
    (folder / "bridge.toml").write_text(GOOD + TOKEN)
    env = {"BRIDGE_INGRESS__SPOOL": spool} if spool else {}
    result = run("check", "--offline", env={"REDIS_URL": redis_url, **env})
    assert f"\n{finding}" in result.stdout
    assert result.exit_code == (1 if finding.startswith("FAIL") else 0)


def test_a_server_that_forgets_is_a_warning(run: Run, folder: Path, redis_url: str) -> None:
    (folder / "bridge.toml").write_text(GOOD + TOKEN)
    result = run("check", "--offline", env={"REDIS_URL": redis_url})
    assert result.exit_code == 0
    assert "\nWARN Redis: appendfsync is no" in result.stdout


@pytest.mark.parametrize(
    ("settings", "finding"),
    [
        pytest.param("[ingress]\nport = 'x'", "FAIL ingress.port: must be a whole number", id="setting"),
        pytest.param("", "FAIL integrations: none is configured", id="no integration"),
        pytest.param(GOOD, "FAIL integrations.support.telegram.token: is missing", id="channel's setting"),
        pytest.param(
            GOOD.replace("telegram", "telegran"), "FAIL integrations.support.channel: ", id="no channel"
        ),
        pytest.param(
            GOOD.replace('integration_id = "i"\napi_key = "k"\n', "") + TOKEN,
            "WARN integrations.support.api_key: is not set",
            id="no way back",
        ),
        pytest.param(
            '[ingress]\nhost = "127.0.0.1"\n' + GOOD.replace('secrets = ["s"]', "unsigned = true") + TOKEN,
            "WARN integrations.support.unsigned: ",
            id="unsigned",
        ),
        pytest.param(
            GOOD.replace("telegram", "console") + "channel_burst = 5\n",
            "WARN integrations.support.channel_burst: has no effect without channel_per_second",
            id="burst without a rate",
        ),
    ],
)
def test_what_is_wrong_has_a_line(
    run: Run, folder: Path, redis_url: str, settings: str, finding: str
) -> None:
    (folder / "bridge.toml").write_text(settings)
    result = run(
        "check", "--offline", env={"REDIS_URL": redis_url} if "ingress.port" not in finding else None
    )
    assert any(line.startswith(finding) for line in result.stdout.splitlines()), result.stdout
    assert result.exit_code == (1 if finding.startswith("FAIL") else 0)
    assert "canary" not in result.output


PLUGIN = """
import dataclasses
from bridge.channels import Request
from bridge.channels.console import Console

class Wrong(Console):
    @dataclasses.dataclass
    class Settings:
        token: str = ""

class Lying(Console):
    def identify(self):
        return None

    def identified(self, reply):
        return ""

    def connect(self, url):
        return ()

    def steps(self, url):
        return ["one"]
"""


@pytest.mark.parametrize(
    ("kind", "line", "problem"),
    [
        ("Wrong", 6, "Wrong.Settings must be a subclass of msgspec.Struct, not the class Settings"),
        ("Lying", 12, "Lying.identify returned None; expected a Request"),
    ],
)
def test_a_wrong_plug_in_is_one_line_and_the_rest_is_checked(
    run: Run,
    folder: Path,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    line: int,
    problem: str,
) -> None:
    monkeypatch.delitem(sys.modules, "lying_plugin_of_a_test", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (folder / "lying_plugin_of_a_test.py").write_text(PLUGIN)
    own = f'[integrations.own]\nchannel = "lying_plugin_of_a_test:{kind}"\nsecrets = ["s"]\n'
    (folder / "bridge.toml").write_text(own + GOOD.replace("telegram", "console"))
    result = run("check", env={"REDIS_URL": redis_url})
    [failed] = [each for each in result.stdout.splitlines() if each.startswith("FAIL")]
    assert failed.startswith("FAIL integrations.own")
    assert failed.endswith(f"{folder}/lying_plugin_of_a_test.py:{line}: {problem}")
    assert "OK   integrations.support: channel console" in result.stdout
    assert result.exit_code == 1


def test_a_server_that_is_not_there_fails(run: Run, folder: Path) -> None:
    (folder / "bridge.toml").write_text(GOOD + TOKEN)
    result = run("check", "--offline", env={"REDIS_URL": "redis://:canary@127.0.0.1:1"})
    assert result.exit_code == 1
    assert "\nFAIL Redis at redis://***@127.0.0.1:1: " in result.stdout
    assert "canary" not in result.output


def test_it_is_plain_text_in_a_pipe(run: Run, redis_url: str) -> None:
    assert "\x1b" not in run("check", "--offline", env={"REDIS_URL": redis_url}).stdout


# ---- whose the credentials are -----------------------------------------------------------------------------


@pytest.fixture
def telegram(folder: Path) -> Iterator[Platform]:
    with platform() as there:
        (folder / "bridge.toml").write_text(f'{GOOD}{TOKEN}api_url = "{there.url}"\n')
        yield there


@pytest.mark.parametrize(
    ("answer", "line", "code"),
    [
        pytest.param(
            (200, {"ok": True, "result": {"id": 1, "first_name": "Shop", "username": "shop_bot"}}),
            "OK   integrations.support: telegram knows the account as @shop_bot",
            0,
            id="known",
        ),
        pytest.param(
            (401, {"ok": False, "error_code": 401, "description": "Unauthorized"}),
            "FAIL integrations.support: telegram refuses the credentials: ",
            1,
            id="refused",
        ),
        pytest.param(
            (502, "a proxy's page"), "WARN integrations.support: telegram could not be asked: ", 0, id="away"
        ),
    ],
)
def test_a_platform_says_whose_the_credentials_are(
    run: Run, redis_url: str, telegram: Platform, answer: tuple[int, object], line: str, code: int
) -> None:
    telegram.answers["getMe"] = answer
    result = run("check", env={"REDIS_URL": redis_url})
    assert any(each.startswith(line) for each in result.stdout.splitlines()), result.stdout
    assert (result.exit_code, len(telegram.asked)) == (code, 1)
    assert "canary" not in result.output


def test_no_platform_is_asked_offline(run: Run, redis_url: str, telegram: Platform) -> None:
    assert run("check", "--offline", env={"REDIS_URL": redis_url}).exit_code == 0
    assert telegram.asked == []
