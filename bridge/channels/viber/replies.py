"""What came back from Viber, as a message's id or the error that says what to do next.

Viber answers with HTTP 200 to nearly everything: {"status": 0, "message_token": …} or another status and a
"status_message". https://developers.viber.com/docs/api/rest-bot-api/#error-codes
"""

from __future__ import annotations

from typing import Final

from bridge.channels import Reply, text
from bridge.channels.foreign import foreign
from bridge.channels.later import later
from bridge.channels.retry_after import retry_after
from bridge.errors import ContentRefused, Forbidden, Rejected, SendError, Unauthorized, Unavailable

OK: Final = 0
TOO_MANY: Final = 12
"""A hundred messages to one user within an hour without an answer: only that chat has to wait."""
REFUSED: Final = frozenset({1, 3, 4, 13, 14, 16, 22})
"""A wrong address, bad or missing data, a form that this phone or account does not have."""
GONE: Final = frozenset({5, 6, 11, 21})
"""The receiver is not on Viber or has not subscribed, their phone is too old, their country has no bots."""
ACCOUNT: Final = frozenset({2, 7, 8, 9, 10, 23, 24})
"""Token, block, suspension, webhook and balance of the bot: every call would be refused."""
UNCLEAR: Final = frozenset({15, 17, 18, 19, 20})
"""A permission of the bot, for this call or for all."""


def check(reply: Reply) -> str | None:
    match reply.json():
        case {"status": int(status), **rest}:
            said = rest.get("status_message")
        case _:
            raise foreign(reply, "Viber's JSON")
    if 200 <= reply.status < 300 and status == OK:
        token = rest.get("message_token")
        return str(token) if isinstance(token, int | str) else None
    reason = f"status {status}: {text.clean(said)[:200]}" if isinstance(said, str) else f"status {status}"
    if reply.status == 429 or reply.status >= 500 or status == OK:
        raise later(reply, f"HTTP {reply.status}, {reason}")
    raise _failure(status, reason, retry_after(reply.headers))


def _failure(status: int, reason: str, wait: float | None) -> SendError:
    if status in ACCOUNT:
        return Unauthorized(reason)
    if status in UNCLEAR:
        return Forbidden(reason)
    if status in GONE:
        return Rejected(reason)
    if status in REFUSED:
        return ContentRefused(reason)
    if status == TOO_MANY:
        return Unavailable(reason, retry_after=wait, scope="chat")
    return Unavailable(reason, retry_after=wait)  # "other general errors"
