"""Tables and durations for people."""

from __future__ import annotations

import pytest

from bridge.cli.table import duration, table


def test_numbers_stand_to_the_right_and_texts_to_the_left() -> None:
    rows: list[tuple[str | int, ...]] = [("support", 7, "a"), ("x", 1234, "bb")]
    assert table(("name", "depth", "kind"), rows) == (
        "name     depth  kind\n"
        "support      7  a\n"
        "x         1234  bb"
    )  # fmt: skip


def test_a_cell_stays_on_its_line() -> None:
    assert table(("error",), [("one\ntwo\r\n three",)]).splitlines() == ["error", "one two three"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.9, "0s"), (42, "42s"), (60, "1m 0s"), (303, "5m 3s"), (7800, "2h 10m"), (3600, "1h 0m"),
        (273_600, "3d 4h"),
    ],
)  # fmt: skip
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text
