"""What came back from a homeserver, as an event's id or the error that says what to do next.

A failure is {"errcode": "M_…", "error": …}; where the code is M_UNKNOWN, the HTTP status says more.
https://spec.matrix.org/latest/client-server-api/#standard-error-response
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from bridge.channels import Reply
from bridge.channels.foreign import foreign
from bridge.channels.retry_after import retry_after
from bridge.errors import ContentRefused, Forbidden, Rejected, SendError, Unauthorized, Unavailable

LOCKED_OUT: Final = frozenset(
    {
        "M_UNKNOWN_TOKEN",
        "M_MISSING_TOKEN",
        "M_USER_DEACTIVATED",
        "M_USER_LOCKED",
        "M_USER_SUSPENDED",
        "M_CONSENT_NOT_GIVEN",
    }
)
"""Of all calls alike: the token, the account, or its consent to the terms."""
UNCLEAR: Final = frozenset({"M_UNAUTHORIZED", "M_UNRECOGNIZED"})
"""A right that the account lacks, here or everywhere; a room's or the homeserver's address that is wrong."""
LATER: Final = frozenset({"M_LIMIT_EXCEEDED", "M_RESOURCE_LIMIT_EXCEEDED"})
GONE: Final = frozenset({"M_FORBIDDEN", "M_NOT_FOUND", "M_GUEST_ACCESS_FORBIDDEN"})
"""Not in the room, no right to speak in it, no such room."""
HAS_ACCOUNT: Final = "M_USER_IN_USE"
"""The bot's account was made before."""
TOO_LARGE: Final = 413
_CODE: Final = re.compile(r"[A-Z0-9_.]{1,64}", re.IGNORECASE)
_MEDIA: Final = re.compile(r"mxc://[^/\s]+/[A-Za-z0-9_-]+")


def check(reply: Reply) -> str | None:
    if reply.status == 400 and _code(reply) == HAS_ACCOUNT:
        return None
    match answer(reply):
        case {"event_id": str(event)}:
            return event
        case {"room_id": str()} | {"user_id": str()} | {"duration_ms": int()}:
            return None  # a room was joined, an account made, the bridge reached
        case {**rest} if not rest:  # of a sign
            return None
        case _:
            raise foreign(reply, "an event's id")


def uploaded(reply: Reply) -> str:
    """Where the file is. What is too large or of no kind it takes is refused as a form."""
    try:
        match answer(reply):
            case {"content_uri": str(address)} if _MEDIA.fullmatch(address):
                return address
    except Rejected as error:
        raise ContentRefused(str(error)) from None
    except Unavailable:
        if reply.status == TOO_LARGE:  # it may be the word of a proxy
            raise ContentRefused("HTTP 413") from None
        raise
    raise foreign(reply, "a file's address")


def answer(reply: Reply) -> Mapping[str, Any]:
    """The body of a success. Raises for everything else."""
    match reply.json():
        case {"errcode": str(code), **failure} if reply.status >= 400:
            raise _failed(reply, code, failure)
        case dict(body) if 200 <= reply.status < 300 and "errcode" not in body:
            return body
        case _:
            raise foreign(reply, "a homeserver's JSON")


def _code(reply: Reply) -> str:
    match reply.json():
        case {"errcode": str(code)}:
            return code
        case _:
            return ""


def _failed(reply: Reply, code: str, failure: Mapping[Any, Any]) -> SendError:
    """By its code alone: the sentence beside it is made by whoever wrote the homeserver."""
    reason = f"HTTP {reply.status} {code}" if _CODE.fullmatch(code) else f"HTTP {reply.status}"
    if reply.status == 429 or code in LATER:
        # A homeserver counts the calls of an account, whatever the room.
        return Unavailable(reason, retry_after=_wait(reply, failure), scope="channel")
    if reply.status >= 500:
        return Unavailable(reason, retry_after=retry_after(reply.headers))
    if reply.status == 401 or code in LOCKED_OUT:
        return Unauthorized(reason)
    if code in UNCLEAR:
        return Forbidden(reason)
    if code in GONE or reply.status in (403, 404):
        return Rejected(reason)
    # Whatever else it dislikes is not the room: a simpler form costs one call more, and may pass.
    return ContentRefused(reason)


def _wait(reply: Reply, failure: Mapping[Any, Any]) -> float | None:
    """The header is the one that is to be obeyed since v1.10; older homeservers have only the field."""
    wait = retry_after(reply.headers)
    match failure.get("retry_after_ms"):
        case int() | float() as milliseconds if wait is None and milliseconds >= 0:
            return milliseconds / 1000
    return wait
