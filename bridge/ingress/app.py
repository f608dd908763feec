"""The ingress as an application: the routes of every integration, and one connection for all pushes."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from redis.asyncio import Redis

from bridge.channels import Channel, TwoWay, registry
from bridge.channels.webchat import WebChat
from bridge.config import Integration, Settings
from bridge.errors import ConfigError
from bridge.ingress import chat
from bridge.ingress.platforms import Platform
from bridge.ingress.reception import STORE_SECONDS, Reception
from bridge.ingress.traffic import Traffic
from bridge.ingress.webhooks import Webhooks
from bridge.metrics import Metrics
from bridge.queue import Direction, GroupCommit, Limits, Queue
from bridge.web.log import ChatLog

QUEUES: Final = web.AppKey[list[Queue]]("queues", list)
TRAFFIC: Final = web.AppKey("traffic", Traffic)


def build(settings: Settings, redis: Redis, metrics: Metrics) -> web.Application:
    """Raises ConfigError, one line a problem, when a channel or its table is wrong."""
    app = web.Application(client_max_size=settings.ingress.max_body_bytes)
    traffic = app[TRAFFIC] = Traffic()
    queues: list[Queue] = []
    app[QUEUES] = queues
    commit = GroupCommit(redis, STORE_SECONDS)
    limits = Limits(
        depth=settings.queue.depth, seen_seconds=settings.queue.seen_seconds, dead=settings.queue.dead
    )

    def queue(name: str, direction: Direction) -> Queue:
        made = Queue(redis, name, direction, limits, commit)
        queues.append(made)
        return made

    problems: list[str] = []
    channels: dict[str, Channel] = {}
    for name, integration in settings.integrations.items():
        try:
            channels[name] = _channel(integration)
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))

    for name, integration in settings.integrations.items():
        webhooks = Webhooks(
            integration,
            queue(name, "out"),
            Reception("event", name, metrics.events, traffic),
            metrics,
            window_seconds=settings.ingress.window_seconds,
        )
        app.router.add_post(f"/moveo/{name}", webhooks.post)

        incoming, channel = queue(name, "in"), channels[name]
        if isinstance(channel, TwoWay):
            platform = Platform(channel, incoming, Reception("message", name, metrics.messages, traffic))
            app.router.add_get(f"/channels/{name}", platform.handle, allow_head=False)
            app.router.add_post(f"/channels/{name}", platform.handle)
        if isinstance(channel, WebChat):
            app.add_routes(chat.routes(integration, ChatLog(redis, name), incoming, metrics))
    if any(isinstance(channel, WebChat) for channel in channels.values()):
        chat.install(app, redis)
    return app


def _channel(integration: Integration) -> Channel:
    try:
        return registry.build(integration.channel, integration.extra)
    except ConfigError as error:
        lines = str(error).splitlines()
        raise ConfigError("\n".join(f"integrations.{integration.name}.{line}" for line in lines)) from error
