"""`channels`: the matrix of channel by content, as the code has it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bridge.channels.capabilities import Capabilities
from bridge.channels.registry import BUILT_IN
from bridge.cli.channels import matrix
from bridge.content import Audio, Card, Carousel, Text, Typing
from tests.cli.conftest import Run

KINDS = {
    "text", "image", "video", "audio", "file", "carousel", "webview", "handover", "pause", "typing", "notice",
    "receipt",
}  # fmt: skip


def test_every_channel_and_every_content_is_in_the_matrix(run: Run) -> None:
    shown = json.loads(run("channels", "--json").stdout)
    assert shown["broken"] == {}
    assert set(shown["channels"]) == set(BUILT_IN)
    assert all(set(row) == KINDS for row in shown["channels"].values())
    assert set(shown["channels"]["webchat"].values()) == {"native"}


def test_the_table_has_a_column_a_channel(run: Run) -> None:
    lines = run("channels").stdout.splitlines()
    assert lines[0].split() == ["content", *sorted(BUILT_IN)]
    assert {line.split()[0] for line in lines[1:]} == KINDS


@pytest.mark.parametrize(
    ("can", "kind", "how"),
    [
        pytest.param(Capabilities(options=10), "text", "native", id="text"),
        pytest.param(Capabilities(), "text", "numbered lines", id="no quick replies"),
        pytest.param(Capabilities(shows=frozenset({Text, Audio})), "audio", "native", id="audio"),
        pytest.param(Capabilities(), "audio", "a link to it", id="no audio"),
        pytest.param(Capabilities(), "handover", "as text", id="handover"),
        pytest.param(Capabilities(), "typing", "-", id="no typing"),
        pytest.param(
            Capabilities(shows=frozenset({Text, Typing}), typing_seconds=5), "typing", "native", id="typing"
        ),
        pytest.param(
            Capabilities(shows=frozenset({Text, Card}), card_buttons=5),
            "carousel", "a message for each card", id="cards without a carousel",
        ),
        pytest.param(
            Capabilities(shows=frozenset({Text, Card, Carousel}), cards=10, card_buttons=5),
            "carousel", "native", id="carousel",
        ),
    ],
)  # fmt: skip
def test_how_follows_from_the_capabilities(can: Capabilities, kind: str, how: str) -> None:
    assert matrix(can)[kind] == how


def test_a_broken_plug_in_is_named_and_stops_no_other(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "broken_plugin_of_a_test.py").write_text("raise RuntimeError('no luck')\n")
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
    assert "no luck" in result.stderr
