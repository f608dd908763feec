"""The web chat's routes: the page, what follows the chat (server-sent events), what the user says.

    GET  /chat/NAME             the page; ?session=ID or #ID names the chat, else the browser keeps an id
    GET  /chat/NAME/embed.js    puts the page into another site
    GET  /chat/NAME/events      ?chat=ID: the history after Last-Event-ID (or ?after=), then whatever comes
    POST /chat/NAME/messages    {chat, id, text, files: [{id}]} or {chat, id, payload, label}
    POST /chat/NAME/files       ?chat=ID&name=NAME: a file's bytes, before the message that names it: {id}
    GET  /chat/NAME/files/ID    the file, for a day

Who knows a chat's id may read it and speak in it, who knows a file's may load it; both are random. Without
`file_bytes` no file is taken, but those that were taken before are given.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web
from redis.asyncio import Redis

from bridge.channels import registry
from bridge.channels.webchat import WebChat
from bridge.config import Integration
from bridge.errors import ConfigError
from bridge.ingress.chat.brought import Brought
from bridge.ingress.chat.said import Said
from bridge.ingress.chat.shown import Shown
from bridge.ingress.chat.told import HUB, Told
from bridge.ingress.streams import STREAMS, Streams
from bridge.metrics import Metrics
from bridge.queue import Queue
from bridge.web.hub import Hub
from bridge.web.log import ChatLog

__all__ = ["install", "routes"]


def install(app: web.Application, redis: Redis, streams: Streams) -> None:
    """Once an application: the connection its web chats share, and their streams, which end at shutdown."""
    hub = app[HUB] = Hub(redis)
    app[STREAMS] = streams

    async def listen(_: web.Application) -> AsyncIterator[None]:
        async with hub.running():
            yield

    async def end_streams(_: web.Application) -> None:
        hub.close()

    app.cleanup_ctx.append(listen)
    app.on_shutdown.append(end_streams)


def routes(
    integration: Integration, log: ChatLog, queue_in: Queue, metrics: Metrics, public_url: str = ""
) -> list[web.AbstractRouteDef]:
    """The routes of one integration with the channel webchat; the application needs `install` too.

    `public_url` is where Moveo finds them, if that is not where the page's browser does.
    Raises ConfigError when the integration's table for the web chat is wrong.
    """
    name, channel = integration.name, registry.build(WebChat.name, integration.extra)
    if not isinstance(channel, WebChat):
        raise ConfigError(f"integrations.{name}.channel: the chat page is for the channel webchat")
    shown, told = Shown(name, channel.settings), Told(name, log)
    brought = Brought(name, channel.settings, log, public_url)
    said = Said(name, channel.settings, log, queue_in, metrics, brought)
    base = f"/chat/{name}"
    taken = [web.post(f"{base}/files", brought.take)] if channel.settings.file_bytes else []
    return [
        *taken,
        web.get(base, shown.page),
        web.get(f"{base}/", shown.without_slash),
        web.get(f"{base}/embed.js", shown.embed),
        web.get(f"{base}/static/{{version}}/{{file}}", shown.static),
        web.get(f"{base}/events", told.events, allow_head=False),
        web.get(f"{base}/files/{{file}}", brought.give, allow_head=False),
        web.post(f"{base}/messages", said.messages),
    ]
