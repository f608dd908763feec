"""The control: one arq job an event, as one would build it without the queue. It keeps no order.

Everything else is the bridge's: the ingress, the worker process with its signals, the channel, the retries.
"""

from __future__ import annotations

from typing import Any, Final, cast

from arq import create_pool
from arq.connections import ArqRedis, RedisSettings
from arq.typing import WorkerCoroutine
from arq.worker import Retry, func
from redis.asyncio import Redis

from bridge.config import load
from bridge.config.channels import channels
from bridge.errors import SendError
from bridge.events import decode
from bridge.plan import plan
from bridge.queue import Pushed, Queue
from bridge.sender import Sender, open_http
from bridge.translate import translate
from workers import settings as hosted

JOBS: Final = "control:jobs"
RETRY_SECONDS: Final = 0.3


def install() -> None:
    """The ingress enqueues a job in place of a push; the worker runs such jobs."""
    pools: list[ArqRedis] = []

    async def push(self: Queue, session: str, payload: bytes, *_: Any, **__: Any) -> Pushed:
        if not pools:
            pools.append(await create_pool(RedisSettings.from_dsn(load().redis.url), default_queue_name=JOBS))
        await pools[0].enqueue_job("deliver", payload)
        return Pushed.ACCEPTED

    Queue.push = push  # type: ignore[method-assign]
    hosted.worker_settings = _settings


def _settings(settings: Any) -> dict[str, Any]:
    from tests.chaos.processes import NAME

    made = hosted_settings(settings)
    channel = channels(settings)[NAME]

    async def deliver(context: dict[str, Any], payload: bytes) -> None:
        contents = translate(decode(payload).event, {}).contents
        calls = plan(contents, channel, "x", key=context["job_id"]).steps
        try:
            async with open_http() as http:
                for call in calls:
                    channel.check(await Sender(http).send(channel.request(call)))  # type: ignore[arg-type]
        except SendError:
            raise Retry(RETRY_SECONDS) from None

    pool = ArqRedis(Redis.from_url(settings.redis.url).connection_pool, default_queue_name=JOBS)
    own = {
        "functions": [func(cast("WorkerCoroutine", deliver), name="deliver")],
        "cron_jobs": [],
        "queue_name": JOBS,
        "redis_pool": pool,
    }
    plain = {"job_serializer": None, "job_deserializer": None, "poll_delay": 0.1, "max_tries": 9}
    return {**made, **own, **plain}


hosted_settings = hosted.worker_settings
