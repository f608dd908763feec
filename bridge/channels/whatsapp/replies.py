"""What came back from the Cloud API, as a message's id or the error that says what to do next.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
Much that goes wrong later (a file WhatsApp cannot fetch, a user that cannot be reached) comes as a status
event, and not as the answer.
"""

from __future__ import annotations

from typing import Final

from bridge.channels import Reply, graph
from bridge.errors import ContentRefused, Forbidden, Rejected, SendError, Unauthorized, Unavailable, Uncertain

HELD: Final = {
    4: 60.0,  # calls of the app in an hour
    80007: 60.0,  # calls of the business account in an hour
    130429: 1.0,  # messages of the number in a second
    131048: 600.0,  # too many were reported as spam
    131057: 60.0,  # the number is under maintenance
    131064: 600.0,  # the account's messaging limit
}
"""Limits of the whole account, and how many seconds it is held where Meta names no time."""
CHAT_LATER: Final = frozenset({131000, 131056})
"""Not now, for this chat: something went wrong with this message, too many messages to this user."""
LATER: Final = frozenset({1, 2, 131016, 133004, 135000})
"""Not now: unknown errors, a service that is down."""
NEVER: Final = frozenset(
    {
        *(130472, 131049),  # held back by an experiment, or for the sake of the user's patience
        *(130497, 131021, 131026, 131030, 131062),  # a user who cannot be reached
        *(131047, 131050),  # more than 24 hours after the user's last message; opted out
        *(132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016),  # templates
    }
)
"""No form of the message would reach the user."""
LOCKED_OUT: Final = frozenset({131031, 131042, 131045, 133010, 133016})
"""The account: locked, not paid for, not registered."""
UNCLEAR: Final = frozenset({131005})
"""A permission is missing, for this message or for all."""
FORM: Final = frozenset({100, 131008, 131009, 131051, 131052, 131053})
"""This form of the message: a parameter, a type, a file that cannot be fetched."""


def check(reply: Reply) -> str | None:
    match graph.answer(reply, failed):
        case {"messages": [{"id": str(id)}, *_]}:
            return id
        case {"success": True}:  # of a mark, or of a webhook
            return None
        case _:
            raise Uncertain(f"HTTP {reply.status} without a message's id")


def failed(failure: graph.Failure) -> SendError | None:
    """What WhatsApp means by a failure; None where the Graph API does by it."""
    code, reason = failure.code, failure.reason
    if code in HELD:
        return Unavailable(reason, retry_after=failure.wait or HELD[code], scope="channel")
    if code in CHAT_LATER:
        return Unavailable(reason, retry_after=failure.wait, scope="chat")
    if code in LATER:
        return failure.later()
    if code in NEVER:
        return Rejected(reason)
    if code in LOCKED_OUT:
        return Unauthorized(reason)
    if code in UNCLEAR:
        return Forbidden(reason)
    if code in FORM and (code, failure.subcode) != graph.NO_SUCH_OBJECT:
        return ContentRefused(reason)
    return None
