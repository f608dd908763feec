"""What a browser is told of a chat, for as long as it looks: one stream of server-sent events."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

from bridge.errors import StoreUnavailable
from bridge.ingress.chat.posting import not_now
from bridge.ingress.streams import STREAMS
from bridge.web import page, posted
from bridge.web.hub import Hub
from bridge.web.log import ChatLog
from bridge.web.stream import follow

BEAT_SECONDS: Final = 15.0
WRITE_SECONDS: Final = 20.0
"""A browser that takes nothing for this long is let go; it comes back for what it missed."""
WINDOWS: Final = 16
"""Browsers that may look at one chat through this process."""
EVENT_ID: Final = re.compile(r"[0-9]{1,19}(-[0-9]{1,19})?")
HUB: Final = web.AppKey("chat_hub", Hub)


class Told:
    def __init__(self, name: str, log: ChatLog) -> None:
        self._name = name
        self._log = log

    async def events(self, request: web.Request) -> web.StreamResponse:
        chat, hub, streams = request.query.get("chat", ""), request.app[HUB], request.app[STREAMS]
        after = request.headers.get("Last-Event-ID") or request.query.get("after") or "0"
        if not posted.is_chat(chat) or not EVENT_ID.fullmatch(after):
            raise web.HTTPBadRequest(text="no such chat")
        if hub.watching(self._log, chat) >= WINDOWS:
            raise streams.refused(self._name, "chat")
        response = web.StreamResponse(
            headers=page.HEADERS
            | {
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )

        with hub.watch(self._log, chat) as watch, streams.hold(request, self._name, watch.close):

            async def write(data: bytes) -> None:
                async with watch.patience(WRITE_SECONDS):
                    await response.write(data)

            try:
                await self._log.marks(chat)
            except StoreUnavailable:
                raise not_now() from None
            await response.prepare(request)
            try:
                await follow(self._log, watch, chat, after, write, beat_seconds=BEAT_SECONDS)
            except (StoreUnavailable, ConnectionError, TimeoutError):
                # The browser left, reads too slowly, or comes back when Redis does: this stream ends.
                if request.transport:
                    request.transport.abort()
        return response
