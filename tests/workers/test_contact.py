"""Until when a worker may claim, by the clock of its event loop and that of Redis."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

import pytest

from workers.contact import Contact

LEASE_SECONDS = 10.0

Pass = Callable[[float], None]


@pytest.fixture
async def time_passes(monkeypatch: pytest.MonkeyPatch) -> Pass:
    """Moves the clock of the event loop."""
    loop, ahead = asyncio.get_running_loop(), 0.0
    real = loop.time

    def time_passes(seconds: float) -> None:
        nonlocal ahead
        ahead += seconds

    monkeypatch.setattr(loop, "time", lambda: real() + ahead)
    return time_passes


async def test_who_never_heard_anything_looks_first() -> None:
    contact = Contact(LEASE_SECONDS)
    assert (contact.look_due, contact.stale, contact.silent_seconds) == (True, True, math.inf)


async def test_what_was_heard_is_good_for_most_of_a_lease(time_passes: Pass) -> None:
    contact = Contact(LEASE_SECONDS)
    contact.heard(1_000_000)
    assert (contact.look_due, contact.stale) == (False, False)
    assert contact.claims_until_ms == 1_006_000
    time_passes(4.5)
    assert (contact.look_due, contact.stale) == (True, False)
    time_passes(2.0)
    assert (contact.look_due, contact.stale) == (True, True)
    assert contact.silent_seconds == pytest.approx(6.5, abs=0.3)


async def test_an_answer_without_the_time_counts_on_from_the_last_one_with_it(time_passes: Pass) -> None:
    contact = Contact(LEASE_SECONDS)
    contact.heard(1_000_000)
    time_passes(3.0)
    contact.heard()
    assert contact.claims_until_ms == pytest.approx(1_009_000, abs=300)
    assert not contact.look_due
    contact.heard(2_000_000)
    assert contact.claims_until_ms == 2_006_000
