"""Who sent a webhook: Twilio signs its address and its form with the account's auth token.

https://www.twilio.com/docs/usage/webhooks/webhooks-security. Signed is the address as Twilio was given it,
then each field's name and value, sorted; with HMAC-SHA1, which is still a good MAC. A proxy may hide the
scheme from the ingress, and Twilio signs a port that goes without saying at some times and not at others: all
forms are tried.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl

from bridge.channels import Inbound
from bridge.secret import Secret

SIGNATURE: Final = "x-twilio-signature"
FIELDS: Final = 500
"""More of them than any message has."""
PORTS: Final = {"http": "80", "https": "443"}
_ADDRESS: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[^\]/?#]*\]|[^:/?#]*)(?::(?P<port>[0-9]+))?(?P<rest>[/?][^#]*)?(?:#.*)?",
    re.DOTALL,
)


def signed(inbound: Inbound, token: Secret, webhook_url: str) -> bool:
    """`webhook_url` stands in for the address that the ingress saw, where one is given."""
    form = fields(inbound.body)
    if inbound.method != "POST" or form is None or not token:
        return False
    given = inbound.headers.get(SIGNATURE, "").encode(errors="surrogateescape")
    tail = b"".join(map(_octets, (part for pair in sorted(set(form)) for part in pair)))
    key = token.reveal().encode()
    matches = [
        hmac.compare_digest(given, base64.b64encode(hmac.digest(key, _octets(address) + tail, "sha1")))
        for address in _addresses(webhook_url or inbound.url, certain=bool(webhook_url))
    ]
    return any(matches)


def fields(body: bytes) -> list[tuple[str, str]] | None:
    """The form's names and values; None for what is none. Bytes that are no text survive as surrogates."""
    try:
        return parse_qsl(
            body.decode(errors="surrogateescape"),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=FIELDS,
        )
    except ValueError:
        return None


def _addresses(url: str, *, certain: bool) -> Iterator[str]:
    found = _ADDRESS.fullmatch(url)
    if not found:
        return
    scheme, host, port, rest = found["scheme"], found["host"], found["port"], found["rest"] or ""
    for each in {scheme} if certain else {scheme, "https"}:
        yield f"{each}://{host}{rest}"
        yield f"{each}://{host}:{port or PORTS[each]}{rest}"


def _octets(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
