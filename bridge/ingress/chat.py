"""The web chat's routes: the page, what follows the chat (server-sent events), what the user says.

    GET  /chat/NAME             the page; ?session=ID or #ID names the chat, else the browser keeps an id
    GET  /chat/NAME/embed.js    puts the page into another site
    GET  /chat/NAME/events      ?chat=ID: the history after Last-Event-ID (or ?after=), then whatever comes
    POST /chat/NAME/messages    {chat, id, text} or {chat, id, payload, label}

Who knows a chat's id may read it and speak in it; the browser's own ids are random. What the user says is
first appended to the history, then pushed, so that no answer can stand before it; both know the message's id,
so the browser repeats a message until it is answered 2xx, and it is still said once.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncIterator
from typing import Final, NoReturn

import msgspec
from aiohttp import web
from redis.asyncio import Redis

from bridge.channels import Click, User, UserMessage, registry
from bridge.channels.webchat import WebChat
from bridge.config import Integration
from bridge.errors import ConfigError, PayloadError, StoreUnavailable
from bridge.ingress.outcome import Outcome
from bridge.ingress.webhooks import PUSHED
from bridge.metrics import Metrics
from bridge.queue import Pushed, Queue
from bridge.web import page, posted
from bridge.web.hub import Hub
from bridge.web.log import ChatLog
from bridge.web.rate import Rate
from bridge.web.stream import follow

BODY_BYTES: Final = 8_192
BODY_SECONDS: Final = 10.0
BEAT_SECONDS: Final = 15.0
WRITE_SECONDS: Final = 20.0
"""A browser that takes nothing for this long is let go; it comes back for what it missed."""
STREAMS: Final = 16
"""Browsers that may look at one chat through this process."""
PER_SECOND: Final = 2.0
BURST: Final = 20
"""What one chat may say."""
EVENT_ID: Final = re.compile(r"\d{1,19}(-\d{1,19})?")
IMMUTABLE: Final = "public, max-age=31536000, immutable"
HUB: Final = web.AppKey("chat_hub", Hub)

_ENCODE: Final = msgspec.json.Encoder().encode


def install(app: web.Application, redis: Redis) -> None:
    """Once an application: the connection its web chats share, and the end of their streams at shutdown."""
    hub = app[HUB] = Hub(redis)

    async def listen(_: web.Application) -> AsyncIterator[None]:
        async with hub.running():
            yield

    async def end_streams(_: web.Application) -> None:
        hub.close()

    app.cleanup_ctx.append(listen)
    app.on_shutdown.append(end_streams)


def routes(
    integration: Integration, log: ChatLog, queue_in: Queue, metrics: Metrics
) -> list[web.AbstractRouteDef]:
    """The routes of one integration with the channel webchat; the application needs `install` too.

    Raises ConfigError when the integration's table for the web chat is wrong.
    """
    channel = registry.build(WebChat.name, integration.extra)
    if not isinstance(channel, WebChat):
        raise ConfigError(
            f"integrations.{integration.name}.channel: the chat page is for the channel webchat"
        )
    shown, said = _Page(integration.name, channel), _Talk(integration.name, channel, log, queue_in, metrics)
    base = f"/chat/{integration.name}"
    return [
        web.get(base, shown.page),
        web.get(f"{base}/", shown.without_slash),
        web.get(f"{base}/embed.js", shown.embed),
        web.get(f"{base}/static/{{version}}/{{file}}", shown.static),
        web.get(f"{base}/events", said.events, allow_head=False),
        web.post(f"{base}/messages", said.messages),
    ]


class _Page:
    """The page and its files, read once."""

    def __init__(self, name: str, channel: WebChat) -> None:
        self._name = name
        self._settings = channel.settings
        self._files = page.files()
        self._version = page.version(self._files)

    async def page(self, request: web.Request) -> web.Response:
        loopback = page.is_loopback(request.host)
        return web.Response(
            body=page.page(self._name, self._settings, self._version, loopback=loopback),
            content_type="text/html",
            charset="utf-8",
            headers=page.HEADERS
            | {
                "Content-Security-Policy": page.policy(self._settings, loopback=loopback),
                "Cache-Control": "no-cache",
            },
        )

    async def without_slash(self, request: web.Request) -> NoReturn:
        """The page's addresses are relative to a path without a slash at its end."""
        query = f"?{request.query_string}" if request.query_string else ""
        raise web.HTTPPermanentRedirect(f"../{self._name}{query}")

    async def embed(self, request: web.Request) -> web.Response:
        return self._file("embed.js", "public, max-age=300", {"Cross-Origin-Resource-Policy": "cross-origin"})

    async def static(self, request: web.Request) -> web.Response:
        """A page loaded before an upgrade gets the new file, but does not keep it under the old address."""
        current = request.match_info["version"] == self._version
        return self._file(request.match_info["file"], IMMUTABLE if current else "no-cache", {})

    def _file(self, name: str, cache: str, headers: dict[str, str]) -> web.Response:
        file = self._files.get(name)
        if file is None:
            raise web.HTTPNotFound
        return web.Response(
            body=file.body,
            content_type=file.content_type,
            charset="utf-8",
            headers=page.HEADERS | {"Cache-Control": cache} | headers,
        )


