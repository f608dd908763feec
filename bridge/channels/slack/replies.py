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
from bridge.errors import ContentRefused, Forbidden, Rejected, SendError, Unauthorized, Unavailable, Uncertain

LIMITED: Final = {"rate_limited", "ratelimited"}
LATER: Final = {"org_login_required", "request_timeout", "service_unavailable", "team_added_to_org"}
PERHAPS: Final = {"fatal_error", "internal_error"}
"""Some of it may have been done before the error was raised, Slack says."""
LOCKED_OUT: Final = {
    "accesslimited",
    "account_inactive",
    "invalid_auth",
    "missing_scope",
    "not_allowed_token_type",
    "not_authed",
    "token_expired",
    "token_revoked",
    "two_factor_setup_required",
}
UNCLEAR: Final = {
    "app_access_restricted",
    "ekm_access_denied",
    "enterprise_is_restricted",
    "team_access_not_granted",
}
"""A right that the app lacks: in the workspace that this channel is of, or everywhere."""
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
            raise _limited(reply, "HTTP 429 without Slack's JSON")
        case _:
            raise foreign(reply, "Slack's JSON")


def _failed(reply: Reply, error: str) -> SendError:
    if error in LIMITED or reply.status == 429:
        return _limited(reply, error)
    if error in LATER:
        return Unavailable(error, retry_after=retry_after(reply.headers))
    if error in PERHAPS:
        return Uncertain(error)
    if error in LOCKED_OUT:
        return Unauthorized(error)
    if error in UNCLEAR:
        return Forbidden(error)
    if error in GONE or error.startswith("restricted_action"):
        return Rejected(error)
    # Whatever else it dislikes is not the chat: a simpler form costs one call more, and may pass.
    return ContentRefused(error)


def _limited(reply: Reply, reason: str) -> Unavailable:
    """Return the error for a rate limit: the time is in the header, or in the body as `retry_after`.

    chat.postMessage is limited to a message a second in each channel, and by workspace besides. One busy
    channel must not stop the others, and a channel that meets the workspace's limit is told so itself.
    https://docs.slack.dev/apis/web-api/rate-limits
    """
    wait = retry_after(reply.headers)
    match reply.json():
        case {"retry_after": int() | float() as seconds} if wait is None and 0 <= seconds is not True:
            wait = float(seconds)
    return Unavailable(reason, retry_after=wait, scope="chat")
