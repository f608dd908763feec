"""The times of the last events of each session of a queue, as one ingress saw them.

What comes out of the spool is placed by its times among what other ingresses accepted. Of one ingress the
order is that of arrival, whatever its clock does and whatever the events say: so no event is older than the
last one.
"""

from __future__ import annotations

from typing import Final

KEEP_MS: Final = 1000
"""For so long, or up to twice that, an event that went to Redis directly is remembered; while events go to
the spool nothing is forgotten."""


class Times:
    """Times are in ms: `arrived_at` of the clock of Redis, `sent_at` of the sender's."""

    def __init__(self) -> None:
        self._new: dict[str, tuple[int, int]] = {}
        self._old: dict[str, tuple[int, int]] = {}
        self._turned_at = 0

    def direct(self, session: str, arrived_at: int, sent_at: int | None) -> None:
        """An event went to Redis."""
        if arrived_at - self._turned_at > KEEP_MS:
            self._old, self._new, self._turned_at = self._new, {}, arrived_at
        self._new[session] = arrived_at, sent_at or 0

    def spooled(self, session: str, arrived_at: int, sent_at: int | None) -> tuple[int, int | None]:
        """An event goes to the spool: the times by which it is to be placed."""
        last_arrived_at, last_sent_at = self._new.get(session) or self._old.get(session) or (0, 0)
        arrived_at = max(arrived_at, last_arrived_at)
        if sent_at is not None:
            sent_at = max(sent_at, last_sent_at)
        self._new[session] = arrived_at, sent_at or last_sent_at
        return arrived_at, sent_at
