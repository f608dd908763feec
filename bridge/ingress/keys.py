"""The public keys with which platforms sign: asked for when first needed, then kept for a day.

A platform changes its keys without a word, so a signature that names an unknown one is a reason to ask again;
strangers can make such signatures at will, so no more often than once a minute.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import structlog

from bridge.channels import Reply, Request
from bridge.errors import SendError, StoreUnavailable, Unavailable

KEPT_SECONDS: Final = 86_400.0
AGAIN_SECONDS: Final = 60.0
FETCH_SECONDS: Final = 2.0
"""The platform waits meanwhile, and none waits long."""

_log = structlog.get_logger(__name__)


class Keys:
    """The keys at the addresses of one channel. `send` carries the requests (Sender.send)."""

    def __init__(
        self,
        urls: Sequence[str],
        send: Callable[[Request], Awaitable[Reply]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._urls = urls
        self._send = send
        self._clock = clock
        self._keys: tuple[Mapping[str, Any], ...] = ()
        self._fetched_at: float | None = None
        self._asked_at: float | None = None
        self._lock = asyncio.Lock()

    async def for_token(self, authorization: str) -> tuple[Mapping[str, Any], ...]:
        """The keys to check the header `Authorization: Bearer <JWT>` with. Raises Unavailable without any."""
        key_id = _key_id(authorization)
        if self._wanting(key_id):
            async with self._lock:
                if self._wanting(key_id):
                    await self._refresh()
        if not self._keys:
            raise Unavailable("the platform's keys cannot be had")
        return self._keys

    def _wanting(self, key_id: str) -> bool:
        """Whether there is a reason to ask, and none not to."""
        now = self._clock()
        if self._asked_at is not None and now - self._asked_at < AGAIN_SECONDS:
            return False
        old = self._fetched_at is None or now - self._fetched_at >= KEPT_SECONDS
        return old or bool(key_id and all(key.get("kid") != key_id for key in self._keys))

    async def _refresh(self) -> None:
        self._asked_at = self._clock()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                sets = [await self._key_set(url) for url in self._urls]
        except (SendError, StoreUnavailable, TimeoutError) as error:  # those that are known stay good
            _log.warning("keys.unreachable", reason=str(error) or "no answer in time")
            return
        self._keys = tuple(key for keys in sets for key in keys)
        self._fetched_at = self._asked_at

    async def _key_set(self, url: str) -> list[dict[str, Any]]:
        match await self._json(url):
            case {"jwks_uri": str(there)}:
                answer = await self._json(there)
            case answer:
                pass
        match answer:
            case {"keys": list(keys)}:
                return [key for key in keys if isinstance(key, dict)]
            case _:
                raise Unavailable("there is no key set where the platform's should be")

    async def _json(self, url: str) -> Any:
        reply = await self._send(Request(method="GET", url=url, headers={"accept": "application/json"}))
        if reply.status != 200:
            raise Unavailable(f"HTTP {reply.status} where the platform's keys should be")
        return reply.json()


def _key_id(authorization: str) -> str:
    """The `kid` that a JWT names; "" where it names none."""
    head = authorization.rpartition(" ")[2].partition(".")[0]
    try:
        match msgspec.json.decode(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))):
            case {"kid": str(key_id)}:
                return key_id
    except (binascii.Error, ValueError, RecursionError):  # it is no JWT, which is for the channel to say
        pass
    return ""
