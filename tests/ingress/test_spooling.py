"""Ingress with a spool: Redis may be away in any way it likes, and costs no event, no order and no 5xx."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from redis.asyncio import Redis

from bridge.channels import User, UserMessage
from bridge.embedded import EmbeddedServer
from bridge.errors import ConfigError
from bridge.ingress.server import serving
from bridge.ingress.signature import HEADER, sign
from bridge.ingress.spool import spool
from bridge.queue import Ack, Queue, connect
from bridge.secret import Secret
from tests.chaos.proxy import Proxy
from tests.ingress.children import process, said
from tests.ingress.conftest import SECRET, Ingress, settings
from tests.ingress.echo import posted
from tests.ingress.test_platforms import post as hook
from tests.workers.bench import Sent, dispatcher_of, running, until
from workers import outage

SPOOLED = (200, b'{"status":"spooled"}')
ACCEPTED = (200, b'{"status":"accepted"}')
DUPLICATE = (200, b'{"status":"duplicate"}')

Serve = Callable[..., Coroutine[Any, Any, Ingress]]


def event(n: int, session: str = "s", **fields: Any) -> bytes:
    return json.dumps({"session_id": session, "n": n} | fields).encode()


@pytest.fixture
async def client(own_server: EmbeddedServer) -> AsyncIterator[Redis]:
    client = connect(own_server.url)
    yield client
    await client.aclose()


@pytest.fixture
async def serve(own_server: EmbeddedServer, client: Redis, tmp_path: Path) -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())

        async def start(redis_url: str = own_server.url, folder: str = "spool", **changes: Any) -> Ingress:
            changes["ingress"] = {"spool": tmp_path / folder} | changes.get("ingress", {})
            addresses = await stack.enter_async_context(serving(settings(redis_url, **changes)))
            return Ingress(addresses, http, client)

        yield start


async def health(ingress: Ingress) -> tuple[int, dict[str, Any]]:
    async with ingress.http.get(f"{ingress.addresses.admin_url}/readyz") as response:
        return response.status, await response.json()


async def direct(ingress: Ingress) -> None:
    """Returns when the spool is empty and events go to Redis again."""

    async def asked() -> bool:
        return not any(each.startswith("spool") for each in (await health(ingress))[1]["degraded"])

    await until(asked, 30)


async def delivered(queue: Queue, session: str = "s") -> list[int]:
    """What waits in a session, in the order in which it would be delivered."""
    return (await all_delivered(queue)).get(session, [])


async def all_delivered(queue: Queue) -> dict[str, list[int]]:
    """What waits, by session. After an outage it is held for a moment."""
    found: dict[str, list[int]] = {}
    async with asyncio.timeout(20):
        while (await queue.stats()).depth:
            deliveries = (await queue.turn([], 100)).deliveries
            for each in deliveries:
                found.setdefault(each.session, []).append(json.loads(each.payload)["n"])
            await queue.turn([Ack(each) for each in deliveries], 0)
    return found


# ---- whatever Redis does -----------------------------------------------------------------------------------

Trouble = Callable[[EmbeddedServer, Redis], "asyncio.Future[None] | Coroutine[Any, Any, Callable[[], Any]]"]


async def killed(own_server: EmbeddedServer, client: Redis) -> Callable[[], Any]:
    own_server.kill()
    return lambda: asyncio.to_thread(own_server.start)


async def frozen(own_server: EmbeddedServer, client: Redis) -> Callable[[], Any]:
    os.kill(own_server.pid, signal.SIGSTOP)

    async def heal() -> None:
        os.kill(own_server.pid, signal.SIGCONT)

    return heal


async def slow(own_server: EmbeddedServer, client: Redis) -> Callable[[], Any]:
    """It stands still nine tenths of the time."""

    async def stutter() -> None:
        try:
            while True:
                os.kill(own_server.pid, signal.SIGSTOP)
                await asyncio.sleep(0.45)
                os.kill(own_server.pid, signal.SIGCONT)
                await asyncio.sleep(0.05)
        finally:
            os.kill(own_server.pid, signal.SIGCONT)

    task = asyncio.create_task(stutter())

    async def heal() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return heal


def configured(harm: tuple[str, ...], cure: tuple[str, ...]) -> Callable[[EmbeddedServer, Redis], Any]:
    async def trouble(own_server: EmbeddedServer, client: Redis) -> Callable[[], Any]:
        await client.execute_command(*harm)  # type: ignore[no-untyped-call]
        return lambda: client.execute_command(*cure)  # type: ignore[no-untyped-call]

    return trouble


async def busy(own_server: EmbeddedServer, client: Redis) -> Callable[[], Any]:
    await client.config_set("lua-time-limit", 1)
    hog = connect(own_server.url, timeout_seconds=60)
    looping = asyncio.create_task(hog.execute_command("EVAL", "while true do end", 0))  # type: ignore[no-untyped-call]
    await asyncio.sleep(0.1)

    async def heal() -> None:
        await client.execute_command("SCRIPT KILL")  # type: ignore[no-untyped-call]
        await asyncio.gather(looping, return_exceptions=True)
        await hog.aclose()

    return heal


async def no_more_clients(own_server: EmbeddedServer, client: Redis) -> Callable[[], Any]:
    limit = (await client.config_get("maxclients"))["maxclients"]
    await client.config_set("maxclients", 1)
    await client.client_kill_filter(_type="normal", skipme=True)

    async def heal() -> None:
        await client.config_set("maxclients", limit)

    return heal


TROUBLES = {
    "killed": killed,
    "frozen": frozen,
    "slow": slow,
    "busy": busy,
    "no-more-clients": no_more_clients,
    "read-only": configured(("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
    "full": configured(("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
    "too-few-replicas": configured(
        ("CONFIG", "SET", "min-replicas-to-write", "1"), ("CONFIG", "SET", "min-replicas-to-write", "0")
    ),
    "forbidden": configured(
        ("ACL", "SETUSER", "default", "-evalsha"), ("ACL", "SETUSER", "default", "+evalsha")
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
async def test_it_costs_nothing(
    serve: Serve, own_server: EmbeddedServer, client: Redis, trouble: Any
) -> None:
    ingress = await serve()
    sent, took = 0, list[float]()

    async def post(expected: tuple[tuple[int, bytes], ...]) -> None:
        nonlocal sent
        started = asyncio.get_running_loop().time()
        assert await ingress.post(event(sent)) in expected
        took.append(asyncio.get_running_loop().time() - started)
        sent += 1

    for _ in range(3):
        await post((ACCEPTED,))
    heal = await trouble(own_server, client)
    await post((SPOOLED,))
    for _ in range(20):
        await post((SPOOLED, ACCEPTED))
    status, said = await health(ingress)
    assert (status, said["ready"], said["problems"]) == (200, True, [])
    await heal()
    for _ in range(5):
        await post((SPOOLED, ACCEPTED))
    await direct(ingress)
    await post((ACCEPTED,))
    assert max(took) < 2, "the sender is answered soon, whatever Redis does"
    assert await delivered(ingress.queue()) == list(range(sent))
    assert (await ingress.queue().stats()).depth == 0


@pytest.mark.parametrize(
    "words",
    [
        b"-LOADING Redis is loading the dataset in memory",
        b"-MISCONF Redis is configured to save RDB snapshots",
        b"-MASTERDOWN Link with MASTER is down",
        b"-CLUSTERDOWN The cluster is down",
        b"-ERR something nobody knows",
    ],
    ids=lambda words: words.split()[0].decode(),
)
async def test_whatever_redis_says_instead(serve: Serve, words: bytes) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while await reader.read(65_536):
                writer.write(words + b"\r\n")
                await writer.drain()
        writer.close()

    refusing = await asyncio.start_server(refuse, "127.0.0.1", 0)
    ingress = await serve(f"redis://127.0.0.1:{refusing.sockets[0].getsockname()[1]}/0")
    assert await ingress.post(event(1)) == SPOOLED
    assert await ingress.post(event(2)) == SPOOLED
    refusing.close()


# ---- what is kept, and how ---------------------------------------------------------------------------------


async def test_many_senders_and_sessions(serve: Serve, own_server: EmbeddedServer) -> None:
    """Each session's sender waits for its answer; Redis comes and goes."""
    ingress = await serve()
    stop = asyncio.Event()
    sent: dict[str, int] = {}

    async def sender(session: str) -> None:
        while not stop.is_set():
            n = sent.get(session, 0)
            assert (await ingress.post(event(n, session)))[0] == 200
            sent[session] = n + 1

    senders = [asyncio.create_task(sender(f"s{each}")) for each in range(30)]
    for _ in range(3):
        await asyncio.sleep(0.4)
        await asyncio.to_thread(own_server.kill)
        await asyncio.sleep(0.4)
        await asyncio.to_thread(own_server.start)
    await direct(ingress)
    stop.set()
    await asyncio.gather(*senders)
    assert await all_delivered(ingress.queue()) == {
        session: list(range(count)) for session, count in sent.items()
    }
    assert sum(sent.values()) > 300


