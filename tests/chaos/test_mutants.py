"""The checker can fail: every mutant is caught as what it is, and the bridge passes where they do not."""

from __future__ import annotations

import asyncio
import os
from typing import Final

import pytest

from tests.chaos.mutants import MUTANTS
from tests.chaos.trials import Trial, judged, mutants_table

LEFT: Final = ("endless-lease", "no-look", "no-lease", "answers-first", "starts-afresh", "leaves-at-once")
"""Tried by `python -m tests.chaos --mutants`, or with CHAOS_MUTANTS=all; the rest in every run."""
TRIED: Final = [name for name in MUTANTS if os.environ.get("CHAOS_MUTANTS") == "all" or name not in LEFT]


@pytest.fixture(scope="module")
def trials() -> dict[tuple[str, str], Trial]:
    """A few at once."""
    found = asyncio.run(judged(TRIED))
    print(mutants_table(found))
    return {(trial.situation, trial.mutant): trial for trial in found}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutant", TRIED)
def test_the_checker_catches(trials: dict[tuple[str, str], Trial], mutant: str) -> None:
    trial = trials[MUTANTS[mutant].situation, mutant]
    assert trial.good, mutants_table([trial])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("situation", dict.fromkeys(MUTANTS[name].situation for name in TRIED))
def test_the_bridge_as_it_is_passes_when(trials: dict[tuple[str, str], Trial], situation: str) -> None:
    trial = trials[situation, ""]
    assert trial.good, (
        mutants_table([trial]),
        *map(str, trial.outcome.verdict.findings),
        trial.outcome.troubles,
    )
