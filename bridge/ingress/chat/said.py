"""What the user says: first appended to the history, then pushed, so that no answer can stand before it.

Files were brought before (bridge.ingress.chat.brought), and are named by their ids.

The history and the queue both know the message by its id. So when anything fails between the two, or after
them, the browser simply repeats the message until it is answered 2xx, and it is still said once.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Final, assert_never

import msgspec
from aiohttp import hdrs, web

from bridge.channels import Click, Incoming, User, UserMessage
from bridge.channels.webchat import WebChatSettings
from bridge.errors import PayloadError, StoreUnavailable
from bridge.ingress.chat.brought import Brought
from bridge.ingress.chat.posting import body, check_origin, not_now, too_fast
from bridge.ingress.inlet import PUSHED
from bridge.ingress.outcome import Outcome
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
        self,
        name: str,
        settings: WebChatSettings,
        log: ChatLog,
        queue_in: Queue,
        metrics: Metrics,
        brought: Brought,
    ) -> None:
        self._name = name
        self._settings = settings
        self._log = log
        self._queue = queue_in
        self._counter = metrics.messages
        self._brought = brought
        self._rate = Rate(PER_SECOND, BURST)

    async def messages(self, request: web.Request) -> web.Response:
        incoming = await self._read(request)
        if seconds := self._rate.wait(incoming.chat, time.monotonic()):
            raise too_fast(seconds)
        digest = hashlib.blake2b(f"{incoming.chat}\0{incoming.id}".encode(), digest_size=16).digest()
        try:
            incoming, content = await self._content(request, incoming)
            place = await self._log.append(
                incoming.chat,
                _ENCODE({"id": incoming.id, "from": "user", "content": content}),
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

    async def _content(
        self, request: web.Request, incoming: Incoming
    ) -> tuple[Incoming, Mapping[str, object]]:
        """What was said as Moveo gets it, and as the page shows it."""
        match incoming:
            case Click(label=label):
                return incoming, {"type": "text", "text": label}
            case UserMessage(text=text, attachments=()):
                return incoming, {"type": "text", "text": text}
            case UserMessage(chat=chat, text=text, attachments=attachments):
                attachments, files = await self._brought.attached(request, chat, attachments)
                content = {"type": "sent", "text": text, "files": files}
                return msgspec.structs.replace(incoming, attachments=attachments), content
            case _:
                assert_never(incoming)

    def _count(self, outcome: Outcome) -> None:
        self._counter.labels(self._name, outcome).inc()

    async def _read(self, request: web.Request) -> Incoming:
        """What the user says, or the refusal that fits."""
        check_origin(request, self._settings)
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="application/json is expected")
        user = User(language=posted.language(request.headers.get(hdrs.ACCEPT_LANGUAGE, "")))
        try:
            return posted.read(await body(request, BODY_BYTES, BODY_SECONDS), user)
        except PayloadError as error:
            self._count(Outcome.MALFORMED)
            raise web.HTTPBadRequest(text=str(error)) from None
