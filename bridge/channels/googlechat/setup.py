"""What helps to set a Chat app up: who it is, and the steps in Google's console, which no app can do itself.

An app is asked for its spaces, which it may always list. An incoming webhook is sent an empty message, which
is refused for being empty once its key and token are accepted.
"""

from __future__ import annotations

from typing import Final

from bridge.channels import Reply
from bridge.channels.googlechat import replies
from bridge.errors import Unavailable

WEBHOOK: Final = "an incoming webhook"


def app_name(reply: Reply, email: str) -> str:
    """The account's name; an app with an access token alone is named nowhere."""
    match reply.json():
        case dict() if 200 <= reply.status < 300:
            return email or "a Chat app"
        case _:
            replies.check(reply)
            raise Unavailable(f"HTTP {reply.status} in place of the app's spaces")


def webhook_name(reply: Reply) -> str:
    match reply.json():
        case {"error": {"status": "INVALID_ARGUMENT", **failure}} if (
            reply.status == 400 and replies.BAD_KEY not in str(failure.get("details"))
        ):
            return WEBHOOK
        case _:
            replies.check(reply)
            return WEBHOOK


def steps(url: str, audience: str) -> str:
    if not audience:
        proof = (
            "In the settings audience is missing, so no event would be taken: the endpoint URL for an add-on,"
            " else what is chosen as authentication audience."
        )
    elif audience.isdecimal():
        proof = f"Choose the authentication audience Project Number: in the settings it is {audience}."
    elif audience == url:
        proof = (
            "Choose the authentication audience HTTP endpoint URL; for an add-on, which has no choice, put"
            " the service account email shown there into the setting caller."
        )
    else:
        proof = f"In the settings audience is {audience}: it must be the URL above, or the project's number."
    return f"""\
Open https://console.cloud.google.com/apis/api/chat.googleapis.com/hangouts-chat and its tab Configuration.
Turn on Interactive features, choose HTTP endpoint URL and enter {url} (for all triggers).
{proof}
Tick Join spaces and group conversations if the app is to be used there, say who may use it, and save.
Write to the app in Google Chat: New chat, then its name."""
