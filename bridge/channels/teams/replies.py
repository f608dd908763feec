"""What came back from Teams, as an activity's id or the error that says what to do next.

A failure is {"error": {"code": …, "message": …}}; the codes are under "Status codes" of
https://learn.microsoft.com/en-us/microsoftteams/platform/bots/how-to/conversations/conversation-messages
"""

from __future__ import annotations

import re
from typing import Any, Final

from bridge.channels import Reply
from bridge.channels.foreign import foreign
from bridge.channels.later import later
from bridge.errors import ContentRefused, Rejected, SendError, Unauthorized

ACCEPTED: Final = 202
LATER: Final = frozenset({408, 412, 425, 429})
"""412 is what two calls at once in one conversation meet."""
OTHERWISE: Final = frozenset({400, 413})
"""What is wrong with the activity may be its form or its size: a simpler one may pass."""
_CODE: Final = re.compile(r"[A-Za-z0-9_. -]{1,64}")


def check(reply: Reply) -> str | None:
    match reply.json():
        case {"id": str(activity)} if 200 <= reply.status < 300:
            return activity or None
        case {} if 200 <= reply.status < 300:
            return None
        case {**failure} if reply.status >= 400:
            raise _failure(reply, failure.get("error"))
        case _ if reply.status == ACCEPTED:
            return None
        case _:
            raise foreign(reply, "Teams' JSON")


def _failure(reply: Reply, error: Any) -> SendError:
    """By the status; the code, which says why, is all that is quoted.

    A 403 is about one conversation, even where an administrator has blocked the bot: of a bot of several
    organisations the others go on.
    """
    reason = f"HTTP {reply.status}"
    match error:
        case {"code": str(code)} if _CODE.fullmatch(code):
            reason += f" {code}"
    match reply.status:
        case 401:
            return Unauthorized(reason)
        case status if status in OTHERWISE:
            return ContentRefused(reason)
        case status if status in LATER or status >= 500:
            return later(reply, reason)
        case _:
            return Rejected(reason)
