"""How a sender of Twilio's is set up: who the account is, and how Twilio comes to know the bridge.

A Messaging Service is told by its own id, which is the setting `sender`; to tell a number or a sender on
WhatsApp its id had to be looked up first, so that is done by hand.
https://www.twilio.com/docs/messaging/api/service-resource
"""

from __future__ import annotations

from bridge.channels import Reply
from bridge.channels.twilio import replies
from bridge.errors import Unauthorized, Unavailable


def name(reply: Reply) -> str:
    """Raises Unauthorized for an account that is closed or suspended."""
    replies.check(reply)
    match reply.json():
        case {"friendly_name": str(), "status": "suspended" | "closed" as status}:
            raise Unauthorized(f"the account is {status}")
        case {"friendly_name": str(name), "sid": str(sid)}:
            return f"{name} ({sid})"
        case _:
            raise Unavailable(f"HTTP {reply.status} in place of the account's name")


def service(url: str) -> dict[str, str]:
    """Where a Messaging Service tells of messages; what it cannot tell it tries to tell once more."""
    return {
        "InboundRequestUrl": url,
        "InboundMethod": "POST",
        "FallbackUrl": url,
        "FallbackMethod": "POST",
        "StatusCallback": url,
        "UseInboundWebhookOnNumber": "false",
    }


def steps(url: str, *, whatsapp: bool) -> str:
    if whatsapp:
        return f"""\
Open Messaging > Senders > WhatsApp senders at https://console.twilio.com, and there the sender.
Webhook URL for incoming messages: {url}, by HTTP POST.
Fallback URL: the same, so that Twilio tries it twice.
Status callback URL: {url}, by HTTP POST.
In the sandbox in place of a sender: Messaging > Try it out > Send a WhatsApp message > Sandbox settings."""
    return f"""\
Open Phone Numbers > Manage > Active numbers at https://console.twilio.com, and there the number.
Messaging configuration, A message comes in: Webhook, {url}, HTTP POST.
Primary handler fails: the same, so that Twilio tries it twice."""
