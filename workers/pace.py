"""How fast an integration's calls may go: the channel's own pace, with what its settings change of it."""

from __future__ import annotations

from bridge.channels.capabilities import Pace


def pace(own: Pace | None, per_second: float | None, burst: int | None) -> Pace | None:
    """The pace to keep; None is no pace.

    A setting that is None leaves the channel's own; a rate of 0 is no pace; a burst alone changes that of the
    channel's own rate, and means nothing where it has none.
    """
    if per_second == 0 or (per_second is None and own is None):
        return None
    declared = own or Pace(1)
    return Pace(
        per_second=declared.per_second if per_second is None else per_second,
        burst=declared.burst if burst is None else burst,
    )