@pytest.mark.parametrize("times", [(9, 8, 7, 6, 5), (5, 5, 5, 5, 5), (3, 9, 1, 4, 2)])
async def test_of_one_ingress_the_order_is_that_of_arrival(
    serve: Serve, own_server: EmbeddedServer, times: tuple[int, ...]
) -> None:
    """Whatever the events say of their times."""
    ingress = await serve()
    bodies = [event(n, timestamp=1_700_000_000_000 + each) for n, each in enumerate(times)]
    for body in bodies[:2]:
        assert await ingress.post(body) == ACCEPTED
    own_server.kill()
    for body in bodies[2:]:
        assert await ingress.post(body) == SPOOLED
    await asyncio.to_thread(own_server.start)
    await direct(ingress)
    assert await delivered(ingress.queue()) == list(range(len(times)))


async def test_users_messages_too(serve: Serve, own_server: EmbeddedServer) -> None:
    ingress = await serve()
    own_server.kill()
    for n in range(3):
        body = posted(UserMessage(chat="c", id=f"m{n % 2}", text="hello", user=User()))
        assert await hook(ingress, body) == (200, b"")
    await asyncio.to_thread(own_server.start)
    await direct(ingress)
    assert (await ingress.queue("in").stats()).depth == 2, "the platform's id tells a repeat"
    text = await ingress.metrics()
    assert 'moveo_bridge_messages_total{integration="support",outcome="spooled"} 3.0' in text


