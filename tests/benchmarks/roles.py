"""What runs in a child process of a benchmark: `python -m tests.benchmarks.roles ROLE JSON-ARGUMENTS`.

A server says its port, then answers each line of input with the CPU seconds it has used; a worker says the
CPU seconds of each round it is told to do. All end when their input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar, Final

import aiohttp
from aiohttp import web
from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import Worker, func

from bridge.channels import Call, Reply, Request
from bridge.channels.capabilities import Capabilities
from bridge.config import Integration, Settings, WorkerConfig
from bridge.content import Content, Text
from bridge.ingress.server import serving
from bridge.log import configure
from bridge.metrics import Metrics
from bridge.queue import Clock, GroupCommit, Limits, Pushed, Queue, connect
from bridge.runtime import event_loop, settle_memory
from bridge.sender import Sender, open_http
from bridge.sessions import Sessions
from tests.benchmarks.load import SECRET
from workers.deliver import Deliverer
from workers.dispatch import Dispatcher
from workers.observe import Observer
from workers.outage import Outage
from workers.retry import Policy

NAME: Final = "bench"
CONCURRENCY: Final = WorkerConfig().concurrency
"""Of subject and base lines alike: what a worker does by default."""


def say(value: Any) -> None:
    print(json.dumps(value), flush=True)


async def lines(answer: Callable[[], Awaitable[Any]]) -> None:
    """Answers every line of input until it ends."""
    while await asyncio.to_thread(sys.stdin.readline):
        say(await answer())


async def cpu() -> float:
    return time.process_time()


def settings(redis_url: str) -> Settings:
    return Settings.model_validate({
        "redis": {"url": redis_url},
        "ingress": {"host": "127.0.0.1", "port": 0, "admin_port": 0, "window_seconds": 0},
        "log": {"level": "error"},
        "integrations": {NAME: {"channel": "console", "secrets": [SECRET]}},
    })  # fmt: skip


async def ingress(redis_url: str, variant: str) -> None:
    """The ingress; "bare": its handler pushing nowhere; "arq": its handler enqueueing a job instead."""
    if variant == "bare":

        async def nowhere(*_: object, **__: object) -> Pushed:
            return Pushed.ACCEPTED

        Queue.push = nowhere  # type: ignore[method-assign]
    elif variant == "arq":
        pool = await create_pool(RedisSettings.from_dsn(redis_url))

        async def enqueue(_: Queue, session: str, payload: bytes, *__: object, **___: object) -> Pushed:
            await pool.enqueue_job("deliver", session, payload)
            return Pushed.ACCEPTED

        Queue.push = enqueue  # type: ignore[method-assign, assignment]
    configured = settings(redis_url)
    configure(configured.log)
    settle_memory()
    async with serving(configured) as addresses:
        say(int(addresses.url.rpartition(":")[2]))
        await lines(cpu)


class Null:
    """A channel that does nothing with one call a content."""

    name: ClassVar[str] = "null"
    capabilities = Capabilities(shows=frozenset({Text}), options=13)

    def render(self, content: Content, to: str) -> list[Call]:
        assert isinstance(content, Text)
        return [Call(op="send", body={"to": to, "text": content.text})]

    def request(self, call: Call) -> Request:
        return Request(url="null:", body=b"")

    def check(self, reply: Reply) -> None:
        return None


class Posting(Null):
    """A channel that posts each content to a URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    def request(self, call: Call) -> Request:
        text: str = call.body["text"]
        return Request(url=self._url, headers={"content-type": "text/plain"}, body=text.encode())


async def worker(redis_url: str, url: str = "") -> None:
    """A dispatcher over what waits: CPU seconds of each round. With `url` it posts each content there."""
    configure(settings(redis_url).log)
    settle_memory()
    redis = connect(redis_url)
    queue = Queue(redis, NAME, "out", Limits(), GroupCommit(redis))
    clock, outage, observer = Clock(), Outage(), Observer(Metrics(), NAME, "out")
    integration = Integration(name=NAME, channel="null", unsigned=True)

    async def nothing(_: Request) -> Reply:
        return Reply(status=200)

    async def one_round() -> float:
        async with open_http() as http:
            deliver = Deliverer(
                integration, Posting(url) if url else Null(), send=Sender(http, {"null": nothing}).send,
                queue=queue, sessions=Sessions(redis, NAME), clock=clock, observer=observer,
            )  # fmt: skip
            dispatcher = Dispatcher(
                queue, deliver, clock=clock, outage=outage, observer=observer, policy=Policy(),
                concurrency=CONCURRENCY, lease_seconds=5, max_crashes=5,
            )  # fmt: skip
            before = time.process_time()
            running = asyncio.create_task(dispatcher.run())
            while (await queue.stats()).depth:
                await asyncio.sleep(0.05)
            used = time.process_time() - before
            dispatcher.stop()
            await running
            return used

    say("ready")
    await lines(one_round)


async def arq_worker(redis_url: str) -> None:
    """The base line: an arq worker over the waiting jobs."""

    async def deliver(ctx: dict[str, Any], session: str, payload: bytes) -> None:
        return None

    async def one_round() -> float:
        hosted = Worker(
            functions=[func(deliver, name="deliver")],
            redis_settings=RedisSettings.from_dsn(redis_url),
            burst=True,
            max_jobs=CONCURRENCY,
            handle_signals=False,
        )
        before = time.process_time()
        await hosted.async_run()
        used = time.process_time() - before
        await hosted.close()
        return used

    say("ready")
    await lines(one_round)


async def client(url: str, bodies: str) -> None:
    """The base line: a bare aiohttp client that posts the bodies (a file, one a line, as JSON strings)."""
    texts = [
        json.loads(line).encode() for line in (await asyncio.to_thread(Path(bodies).read_text)).splitlines()
    ]

    async def one_round() -> float:
        waiting = iter(texts)

        async def post(http: aiohttp.ClientSession) -> None:
            for body in waiting:
                async with http.post(url, data=body, headers={"content-type": "text/plain"}) as response:
                    await response.read()

        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            before = time.process_time()
            async with asyncio.TaskGroup() as group:
                for _ in range(CONCURRENCY):
                    group.create_task(post(http))
            return time.process_time() - before

    say("ready")
    await lines(one_round)


async def sink() -> None:
    """A platform that answers 200 to everything."""

    async def handle(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"ok": True})

    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    say(runner.addresses[0][1])
    await lines(cpu)
    await runner.cleanup()


ROLES: Final[dict[str, Callable[..., Any]]] = {
    "ingress": ingress,
    "worker": worker,
    "arq_worker": arq_worker,
    "client": client,
    "sink": sink,
}

if __name__ == "__main__":
    with asyncio.Runner(loop_factory=event_loop()) as runner:
        runner.run(ROLES[sys.argv[1]](**json.loads(sys.argv[2])))
