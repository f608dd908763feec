"""Real processes under a schedule of faults: nothing lost or reordered, every repeat with its reason."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from tests.chaos.platform import kind, moody
from tests.chaos.report import table
from tests.chaos.run import Conditions, Outcome, run
from tests.chaos.schedule import Schedule, Setup, Stroke, draw, steady
from tests.zygote import zygote

SEED: Final = int(os.environ.get("CHAOS_SEED", "20260501"))


def kept(outcome: Outcome) -> str:
    """What went wrong, for the message of the test; "" for nothing."""
    wrong = [*map(str, outcome.verdict.findings[:20]), *outcome.troubles]
    if outcome.stats.dead:
        wrong.append(f"{outcome.stats.dead} dead letters")
    return "\n".join([f"CHAOS_SEED={SEED}", *wrong, table(outcome)]) if wrong else ""


@pytest.mark.timeout(300)
async def test_5000_events_survive_40_kills_in_order(tmp_path: Path) -> None:
    outcome = await run(
        draw(SEED, Setup()),
        Conditions(spool=True, sticky=True, manners=moody(SEED), launch=zygote().fork),
        tmp_path,
    )
    assert not kept(outcome), kept(outcome)
    assert outcome.accepted + outcome.given_up == 5_000
    assert sum(fault.is_kill for fault in outcome.history.faults) >= 40


@pytest.mark.timeout(180)
async def test_two_ingresses_without_a_spool_share_all_sessions_in_order(tmp_path: Path) -> None:
    setup = Setup(events=500, kills=6, sessions=40)
    outcome = await run(
        draw(SEED + 1, setup), Conditions(manners=moody(SEED), launch=zygote().fork), tmp_path
    )
    assert not kept(outcome), kept(outcome)


@pytest.mark.timeout(180)
async def test_an_outage_of_redis_costs_neither_an_event_nor_an_answer_nor_the_order(tmp_path: Path) -> None:
    """50 events/s go on, those of a session to either of two ingresses: what both spooled finds its place."""
    away = (Stroke(1.0, "server", "kill", seconds=6.0), Stroke(8.5, "server", "kill", seconds=1.0))
    events = steady(600, sessions=30, per_second=50)
    conditions = Conditions(workers=2, spool=True, manners=kind, launch=zygote().fork)
    outcome = await run(Schedule(events, away), conditions, tmp_path)
    assert not kept(outcome), kept(outcome)
    assert (outcome.refused, outcome.given_up) == (0, 0)
    assert outcome.accepted == 600


@pytest.mark.timeout(180)
async def test_a_server_that_stood_still_for_longer_than_a_lease_repeats_nothing(tmp_path: Path) -> None:
    """Longer than clients wait, too: what they asked is done when it wakes, and nobody hears of it."""
    still = (Stroke(1.0, "server", "freeze", seconds=5.6),)
    conditions = Conditions(ingresses=1, lease_seconds=5.0, manners=kind, launch=zygote().fork, spool=True)
    outcome = await run(
        Schedule(steady(600, sessions=60, per_second=200, parts=4), still), conditions, tmp_path
    )
    assert not kept(outcome), kept(outcome)
    assert not outcome.verdict.repeats
    assert outcome.stats.retried_total == 0, "nobody has vanished"


@pytest.mark.timeout(180)
async def test_rolling_restarts_lose_and_repeat_nothing(tmp_path: Path) -> None:
    rolling = tuple(Stroke(1.0 + n, "worker", "term", n % 3) for n in range(6))
    conditions = Conditions(ingresses=1, lease_seconds=5.0, manners=kind, launch=zygote().fork)
    outcome = await run(
        Schedule(steady(900, sessions=40, per_second=110, parts=2), rolling), conditions, tmp_path
    )
    assert not kept(outcome), kept(outcome)
    assert not outcome.verdict.repeats
    assert outcome.stats.retried_total == 0, "handing over costs no try"
