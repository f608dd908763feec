"""Jobs that people start, and retention: run by arq in a real worker process, on a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, WatchError

from bridge.config import load
from bridge.embedded import EmbeddedServer
from bridge.queue import Queue, connect
from tests.chaos.proxy import Proxy
from tests.workers.bench import until
from tests.workers.children import worker
from tests.workers.events import answer
from tests.workers.platform import Platform
from tests.workers.test_process import CONFIG, started
from workers.outage import Outage
from workers.settings import JOBS, PatientRedis, worker_settings

Job = Callable[..., Awaitable[Any]]


@pytest.fixture
def config(there: Platform) -> str:
    return CONFIG.format(url=there.url)


@pytest.fixture
async def job(redis_url: str, config: str, tmp_path: Path) -> AsyncIterator[Job]:
    """Starts a job as people do, and gives what it returned."""
    file = tmp_path / "jobs.toml"
    file.write_text(config)
    pool = worker_settings(load(file, {"REDIS_URL": redis_url}))["redis_pool"]

    async def run(name: str, *given: Any, **named: Any) -> Any:
        started = await pool.enqueue_job(name, *given, **named, _queue_name=JOBS)
        result = await started.result(timeout=15, poll_delay=0.1)
        kept = await pool.get(f"arq:result:{started.job_id}")
        assert json.loads(kept)["r"] == result, "JSON, never pickle"
        return result

    yield run
    await pool.aclose(close_connection_pool=True)


async def test_letters_are_replayed_and_purged_by_what_is_known_of_them(
    queue: Queue, there: Platform, config: str, redis_url: str, tmp_path: Path, job: Job
) -> None:
    for reason in ("stale", "no-recipient", "unroutable"):
        for number in range(2):
            await queue.reject(answer("s", f"{reason} {number}"), reason, "s")
    letters = await queue.dead()
    with worker(tmp_path, config, redis_url) as child:
        await started(child)
        assert await job("purge_dead", "support", until_at=letters[0].died_at - 1) == 0
        assert await job("replay_dead", "support", since_at=letters[-1].died_at + 1) == 0
        assert await job("replay_dead", "support", "out", "other session") == 0
        assert await job("replay_dead", "support", reason="stale", until_at=letters[-1].died_at) == 2
        received = await there.has(2)
        assert [each.json["data"]["text"] for each in received] == ["stale 0", "stale 1"]
        assert await job("purge_dead", "support", session="s", reason="unroutable") == 2
        assert await job("purge_dead", "support", since_at=letters[0].died_at) == 2
    assert await queue.dead() == []


async def test_old_letters_expire_at_a_workers_start(
    queue: Queue, redis_client: Redis, config: str, redis_url: str, tmp_path: Path
) -> None:
    """Those that are younger stay; the age is that by the clock of Redis, which dated them."""
    await queue.reject(b"[]", "undecodable")
    [(_, fields)] = await redis_client.xrange("{bridge:support:out}:dead")
    await redis_client.delete("{bridge:support:out}:dead")
    seconds, _ = await redis_client.time()
    for days in (31, 9, 7):
        await redis_client.xadd("{bridge:support:out}:dead", fields, f"{(seconds - days * 86_400) * 1000}-0")
    with worker(tmp_path, f"[queue]\ndead_days = 8\n{config}", redis_url) as child:
        await until(lambda: "dead.expired" in child.log, 20)
        [line] = [line for line in map(json.loads, child.log.splitlines()) if line["event"] == "dead.expired"]
    assert (line["integration"], line["direction"], line["letters"]) == ("support", "out", 2)
    [letter] = await queue.dead()
    assert letter.died_at == (seconds - 7 * 86_400) * 1000


def test_they_expire_every_hour(redis_url: str, config: str, tmp_path: Path) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text(config)
    [cron] = worker_settings(load(file, {"REDIS_URL": redis_url}))["cron_jobs"]
    assert (cron.name, cron.minute, cron.hour) == ("cron:retain_dead", 17, None)


async def test_a_full_server_keeps_arq_from_nothing(own_server: EmbeddedServer) -> None:
    """Its health key, and a job it cannot queue, are left out: its loop goes on, and Redis is not away."""
    redis = PatientRedis(connect(own_server.url).connection_pool)
    redis.outage = Outage()
    await redis.config_set("maxmemory", 1)
    async with asyncio.timeout(5):
        await redis.psetex("health", 1000, b"x")
        assert await redis.enqueue_job("retain_dead") is None
        async with redis.pipeline(transaction=True) as pipe:
            pipe.set("result", b"x")
            waiting = asyncio.create_task(pipe.execute())
            await asyncio.sleep(0.1)
            assert not redis.outage.away
            await redis.config_set("maxmemory", 0)
            assert await waiting == [True], "what cannot be left out is waited for"
    assert await redis.keys("*") == [b"result"]
    await redis.aclose(close_connection_pool=True)


async def test_a_server_that_freezes_while_a_job_is_begun_ends_no_process(data: Path) -> None:
    """What arq watches for it is forgotten by a word to the server, which may not answer any more."""
    with EmbeddedServer(data) as server:
        async with Proxy(Path(server.url.removeprefix("unix://"))) as link:
            redis = PatientRedis(connect(link.url, timeout_seconds=0.3).connection_pool)
            redis.outage = Outage()
            async with redis.pipeline(transaction=True) as pipe:
                await pipe.watch("a")
                link.freeze()
            link.thaw()
            async with redis.pipeline(transaction=True) as pipe:
                await pipe.watch("a")
                pipe.multi()  # type: ignore[no-untyped-call]
                pipe.set("a", "1")
                assert await pipe.execute() == [True]
            await redis.aclose(close_connection_pool=True)


@pytest.mark.parametrize("watching", [False, True], ids=["plain", "watching"])
async def test_a_permission_is_waited_for_if_it_was_there_before(data: Path, watching: bool) -> None:
    """A pipeline is all that arq writes with; one that was never allowed is an error."""

    async def write() -> None:
        async with redis.pipeline(transaction=True) as pipe:
            if watching:
                await pipe.watch("b")
                pipe.multi()  # type: ignore[no-untyped-call]
            pipe.set("a", "1")
            await pipe.execute()

    async def rule(words: str) -> None:
        await operator.execute_command("ACL", "SETUSER", "default", words)  # type: ignore[no-untyped-call]

    with EmbeddedServer(data) as server:
        async with connect(server.url) as operator:
            redis = PatientRedis(connect(server.url).connection_pool)
            redis.outage = Outage()
            await rule("-set")
            with pytest.raises(NoPermissionError):
                await write()
            await rule("+set")
            await write()
            await rule("-set")
            if watching:
                with pytest.raises(WatchError):
                    await write()
            else:
                writing = asyncio.create_task(write())
                await until(lambda: redis.outage.away)
                await rule("+set")
                await writing
            await redis.aclose(close_connection_pool=True)
