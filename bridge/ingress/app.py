"""The ingress as an application: the routes of every integration, and one connection for all pushes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from importlib.util import find_spec
from typing import Final

import aiohttp
from aiohttp import web
from redis.asyncio import Redis

from bridge.channels import Channel, Keyed, Reply, Request, TwoWay
from bridge.channels.webchat import WebChat
from bridge.config import Settings
from bridge.config.channels import channels
from bridge.errors import ConfigError
from bridge.ingress import chat
from bridge.ingress.inlet import Inlet
from bridge.ingress.keys import Keys
from bridge.ingress.listening import most_streams
from bridge.ingress.platforms import Platform
from bridge.ingress.reception import STORE_SECONDS, Reception
from bridge.ingress.spool import Spool
from bridge.ingress.streams import Streams
from bridge.ingress.traffic import Traffic
from bridge.ingress.webhooks import Webhooks
from bridge.metrics import Metrics
from bridge.queue import Clock, Direction, GroupCommit, Limits, Queue
from bridge.sender import Sender, open_http
from bridge.web.log import ChatLog

QUEUES: Final = web.AppKey[list[Queue]]("queues", list)
TRAFFIC: Final = web.AppKey("traffic", Traffic)


def build(
    settings: Settings, redis: Redis, metrics: Metrics, clock: Clock, spool: Spool | None = None
) -> web.Application:
    """Raises ConfigError, one line a problem, when a channel or its table is wrong."""
    made = channels(settings)
    app = web.Application(client_max_size=settings.ingress.max_body_bytes)
    traffic = app[TRAFFIC] = Traffic()
    queues: list[Queue] = []
    app[QUEUES] = queues
    commit, limits = GroupCommit(redis, STORE_SECONDS, settings.redis.replicas), limits_of(settings)

    def queue(name: str, direction: Direction) -> Queue:
        made = Queue(redis, name, direction, limits, commit)
        queues.append(made)
        return made

    # A browser has the time that a platform has not, and what it says cannot go to the spool.
    patient = GroupCommit(redis, replicas=settings.redis.replicas)

    key_rings, public_url = _key_rings(app, made), settings.ingress.public_url
    for name, integration in settings.integrations.items():
        webhooks = Webhooks(
            integration,
            Inlet(queue(name, "out"), clock, spool),
            Reception("event", name, metrics.events, traffic),
            metrics,
            window_seconds=settings.ingress.window_seconds,
            clock=clock.now,
        )
        app.router.add_post(f"/moveo/{name}", webhooks.post)

        incoming, channel = queue(name, "in"), made[name]
        if isinstance(channel, TwoWay):
            reception = Reception("message", name, metrics.messages, traffic)
            keys = key_rings.get(name)
            inlet = Inlet(incoming, clock, spool)
            platform = Platform(
                channel, inlet, reception, metrics, keys=keys, public_url=public_url, clock=clock.now
            )
            for method in ("GET", "POST", "PUT"):
                app.router.add_route(method, f"/channels/{name}{{path:(?:/.*)?}}", platform.handle)
        if isinstance(channel, WebChat):
            said = Queue(redis, name, "in", limits, patient)
            app.add_routes(chat.routes(integration, ChatLog(redis, name), said, metrics, public_url))
    if any(isinstance(channel, WebChat) for channel in made.values()):
        ingress = settings.ingress
        most = most_streams(ingress.max_connections)
        streams = Streams(metrics, most, ingress.streams_per_address, ingress.trusted_proxies)
        chat.install(app, redis, streams)
    return app


def limits_of(settings: Settings) -> Limits:
    """The bounds of the queues, as ingress keeps them."""
    queue = settings.queue
    return Limits(
        depth=queue.depth, seen_seconds=queue.seen_seconds, dead=queue.dead, session_depth=queue.session_depth
    )


def _key_rings(app: web.Application, channels: Mapping[str, Channel]) -> dict[str, Keys]:
    """For each integration whose platform publishes keys, what fetches them while the application runs."""
    client: list[aiohttp.ClientSession] = []

    async def send(request: Request) -> Reply:
        return await Sender(client[0]).send(request)

    async def opened(_: web.Application) -> AsyncIterator[None]:
        async with open_http() as http:
            client.append(http)
            yield

    keyed = {
        name: channel for name, channel in channels.items() if isinstance(channel, Keyed) and channel.key_urls
    }
    if keyed and find_spec("jwt") is None:
        kinds = sorted({channel.name for channel in keyed.values()})
        raise ConfigError(
            f"channel: {kinds[0]} checks signatures with PyJWT: pip install 'moveo-bridge[{kinds[0]}]'"
        )
    rings = {name: Keys(channel.key_urls, send) for name, channel in keyed.items()}
    if rings:
        app.cleanup_ctx.append(opened)
    return rings
