"""How a WhatsApp number is set up: who it is, and how Meta comes to know the bridge.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override
The app has one address for the webhooks of all its numbers, which only its dashboard sets. A number can have
an address of its own: that is what `connect` gives it, so that several numbers of an app can be several
integrations. Meta calls the address to verify it before it answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bridge.channels import Request, graph
from bridge.channels.hub import Hub
from bridge.secret import Secret

FIELDS: Final = "verified_name,display_phone_number"


def name(body: Mapping[str, Any]) -> str:
    match body:
        case {"verified_name": str(title), "display_phone_number": str(number)} if title:
            return f"{title} ({number})"
        case {"display_phone_number": str(number)}:
            return number
        case _:
            return f"number {body.get('id')}"


def connect(api_url: str, number: str, token: Secret, hub: Hub, url: str) -> tuple[Request, ...]:
    """The request that gives the number its own address; none while Meta's word would not be believed."""
    if not hub.app_secret or not hub.verify_token:
        return ()
    override = {"override_callback_uri": url, "verify_token": hub.verify_token.reveal()}
    return (graph.post(api_url, number, token, {"webhook_configuration": override}),)


def steps(api_url: str, hub: Hub, url: str) -> str:
    accounts = f"{api_url}/<id of the WhatsApp Business Account>/subscribed_apps"
    return f"""\
{hub.first_step}Open the app at https://developers.facebook.com/apps, and there WhatsApp > Configuration.
Callback URL: {url}
Verify token: the setting verify_token. Press Verify and save while the ingress is running.
Webhook fields: subscribe to messages.
Once for the account: curl -X POST {accounts} -H "Authorization: Bearer <token>"
Publish the app: an unpublished one is told little or nothing."""
