"""Real worker processes against a real server and a real platform: what the promise says of crashes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import msgspec
import pytest
from redis.asyncio import Redis

from bridge.channels import UserMessage
from bridge.config import load
from bridge.embedded import DURABLE, EmbeddedServer
from bridge.errors import StoreUnavailable
from bridge.queue import Limits, Queue, connect, present
from tests.workers.bench import quiet, until
from tests.workers.children import ARQ, OWN, Child, worker
from tests.workers.events import answer
from tests.workers.platform import Answer, Platform
from workers.process import Process

CONFIG = """
[worker]
admin_port = 0
[integrations.support]
channel = "webhook"
secrets = ["x"]
[integrations.support.webhook]
url = "{url}"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""


@pytest.fixture
def config(there: Platform) -> str:
    return CONFIG.format(url=there.url)


async def push(queue: Queue, session: str, *texts: str) -> None:
    await queue.push(session, answer(session, *texts))


def by_session(there: Platform) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in there.received:
        found.setdefault(each.json["chat"], []).append(each.json["data"]["text"])
    return found


async def started(*children: Child) -> None:
    await until(lambda: all(child.started for child in children), 20)


def without_repeats(texts: list[str]) -> list[str]:
    """Neighbours that are the same are one: a part that was sent again."""
    return [text for number, text in enumerate(texts) if number == 0 or texts[number - 1] != text]


async def test_two_workers_deliver_every_event_once_and_in_order(
    redis: Redis, redis_url: str, there: Platform, config: str, tmp_path: Path
) -> None:
    queue = Queue(redis, "support", "out")
    with worker(tmp_path, config, redis_url) as one, worker(tmp_path, config, redis_url) as two:
        await started(one, two)
        for number in range(10):
            pushes = (push(queue, f"s{session}", f"text {number}") for session in range(200))
            await asyncio.gather(*pushes)
        await quiet(queue, 60)
        assert len(await present(redis)) == 2
    expected = [f"text {number}" for number in range(10)]
    assert by_session(there) == {f"s{session}": expected for session in range(200)}


async def test_a_killed_worker_loses_nothing_and_repeats_only_what_was_in_flight(
    redis: Redis, redis_url: str, there: Platform, config: str, tmp_path: Path
) -> None:
    there.answer = lambda *_: Answer(seconds=0.02)
    queue = Queue(redis, "support", "out")
    sessions = [f"s{number}" for number in range(20)]
    for number in range(10):
        for session in sessions:
            await push(queue, session, *(f"{number}.{part}" for part in range(3)))
    loop = asyncio.get_running_loop()
    with worker(tmp_path, config, redis_url) as victim:
        await there.has(200, 30)
        victim.signal(signal.SIGKILL)
        killed_at = loop.time()
        in_flight = (await queue.stats()).in_flight
    before = len(there.received)
    with worker(tmp_path, config, redis_url):
        await quiet(queue, 60)
    moved_at = {each.json["chat"]: each.at for each in reversed(there.received[before:])}
    assert max(moved_at.values()) - killed_at < 6.5, "its sessions moved again"
    expected = [f"{number}.{part}" for number in range(10) for part in range(3)]
    sent = by_session(there)
    assert {session: without_repeats(texts) for session, texts in sent.items()} == dict.fromkeys(
        sessions, expected
    )
    repeats = {session: len(texts) - len(expected) for session, texts in sent.items()}
    assert max(repeats.values()) <= 1
    assert sum(repeats.values()) <= in_flight


async def test_a_frozen_worker_sends_nothing_new_when_it_wakes(
    redis: Redis, redis_url: str, there: Platform, config: str, tmp_path: Path
) -> None:
    config = config.replace("[worker]", "[worker]\nlease_seconds = 1.0")
    queue = Queue(redis, "support", "out", Limits(lease_seconds=1.0))
    there.answer = lambda *_: Answer(seconds=0.3)
    await push(queue, "s", "1", "2", "3", "4")
    with worker(tmp_path, config, redis_url) as frozen:
        await there.has(2, 20)
        frozen.signal(signal.SIGSTOP)
        with worker(tmp_path, config, redis_url):
            await quiet(queue, 20)
            count = len(there.received)
            frozen.signal(signal.SIGCONT)
            await until(lambda: "lease.lost" in frozen.log, 10)
            assert len(there.received) == count
    assert by_session(there)["s"] in (["1", "2", "2", "3", "4"], ["1", "2", "3", "4"])


