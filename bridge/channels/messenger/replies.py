"""What came back from the Send API, as a message's id or the error that says what to do next.

https://developers.facebook.com/docs/messenger-platform/error-codes
"""

from __future__ import annotations

from typing import Final

from bridge.channels import Reply, graph
from bridge.errors import Rejected, SendError, Unavailable, Uncertain

HELD: Final = {
    **dict.fromkeys((4, 17, 32), 60.0),  # calls of the app, or about the page, in an hour
    **dict.fromkeys((80001, 80002, 80006), 60.0),  # of the page, Instagram account, or business in a day
    613: 5.0,  # calls in a second
}
"""Limits of the whole page or app, and how many seconds it is held where Meta names no time."""
LATER: Final = frozenset({1, 2, 1200})
"""Not now."""
UNREACHABLE: Final = frozenset({33, 1545041, 2018001, 2018065, 2018108, 2018278, 2534022})
"""Subcodes of a user who is unknown, unavailable, or whose last message was more than 24 hours ago."""
UNAVAILABLE_PERSON: Final = 551


def check(reply: Reply) -> str | None:
    match graph.answer(reply, failed):
        case {"message_id": str(message_id)}:
            return message_id
        case {"recipient_id": str() | int()}:
            return None
        case {"success": True}:  # of a webhook
            return None
        case _:
            raise Uncertain(f"HTTP {reply.status} without a message's id")


def failed(failure: graph.Failure) -> SendError | None:
    """What the Send API means by a failure; None where the whole Graph API does by it."""
    code, reason = failure.code, failure.reason
    if code == UNAVAILABLE_PERSON or failure.subcode in UNREACHABLE:
        return Rejected(reason)
    if code in HELD:
        return Unavailable(reason, retry_after=failure.wait or HELD[code], scope="channel")
    if code in LATER:
        return failure.later()
    return None
