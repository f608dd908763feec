"""The ingress as an application: the routes of every integration, and one connection for all pushes."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from redis.asyncio import Redis

from bridge.channels import TwoWay
from bridge.channels.webchat import WebChat
from bridge.config import Settings
from bridge.config.channels import channels
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
    made = channels(settings)
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

    for name, integration in settings.integrations.items():
        webhooks = Webhooks(
            integration,
            queue(name, "out"),
            Reception("event", name, metrics.events, traffic),
            metrics,
            window_seconds=settings.ingress.window_seconds,
        )
        app.router.add_post(f"/moveo/{name}", webhooks.post)

        incoming, channel = queue(name, "in"), made[name]
        if isinstance(channel, TwoWay):
            platform = Platform(channel, incoming, Reception("message", name, metrics.messages, traffic))
            app.router.add_get(f"/channels/{name}", platform.handle, allow_head=False)
            app.router.add_post(f"/channels/{name}", platform.handle)
        if isinstance(channel, WebChat):
            app.add_routes(chat.routes(integration, ChatLog(redis, name), incoming, metrics))
    if any(isinstance(channel, WebChat) for channel in made.values()):
        chat.install(app, redis)
    return app