async def test_what_cannot_become_an_event_too(serve: Serve, own_server: EmbeddedServer) -> None:
    ingress = await serve()
    own_server.kill()
    assert await ingress.post(b"{}") == (200, b'{"status":"unroutable"}')
    assert await ingress.post(b"{") == (200, b'{"status":"undecodable"}')
    await asyncio.to_thread(own_server.start)
    await direct(ingress)
    assert await ingress.dead() == [("unroutable", b"{}"), ("undecodable", b"{")]


async def test_a_repeated_webhook_is_delivered_once(serve: Serve, own_server: EmbeddedServer) -> None:
    """Whether it came before Redis went away, while it was away, or after."""
    ingress = await serve()
    assert await ingress.post(event(0)) == ACCEPTED
    own_server.kill()
    for n in (0, 1, 1):
        assert await ingress.post(event(n)) == SPOOLED
    await asyncio.to_thread(own_server.start)
    await direct(ingress)
    assert await ingress.post(event(1)) == DUPLICATE
    assert await delivered(ingress.queue()) == [0, 1]


async def test_a_push_that_seemed_to_fail_is_not_doubled(serve: Serve, own_server: EmbeddedServer) -> None:
    """What a frozen server was sent, it does when it wakes."""
    ingress = await serve()
    assert await ingress.post(event(0)) == ACCEPTED
    os.kill(own_server.pid, signal.SIGSTOP)
    for n in (1, 2):
        assert await ingress.post(event(n)) == SPOOLED
    os.kill(own_server.pid, signal.SIGCONT)
    await direct(ingress)
    assert await delivered(ingress.queue()) == [0, 1, 2]
    assert (await ingress.queue().stats()).duplicates_total >= 1


async def test_what_it_holds_is_to_be_seen(serve: Serve, own_server: EmbeddedServer) -> None:
    ingress = await serve()

    async def gauges() -> dict[str, float]:
        found = re.findall(r"^moveo_bridge_spool_(\w+) (\S+)$", await ingress.metrics(), re.MULTILINE)
        return {name: float(value) for name, value in found}

    assert await gauges() == {"events": 0, "bytes": 0, "oldest_age_seconds": 0}
    assert (await health(ingress))[1] == {"ready": True, "problems": [], "degraded": []}
    own_server.kill()
    for n in range(3):
        await ingress.post(event(n))
    held = await gauges()
    assert held["events"] == 3
    assert held["bytes"] > 3 * len(event(0))
    assert 0 < held["oldest_age_seconds"] < 60
    status, said = await health(ingress)
    assert (status, said["ready"]) == (200, True)
    assert said["degraded"][0] == "spool: 3 events wait for Redis"
    assert said["degraded"][1].startswith("redis: ")
    assert 'moveo_bridge_events_total{integration="support",outcome="spooled"} 3.0' in await ingress.metrics()


