"""Meta's webhooks, of WhatsApp, Messenger and Instagram alike: who calls, the handshake, and what is in them.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started
Meta asks once, by GET, whether the address is meant to be one: it shows the verify token, and wants its
challenge back. Every POST is signed with the app's secret, over the body as it was sent. Nothing in it tells
a repeat from the first time but the ids of the messages.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

import msgspec

from bridge.channels import Inbound, Reading
from bridge.errors import ConfigError
from bridge.secret import Secret

SIGNATURE: Final = "x-hub-signature-256"
FIRST_STEP: Final = """\
Set app_secret (the app's dashboard has it) and verify_token (a word of your own); start the ingress again.
"""


class Hub(msgspec.Struct, frozen=True):
    """What the app and the bridge share, each as far as it is set."""

    app_secret: Secret | None
    verify_token: Secret | None

    def __post_init__(self) -> None:
        for name in ("app_secret", "verify_token"):
            secret = getattr(self, name)
            if secret is not None and not re.fullmatch(r"[!-~]+", secret.reveal()):
                raise ConfigError(f"{name}: must be of ASCII letters, digits and signs, without spaces")

    def verify(self, inbound: Inbound) -> bool:
        """Whether Meta signed it; of a GET, whether it shows the verify token."""
        match inbound.method:
            case "GET" if self.verify_token:
                shown = inbound.query.get("hub.verify_token", "")
                return inbound.query.get("hub.mode") == "subscribe" and _same(
                    shown, self.verify_token.reveal()
                )
            case "POST" if self.app_secret:
                key = self.app_secret.reveal().encode()
                digest = hmac.new(key, inbound.body, hashlib.sha256).hexdigest()
                return _same(inbound.headers.get(SIGNATURE, ""), f"sha256={digest}")
            case _:
                return False

    @property
    def first_step(self) -> str:
        """What is to be done before Meta is told of the bridge; "" for nothing."""
        if self.app_secret and self.verify_token:
            return ""
        return FIRST_STEP


def challenge(inbound: Inbound) -> Reading:
    """The answer to the handshake."""
    return Reading(answer=inbound.query.get("hub.challenge", "").encode(errors="replace"))


def _same(given: str, expected: str) -> bool:
    """In constant time, whatever bytes were given."""
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())
