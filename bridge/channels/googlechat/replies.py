"""What came back from Google Chat, as a message's name or the error that says what to do next.

A failure is {"error": {"code", "message", "status", "details"}}: https://google.aip.dev/193
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bridge.channels import Reply, text
from bridge.channels.foreign import foreign
from bridge.channels.later import later
from bridge.errors import ContentRefused, Rejected, SendError, Unauthorized

SETTINGS: Final = ("ACCESS_TOKEN", "SERVICE_DISABLED", "API_KEY", "ACCOUNT_STATE", "app not found")
"""What a 403 or 404 says when the app or its token is meant, and not the space."""
BAD_KEY: Final = "API_KEY_INVALID"
"""What a 400 gives as its reason when it means the `key` of a webhook."""

LATER: Final = ("ABORTED", "CANCELLED")
"""What met another change of the space, or was broken off: https://google.aip.dev/193#http-mapping"""


def check(reply: Reply) -> str | None:
    match reply.json():
        case {"name": str(name)} if 200 <= reply.status < 300:
            return name
        case {"error": {"status": "ALREADY_EXISTS"}} if reply.status == 409:
            return None  # an earlier try has arrived
        case {"error": {"status": str(status), **failure}} if reply.status >= 400:
            raise _failure(reply, status, failure)
        case _:
            raise foreign(reply, "Chat's JSON")


def _failure(reply: Reply, status: str, failure: Mapping[Any, Any]) -> SendError:
    """By Google's status; its sentence may quote the message, and is left out."""
    reason = f"HTTP {reply.status} {text.clean(status)[:40]}"
    if reply.status == 429 or reply.status >= 500 or status in LATER:
        return later(reply, reason)
    said = f"{failure.get('message')} {failure.get('details')}"
    if reply.status == 401 or (reply.status in (403, 404) and any(sign in said for sign in SETTINGS)):
        return Unauthorized(reason)
    if BAD_KEY in str(failure.get("details")):
        return Unauthorized(reason)
    return ContentRefused(reason) if status == "INVALID_ARGUMENT" else Rejected(reason)
