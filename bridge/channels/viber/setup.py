"""How a Viber bot is set up: who it is, and how Viber comes to know the bridge.

https://developers.viber.com/docs/api/rest-bot-api/#setting-a-webhook. Viber calls the address before it
answers, so the ingress has to be running, with a certificate that is not self-signed.
"""

from __future__ import annotations

from typing import Any, Final

from bridge.channels import Reply
from bridge.channels.viber import replies
from bridge.errors import Unavailable

WHO: Final = "get_account_info"
REGISTER: Final = "set_webhook"
TOLD: Final = ("message", "failed", "seen")
"""The callbacks that are read; Viber sends no others then, but for those of subscriptions."""


def webhook(url: str) -> dict[str, Any]:
    """Users' names are told only where they are asked for."""
    return {"url": url, "event_types": TOLD, "send_name": True, "send_photo": False}


def name(reply: Reply) -> str:
    replies.check(reply)
    match reply.json():
        case {"name": str(name)} if name:
            return name
        case _:
            raise Unavailable(f"HTTP {reply.status} in place of the bot's name")
