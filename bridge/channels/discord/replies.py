"""What came back from Discord, as a message's id or the error that says what to do next.

A failure is {"code": …, "message": …}; {"retry_after": …, "global": …} say how long and what has to wait.
https://docs.discord.com/developers/topics/opcodes-and-status-codes#json
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from bridge.channels import Reply
from bridge.channels.foreign import foreign
from bridge.channels.retry_after import retry_after
from bridge.errors import ContentRefused, Rejected, SendError, Unauthorized, Unavailable

LATER: Final = {20016, 20022, 20028, 20029, 40003, 40004, 40006, 40062, 130000}
"""Slow mode, write limits, temporarily switched off, overloaded."""
LOCKED_OUT: Final = {40001, 40002, 40333, 50014}
"""Token refused, account to be verified, the client's name refused, token invalid."""
GONE: Final = {10003, 10004, 10013, 40007, 50001, 50007, 50008, 50013, 50024, 50083, 50278, 160005}
"""Channel, server or user unknown, no access or permission, direct messages refused, thread closed."""
FORBIDDEN: Final = {20009, 200000, 200001}
"""The words are what is refused, by filters: no other form of them would pass."""
DEEPEST: Final = 10


def check(reply: Reply) -> str | None:
    match reply.json():
        case {"id": str(message_id)} if reply.status < 300:
            return message_id
        case {"code": int(code), "message": str(message)} if 400 <= reply.status < 500:
            raise _failed(reply, code, message)
        case {"retry_after": int() | float()} as limit if reply.status == 429:
            raise _limited(reply, "rate limited", limit)
        case _ if reply.status == 204:
            return None
        case _ if reply.status == 429 and (wait := retry_after(reply.headers)) is not None:
            # The firewall's, for all calls alike.
            raise Unavailable("HTTP 429 without Discord's JSON", retry_after=wait, scope="channel")
        case _:
            raise foreign(reply, "Discord's JSON")


def _failed(reply: Reply, code: int, message: str) -> SendError:
    reason = f"{code}: {message}"[:120] + _where(reply.json())
    if reply.status == 429 or code in LATER:
        return _limited(reply, reason, reply.json())
    if reply.status == 401 or code in LOCKED_OUT:
        return Unauthorized(reason)
    if code in GONE or code in FORBIDDEN:
        return Rejected(reason)
    # Whatever else it dislikes is not the chat: a simpler form costs one call more, and may pass.
    return ContentRefused(reason)


def _where(failure: Mapping[str, Any]) -> str:
    """Which field is refused, and by which rule: " (embeds.0.image.url: URL_TYPE_INVALID_URL)".

    https://docs.discord.com/developers/reference#error-messages; what the rule says of it is left out, as it
    may quote the message.
    """
    path: list[str] = []
    at: Any = failure.get("errors")
    while isinstance(at, dict) and at and len(path) < DEEPEST:
        match at:
            case {"_errors": [{"code": str(rule)}, *_]}:
                said = ": ".join(filter(None, (".".join(path), rule)))
                return f" ({said})" if re.fullmatch(r"[\w.: ]{1,120}", said) else ""
        name, at = next(iter(at.items()))
        path.append(name)
    return ""


def _limited(reply: Reply, reason: str, limit: Mapping[str, Any]) -> Unavailable:
    """A limit is the chat's unless it says that it is global. The body is more exact than the header."""
    wait = limit.get("retry_after")
    exact = wait if isinstance(wait, int | float) and wait >= 0 else retry_after(reply.headers)
    everywhere = limit.get("global") is True or "x-ratelimit-global" in reply.headers
    return Unavailable(reason, retry_after=exact, scope="channel" if everywhere else "chat")
