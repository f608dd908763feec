"""How a page or an Instagram account is set up: who it is, and how Meta comes to know the bridge.

https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps
https://developers.facebook.com/documentation/instagram-platform/webhooks/setup
The address of the webhook is the app's, and only its dashboard sets it. By the account's own token `connect`
lets the app hear of the account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from bridge.channels import Request, graph
from bridge.channels.hub import Hub
from bridge.secret import Secret

OWN_LOGIN: Final = "graph.instagram.com"
"""The host of the API for Instagram accounts that log in by themselves."""


class Webhooks(msgspec.Struct, frozen=True):
    """What a platform calls its accounts in webhooks, where these are set up, and which there are to have."""

    object: str
    where: str
    fields: str
    """To be subscribed to for the app."""
    account_fields: str
    """And for the account."""


def who(api_url: str, token: Secret) -> Request:
    """A page has a name; an account may have none, but a user name."""
    field = "username" if urlsplit(api_url).hostname == OWN_LOGIN else "name"
    return graph.get(api_url, f"me?fields={field}", token)


def name(body: Mapping[str, Any]) -> str:
    match body:
        case {"name": str(title)} | {"username": str(title)}:
            return title
        case _:
            return f"account {body.get('id')}"


def connect(api_url: str, token: Secret, hub: Hub, webhooks: Webhooks) -> tuple[Request, ...]:
    """The request that lets the app hear of the account; none while Meta's word would not be believed."""
    if hub.first_step:
        return ()
    path = f"me/subscribed_apps?subscribed_fields={webhooks.account_fields}"
    return (graph.post(api_url, path, token, {}),)


def steps(hub: Hub, webhooks: Webhooks, url: str) -> str:
    return f"""\
{hub.first_step}Open the app at https://developers.facebook.com/apps, and there {webhooks.where}.
Callback URL: {url}
Verify token: the setting verify_token. Press Verify and save while the ingress is running.
Webhook fields: subscribe to {webhooks.fields}.
Publish the app: an unpublished one is told little or nothing."""
