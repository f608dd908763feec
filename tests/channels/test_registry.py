"""Channels are found by name, import string or entry point; a broken one is named and stops no other."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from bridge.channels import Channel, registry
from bridge.channels.console import Console
from bridge.channels.telegram import Telegram
from bridge.content import Text
from bridge.errors import ConfigError

VIBER = """
    import msgspec
    from bridge.channels import Call, Request
    from bridge.channels.capabilities import Capabilities
    from bridge.secret import Secret

    class Settings(msgspec.Struct, frozen=True, kw_only=True):
        token: Secret
        old_tokens: tuple[Secret, ...] = ()
        api_url: str = "https://chatapi.viber.example"
        retries: int = 3

        def __post_init__(self):
            if self.retries < 0:
                raise ValueError("retries cannot be negative")

    class Viber:
        name = "viber"
        Settings = Settings
        capabilities = Capabilities()

        def __init__(self, settings):
            self.settings = settings

        def render(self, content, to):
            return (Call(op="send", body={"text": content.text}),)

        def request(self, call):
            return Request(url=self.settings.api_url)

        def check(self, reply):
            return None

    class Half:
        name = "half"
        def render(self, content, to): ...

    class Incapable(Viber):
        capabilities = None

    class Failing(Viber):
        def __init__(self, settings):
            raise RuntimeError("out of order")

    class Moody(Viber):
        @property
        def capabilities(self):
            raise RuntimeError("not today")
"""
TABLES = {"viber": {"token": "s3cret"}}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current directory with the one-file plug-in myviber.py, forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "myviber.py").write_text(dedent(VIBER))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, **plugins: str) -> None:
    """Installs a distribution with entry points into `folder`."""
    info = folder / "my_channels-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-channels\nVersion: 1.0\n")
    points = "".join(f"{name} = {value}\n" for name, value in plugins.items())
    (info / "entry_points.txt").write_text(f"[bridge.channels]\n{points}")
    monkeypatch.syspath_prepend(folder)


@pytest.mark.parametrize("kind", registry.BUILT_IN)
def test_built_in_channels_are_there_under_their_own_name(kind: str) -> None:
    assert registry.load(kind).name == kind
    assert isinstance(registry.placeholder(kind), Channel)


def test_a_file_in_the_current_directory_is_a_channel(here: Path) -> None:
    channel: Any = registry.build("myviber:Viber", TABLES)
    assert channel.settings.token.reveal() == "s3cret"
    assert isinstance(channel, Channel)


def test_an_installed_distribution_brings_channels(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(here, monkeypatch, pigeon="myviber:Viber")
    assert registry.build("pigeon", TABLES).name == "viber"
    assert registry.installed()["pigeon"] is registry.load("myviber:Viber")


def test_a_broken_one_is_named_and_stops_no_other(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "broken.py").write_text("import bridge\n1 / 0\n")
    install(here, monkeypatch, pigeon="myviber:Viber", broken="broken:Channel", gone="nowhere:Channel")
    found = registry.installed()
    assert {kind for kind, cls in found.items() if isinstance(cls, type)} == {*registry.BUILT_IN, "pigeon"}
    assert (
        str(found["broken"]) == f'channel "broken": {here}/broken.py:2: ZeroDivisionError: division by zero'
    )
    assert str(found["gone"]) == "channel \"gone\": ModuleNotFoundError: No module named 'nowhere'"


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("telegrm", 'channel: there is no "telegrm"; did you mean "telegram"?; installed: '),
        (
            "myviber:Vibr",
            'channel "myviber:Vibr": {here}/myviber.py has no class "Vibr"; did you mean "Viber"?',
        ),
        ("leaving:X", 'channel "leaving:X": {here}/leaving.py:1: SystemExit: 3'),
        ("myviber:Moody", 'channel "myviber:Moody": {here}/myviber.py:48: RuntimeError: not today'),
        ("myviber:Half", 'channel "myviber:Half": {here}/myviber.py:34: Half has no request, check'),
        (
            "myviber:Incapable",
            'channel "myviber:Incapable": {here}/myviber.py:38: Incapable has no capabilities',
        ),
        ("myviber:Failing", 'channel "myviber:Failing": {here}/myviber.py:43: RuntimeError: out of order'),
        ("syntax:X", 'channel "syntax:X": {here}/syntax.py:1: SyntaxError: '),
    ],
)
def test_what_is_wrong_with_a_channel_is_one_line(here: Path, kind: str, problem: str) -> None:
    (here / "syntax.py").write_text("def (:\n")
    (here / "leaving.py").write_text("raise SystemExit(3)\n")
    with pytest.raises(ConfigError) as caught:
        registry.build(kind, TABLES)
    assert str(caught.value).startswith(problem.format(here=here))
    assert len(str(caught.value).splitlines()) == 1


def test_only_a_class_is_proposed(here: Path) -> None:
    with pytest.raises(ConfigError, match=r'has no class "msgspec"$'):
        registry.load("myviber:msgspec")


@pytest.mark.parametrize(
    ("tables", "problems"),
    [
        ({}, ["viber.token: is missing"]),
        ({"vibr": {}}, ['vibr: is no setting; did you mean "viber"?']),
        (
            {"viber": {"tokn": "x", "api_url": 3, "retries": "many"}},
            [
                'viber.tokn: is no setting; did you mean "token"?',
                "viber.token: is missing",
                "viber.api_url: Expected `str`, got `int`",
                "viber.retries: Expected `int`, got `str`",
            ],
        ),
        ({"viber": {"token": 123}}, ["viber.token: Expected `str`"]),
        ({"viber": {"token": "x", "retries": -1}}, ["viber: retries cannot be negative"]),
    ],
    ids=["missing", "other table", "all at once", "a secret that is no text", "its own rule"],
)
def test_every_wrong_setting_is_named_at_once(
    here: Path, tables: dict[str, Any], problems: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        registry.build("myviber:Viber", tables)
    assert str(caught.value).splitlines() == problems


def test_settings_from_the_environment_are_texts(here: Path) -> None:
    channel: Any = registry.build("myviber:Viber", {"viber": {"token": "x", "retries": "5"}})
    assert channel.settings.retries == 5


def test_tables_of_other_built_in_channels_may_stay(here: Path) -> None:
    assert registry.build("myviber:Viber", {**TABLES, "telegram": {"token": "x"}}).name == "viber"


def test_a_refusal_of_the_class_names_its_table() -> None:
    with pytest.raises(ConfigError, match=r"^telegram\.token: "):
        registry.build("telegram", {"telegram": {"token": "with a space"}})


def test_a_channel_without_settings_takes_none() -> None:
    assert isinstance(registry.build("console", {}), Console)
    with pytest.raises(ConfigError, match=r"^console\.width: is no setting$"):
        registry.build("console", {"console": {"width": 80}})


def test_masked_channels_hold_no_secret(here: Path) -> None:
    table = {"token": "s3cret", "old_tokens": ["s3cret-1", "s3cret-2"], "api_url": "https://x.example"}
    channel: Any = registry.build("myviber:Viber", {"viber": table}, masked=True)
    assert channel.settings.token.reveal() == "***"
    assert [old.reveal() for old in channel.settings.old_tokens] == ["***", "***"]
    assert channel.settings.api_url == "https://x.example"


def test_a_placeholder_needs_no_account() -> None:
    channel = registry.placeholder("telegram")
    assert isinstance(channel, Telegram)
    [call] = channel.render(Text("hi"), "1")
    assert "***" in channel.request(call).url
