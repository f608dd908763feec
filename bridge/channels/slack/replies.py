"""What came back from Slack, as a message's id or the error that says what to do next.

Slack answers 200 to nearly everything: {"ok": true, "ts": …}, or {"ok": false, "error": "its_name"}.
https://docs.slack.dev/reference/methods/chat.postMessage#errors
"""

from __future__ import annotations

import re
from typing import Final

from bridge.channels import Reply
from bridge.channels.foreign import foreign
from bridge.channels.retry_after import retry_after
from bridge.errors import ContentRefused, Rejected, SendError, Unauthorized, Unavailable, Uncertain

LATER: Final = {
    "org_login_required",
    "rate_limited",
    "ratelimited",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
}
PERHAPS: Final = {"fatal_error", "internal_error"}
"""Some of it may have been done before the error was raised, Slack says."""
LOCKED_OUT: Final = {
    "accesslimited",
    "account_inactive",
    "app_access_restricted",
    "ekm_access_denied",
    "enterprise_is_restricted",
    "invalid_auth",
    "missing_scope",
    "not_allowed_token_type",
    "not_authed",
    "team_access_not_granted",
    "token_expired",
    "token_revoked",
    "two_factor_setup_required",
}
GONE: Final = {
    "access_denied",
    "cannot_dm_bot",
    "cannot_reply_to_message",
    "channel_is_limited_access",
    "channel_not_found",
    "is_archived",
    "is_inactive",
    "message_limit_exceeded",
    "messages_tab_disabled",
    "no_permission",
    "not_in_channel",
    "thread_not_found",
    "user_disabled",
    "user_not_found",
    "user_not_visible",
}
"""No form of the message would reach the chat; "restricted_action" and what it begins are the same."""


def check(reply: Reply) -> str | None:
    match reply.json():
        case {"ok": True, "ts": str(ts)} if reply.status < 300:
            return ts
        case {"ok": True} if reply.status < 300:
            return None
        case {"ok": False, "error": str(error)} if reply.status < 500 and re.fullmatch(r"\w{1,80}", error):
            raise _failed(reply, error)
        case _ if reply.status == 429:
            raise _unavailable(reply, "HTTP 429 without Slack's JSON")
        case _:
            raise foreign(reply, "Slack's JSON")


def _failed(reply: Reply, error: str) -> SendError:
    if error in LATER or reply.status == 429:
        return _unavailable(reply, error)
    if error in PERHAPS:
        return Uncertain(error)
    if error in LOCKED_OUT:
        return Unauthorized(error)
    if error in GONE or error.startswith("restricted_action"):
        return Rejected(error)
    # Whatever else it dislikes is not the chat: a simpler form costs one call more, and may pass.
    return ContentRefused(error)


def _unavailable(reply: Reply, reason: str) -> Unavailable:
    """A time that Slack names is the method's in the whole workspace, and all messages go by one method."""
    wait = retry_after(reply.headers)
    limited = wait is not None and reply.status in (200, 429)
    return Unavailable(reason, retry_after=wait, scope="channel" if limited else "chat")
