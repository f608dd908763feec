"""The scripts: one verb a file, heads that say what they take, and within the package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bridge.queue
from bridge.queue import scripts
from bridge.queue.scripts import Script

ALL = {name.lower(): value for name, value in vars(scripts).items() if isinstance(value, Script)}
FOLDER = Path(bridge.queue.__file__).parent / "lua"


def test_each_file_is_a_verb_and_each_verb_a_file() -> None:
    assert (
        {path.stem for path in FOLDER.glob("*.lua")} == set(ALL) == {script.verb for script in ALL.values()}
    )


@pytest.mark.parametrize("script", ALL.values(), ids=ALL.keys())
def test_a_script_says_what_it_takes_and_asks_only_the_server_for_the_time(script: Script) -> None:
    source = (FOLDER / f"{script.verb}.lua").read_text("ascii")
    assert script.source.endswith(source.encode())
    head = source[: re.search(r"^[^-]", source, re.MULTILINE).start()]  # type: ignore[union-attr]
    assert "-- KEYS: " in head
    first = source[len(head) :].lstrip().splitlines()[0]
    assert re.match(r"local .* = (unpack\(KEYS(, 1, [45])?\)|KEYS\[1\]|KEYS, ARGV)$", first)
    assert ("ARGV" in source[len(head) :]) == ("-- ARGV: " in head)
    assert "os.time" not in source
    assert not re.search(r"^\s*(?!local )[a-z_]+ = function|^function", source, re.MULTILINE)
