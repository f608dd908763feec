"""Tables and durations for people."""

from __future__ import annotations

import pytest

from bridge.cli.table import CELL, duration, folded, markdown, table


def test_numbers_stand_to_the_right_and_texts_to_the_left() -> None:
    rows: list[tuple[str | int, ...]] = [("support", 7, "a"), ("x", 1234, "bb")]
    assert table(("name", "depth", "kind"), rows) == (
        "name     depth  kind\n"
        "support      7  a\n"
        "x         1234  bb"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("width", "blocks"),
    [
        pytest.param(13, ["name  bb  ccc", "x     1   2"], id="it fits"),
        pytest.param(12, ["name  bb", "x     1", "", "name  ccc", "x     2"], id="one column too wide"),
        pytest.param(1, ["name  bb", "x     1", "", "name  ccc", "x     2"], id="no room at all"),
    ],
)
def test_a_wide_table_is_folded(width: int, blocks: list[str]) -> None:
    assert folded(("name", "bb", "ccc"), [("x", "1", "2")], width).splitlines() == blocks


def test_a_table_as_markdown() -> None:
    assert markdown(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_a_cell_stays_on_its_line() -> None:
    assert table(("error",), [("one\ntwo\r\n three",)]).splitlines() == ["error", "one two three"]


def test_a_cell_speaks_to_no_terminal() -> None:
    assert table(("id",), [("\x1b[2Jred\x07\u202e",)]).splitlines() == ["id", "\ufffd[2Jred\ufffd\ufffd"]


def test_a_long_cell_is_cut() -> None:
    assert table(("id",), [("x" * CELL,), ("y" * (CELL + 1),)]).splitlines() == [
        "id",
        "x" * CELL,
        "y" * (CELL - 1) + "…",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.9, "0s"), (42, "42s"), (60, "1m 0s"), (303, "5m 3s"), (7800, "2h 10m"), (3600, "1h 0m"),
        (273_600, "3d 4h"),
    ],
)  # fmt: skip
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text
