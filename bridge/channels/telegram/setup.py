"""What helps to set a bot up: https://core.telegram.org/bots/api#setwebhook.

`max_connections` is left as it is (40): over any number of connections the Bot API server hands out the
messages of one chat one after another, and so it does with the presses of one user. Only a press and a
message of the same moment may overtake one another; that one connection had to serve all chats would cost
more.
https://github.com/tdlib/telegram-bot-api (WebhookActor.cpp)
"""

from __future__ import annotations

from typing import Any, Final

from bridge.channels import Reply
from bridge.channels.telegram import replies
from bridge.errors import Unavailable

ALLOWED: Final = ("message", "callback_query")
"""The updates that are read; Telegram sends no others then."""


def webhook(url: str, secret_token: str) -> dict[str, Any]:
    return {"url": url, "secret_token": secret_token, "allowed_updates": ALLOWED}


def bots_name(reply: Reply) -> str:
    match reply.json():
        case {"ok": True, "result": {"username": str(name)}}:
            return f"@{name}"
        case _:
            replies.check(reply)
            raise Unavailable(f"HTTP {reply.status} in place of the bot's name")


def steps(url: str) -> str:
    """What is to be done before Telegram can be told of the webhook."""
    return f"""\
In the settings secret_token is missing: choose one, 1 to 256 of A-Z a-z 0-9 _ and -.
Then connect again: Telegram is given it with {url}, and proves by it that it is Telegram."""
