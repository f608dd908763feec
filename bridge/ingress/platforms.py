"""GET and POST /channels/<integration>: the webhooks of the chat platforms.

The channel verifies the request on its raw bytes and reads it; every message and click goes into the `in`
queue under its chat, then the platform is answered. A repeat is recognised by the platform's own id of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import blake2b
from typing import Final, Literal, cast

import msgspec
from aiohttp import web

from bridge.channels import Inbound, Incoming, Reading, TwoWay
from bridge.ingress.outcome import Outcome, Refused
from bridge.ingress.reception import Reception, body
from bridge.ingress.webhooks import PUSHED
from bridge.queue import Queue

_ENCODE: Final = msgspec.json.Encoder().encode


class Platform:
    """The platform's side of one integration."""

    def __init__(
        self,
        channel: TwoWay,
        queue: Queue,
        reception: Reception,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._channel = channel
        self._queue = queue
        self._reception = reception
        self._clock = clock

    async def handle(self, request: web.Request) -> web.Response:
        return await self._reception.receive(request, self._take)

    async def _take(self, request: web.Request) -> web.Response:
        raw = await body(request)
        inbound = Inbound(
            method=cast('Literal["GET", "POST"]', request.method),
            url=str(request.url),
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=raw,
            at=self._clock(),
        )
        if not self._verified(inbound):
            raise Refused(Outcome.UNSIGNED)
        try:
            reading = self._channel.read(inbound)
        except RecursionError:  # of a body as deep as no platform's is
            return self._reception.conclude(await self._keep(raw, Outcome.UNDECODABLE))
        except Exception:  # a plug-in's mistake must not cost a message
            self._reception.log.exception("message.unreadable")
            return self._reception.conclude(await self._keep(raw, Outcome.UNDECODABLE))
        for incoming in reading.incoming:  # one after another: the platform's order is that of the chat
            await self._push(incoming)
        return _answer(reading)

    def _verified(self, inbound: Inbound) -> bool:
        try:
            return self._channel.verify(inbound)
        except Exception:  # what a plug-in fails to verify is not verified
            self._reception.log.exception("message.unverifiable")
            return False

    async def _push(self, incoming: Incoming) -> None:
        payload = _ENCODE(incoming)
        digest = blake2b(incoming.id.encode(), digest_size=16).digest() if incoming.id else None
        if not incoming.chat:
            self._reception.conclude(await self._keep(payload, Outcome.UNROUTABLE))
            return
        outcome = PUSHED[await self._queue.push(incoming.chat, payload, digest)]
        match outcome:
            case Outcome.ACCEPTED:
                self._reception.count(outcome)
                self._reception.log.debug("message.accepted", chat=incoming.chat, message=incoming.id)
            case Outcome.FULL:
                raise Refused(outcome)
            case _:
                self._reception.conclude(outcome)

    async def _keep(self, body: bytes, outcome: Outcome) -> Outcome:
        """What cannot be given to a chat is a dead letter, once."""
        return outcome if await self._queue.reject(body, outcome.value) else Outcome.DUPLICATE


def _answer(reading: Reading) -> web.Response:
    return web.Response(body=reading.answer, headers={"Content-Type": reading.answer_type})
