"""What the user says: first appended to the history, then pushed, so that no answer can stand before it.

The history and the queue both know the message by its id. So when anything fails between the two, or after
them, the browser simply repeats the message until it is answered 2xx, and it is still said once.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import Final

import msgspec
from aiohttp import hdrs, web

from bridge.channels import Incoming, User, UserMessage
from bridge.channels.webchat import WebChatSettings
from bridge.errors import PayloadError, StoreUnavailable
from bridge.ingress.chat.told import not_now
from bridge.ingress.outcome import Outcome
from bridge.ingress.webhooks import PUSHED
from bridge.metrics import Metrics
from bridge.queue import Pushed, Queue
from bridge.web import page, posted
from bridge.web.log import ChatLog
from bridge.web.rate import Rate

BODY_BYTES: Final = 8_192
BODY_SECONDS: Final = 10.0
PER_SECOND: Final = 2.0
BURST: Final = 20
"""What one chat may say."""

_ENCODE: Final = msgspec.json.Encoder().encode


class Said:
    def __init__(
        self, name: str, settings: WebChatSettings, log: ChatLog, queue_in: Queue, metrics: Metrics
    ) -> None:
        self._name = name
        self._settings = settings
        self._log = log
        self._queue = queue_in
        self._counter = metrics.messages
        self._rate = Rate(PER_SECOND, BURST)

    async def messages(self, request: web.Request) -> web.Response:
        incoming = await self._read(request)
        if seconds := self._rate.wait(incoming.chat, time.monotonic()):
            raise web.HTTPTooManyRequests(text="too fast", headers={"Retry-After": f"{int(seconds) + 1}"})
        words = incoming.text if isinstance(incoming, UserMessage) else incoming.label
        entry = {"id": incoming.id, "from": "user", "content": {"type": "text", "text": words}}
        digest = hashlib.blake2b(f"{incoming.chat}\0{incoming.id}".encode(), digest_size=16).digest()
        try:
            place = await self._log.append(
                incoming.chat,
                _ENCODE(entry),
                f"user:{incoming.id}",
                keep_seconds=self._settings.keep_seconds,
            )
            pushed = await self._queue.push(incoming.chat, _ENCODE(incoming), digest)
        except StoreUnavailable:
            self._count(Outcome.UNAVAILABLE)
            raise not_now() from None
        self._count(PUSHED[pushed])
        if pushed is Pushed.FULL:
            raise not_now()
        return web.json_response({"id": place}, headers=page.HEADERS | {"Cache-Control": "no-store"})

    def _count(self, outcome: Outcome) -> None:
        self._counter.labels(self._name, outcome).inc()

    async def _read(self, request: web.Request) -> Incoming:
        """What the user says, or the refusal that fits."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and not page.same_site(origin, request.host, self._settings):
            raise web.HTTPForbidden(text="another site may not speak here")
        if request.content_type != "application/json" or hdrs.CONTENT_ENCODING in request.headers:
            raise web.HTTPUnsupportedMediaType(text="plain application/json is expected")
        user = User(language=posted.language(request.headers.get(hdrs.ACCEPT_LANGUAGE, "")))
        try:
            return posted.read(await _body(request), user)
        except PayloadError as error:
            self._count(Outcome.MALFORMED)
            raise web.HTTPBadRequest(text=str(error)) from None


async def _body(request: web.Request) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.content.iter_any():
                body += part
                if len(body) > BODY_BYTES:
                    raise web.HTTPRequestEntityTooLarge(max_size=BODY_BYTES, actual_size=len(body))
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (web.RequestPayloadError, ConnectionError):
        raise web.HTTPBadRequest(text="the body broke off") from None
    return body
