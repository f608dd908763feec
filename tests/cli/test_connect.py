"""`connect`: the platform learns where the ingress is, or the person what to paste where."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.answering import Platform, platform
from tests.cli.conftest import Run

HEAD = '[integrations.support]\nsecrets = ["s"]\n'
ME = {"ok": True, "result": {"id": 1, "is_bot": True, "first_name": "Shop", "username": "shop_bot"}}


@pytest.fixture
def telegram(folder: Path) -> Iterator[Platform]:
    """A Bot API server, and settings for a bot of it."""
    with platform() as there:
        there.answers = {"getMe": (200, ME), "setWebhook": (200, {"ok": True, "result": True})}
        (folder / "bridge.toml").write_text(
            HEAD + 'channel = "telegram"\n'
            '[integrations.support.telegram]\ntoken = "1:canary"\nsecret_token = "canary2"\n'
            f'api_url = "{there.url}"\n'
        )
        yield there


def test_a_webhook_is_registered_where_the_platform_lets_one(run: Run, telegram: Platform) -> None:
    result = run("connect", "support", "--url", "https://bridge.example/")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "credentials are good: @shop_bot" in result.stdout
    assert "registered: https://bridge.example/channels/support" in result.stdout
    (me, _), (hook, body) = telegram.asked
    assert (me, hook, body["url"]) == ("getMe", "setWebhook", "https://bridge.example/channels/support")
    assert body["secret_token"] == "canary2"
    assert "canary" not in result.output


def test_the_settings_may_say_where_the_ingress_is(run: Run, telegram: Platform) -> None:
    result = run("connect", "support", env={"BRIDGE_INGRESS__PUBLIC_URL": "https://b.example"})
    assert "registered: https://b.example/channels/support" in result.stdout


def test_a_dry_run_asks_nobody(run: Run, telegram: Platform) -> None:
    assert run("connect", "support", "--url", "https://b.example", "--dry-run").exit_code == 0
    assert telegram.asked == []


@pytest.mark.parametrize(
    ("op", "status", "description"),
    [
        ("getMe", 401, "Unauthorized"),
        ("setWebhook", 400, "Bad Request: bad webhook: HTTPS url must be provided"),
    ],
    ids=["a wrong token", "a wrong address"],
)
def test_what_the_platform_refuses_is_one_line(
    run: Run, telegram: Platform, op: str, status: int, description: str
) -> None:
    telegram.answers[op] = (status, {"ok": False, "error_code": status, "description": description})
    result = run("connect", "support", "--url", "https://b.example")
    assert result.exit_code == 1
    assert result.stderr.startswith("moveo-bridge: support: ")
    assert len(result.stderr.splitlines()) == 1
    assert "canary" not in result.output


@pytest.mark.parametrize("url", ["", "bridge.example", "ftp://bridge.example"])
def test_an_address_is_needed(run: Run, telegram: Platform, url: str) -> None:
    result = run("connect", "support", *(["--url", url] if url else []))
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert "https://" in result.stderr
    assert telegram.asked == []


def test_what_is_done_by_hand_is_said_with_the_address_to_paste(run: Run, folder: Path) -> None:
    (folder / "bridge.toml").write_text(
        HEAD
        + 'channel = "slack"\n[integrations.support.slack]\ntoken = "xoxb-canary"\nsigning_secret = "c"\n'
    )
    result = run("connect", "support", "--url", "https://b.example", "--dry-run")
    assert result.exit_code == 0
    assert "  1. " in result.stdout
    assert "https://b.example/channels/support" in result.stdout
    assert "canary" not in result.output


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        ("webchat", "nothing to register: the chat is at https://b.example/chat/support"),
        ("console", "nothing to register: console brings nothing back"),
    ],
)
def test_a_channel_without_a_platform_has_nothing_to_register(
    run: Run, folder: Path, channel: str, words: str
) -> None:
    (folder / "bridge.toml").write_text(f'{HEAD}channel = "{channel}"\n')
    result = run("connect", "support", "--url", "https://b.example")
    assert (result.exit_code, result.stdout.strip()) == (0, words)


PLUGIN = """
from bridge.channels import Request
from bridge.channels.console import Console

class Lying(Console):
    def identify(self):
        return Request(url="stdout:")

    def identified(self, reply):
        return "me"

    def connect(self, url):
        return ()

    def steps(self, url):
        return ["one"]
"""


def test_a_mistake_of_a_plug_in_is_one_line(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "connecting_plugin_of_a_test", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (folder / "connecting_plugin_of_a_test.py").write_text(PLUGIN)
    (folder / "bridge.toml").write_text(HEAD + 'channel = "connecting_plugin_of_a_test:Lying"\n')
    result = run("connect", "support", "--url", "https://b.example", "--dry-run")
    place = f"{folder}/connecting_plugin_of_a_test.py:15"
    assert result.stderr == f"moveo-bridge: {place}: Lying.steps returned list; expected a str\n"
    assert result.exit_code == 1
