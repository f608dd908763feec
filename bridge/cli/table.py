"""Tables of plain text: no colours, no frames, so that they read the same in a log and in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

CELL: Final = 80
"""A longer text is cut: `--json` has all of it."""
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"))


def table(header: Sequence[str], rows: Sequence[Sequence[str | int]]) -> str:
    """Lines of aligned columns; numbers to the right."""
    cells = [list(header), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [bool(rows) and all(isinstance(row[at], int) for row in rows) for at in range(len(header))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in cells
    )


def folded(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> str:
    """The table in as many blocks as it takes to stay within the width, each with the first column."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    blocks: list[list[int]] = []
    for at in range(1, len(header)):
        if blocks and sum(widths[each] + 2 for each in (*blocks[-1], at)) - 2 <= width:
            blocks[-1].append(at)
        else:
            blocks.append([0, at])
    return "\n\n".join(
        table([header[at] for at in block], [[row[at] for at in block] for row in rows]) for block in blocks
    )


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The table as Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows))


def _cell(value: str | int) -> str:
    """On one line, whatever it holds: a table's text may come from a platform, or from who chose an id."""
    if not isinstance(value, str):
        return str(value)
    line = " ".join(value.split())
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line)
    return shown if len(shown) <= CELL else f"{shown[: CELL - 1]}…"


def duration(seconds: float) -> str:
    """ "0s", "42s", "5m 3s", "2h 10m", "3d 4h": the two largest units."""
    left = int(seconds)
    parts: list[str] = []
    for size, unit in _UNITS:
        if left >= size or parts:
            parts.append(f"{left // size}{unit}")
            left %= size
    return " ".join([*parts, f"{left}s"][:2])
