"""The steps of one delivery, and how far it has come: the cursor, and nothing else, survives a crash.

A cursor belongs to one plan. When a deploy or a setting changed the plan, the journey starts again: repeating
is better than losing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from bridge.channels import Call, Step
from bridge.plan import Plan


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where in which plan; JSON, so that the next version can read it."""

    plan: str = ""
    step: int = 0
    paced: bool = False
    """The call at `step` has a turn, for which it has waited."""
    to: str = ""
    """The address the plan is for."""
    refused: tuple[int, ...] = ()
    """The steps whose fallback stands in their place, in the order in which that came to be."""
    turn_at: int = 0
    """When that turn is: ms of the server's clock; 0 where it was not written down."""


MISSED_MS: Final = 2000
"""A turn is lost after this: during a hold many pass, and all would use theirs at once when it ends."""
_START: Final = Cursor()
_decoder: Final = msgspec.json.Decoder(Cursor)
_encode: Final = msgspec.json.encode
_replace: Final = msgspec.structs.replace


def read(cursor: bytes) -> Cursor:
    """The cursor as stored; one that cannot be read (of a later version) is a new start."""
    if not cursor:
        return _START
    try:
        return _decoder.decode(cursor)
    except msgspec.DecodeError:
        return _START


class Journey:
    """`plan_to` gives the plan for an address, `to` the address, `cursor` what an earlier claim has done."""

    def __init__(self, plan_to: Callable[[str], Plan], to: str, cursor: Cursor) -> None:
        self._plan_to = plan_to
        self.plan = plan_to(to)
        self._digest = ""
        self.restarted = bool(cursor.plan) and cursor.plan != self._plan_digest()
        """The stored cursor was of another plan."""
        self._cursor = Cursor(to=to) if self.restarted else _replace(cursor, to=to)
        self._steps = self._expanded()

    @property
    def cursor(self) -> bytes:
        """What to store."""
        return _encode(_replace(self._cursor, plan=self._plan_digest()))

    @property
    def step(self) -> Step | None:
        """The step to take next; None at the end."""
        return self._steps[self._cursor.step] if self._cursor.step < len(self._steps) else None

    def has_turn(self, now_ms: int) -> bool:
        """Whether the step has waited for its turn, and has not missed it."""
        turn_at = self._cursor.turn_at
        return self._cursor.paced and (not turn_at or now_ms - turn_at < MISSED_MS)

    def wait_turn(self, turn_at: int) -> None:
        """The step has its turn at that time, after the park that follows."""
        self._cursor = _replace(self._cursor, paced=True, turn_at=turn_at)

    def unpaced(self) -> None:
        """The turn was used up; another try of the step needs one of its own."""
        if self._cursor.paced:
            self._cursor = _replace(self._cursor, paced=False)

    def advance(self) -> None:
        """The step was taken."""
        self._cursor = _replace(self._cursor, step=self._cursor.step + 1, paced=False)

    def fall_back(self) -> None:
        """The step is refused in its form: its fallback stands in its place."""
        self._cursor = _replace(self._cursor, refused=(*self._cursor.refused, self._cursor.step), paced=False)
        self._steps = self._expanded()

    def move(self, to: str) -> None:
        """The chat has a new address: the same steps go there."""
        self.plan = self._plan_to(to)
        self._digest = ""
        self._cursor = _replace(self._cursor, to=to, paced=False)
        self._steps = self._expanded()

    def _plan_digest(self) -> str:
        """Made when it is asked for: most deliveries are one step and store no cursor."""
        self._digest = self._digest or self.plan.digest
        return self._digest

    def _expanded(self) -> list[Step]:
        steps = list(self.plan.steps)
        for refused in self._cursor.refused:
            match steps[refused]:
                case Call(fallback=fallback):
                    steps[refused : refused + 1] = fallback
        return steps