async def test_sigterm_hands_over_at_once_and_costs_no_try(
    redis: Redis, redis_url: str, there: Platform, config: str, tmp_path: Path
) -> None:
    there.answer = lambda *_: Answer(seconds=0.3)
    queue = Queue(redis, "support", "out")
    loop = asyncio.get_running_loop()
    with worker(tmp_path, config, redis_url) as second:
        await started(second)
        second.signal(signal.SIGSTOP)
        with worker(tmp_path, config, redis_url) as first:
            await started(first)
            await push(queue, "s", *"12345678")
            await there.has(2, 10)
            first.signal(signal.SIGTERM)
            asked_at = loop.time()
            second.signal(signal.SIGCONT)
            assert await asyncio.to_thread(first.ended) == 0
        await there.has(3, 10)
        assert there.received[2].at - asked_at < 2.0
        await quiet(queue, 20)
    assert by_session(there)["s"] == list("12345678")
    assert (await queue.stats()).retried_total == 0
    assert len(await present(redis)) == 1, "the one that stopped said so"


@pytest.mark.parametrize("command", [OWN, ARQ], ids=["moveo-bridge", "arq"])
async def test_a_worker_told_to_stop_as_soon_as_it_works_does(
    redis_url: str, config: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    for _ in range(3):  # at a moment at which its host asks Redis
        with worker(tmp_path, config, redis_url, command) as child:
            async with asyncio.timeout(20):
                while not child.started:
                    await asyncio.sleep(0.001)
            child.signal(signal.SIGTERM)
            assert await asyncio.to_thread(child.ended) == 0
            assert "worker.stopped" in child.log


@pytest.mark.usefixtures("hangups")
@pytest.mark.parametrize("command", [OWN, ARQ], ids=["moveo-bridge", "arq"])
async def test_sighup_finishes_the_part_in_flight_and_is_logged(
    redis: Redis, redis_url: str, there: Platform, config: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    there.answer = lambda *_: Answer(seconds=0.5)
    queue = Queue(redis, "support", "out")
    with worker(tmp_path, config, redis_url, command) as child:
        await started(child)
        await push(queue, "s", "1", "2", "3")
        await there.has(1)
        child.signal(signal.SIGHUP)
        assert await asyncio.to_thread(child.ended) == 0
        stopping = next(line for line in child.log.splitlines() if "worker.stopping" in line)
        assert json.loads(stopping)["signal"] == "SIGHUP"
        assert "worker.stopped" in child.log
    sent = len(there.received)
    with worker(tmp_path, config, redis_url):
        await quiet(queue)
    assert by_session(there) == {"s": ["1", "2", "3"]}
    assert sent < 3


@pytest.mark.parametrize("command", [OWN, ARQ], ids=["moveo-bridge", "arq"])
async def test_nohup_keeps_a_worker_running(
    redis_url: str, config: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    with worker(
        tmp_path, config, redis_url, ("sh", "-c", "trap '' HUP && exec \"$@\"", "sh", *command)
    ) as child:
        await started(child)
        child.signal(signal.SIGHUP)
        child.signal(signal.SIGTERM)
        assert await asyncio.to_thread(child.ended) == 0
        stopping = next(line for line in child.log.splitlines() if "worker.stopping" in line)
        assert json.loads(stopping)["signal"] == "SIGTERM"


@pytest.mark.parametrize("command", [OWN, ARQ], ids=["moveo-bridge", "arq"])
async def test_redis_restarting_ends_no_process(
    there: Platform, config: str, tmp_path: Path, data: Path, command: tuple[str, ...]
) -> None:
    with (
        EmbeddedServer(data, options=DURABLE) as server,
        worker(tmp_path, config, server.url, command) as child,
    ):
        await started(child)
        async with connect(server.url) as redis:
            queue = Queue(redis, "support", "out")
            await push(queue, "s", "before")
            await there.has(1)
            await push(queue, "s", "1")
            await quiet(queue)
            server.kill()
            await until(lambda: "store.unavailable" in child.log)
            await asyncio.sleep(1.0)
            server.start()
            back_at = asyncio.get_running_loop().time()
        async with connect(server.url) as redis:
            queue = Queue(redis, "support", "out")
            await push(queue, "s", "after")
            received = await there.has(3)
            assert received[2].at - back_at < 2.0
            await quiet(queue)
        assert child.log.count("store.unavailable") == 1
        child.signal(signal.SIGTERM)
        assert await asyncio.to_thread(child.ended) == 0


async def test_after_an_outage_who_held_a_session_speaks_before_others_claim_it(
    there: Platform, config: str, tmp_path: Path, data: Path
) -> None:
    """Redis is away for longer than the leases, what was in flight ends meanwhile: nothing is repeated."""
    config = config.replace("[worker]", "[worker]\nlease_seconds = 1.0")
    there.answer = lambda *_: Answer(seconds=1.5)
    with EmbeddedServer(data, options=DURABLE) as server, ExitStack() as stack:
        holder = stack.enter_context(worker(tmp_path, config, server.url))
        await started(holder)
        async with connect(server.url) as redis:
            queue = Queue(redis, "support", "out")
            for session in range(20):
                await push(queue, f"s{session}", "text")
        await there.has(20, 20)
        others = [stack.enter_context(worker(tmp_path, config, server.url)) for _ in range(3)]
        server.kill()
        await until(lambda: all("store.unavailable" in each.log for each in (holder, *others)), 20)
        await asyncio.sleep(2.0)
        await asyncio.to_thread(server.start)
        async with connect(server.url) as redis:
            await quiet(Queue(redis, "support", "out"))
    assert by_session(there) == {f"s{session}": ["text"] for session in range(20)}


@pytest.mark.parametrize("command", [OWN, ARQ], ids=["moveo-bridge", "arq"])
async def test_a_worker_waits_for_redis_and_can_be_told_to_stop_meanwhile(
    config: str, tmp_path: Path, data: Path, command: tuple[str, ...]
) -> None:
    with EmbeddedServer(data, options=DURABLE) as server:
        url = server.url
    with worker(tmp_path, config, url, command) as child:
        await until(lambda: "store.unavailable" in child.log, 20)
        child.signal(signal.SIGTERM)
        assert await asyncio.to_thread(child.ended) == 0


async def test_probes_and_metrics_are_on_the_admin_port(
    redis: Redis, redis_url: str, there: Platform, config: str, tmp_path: Path
) -> None:
    queue = Queue(redis, "support", "out")
    await push(queue, "s", "hello")
    with worker(tmp_path, config, redis_url) as child:
        await started(child)
        await quiet(queue)
        lines = (json.loads(line) for line in child.log.splitlines())
        admin = next(line["admin"] for line in lines if line["event"] == "worker.started")
        async with aiohttp.ClientSession() as http:
            answers = {}
            for path in ("/livez", "/readyz", "/metrics"):
                async with http.get(admin + path) as response:
                    answers[path] = (response.status, await response.text())
    assert {path: status for path, (status, _) in answers.items()} == dict.fromkeys(answers, 200)
    assert 'outcome="delivered"} 1.0' in answers["/metrics"][1]


async def test_a_worker_warns_of_what_redis_may_lose(redis_url: str, config: str, tmp_path: Path) -> None:
    with worker(tmp_path, config, redis_url) as child:
        await until(lambda: "redis.not_durable" in child.log, 20)
        assert "set appendfsync always" in child.log


async def test_a_server_that_forbids_info_will_do(
    redis: Redis, redis_url: str, there: Platform, config: str, tmp_path: Path
) -> None:
    allowed = ["+@all", "-@dangerous"]
    await redis.acl_setuser("careful", True, passwords="+pw", keys=["*"], channels=["*"], categories=allowed)
    await push(Queue(redis, "support", "out"), "s", "hello")
    with worker(tmp_path, config, redis_url.replace("unix://", "unix://careful:pw@")) as child:
        await there.has(1, 20)
        assert child.alive
    await redis.acl_deluser("careful")


async def _swallows_one_cancellation(*_: object) -> None:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        raise StoreUnavailable("the connection was lost") from None


async def _hangs(*_: object) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("name", "stubborn"),
    [
        pytest.param("workers.dispatch.wait_for_wake", _swallows_one_cancellation, id="a waiter"),
        pytest.param("workers.process.leave", _hangs, id="a connection"),
    ],
)
async def test_a_stop_waits_for_no_client_that_does_not_end(
    redis_url: str, config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, stubborn: object
) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text(config)
    process = Process(load(file, {"REDIS_URL": redis_url}))
    monkeypatch.setattr(name, stubborn)
    await process.start()
    await asyncio.sleep(0)  # everybody waits
    async with asyncio.timeout(9):
        await process.stop()


@pytest.mark.parametrize("command", [OWN, ARQ], ids=["moveo-bridge", "arq"])
async def test_a_worker_ends_though_redis_hangs(
    config: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    with (
        EmbeddedServer(tmp_path / "data", options=DURABLE) as server,
        worker(tmp_path, config, server.url, command) as child,
    ):
        await started(child)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            child.signal(signal.SIGTERM)
            assert await asyncio.to_thread(child.ended, 10) == 0
        finally:
            os.kill(server.pid, signal.SIGCONT)


async def test_a_worker_ends_though_it_never_reached_redis(config: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with worker(tmp_path, config, url) as child:
            await until(lambda: "store.unavailable" in child.log, 20)
            child.signal(signal.SIGTERM)
            assert await asyncio.to_thread(child.ended, 10) == 0


async def test_a_taken_admin_port_is_said(
    there: Platform, redis_url: str, config: str, tmp_path: Path
) -> None:
    taken = there.url.rpartition(":")[2]
    with worker(tmp_path, config.replace("admin_port = 0", f"admin_port = {taken}"), redis_url) as child:
        assert await asyncio.to_thread(child.ended) != 0
        assert f"worker.admin_port: cannot listen on 127.0.0.1 port {taken}" in child.log


@pytest.mark.parametrize("command", [OWN, ARQ], ids=["moveo-bridge", "arq"])
async def test_a_wrong_setting_is_said_before_anything_starts(
    redis_url: str, config: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    with worker(tmp_path, config.replace("webhook", "carrier-pigeon", 1), redis_url, command) as child:
        assert await asyncio.to_thread(child.ended) != 0
        assert 'integrations.support.channel: there is no "carrier-pigeon"' in child.log


async def test_arq_says_each_line_once(redis_url: str, config: str, tmp_path: Path) -> None:
    with worker(tmp_path, config, redis_url, ARQ) as child:
        await started(child)
        assert child.log.count("Starting worker") == 1


async def test_the_id_of_a_web_chat_which_is_its_key_is_in_no_log(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    chat = "c4a9a2f0e8d7b6c5c4a9a2f0e8d7b6c5"
    config = '[worker]\nadmin_port = 0\n[integrations.site]\nchannel = "webchat"\nsecrets = ["x"]\n'
    said = UserMessage(chat=chat, id="m-0000001", text="canary words")
    await Queue(redis, "site", "in").push(chat, msgspec.json.encode(said))
    await Queue(redis, "site", "out").push(chat, b"no event")
    with worker(tmp_path, config, redis_url) as child:
        await started(child)
        await until(lambda: child.log.count("delivery.buried") == 2, 20)
        assert chat[: len(chat) // 4] in child.log, "what it begins with tells chats apart"
        assert chat[: len(chat) // 4 + 1] not in child.log
        assert "canary" not in child.log
