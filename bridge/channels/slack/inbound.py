"""What Slack tells the bot: events as JSON, presses and slash commands as forms, all to one address."""

from __future__ import annotations

import hashlib
import hmac

from bridge.channels import Inbound, Reading
from bridge.channels.recent import recent
from bridge.channels.slack.events import event
from bridge.channels.slack.forms import form
from bridge.secret import Secret


def signed(inbound: Inbound, secret: Secret | None) -> bool:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    signed_at = inbound.headers.get("x-slack-request-timestamp", "")
    if not secret or not recent(signed_at, inbound.at):
        return False
    what = f"v0:{signed_at}:".encode() + inbound.body
    expected = f"v0={hmac.digest(secret.reveal().encode(), what, hashlib.sha256).hex()}".encode()
    given = inbound.headers.get("x-slack-signature", "").encode(errors="surrogateescape")
    return hmac.compare_digest(given, expected)


def incoming(body: bytes) -> Reading:
    """What is said in a request's body: an event is JSON, anything else a form."""
    return event(body) if body.lstrip().startswith(b"{") else form(body)
