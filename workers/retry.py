"""What becomes of a delivery that failed: a pure decision from the error, the delivery and the policy.

Rejected                    buried; the session goes on
Unavailable(retry_after)    parked for exactly that long, at any age, costs no try; meanwhile nothing else
                                goes to that chat, or by that channel, as the platform means it
Unavailable                 parked with full jitter up to the maximum age, then buried; the breaker counts it
                                (bridge/queue/lua/lib/breaker.lua) unless the platform named the chat, and
                                opens at once where it named the whole channel
Uncertain                   as Unavailable where a repeat is harmless or wanted, else buried
Unauthorized                parked, and the queue paused until somebody has looked
Forbidden                   parked until other chats show whether the chat or the account is refused
                                (bridge/queue/lua/lib/refusals.lua)
StoreFull                   parked with full jitter up to the delivery's age, costs no try
StoreUnavailable            parked for a moment, costs no try
anything else               a fault of ours or a channel's (ChannelFault): parked with full jitter a few
                            times, then buried
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from bridge.errors import (
    ChannelFault,
    Forbidden,
    Moved,
    Rejected,
    SendError,
    StoreFull,
    StoreUnavailable,
    Unauthorized,
    Unavailable,
    Uncertain,
)
from bridge.queue import Bury, Delivery, Park, Refuse, Said

BASE_SECONDS: Final = 1.0
CAP_SECONDS: Final = 60.0
SOON_SECONDS: Final = 0.1  # a platform that says "at once" to a refused call is not asked in a tight loop
STORE_SECONDS: Final = 0.5  # a full server refuses some writes and takes others: no reason to spin
MAX_FAULTS: Final = 5


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """An integration's will: how long to retry, and whether a part that may have arrived is sent again."""

    max_age_seconds: float = 3600.0
    resend: Literal["resend", "hold"] = "resend"
    idempotent: bool = False
    """The channel shows a repeated call once, so `resend` does not matter."""


class Decision(msgspec.Struct, frozen=True):
    """The settle, and what it means for the rest of the queue."""

    settle: Park | Bury | Refuse
    hold_seconds: float = 0.0
    """Claim nothing of the queue for that long."""
    chat_seconds: float = 0.0
    """Send nothing to the chat for that long."""


def decide(
    error: Exception,
    delivery: Delivery,
    *,
    chat: str,
    cursor: bytes,
    age_seconds: float,
    policy: Policy,
    random: float,
) -> Decision:
    """Decide what becomes of a delivery to `chat` that failed with `error`.

    `cursor` is what already went out, `random` is in [0, 1).
    """

    def park(seconds: float, said: Said = "", *, counted: bool) -> Park:
        return Park(delivery, seconds, cursor, counted, said)

    def bury(reason: str, said: Said = "") -> Decision:
        return Decision(Bury(delivery, reason, describe(error), said))

    def again(said: Said, *, hold_chat: bool = False) -> Decision:
        if age_seconds >= policy.max_age_seconds:
            return bury("expired", said)
        seconds = backoff_seconds(delivery.tries, random)
        return Decision(park(seconds, said, counted=True), chat_seconds=seconds if hold_chat else 0.0)

    def refuse(*, account: bool) -> Decision:
        return Decision(Refuse(delivery, describe(error), chat, cursor, account=account))

    match error:
        case Unavailable(retry_after=float() | int() as asked, scope=scope):
            seconds = max(SOON_SECONDS, asked)
            settle = park(seconds, "answered", counted=False)
            if scope == "channel":
                return Decision(settle, hold_seconds=seconds)
            return Decision(settle, chat_seconds=seconds)
        case Uncertain() if policy.resend == "hold" and not policy.idempotent:
            return bury("uncertain", "down")
        case Unavailable(scope="channel"):
            return again("shut")
        case Unavailable(scope="chat"):
            return again("answered", hold_chat=True)
        case Unavailable() | Uncertain():
            return again("down")
        case Unauthorized():
            return refuse(account=True)
        case Forbidden():
            return refuse(account=False)
        case Rejected() | Moved():
            return bury("rejected", "answered")
        case StoreFull():
            seconds = max(STORE_SECONDS, random * min(CAP_SECONDS, age_seconds))
            return Decision(park(seconds, counted=False))
        case StoreUnavailable():
            return Decision(park(STORE_SECONDS, counted=False))
        case _ if delivery.tries + 1 >= MAX_FAULTS:
            return bury("fault")
        case _:
            return Decision(park(backoff_seconds(delivery.tries, random), counted=True))


def backoff_seconds(tries: int, random: float) -> float:
    """Full jitter: anything up to a bound that doubles with every try."""
    return random * min(CAP_SECONDS, BASE_SECONDS * float(2 ** min(tries, 16)))


def describe(error: BaseException) -> str:
    """The error for logs and dead letters: the words of a SendError or ChannelFault, else type and place.

    A foreign error's message may quote what a person wrote, so it is left out.
    """
    if isinstance(error, SendError | ChannelFault):
        return str(error)
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f" at {place.tb_frame.f_globals.get('__name__', '?')}:{place.tb_lineno}" if place else ""
    return f"{type(error).__name__}{where}"
