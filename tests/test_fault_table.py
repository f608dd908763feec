"""The table of faults is true: every test it names is there, and every fault has one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.faults import FAULTS, Fault

ROOT = Path(__file__).parent.parent


def names_in(file: Path) -> set[str]:
    """The names of a file's tests."""
    found = ast.walk(ast.parse(file.read_text()))
    return {each.name for each in found if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_fault_is_shown(fault: Fault) -> None:
    assert fault.shown_by
    for test in fault.shown_by:
        file, _, name = test.partition("::")
        assert name.startswith("test_")
        assert name in names_in(ROOT / file), f"{test} is not there any more: who shows it now?"


def test_no_fault_is_there_twice() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
