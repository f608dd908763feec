"""Bearer tokens for client credentials: asked for once, kept until shortly before they expire.

https://www.rfc-editor.org/rfc/rfc6749#section-4.4. A server that is away is Unavailable, credentials it
refuses are Unauthorized; the answer is never quoted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlencode

import msgspec

from bridge.channels import Grant, Reply, Request
from bridge.channels.retry_after import retry_after
from bridge.errors import Rejected, SendError, Unauthorized, Unavailable, Uncertain

EARLY_SECONDS: Final = 300.0
"""A token is renewed this long before its end, or after half its life where that is sooner."""
REFUSALS: Final = frozenset(
    {"invalid_client", "invalid_grant", "invalid_request", "invalid_scope", "unauthorized_client"}
)


class _Token(msgspec.Struct):
    value: str
    good_until: float


class Tokens:
    """The tokens of a process. `send` carries the requests that ask for them."""

    def __init__(self, send: Callable[[Request], Awaitable[Reply]]) -> None:
        self._send = send
        self._tokens: dict[Grant, _Token] = {}
        self._locks: dict[Grant, asyncio.Lock] = {}

    async def token(self, grant: Grant, *, refused: str = "") -> str:
        """A token that is still good, and not the one that the platform has just refused."""
        async with self._locks.setdefault(grant, asyncio.Lock()):
            kept = self._tokens.get(grant)
            now = asyncio.get_running_loop().time()
            if kept is None or kept.value == refused or now >= kept.good_until:
                kept = self._tokens[grant] = await self._ask(grant, now)
            return kept.value

    async def _ask(self, grant: Grant, now: float) -> _Token:
        fields = {
            "grant_type": "client_credentials",
            "client_id": grant.client_id,
            "client_secret": grant.client_secret.reveal(),
            "scope": grant.scope,
        }
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        try:
            reply = await self._send(Request(url=grant.url, headers=headers, body=urlencode(fields).encode()))
        except (Uncertain, Rejected) as error:  # whatever became of it, the call itself has not left
            raise Unavailable(f"no token: {error}") from None
        match reply.json():
            case {"access_token": str(value), **rest} if reply.status == 200 and _fits_a_header(value):
                return _Token(value, now + _life(rest.get("expires_in")))
            case other:
                raise _refusal(reply, other)


def _fits_a_header(value: str) -> bool:
    return value.isascii() and value.isprintable() and bool(value) and " " not in value


def _life(seconds: object) -> float:
    """How long to use a token that is good for `seconds`; some servers write the number as a text."""
    try:
        whole = float(seconds) if isinstance(seconds, int | float | str) else 0.0
    except ValueError:
        whole = 0.0
    return max(whole - EARLY_SECONDS, whole / 2, 0.0)


def _refusal(reply: Reply, answer: object) -> SendError:
    match answer:
        case {"error": str(code)} if code in REFUSALS:
            return Unauthorized(f"no token: HTTP {reply.status} {code}")
        case _:
            wait = retry_after(reply.headers)
            return Unavailable(f"no token: HTTP {reply.status}", retry_after=wait)
