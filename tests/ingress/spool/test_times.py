"""Of one ingress the order is that of arrival, whatever clocks say."""

from __future__ import annotations

from bridge.ingress.spool import Times
from bridge.ingress.spool.times import KEEP_MS


def test_no_event_is_older_than_the_last_one_of_its_session() -> None:
    times = Times()
    assert times.spooled("s", 5, 50) == (5, 50)
    assert times.spooled("s", 3, 40) == (5, 50)
    assert times.spooled("s", 9, None) == (9, None)
    assert times.spooled("s", 9, 45) == (9, 50)
    assert times.spooled("s", 10, 60) == (10, 60)
    assert times.spooled("other", 1, 10) == (1, 10)


def test_those_that_went_to_redis_count_too() -> None:
    times = Times()
    times.direct("s", 1000, 50)
    assert times.spooled("s", 1001, 40) == (1001, 50)


def test_what_went_to_redis_is_forgotten_after_a_while() -> None:
    times = Times()
    times.direct("s", 1000, 50)
    times.direct("other", 1000 + KEEP_MS, 1)
    assert times.spooled("s", 1000 + KEEP_MS, 40) == (1000 + KEEP_MS, 50)
    for n in range(2, 6):
        times.direct(f"s{n}", 1000 + n * 2 * KEEP_MS, 1)
    assert times.spooled("other", 9000 + 9 * KEEP_MS, 0) == (9000 + 9 * KEEP_MS, 0)


def test_nothing_is_forgotten_while_events_go_to_the_spool() -> None:
    times = Times()
    times.spooled("s", 1000, 50)
    for n in range(100):
        times.spooled(f"s{n}", 1000 + n * KEEP_MS, 1)
    assert times.spooled("s", 10**6, 40) == (10**6, 50)
