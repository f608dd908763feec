"""The pace to keep: the channel's own, and what the settings change of it."""

from __future__ import annotations

import pytest

from bridge.channels.capabilities import Pace
from workers.pace import pace

OWN = Pace(30, burst=10)


@pytest.mark.parametrize(
    ("own", "per_second", "burst", "kept"),
    [
        pytest.param(OWN, None, None, OWN, id="the channel's own"),
        pytest.param(None, None, None, None, id="none at all"),
        pytest.param(OWN, 5.0, None, Pace(5.0, burst=10), id="another rate"),
        pytest.param(OWN, None, 2, Pace(30, burst=2), id="another burst"),
        pytest.param(OWN, 5.0, 2, Pace(5.0, burst=2), id="another rate and burst"),
        pytest.param(OWN, 0.0, None, None, id="no pace"),
        pytest.param(None, 5.0, None, Pace(5.0, burst=1), id="a rate where there is none"),
        pytest.param(None, 5.0, 2, Pace(5.0, burst=2), id="a rate and burst where there is none"),
        pytest.param(None, None, 2, None, id="a burst of nothing"),
    ],
)
def test_pace(own: Pace | None, per_second: float | None, burst: int | None, kept: Pace | None) -> None:
    assert pace(own, per_second, burst) == kept
