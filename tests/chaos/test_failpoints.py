"""Every window between two steps, reached for sure: what a kill there costs, and what not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.history import Event
from tests.chaos.platform import kind
from tests.chaos.run import Conditions, Outcome, run
from tests.chaos.schedule import Schedule, Stroke
from tests.zygote import zygote

THREE_PARTS = (Event("s", 0, 3), Event("s", 1, 1, at=0.1))
"""One session, so that the point is reached by its parts in turn."""


def parts(outcome: Outcome) -> list[str]:
    return [f"{receipt.number}.{receipt.part}" for receipt in outcome.history.receipts]


@pytest.mark.parametrize(
    ("point", "came"),
    [
        pytest.param("worker.sending:2", "0.0 0.1 0.2 1.0", id="before a send: nothing is repeated"),
        pytest.param(
            "worker.sent:2", "0.0 0.1 0.1 0.2 1.0", id="sent, the cursor not stored: that part again"
        ),
        pytest.param("worker.stored:2", "0.0 0.1 0.2 1.0", id="the cursor stored: nothing is repeated"),
        pytest.param("worker.sent:3", "0.0 0.1 0.2 0.2 1.0", id="the last part sent: that part again"),
        pytest.param("worker.settling", "0.0 0.1 0.2 0.2 1.0", id="before the settle: the last part again"),
        pytest.param("worker.settled", "0.0 0.1 0.2 1.0", id="settled: nothing is repeated"),
    ],
)
async def test_a_worker_killed_at_a_step_repeats_at_most_the_part_in_flight(
    tmp_path: Path, point: str, came: str
) -> None:
    conditions = Conditions(
        ingresses=1, workers=1, lease_seconds=1.0, manners=kind, points=(point,), launch=zygote().fork
    )
    outcome = await run(Schedule(THREE_PARTS, ()), conditions, tmp_path)
    assert [fault.kind for fault in outcome.history.faults] == ["worker.point"]
    assert parts(outcome) == came.split()
    assert not outcome.verdict.findings, "and with the same idempotency key"
    assert not outcome.troubles


@pytest.mark.parametrize(
    ("point", "away"),
    [
        pytest.param("ingress.pushed:5", False, id="pushed, not answered: the sender's retry is recognised"),
        pytest.param("spool.written:5", True, id="written, not synced: it was never acknowledged"),
        pytest.param("spool.synced:5", True, id="synced, not answered: the sender's retry is recognised"),
        pytest.param("spool.placed:1", True, id="placed in Redis, the position not stored: recognised there"),
    ],
)
async def test_an_ingress_killed_at_a_step_costs_nothing(tmp_path: Path, point: str, away: bool) -> None:
    events = tuple(Event(f"s{s}", n, 1, n * 0.1) for n in range(20) for s in range(4))
    strokes = (Stroke(0.3, "server", "kill", seconds=1.0),) if away else ()
    conditions = Conditions(
        ingresses=1,
        workers=2,
        lease_seconds=1.0,
        spool=True,
        manners=kind,
        ingress_points=(point,),
        launch=zygote().fork,
    )
    outcome = await run(Schedule(events, strokes), conditions, tmp_path)
    assert "ingress.point" in {fault.kind for fault in outcome.history.faults}
    assert not outcome.verdict.findings
    assert not outcome.troubles
    assert outcome.accepted == len(events)
    if not away:
        assert not outcome.verdict.repeats