async def test_the_log_says_when_it_begins_and_ends(serve: Serve, own_server: EmbeddedServer) -> None:
    with structlog.testing.capture_logs() as logs:
        ingress = await serve()
        own_server.kill()
        for n in range(3):
            await ingress.post(event(n, text="canary-text"))
        await asyncio.to_thread(own_server.start)
        await direct(ingress)
    said = [each["event"] for each in logs if each["event"].startswith("spool.")]
    assert (said[0], said[-1]) == ("spool.holding", "spool.emptied")
    assert said.count("spool.waits") <= 1
    assert "canary" not in repr(logs)


# ---- its bounds --------------------------------------------------------------------------------------------


async def test_a_full_spool_is_a_503_and_no_lie(serve: Serve, own_server: EmbeddedServer) -> None:
    ingress = await serve(ingress={"spool_bytes": 5000})
    own_server.kill()
    answers = [await ingress.post(event(n, text="x" * 900)) for n in range(10)]
    taken = answers.count(SPOOLED)
    assert 0 < taken < 6
    assert answers[taken:] == [(503, b'{"status":"unavailable"}')] * (10 - taken)
    assert (await health(ingress))[0] == 503
    await asyncio.to_thread(own_server.start)
    await direct(ingress)
    assert await ingress.post(event(99)) == ACCEPTED
    assert await delivered(ingress.queue()) == [*range(taken), 99]


# ---- processes ---------------------------------------------------------------------------------------------


@asynccontextmanager
async def spooling(
    redis_url: str, folder: Path, limit: str = "true"
) -> AsyncIterator[asyncio.subprocess.Process]:
    async with process(redis_url, limit=limit, BRIDGE_INGRESS__SPOOL=str(folder)) as started:
        yield started


async def heard(ingress: asyncio.subprocess.Process, event: str) -> dict[str, Any]:
    return (await said(ingress, event))[0]


async def post(url: str, body: bytes) -> int:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/moveo/support", data=body, headers={HEADER: sign(Secret(SECRET), body)}) as answer,
    ):
        return answer.status


async def test_what_a_killed_ingress_had_acknowledged_is_delivered(
    own_server: EmbeddedServer, client: Redis, tmp_path: Path
) -> None:
    """By the next one on the folder, before anything newer."""
    own_server.kill()
    for first in (0, 5):
        async with spooling(own_server.url, tmp_path / "spool") as ingress:
            url = (await heard(ingress, "ingress.started"))["url"]
            for n in range(first, first + 5):
                assert await post(url, event(n)) == 200
            ingress.send_signal(signal.SIGKILL)
            await ingress.wait()
    own_server.start()
    async with spooling(own_server.url, tmp_path / "spool") as ingress:
        assert (await heard(ingress, "spool.found"))["events"] == 10
        url = (await heard(ingress, "ingress.started"))["url"]
        assert await post(url, event(10)) == 200
        queue = Queue(client, "support", "out")

        async def all_there() -> bool:
            return (await queue.stats()).depth == 11

        await until(all_there, 20)
        assert await delivered(queue) == list(range(11))


async def test_a_full_disk_is_a_503_and_what_was_acknowledged_is_there(
    own_server: EmbeddedServer, client: Redis, tmp_path: Path
) -> None:
    """Files of this process may have 16 blocks; what a write has begun beyond that is taken back."""
    own_server.kill()
    async with spooling(own_server.url, tmp_path / "spool", limit="ulimit -f 16") as ingress:
        url = (await heard(ingress, "ingress.started"))["url"]
        answers = [await post(url, event(n, text="x" * 900)) for n in range(30)]
        taken = [n for n, answer in enumerate(answers) if answer == 200]
        assert len(taken) > 10
        assert set(answers) == {200, 503}
        ingress.kill()
        await ingress.wait()
    own_server.start()
    async with spooling(own_server.url, tmp_path / "spool") as ingress:
        await heard(ingress, "spool.emptied")
        assert await delivered(Queue(client, "support", "out")) == taken


