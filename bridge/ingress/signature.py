"""Moveo's signature: X-Moveo-Signature, hex HMAC-SHA256 of the raw body (docs.moveo.ai: webhook security).

It is computed over the bytes as they came, before anything is parsed, and compared in constant time.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final

from bridge.secret import Secret

HEADER: Final = "X-Moveo-Signature"


def sign(secret: Secret, body: bytes) -> str:
    """The header's value for `body`."""
    return _digest(secret, body).hex()


def verify(secrets: Sequence[Secret], body: bytes, signature: str) -> bool:
    """Whether any of the secrets signed `body`. Any text may be given as the signature; it never raises."""
    try:
        given = bytes.fromhex(signature)
    except ValueError:
        return False
    matches = False
    for secret in secrets:
        matches |= hmac.compare_digest(_digest(secret, body), given)
    return matches


def _digest(secret: Secret, body: bytes) -> bytes:
    return hmac.digest(secret.reveal().encode("utf-8", "surrogateescape"), body, "sha256")
