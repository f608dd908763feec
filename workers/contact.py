"""When a worker last heard of Redis, and with that whether it may claim.

A lease ends by the clock of Redis, whoever stood still meanwhile: Redis itself (a slow disk, a stopped
process), or the whole machine. When all go on, those whose leases have ended in that time are to speak before
anybody claims what they hold, else every event in flight is sent again. So a claim counts from the last time
that Redis answered: who has heard nothing for most of a lease does not claim, and a claim that Redis gets to
only then, because it stood still with the claim in its hands, does nothing.
"""

from __future__ import annotations

import asyncio
import math
from typing import Final

LOOK: Final = 0.4
"""The part of a lease after which to ask Redis anything, so as to hear of it."""
FRESH: Final = 0.6
"""The part of a lease for which what was heard is good: all who live move their leases forward so often that
more than this is left of each, so whatever stood still for no longer has let none of these end."""


class Contact:
    """Of one dispatcher; at first it has heard nothing."""

    def __init__(self, lease_seconds: float) -> None:
        self.look_seconds: Final = LOOK * lease_seconds
        self._fresh_seconds: Final = FRESH * lease_seconds
        self._heard_at = -math.inf
        self._heard_ms = 0.0

    def heard(self, at_ms: int | None = None) -> None:
        """Redis has answered, at that time of its clock where it said so; the first time it does."""
        now = asyncio.get_running_loop().time()
        self._heard_ms = self._heard_ms + (now - self._heard_at) * 1000 if at_ms is None else at_ms
        self._heard_at = now

    @property
    def silent_seconds(self) -> float:
        """How long nothing was heard; infinite where nothing ever was."""
        return asyncio.get_running_loop().time() - self._heard_at

    @property
    def look_due(self) -> bool:
        return self.silent_seconds >= self.look_seconds

    @property
    def stale(self) -> bool:
        """It is too long ago to claim anything."""
        return self.silent_seconds > self._fresh_seconds

    @property
    def claims_until_ms(self) -> int:
        """By the clock of Redis."""
        return int(self._heard_ms + self._fresh_seconds * 1000)
