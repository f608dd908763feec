"""What goes into a queue and comes out of it, as frozen values."""

from __future__ import annotations

import enum
from typing import Final, Literal, TypeAlias

from msgspec import Struct

Direction: TypeAlias = Literal["out", "in"]
"""`out`: from Moveo to the channel; `in`: from the channel to Moveo."""


SUSPICION: Final = 8
"""What a worker can bear: so many events over which two workers vanished in a row, or one of more."""


class Pushed(enum.Enum):
    """What became of a push."""

    ACCEPTED = 1
    DUPLICATE = 0
    FULL = -1
    SHED = -2
    """It was ephemeral, and its session has so much waiting that it would come too late to be of use."""
    FLOOD = -3
    """Its session holds as much as one may: it is kept as a dead letter."""


class Limits(Struct, frozen=True):
    """The bounds of one queue. Within `seen_seconds` an equal payload counts as the same event."""

    depth: int = 1_000_000
    seen_seconds: float = 900
    lease_seconds: float = 5.0
    dead: int = 100_000
    """Dead letters kept; a few more may be, the oldest go first."""
    session_depth: int = 100_000
    """What one session holds at most; from a hundredth of it on, it takes nothing ephemeral."""


class Delivery(Struct, frozen=True):
    """An event claimed by this worker: the head of its session, for as long as its lease is kept."""

    session: str
    token: int
    """The fencing token: of two claims of a queue the later has the higher one."""
    tries: int
    """Failed or crashed tries before this one."""
    crashes: int
    """Of those, the claims in a row whose holder vanished without a settle."""
    cursor: bytes
    """What the last beat or park stored; opaque to the queue, b"" at first."""
    payload: bytes
    accepted_at: int
    """When it was pushed or, later, replayed: ms of the server's clock."""
    refusal: str = ""
    """The platform's words, if it has refused this event and is to be asked no more; then bury it."""

    @property
    def suspicion(self) -> int:
        """That it ends its workers: of SUSPICION, what one worker can bear at once."""
        return SUSPICION if self.crashes > 2 else int(self.crashes == 2)


Said: TypeAlias = Literal["", "up", "answered", "down", "shut", "unsure"]
"""What the end of a try says of the other side as a whole: nothing, that a call got through, that the other
side answered with a refusal or a time to wait, that it did not answer this time, that it takes nothing from
anybody, or that a mere sign did not get through (of weight in a probe alone). See lua/lib/breaker.lua."""


class Ack(Struct, frozen=True):
    """It was delivered: the next event of the session may go."""

    delivery: Delivery
    said: Said = ""


class Park(Struct, frozen=True):
    """It stays at the head of its session and may be claimed again after `seconds`."""

    delivery: Delivery
    seconds: float
    cursor: bytes | None = None
    """None leaves the stored cursor as it is."""
    counted: bool = True
    """False costs no try: a wait, a rate limit, a release at shutdown."""
    said: Said = ""
    """After "down" while the breaker is open the park costs no try, and lasts until it closes."""


class Bury(Struct, frozen=True):
    """It is given up and kept as a dead letter; the session goes on."""

    delivery: Delivery
    reason: str
    """A short slug: "rejected", "expired", "crashed", "undecodable", ..."""
    error: str = ""
    said: Said = ""


class Refuse(Struct, frozen=True):
    """The platform refused it, and may mean the whole account. It stays at the head of its session.

    With `account` the queue pauses at once. Otherwise the session waits for what other chats meet. When a
    call to another chat gets through, or after a minute, the event is claimed once more, with its `refusal`,
    to be buried. Three chats refused in a row pause the queue, unless a call that is under way gets through
    after all. After a resume the event is tried again.
    """

    delivery: Delivery
    error: str
    """The platform's words."""
    chat: str
    cursor: bytes
    account: bool = False


Settle: TypeAlias = Ack | Park | Bury | Refuse


class Beat(Struct, frozen=True):
    """The holder is alive: its lease starts anew. A `cursor` is stored; None leaves the stored one."""

    delivery: Delivery
    cursor: bytes | None = None


Held: TypeAlias = tuple[str, int]
"""Session and token: what names one claim."""


class Turn(Struct, frozen=True):
    """The outcome of one turn."""

    refused: frozenset[Held]
    """Settles that came too late: another worker holds, or has settled, that event. They changed nothing."""
    deliveries: tuple[Delivery, ...]
    next_due_seconds: float | None
    """Until something becomes claimable, leases of others and of this worker included; None: nothing waits,
    or the queue is paused. 0.0: more is due than there were slots. Another worker's park may end earlier."""
    paused: bool
    opened: bool
    """This turn has opened the breaker: nothing is claimed but now and then one delivery to probe."""
    closed_after_seconds: float | None
    """This turn has closed the breaker, which was open for so long."""
    at_ms: int
    """When it was done, by the server's clock."""
    late: bool
    """It was done after the time until which it was to claim, so it has claimed nothing."""
    pause: str
    """The reason, if a settle of this turn has paused the queue; else ""."""
    resumed: bool
    """A call got through, so this turn has lifted a pause that refused chats had caused."""


class Stats(Struct, frozen=True):
    """One look at a queue. While an expired lease is unclaimed, its session is both ready and in flight."""

    depth: int
    sessions: int
    ready: int
    parked: int
    in_flight: int
    oldest_age_seconds: float
    dead: int
    delivered_total: int
    retried_total: int
    duplicates_total: int
    buried_total: int
    paused: str
    """The reason given to pause(), "" while it is not paused."""
    held_seconds: float = 0.0
    """Until a hold ends; 0 while there is none."""
    down_seconds: float | None = None
    """Since the breaker opened; None while it is closed."""


class DeadLetter(Struct, frozen=True):
    """A delivery that was given up, with its reason."""

    id: str
    session: str
    reason: str
    error: str
    tries: int
    accepted_at: int
    died_at: int
    payload: bytes