async def test_a_second_ingress_on_the_folder_does_not_start(
    own_server: EmbeddedServer, tmp_path: Path
) -> None:
    async with spooling(own_server.url, tmp_path / "spool") as first:
        await heard(first, "ingress.started")
        async with spooling(own_server.url, tmp_path / "spool") as second:
            _, errors = await asyncio.wait_for(second.communicate(), 30)
    assert second.returncode == 2
    (line,) = errors.decode().splitlines()
    assert line.startswith("moveo-bridge: ingress.spool: ")
    assert f"in use by another ingress (process {first.pid})" in line


async def test_a_folder_that_cannot_be_used_is_a_wrong_setting(
    own_server: EmbeddedServer, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"^ingress\.spool: "):
        async with serving(settings(own_server.url, ingress={"spool": tmp_path / "file"})):
            pass


async def test_a_sigterm_leaves_what_it_holds_for_the_next(
    own_server: EmbeddedServer, tmp_path: Path
) -> None:
    own_server.kill()
    async with spooling(own_server.url, tmp_path / "spool") as ingress:
        assert await post((await heard(ingress, "ingress.started"))["url"], event(1)) == 200
        ingress.terminate()
        assert (await heard(ingress, "spool.left"))["events"] == 1
        assert await asyncio.wait_for(ingress.wait(), 15) == 0


# ---- several ingresses -------------------------------------------------------------------------------------


async def test_events_of_a_session_come_together_in_the_order_they_were_sent(
    own_server: EmbeddedServer, client: Redis, serve: Serve
) -> None:
    """One ingress is cut off from Redis, the other is not; the sender's events go to either in turn."""
    async with Proxy(own_server.data / "server.sock") as link:
        cut_off, other = await serve(link.url, "one"), await serve(own_server.url, "two")
        assert await cut_off.post(event(0, timestamp=1_700_000_000_000)) == ACCEPTED
        link.freeze()
        for n in range(1, 9):
            ingress, expected = (cut_off, SPOOLED) if n % 2 else (other, ACCEPTED)
            assert await ingress.post(event(n, timestamp=1_700_000_000_000 + n)) == expected
        link.thaw()
        await direct(cut_off)
        assert await delivered(other.queue()) == list(range(9))


async def test_without_a_time_of_their_own_they_are_placed_by_their_arrival(
    own_server: EmbeddedServer, client: Redis, serve: Serve
) -> None:
    async with Proxy(own_server.data / "server.sock") as link:
        cut_off, other = await serve(link.url, "one"), await serve(own_server.url, "two")
        assert await cut_off.post(event(0)) == ACCEPTED
        link.freeze()
        for n in range(1, 9):
            await asyncio.sleep(0.02)
            await (cut_off if n % 2 else other).post(event(n))
        link.thaw()
        await direct(cut_off)
        assert await delivered(other.queue()) == list(range(9))


async def test_after_an_outage_they_all_give_up_what_they_hold_before_anything_is_delivered(
    own_server: EmbeddedServer, client: Redis, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a load balancer a session's events are on the disks of both."""
    monkeypatch.setattr(spool, "BATCH", 4)  # each has much to do
    monkeypatch.setattr(outage, "SETTLING_SECONDS", 0.2)  # and workers do not wait for long
    ingresses = [await serve(own_server.url, "one"), await serve(own_server.url, "two")]
    sent, worker = 0, Sent()
    dispatcher = dispatcher_of(client, worker)
    async with running(client, dispatcher):
        for _ in range(2):
            for ingress in ingresses:
                await ingress.post(event(sent, timestamp=1_700_000_000_000 + sent))
                sent += 1
            await asyncio.to_thread(own_server.kill)
            for n in range(300):
                assert (await ingresses[n % 7 % 2].post(event(sent, timestamp=1_700_000_000_000 + sent)))[
                    0
                ] == 200
                sent += 1
            await asyncio.to_thread(own_server.start)
            await worker.has(sent, 20)
    assert [json.loads(each)["n"] for each in worker.by_session["s"]] == list(range(sent))