class _Talk:
    """Both directions of a chat: what follows it, what the user says."""

    def __init__(self, name: str, channel: WebChat, log: ChatLog, queue_in: Queue, metrics: Metrics) -> None:
        self._name = name
        self._settings = channel.settings
        self._log = log
        self._queue = queue_in
        self._counter = metrics.messages
        self._rate = Rate(PER_SECOND, BURST)

    async def events(self, request: web.Request) -> web.StreamResponse:
        chat, hub = request.query.get("chat", ""), request.app[HUB]
        after = request.headers.get("Last-Event-ID") or request.query.get("after") or "0"
        if not posted.is_chat(chat) or not EVENT_ID.fullmatch(after):
            raise web.HTTPBadRequest(text="no such chat")
        if hub.watching(self._log, chat) >= STREAMS:
            raise web.HTTPTooManyRequests(text="too many windows on this chat", headers={"Retry-After": "5"})
        response = web.StreamResponse(
            headers=page.HEADERS
            | {
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )

        async def write(data: bytes) -> None:
            async with asyncio.timeout(WRITE_SECONDS):
                await response.write(data)

        with hub.watch(self._log, chat) as watch:
            try:
                await self._log.marks(chat)
            except StoreUnavailable:
                raise _not_now() from None
            await response.prepare(request)
            try:
                await follow(self._log, watch, chat, after, write, beat_seconds=BEAT_SECONDS)
            except (StoreUnavailable, ConnectionError, TimeoutError):
                # The browser left, reads too slowly, or comes back when Redis does: this stream ends.
                return response
        return response

    async def messages(self, request: web.Request) -> web.Response:
        incoming = await self._read(request)
        if seconds := self._rate.wait(incoming.chat, time.monotonic()):
            raise web.HTTPTooManyRequests(text="too fast", headers={"Retry-After": f"{int(seconds) + 1}"})
        said = incoming.text if isinstance(incoming, UserMessage) else incoming.label
        entry = {"id": incoming.id, "from": "user", "content": {"type": "text", "text": said}}
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
            raise _not_now() from None
        self._count(PUSHED[pushed])
        if pushed is Pushed.FULL:
            raise _not_now()
        return web.json_response({"id": place}, headers=page.HEADERS | {"Cache-Control": "no-store"})

    def _count(self, outcome: Outcome) -> None:
        self._counter.labels(self._name, outcome).inc()

    async def _read(self, request: web.Request) -> UserMessage | Click:
        """What the user says, or the refusal that fits."""
        origin = request.headers.get("Origin")
        if origin is not None and not page.same_site(origin, request.host, self._settings):
            raise web.HTTPForbidden(text="another site may not speak here")
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="application/json is expected")
        user = User(language=posted.language(request.headers.get("Accept-Language", "")))
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
    return body


def _not_now() -> web.HTTPServiceUnavailable:
    return web.HTTPServiceUnavailable(text="not now", headers={"Retry-After": "2"})
