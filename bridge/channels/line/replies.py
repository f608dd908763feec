"""What came back from LINE, as a message's id or the error that says what to do next.

A failure is {"message": …, "details": [{"message": …, "property": …}]}; it has no codes, so some sentences
have to be told apart. https://developers.line.biz/en/reference/messaging-api/#error-responses
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bridge.channels import Reply, text
from bridge.channels.foreign import foreign
from bridge.channels.later import later
from bridge.channels.retry_after import retry_after
from bridge.errors import ContentRefused, Forbidden, Rejected, SendError, Unauthorized, Unavailable

HELD_SECONDS: Final = 1.0
"""The account's limit is of calls in a second, and LINE never says how long to wait."""


def check(reply: Reply) -> str | None:
    body = reply.json()
    if not isinstance(body, dict):
        raise foreign(reply, "LINE's JSON")
    if 200 <= reply.status < 300 or _was_taken_before(reply, body):
        match body:
            case {"sentMessages": [{"id": str(id)}, *_]}:
                return id
        return None
    raise _failure(reply, body)


def _was_taken_before(reply: Reply, body: Mapping[Any, Any]) -> bool:
    """Whether this is the answer to a repeat, which LINE knows by its retry key."""
    return reply.status == 409 and (
        "x-line-accepted-request-id" in reply.headers
        or "sentMessages" in body
        or "retry key" in str(body.get("message"))
    )


def _failure(reply: Reply, body: Mapping[Any, Any]) -> SendError:
    said = body.get("message")
    reason = text.clean(said)[:200] if isinstance(said, str) else f"HTTP {reply.status}"
    wait = retry_after(reply.headers)
    match reply.status:
        case 429 if "monthly limit" in reason:
            # Nothing goes out until the month ends or the plan is changed: that needs a person, not a retry.
            return Unauthorized(reason)
        case 429:
            return Unavailable(reason, retry_after=HELD_SECONDS if wait is None else wait, scope="channel")
        case 401:
            return Unauthorized(reason)
        case 403:  # "not authorized to use the API": a feature, or the account
            return Forbidden(reason)
        case 400 if "'to'" in reason or _is_about_the_address(body.get("details")):
            return Rejected(reason)
        case 400 | 413:
            return ContentRefused(reason)
        case status if 400 <= status < 500 and status not in (408, 409, 425):
            return Rejected(reason)
    return later(reply, reason)


def _is_about_the_address(details: object) -> bool:
    match details:
        case [{"property": "to"}, *_]:
            return True
    return False
