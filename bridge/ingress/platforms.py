"""GET, POST and PUT /channels/<integration>: the webhooks of the chat platforms.

The channel verifies the request on its raw bytes and reads it; every message and click goes into the `in`
queue under its chat, then the platform is answered. A repeat is recognised by the platform's own id of it.
What the platform says of messages that it could not deliver after all is counted and logged.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Final, Literal, cast

import msgspec
from aiohttp import web

from bridge.channels import Errand, Failed, Inbound, Incoming, Reading, Seen, TwoWay, guard
from bridge.errors import ChannelFault, Unavailable
from bridge.ingress.inlet import Inlet
from bridge.ingress.keys import Keys
from bridge.ingress.outcome import TAKEN, Outcome, Refused
from bridge.ingress.reception import Reception, body
from bridge.ingress.webhooks import SESSION_LENGTH
from bridge.metrics import Metrics

_NOTHING: Final = Reading()
_ENCODE: Final = msgspec.json.Encoder().encode


class Platform:
    """The platform's side of one integration.

    `keys` are those of a channel that needs any; `public_url` is the ingress as the platform sees it, where
    that is not as it sees itself.
    """

    def __init__(
        self,
        channel: TwoWay,
        inlet: Inlet,
        reception: Reception,
        metrics: Metrics,
        *,
        keys: Keys | None = None,
        public_url: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._channel = channel
        self._inlet = inlet
        self._reception = reception
        self._failures = metrics.calls.labels(inlet.name, "failed")
        self._keys = keys
        self._public_url = public_url
        self._clock = clock

    async def handle(self, request: web.Request) -> web.Response:
        return await self._reception.receive(request, self._take)

    async def _take(self, request: web.Request) -> web.Response:
        raw = await body(request)
        inbound = Inbound(
            method=cast('Literal["GET", "POST", "PUT"]', request.method),
            url=f"{self._public_url}{request.raw_path}" if self._public_url else _url(request),
            path=request.match_info.get("path", ""),
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=raw,
            at=self._clock(),
            keys=await self._keys_for(request),
        )
        if not self._verified(inbound):
            raise Refused(Outcome.UNSIGNED)
        try:
            reading = guard.read(self._channel, inbound)
        except ChannelFault as error:  # a plug-in's mistake must not cost a message
            if not isinstance(error.__cause__, RecursionError):  # of a body as deep as no platform's is
                self._reception.log.exception("message.unreadable", error=str(error))
            return self._reception.conclude(await self._inlet.keep(raw, Outcome.UNDECODABLE))
        if reading == _NOTHING and _is_broken(raw):
            return self._reception.conclude(await self._inlet.keep(raw, Outcome.UNDECODABLE))
        # One after another: the platform's order is that of the chat.
        for incoming in (*reading.errands, *reading.incoming, *reading.seen):
            await self._push(incoming)
        for failed in reading.failed:
            self._failed(failed)
        return _answer(reading)

    async def _keys_for(self, request: web.Request) -> tuple[Mapping[str, Any], ...]:
        try:
            return await self._keys.for_token(request.headers.get("authorization", "")) if self._keys else ()
        except Unavailable:
            raise Refused(Outcome.UNAVAILABLE) from None

    def _verified(self, inbound: Inbound) -> bool:
        try:
            return guard.verify(self._channel, inbound)
        except ChannelFault as error:  # what a plug-in fails to verify is not verified
            self._reception.log.exception("message.unverifiable", error=str(error))
            return False

    async def _push(self, incoming: Incoming | Errand | Seen) -> None:
        payload = _ENCODE(incoming)
        digest = blake2b(incoming.id.encode(), digest_size=16).digest() if incoming.id else None
        if not incoming.chat or len(incoming.chat) > SESSION_LENGTH:
            self._reception.conclude(await self._inlet.keep(payload, Outcome.UNROUTABLE))
            return
        outcome = await self._inlet.push(incoming.chat, payload, digest, ephemeral=isinstance(incoming, Seen))
        if outcome is Outcome.FULL:
            raise Refused(outcome)
        if outcome not in TAKEN:
            self._reception.conclude(outcome)
            return
        self._reception.count(outcome)
        self._reception.log.debug("message.accepted", chat=incoming.chat, message=incoming.id)

    def _failed(self, failed: Failed) -> None:
        self._failures.inc()
        self._reception.log.warning(
            "message.failed", chat=failed.chat, message=failed.message, reason=failed.reason
        )


def _url(request: web.Request) -> str:
    """The address as the request says it, which may be none."""
    try:
        return str(request.url)
    except ValueError:
        return f"{request.scheme}://{request.host}{request.raw_path}"


def _is_broken(raw: bytes) -> bool:
    """Whether it begins as JSON and is none: it may have said something."""
    if raw.lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return True
    return False


def _answer(reading: Reading) -> web.Response:
    return web.Response(
        status=reading.status, body=reading.answer, headers={"Content-Type": reading.answer_type}
    )
