"""The three logs of a run, as values. All times are seconds of one clock, that of the test's event loop."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

Answer: TypeAlias = Literal["taken", "refused", "cut"]
"""What the platform did with a part: took it; refused it (429, 500); took it and dropped the connection."""


class Event(Struct, frozen=True):
    """One webhook of Moveo's: the `number`-th of its session, told in so many parts."""

    session: str
    number: int
    parts: int
    at: float = 0.0
    """Seconds after the start of the load, at the earliest."""
    pause: float = 0.0
    """Seconds between its parts."""


class Post(Struct, frozen=True):
    """One try to post an event. `status` 0: there was no answer."""

    session: str
    number: int
    parts: int
    from_at: float
    until_at: float
    status: int

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300


class Receipt(Struct, frozen=True):
    """A part as the platform received it, in the order of receipt, and what it answered."""

    session: str
    number: int
    part: int
    key: str
    """The idempotency key that came with it."""
    worker: str
    at: float
    until_at: float
    """When it was answered."""
    answer: Answer = "taken"


class Fault(Struct, frozen=True):
    """What was done to a process, or to its link to the server.

    Somewhere between the two a killed process died; a killed server is back at `until_at`.
    """

    kind: str
    target: str
    from_at: float
    until_at: float

    @property
    def is_kill(self) -> bool:
        return self.kind.endswith((".kill", ".point"))


class History(Struct):
    """What a run writes down."""

    posts: list[Post] = msgspec.field(default_factory=list)
    receipts: list[Receipt] = msgspec.field(default_factory=list)
    faults: list[Fault] = msgspec.field(default_factory=list)
    lag_seconds: float = 0.0
    """By how much the clock of the logs was late at most: how long the test's event loop stood still."""
