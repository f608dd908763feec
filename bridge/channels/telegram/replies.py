"""What came back from Telegram, as a message's id or the error that says what to do next.

A failure is {"ok": false, "error_code": …, "description": …, "parameters": …}, its status the error_code's.
The Bot API has no list of them; https://core.telegram.org/bots/api#making-requests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from bridge.channels import Reply, text
from bridge.channels.foreign import foreign
from bridge.channels.later import scope_of
from bridge.channels.retry_after import retry_after
from bridge.errors import ContentRefused, Moved, Rejected, Unauthorized, Unavailable

GONE: Final = (
    "chat not found",
    "chat_id is empty",
    "user not found",
    "peer_id_invalid",
    "message thread not found",
    "topic_closed",
    "chat_restricted",
    "chat_write_forbidden",
    "no rights to send a message",
    "not enough rights to send text messages",
)
"""What a 400 says when no form of the message would reach the chat."""


def check(reply: Reply) -> str | None:
    match reply.json():
        case {"ok": True, "result": {"message_id": int(number)}}:
            return str(number)
        case {"ok": True}:
            return None
        case {"ok": False, **failure}:
            _failed(reply, failure)
            return None
        case _:
            raise foreign(reply, "Telegram's JSON")


def _failed(reply: Reply, failure: Mapping[Any, Any]) -> None:
    """Raises; but a click acknowledged too late is no failure, as nobody waits for it any more.

    A 429 is taken as the chat's. Which limit was met Telegram does not say; but the pace the bot declares
    keeps it below the bot-wide limit, so what is left are the limits of single chats, and a group that talks
    too much must not silence all others.
    """
    code, description = failure.get("error_code"), failure.get("description")
    status = code if isinstance(code, int) else reply.status
    reason = _reason(description) if isinstance(description, str) else f"HTTP {status}"
    said = reason.lower()
    match failure.get("parameters"):
        case {"migrate_to_chat_id": int(chat)}:
            raise Moved(reason, to=str(chat))
        case {"retry_after": int(seconds)} if status == 429:
            raise Unavailable(reason, retry_after=float(max(seconds, 0)), scope="chat")
    if status == 429 or status >= 500:
        raise Unavailable(reason, retry_after=retry_after(reply.headers), scope=scope_of(status))
    if status in (401, 404) or "frozen_method_invalid" in said:
        raise Unauthorized(reason)
    if "query is too old" in said:
        return
    if status == 403 or any(sign in said for sign in GONE):
        raise Rejected(reason)
    # Whatever else it dislikes is not the chat: a simpler form costs one call more, and may pass.
    raise ContentRefused(reason)


def _reason(description: str) -> str:
    """Telegram's sentence without what it quotes of the message, and bounded."""
    return re.sub(r" (['\"]).*\1", " …", text.clean(description), flags=re.DOTALL)[:200]
