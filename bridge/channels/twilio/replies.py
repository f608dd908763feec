"""What came back from Twilio, as a message's sid or the error that says what to do next.

A failure is {"code": …, "message": …, "status": …}; some come with the message, as its status.
https://www.twilio.com/docs/api/errors
"""

from __future__ import annotations

from typing import Final

from bridge.channels import Reply
from bridge.channels.foreign import foreign
from bridge.channels.later import later
from bridge.channels.retry_after import retry_after
from bridge.errors import ContentRefused, Forbidden, Rejected, SendError, Unauthorized, Unavailable

LOCKED_OUT: Final = frozenset({20003, 20005, 20008, 30002})
"""The account or its credentials: no other message would pass either."""
UNCLEAR: Final = frozenset({20404, 21212, 21606, 21659, 21660, 21703, 21704, 63007})
"""The sender: it cannot be used at all, or not for this receiver's country or kind of number."""
HELD: Final = {
    20429: 1.0,  # calls at once
    21611: 60.0,  # the sender's queue at Twilio is full: it holds hours
    30001: 60.0,
    63017: 1.0,  # messages of the account in a second
    63018: 1.0,  # messages of the sender in a second
    63038: 900.0,  # messages of the account in a day
}
"""Limits of the account or its sender, and how many seconds all its chats wait: Twilio names no time."""
LATER: Final = frozenset({14107, 20500, 20503, 20504, 30008, 30410, 63010, 63012})
"""This chat waits: between two numbers too much was sent, or something on the way is broken."""
FORM: Final = frozenset(
    {11200, 11751, 12300, 21612, 21620, 21623, 21635, 30011, 30019, 63005, 63006, 63019, 63021, 63034}
)
"""The file, or a route that has no MMS; the same as a text may pass."""


def check(reply: Reply) -> str | None:
    match reply.json():
        case {"sid": str(), "status": "failed" | "undelivered" | "canceled", "error_code": int(code)}:
            raise _failure(reply, code)
        case {"sid": str(sid)} if 200 <= reply.status < 300:
            return sid
        case {"success": True} if 200 <= reply.status < 300:  # a typing sign
            return None
        case {"code": int(code)} if not 200 <= reply.status < 300:
            raise _failure(reply, code)
        case _:
            raise foreign(reply, "Twilio's JSON")


def meaning(code: int) -> str:
    """The code in words, with the page about it; Twilio's own sentence may quote a number or an address."""
    return f"error {code} of Twilio (https://www.twilio.com/docs/api/errors/{code})"


def _failure(reply: Reply, code: int) -> SendError:
    reason = f"HTTP {reply.status}, {meaning(code)}"
    wait = retry_after(reply.headers)
    if code in HELD or reply.status == 429:
        held = wait if wait is not None else HELD.get(code, HELD[20429])
        return Unavailable(reason, retry_after=held, scope="channel")
    if code in LATER or reply.status >= 500:
        return later(reply, reason)
    if code in LOCKED_OUT or reply.status == 401:
        return Unauthorized(reason)
    if code in UNCLEAR:
        return Forbidden(reason)
    return ContentRefused(reason) if code in FORM else Rejected(reason)
