"""How a LINE Official Account is set up: who it is, and how LINE comes to know the bridge.

https://developers.line.biz/en/reference/messaging-api/#set-webhook-endpoint-url. The address can be set by
the API; that it is used, and that the account's own automatic answers are off, only by hand.
"""

from __future__ import annotations

from typing import Final

from bridge.channels import Reply
from bridge.channels.line import replies
from bridge.errors import Unavailable

ENDPOINT: Final = "channel/webhook/endpoint"
FIRST_STEP: Final = """\
Set channel_secret (Basic settings of the channel); start the ingress again, and connect again.
"""


def name(reply: Reply) -> str:
    match reply.json():
        case {"displayName": str(name), "basicId": str(basic_id)} if reply.status == 200:
            return f"{name} ({basic_id})"
        case _:
            replies.check(reply)
            raise Unavailable(f"HTTP {reply.status} in place of the account's name")


def steps(url: str, *, signed: bool) -> str:
    first = "" if signed else FIRST_STEP
    return f"""\
{first}Open the channel at https://developers.line.biz/console/, and there Messaging API.
Webhook URL: {url}
Press Verify while the ingress is running, and turn Use webhook on.
Turn Webhook redelivery on, so that nothing is lost while the ingress is away.
In LINE Official Account Manager (https://manager.line.biz/), Response settings: turn Auto-response off.
There, turn Chat on if read receipts are to come from the agent: while it is off, LINE marks all as read."""
