"""`channels`: the matrix of channel by content, as the code has it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from bridge.channels.capabilities import Capabilities
from bridge.channels.registry import BUILT_IN
from bridge.cli.matrix import matrix
from bridge.content import Audio, Card, Carousel, Image, Text, Typing, Webview
from tests.cli.conftest import Run

KINDS = {
    "text", "options", "image", "video", "audio", "file", "carousel", "webview", "handover", "pause",
    "typing", "notice", "receipt", "agent's name", "shown once",
}  # fmt: skip


def test_every_channel_and_every_content_is_in_the_matrix(run: Run) -> None:
    shown = json.loads(run("channels", "--json").stdout)
    assert shown["broken"] == {}
    assert set(shown["channels"]) == set(BUILT_IN)
    assert all(set(row) == KINDS for row in shown["channels"].values())
    assert {how.split()[0] for how in shown["channels"]["webchat"].values()} == {"native"}


def test_the_table_has_a_row_a_channel(run: Run) -> None:
    header, *rows = run("channels").stdout.splitlines()
    assert set(re.split("  +", header)) == {"channel", *KINDS}
    assert [row.split()[0] for row in rows] == sorted(BUILT_IN)
    assert re.split("  +", rows[sorted(BUILT_IN).index("webchat")])[1:3] == ["✓", "✓ up to 50"]


def test_the_table_as_markdown(run: Run) -> None:
    header, line, *rows = run("channels", "--markdown").stdout.splitlines()
    assert header.startswith("| channel | text | options |")
    assert set(line) == set("| -")
    assert [row.split()[1] for row in rows] == sorted(BUILT_IN)
    assert {row.count("|") for row in rows} == {header.count("|")}


def test_one_form_at_a_time(run: Run) -> None:
    result = run("channels", "--markdown", "--json")
    assert result.exit_code == 2
    assert "choose one of --json and --markdown" in result.stderr


@pytest.mark.parametrize(
    ("can", "kind", "how"),
    [
        pytest.param(Capabilities(), "text", "native", id="text"),
        pytest.param(Capabilities(options=10), "options", "native up to 10", id="quick replies"),
        pytest.param(Capabilities(options=1_000_000), "options", "native", id="any number of quick replies"),
        pytest.param(Capabilities(), "options", "numbered lines", id="no quick replies"),
        pytest.param(Capabilities(authors=True), "agent's name", "native", id="authors"),
        pytest.param(Capabilities(), "agent's name", "before the text", id="no authors"),
        pytest.param(Capabilities(shows=frozenset({Text, Audio})), "audio", "native", id="audio"),
        pytest.param(Capabilities(), "audio", "a link", id="no audio"),
        pytest.param(
            Capabilities(
                shows=frozenset({Text, Audio}), media_endings={"audio": frozenset({".mp3", ".m4a", ""})}
            ),
            "audio", "native as .m4a, .mp3", id="audio in some formats",
        ),
        pytest.param(
            Capabilities(
                shows=frozenset({Text, Audio}),
                media_endings={"audio": frozenset({".mp3", ".m4a", ".aac", ".amr", ".ogg"})},
            ),
            "audio", "native in 5 formats", id="audio in many formats",
        ),
        pytest.param(
            Capabilities(media_endings={"audio": frozenset({".mp3"})}), "audio", "a link", id="no format"
        ),
        pytest.param(Capabilities(), "handover", "a text", id="handover"),
        pytest.param(Capabilities(), "notice", "a text", id="notice"),
        pytest.param(Capabilities(), "pause", "without typing", id="pause without typing"),
        pytest.param(Capabilities(shows=frozenset({Text, Typing})), "pause", "native", id="pause"),
        pytest.param(Capabilities(shows=frozenset({Text, Webview})), "webview", "native", id="webview"),
        pytest.param(
            Capabilities(shows=frozenset({Text, Card}), card_buttons=1),
            "webview", "a card with a button", id="webview on a card",
        ),
        pytest.param(Capabilities(), "webview", "a link", id="no webview"),
        pytest.param(Capabilities(), "typing", "-", id="no typing"),
        pytest.param(
            Capabilities(shows=frozenset({Text, Typing}), typing_seconds=5), "typing", "native", id="typing"
        ),
        pytest.param(
            Capabilities(shows=frozenset({Text, Card}), card_buttons=5),
            "carousel", "a message for each card", id="cards without a carousel",
        ),
        pytest.param(
            Capabilities(shows=frozenset({Text, Image})),
            "carousel", "a picture and a text for each card", id="pictures without cards",
        ),
        pytest.param(Capabilities(), "carousel", "a text for each card", id="text alone"),
        pytest.param(
            Capabilities(shows=frozenset({Text, Card, Carousel}), cards=10, card_buttons=5),
            "carousel", "native up to 10", id="carousel",
        ),
        pytest.param(
            Capabilities(
                shows=frozenset({Text, Image, Card, Carousel}),
                cards=10, card_buttons=5, card_media=frozenset(),
            ),
            "carousel", "native up to 10, but a card's image as a message of its own", id="carousel of texts",
        ),
        pytest.param(Capabilities(idempotent=True), "shown once", "native", id="idempotent"),
        pytest.param(Capabilities(), "shown once", "-", id="not idempotent"),
    ],
)  # fmt: skip
def test_how_follows_from_the_capabilities(can: Capabilities, kind: str, how: str) -> None:
    assert matrix(can)[kind] == how


REFUSES = """
from bridge.channels.console import Console

class Channel(Console):
    def __init__(self):
        raise RuntimeError("no luck")
"""


ASYNC = """
from bridge.channels.console import Console

class Channel(Console):
    async def check(self, reply):
        "no luck"
"""
DATACLASS = """
import dataclasses
from bridge.channels.console import Console

class Channel(Console):
    @dataclasses.dataclass
    class Settings:
        token: str
"""
NEGATIVE = """
from bridge.channels.capabilities import Capabilities
from bridge.channels.console import Console

class Channel(Console):
    capabilities = Capabilities(caption=-1)
"""
FAILS_LATER = """
from msgspec.structs import replace
from bridge.channels.console import Console

class Channel(Console):
    capabilities = replace(Console.capabilities, side_by_side=lambda cards: 1 / 0)
"""


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param("raise RuntimeError('no luck')\n", "no luck", id="import"),
        pytest.param(REFUSES, "no luck", id="constructor"),
        pytest.param(ASYNC, "Channel.check must be a plain function, not async", id="async method"),
        pytest.param(DATACLASS, "Channel.Settings must be a subclass of msgspec.Struct", id="dataclass"),
        pytest.param(NEGATIVE, "Capabilities.caption must be a whole number", id="negative limit"),
        pytest.param(FAILS_LATER, "ZeroDivisionError: division by zero", id="capabilities that raise"),
    ],
)
def test_a_broken_plug_in_is_named_and_stops_no_other(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, reason: str
) -> None:
    monkeypatch.delitem(sys.modules, "broken_plugin_of_a_test", raising=False)
    (folder / "broken_plugin_of_a_test.py").write_text(source)
    metadata = folder / "broken_plugin-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugin\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[bridge.channels]\nbroken = broken_plugin_of_a_test:Channel\n"
    )
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    result = run("channels")
    assert result.exit_code == 0
    assert "telegram" in result.stdout
    assert result.stderr.startswith("broken: ")
    assert "broken_plugin_of_a_test.py" in result.stderr
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1
