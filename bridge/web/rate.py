"""Rate: how fast one chat may speak, counted in this process; the clock is passed in."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

CHATS: Final = 10_000
"""Chats remembered; one that was silent the longest is forgotten first, which only forgives it."""


class Rate:
    """At most `per_second` in the long run, `burst` of them at once (a leaky bucket for each chat)."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._interval = 1 / per_second
        self._slack = burst * self._interval
        self._free_at: OrderedDict[str, float] = OrderedDict()

    def wait(self, chat: str, now: float) -> float:
        """0.0 and counted: go on. Else the seconds until the next one is taken, and nothing is counted."""
        free_at = max(self._free_at.get(chat, now), now) + self._interval
        if free_at - now > self._slack:
            return free_at - now - self._slack
        self._free_at[chat] = free_at
        self._free_at.move_to_end(chat)
        if len(self._free_at) > CHATS:
            self._free_at.popitem(last=False)
        return 0.0
