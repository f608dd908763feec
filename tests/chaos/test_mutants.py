"""The checker can fail: every mutant is caught as what it is, and the bridge passes where they do not."""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos.mutants import MUTANTS, SITUATIONS
from tests.chaos.trials import Trial, judged, mutants_table


@pytest.fixture(scope="module")
def trials() -> dict[tuple[str, str], Trial]:
    """All of them, a few at once."""
    found = asyncio.run(judged())
    print(mutants_table(found))
    return {(trial.situation, trial.mutant): trial for trial in found}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_checker_catches(trials: dict[tuple[str, str], Trial], mutant: str) -> None:
    trial = trials[MUTANTS[mutant].situation, mutant]
    assert trial.good, mutants_table([trial])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_bridge_as_it_is_passes_when(trials: dict[tuple[str, str], Trial], situation: str) -> None:
    trial = trials[situation, ""]
    assert trial.good, (
        mutants_table([trial]),
        *map(str, trial.outcome.verdict.findings),
        trial.outcome.troubles,
    )
