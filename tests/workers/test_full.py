"""A Redis without memory for anything new: what waits in it is delivered, which makes room."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from bridge.channels import Click, UserMessage
from bridge.embedded import EmbeddedServer
from bridge.errors import StoreFull
from bridge.queue import Queue, connect, present
from bridge.sessions import Sessions
from bridge.web.log import ChatLog
from tests.conftest import FAST
from tests.workers.bench import quiet, until
from tests.workers.children import OWN, worker
from tests.workers.events import answer, event
from tests.workers.platform import Answer, Platform, Received, platform

CONFIG = """
[worker]
admin_port = 0
[moveo]
url = "{moveo}"
[integrations.support]
channel = "telegram"
secrets = ["x"]
integration_id = "int"
api_key = "k"
chat_per_second = 0
channel_per_second = 0
[integrations.support.telegram]
token = "1:full"
secret_token = "told"
api_url = "{telegram}"
[integrations.site]
channel = "webchat"
secrets = ["x"]
max_age_seconds = 1
"""
WORDS = "x" * 3000


class Moveo:
    """Makes sessions and takes messages, both of which it notes."""

    def __init__(self, there: Platform) -> None:
        self.url = there.url
        self.made: list[str] = []
        """The chat of each session; the session is named as its number."""
        self.posted: list[tuple[str, str]] = []
        there.answer = self._answer

    def _answer(self, received: Received, number: int) -> Answer:
        if received.path.endswith("/sessions"):
            self.made.append(received.json["external_session_id"])
            return Answer(status=201, body=b'{"session_id":"new-%d"}' % len(self.made))
        self.posted.append((received.path.split("/")[-2], received.json["input"]["text"]))
        return Answer(status=202)


@pytest.fixture
async def moveo() -> AsyncIterator[Moveo]:
    async with platform() as there:
        yield Moveo(there)


@pytest.fixture
def telegram(there: Platform) -> Platform:
    sent = {"ok": True, "result": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}}}
    there.answer = lambda *_: Answer(body=json.dumps(sent).encode())
    return there


@pytest.fixture
def config(telegram: Platform, moveo: Moveo) -> str:
    return CONFIG.format(moveo=moveo.url, telegram=telegram.url)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server with little memory, in which nothing is evicted."""
    with EmbeddedServer(tmp_path / "small", options=(*FAST, "--maxmemory", "6mb")) as started:
        yield started


@pytest.fixture
async def redis(small: EmbeddedServer) -> AsyncIterator[Redis]:
    async with connect(small.url) as client:
        yield client


async def fill(redis: Redis) -> None:
    """Takes what is left of the memory, in smaller and smaller parts, and keeps it."""
    for size in (100_000, 10_000, 1_000, 100):
        number = 0
        while True:
            number += 1
            try:
                await redis.set(f"filler:{size}:{number}", b"x" * size)
            except OutOfMemoryError:
                break
    await redis.config_set("maxmemory", 1_000_000)  # connections that end later make no room


async def is_full(redis: Redis) -> bool:
    try:
        await redis.set("one more", b"x")
    except OutOfMemoryError:
        return True
    return False


async def make_room(redis: Redis) -> None:
    await redis.config_set("maxmemory", 0)


def texts(telegram: Platform) -> dict[str, list[str]]:
    """What each chat has received."""
    found: dict[str, list[str]] = {}
    for each in telegram.received:
        found.setdefault(str(each.json["chat_id"]), []).append(each.json["text"].rstrip("x"))
    return found


def says(chat: str, text: str) -> UserMessage:
    return UserMessage(chat=chat, id=f"{chat}-{text}", text=text)


async def push_back(queue: Queue, incoming: UserMessage | Click) -> None:
    await queue.push(incoming.chat, msgspec.json.encode(incoming))


async def test_waiting_events_that_filled_it_are_delivered_in_order_by_a_fresh_worker(
    redis: Redis, small: EmbeddedServer, telegram: Platform, config: str, tmp_path: Path
) -> None:
    queue = Queue(redis, "support", "out")
    expected: dict[str, list[str]] = {}
    for number in count():
        chat, text = str(1 + number % 400), f"text {number}"
        try:
            await queue.push(f"s{chat}", answer(f"s{chat}", text + WORDS, external_session_id=chat))
        except StoreFull:
            break
        expected.setdefault(chat, []).append(text)
    assert sum(map(len, expected.values())) > 1000
    assert await is_full(redis)
    with worker(tmp_path, config, small.url) as child:
        await until(lambda: child.started, 20)
        await quiet(queue, 60)
        assert child.alive
    assert texts(telegram) == expected
    assert await Sessions(redis, "support").session_of("1") == "s1"


async def test_users_get_one_session_each_and_all_they_said_while_it_stays_full(
    redis: Redis, small: EmbeddedServer, telegram: Platform, moveo: Moveo, config: str, tmp_path: Path
) -> None:
    """The sessions are noted too, so that answers find their chats, and what is said next the session."""
    back, out = Queue(redis, "support", "in"), Queue(redis, "support", "out")
    users = [str(number) for number in range(1, 6)]
    for number in range(3):
        for user in users:
            await push_back(back, says(user, f"{user}.{number}"))
    await out.push("new-1", answer("new-1", "to whom?", external_session_id=None))
    await out.pause("until the session is there")
    await fill(redis)
    with worker(tmp_path, config, small.url) as child:
        await until(lambda: child.started, 20)
        await quiet(back, 30)
        await out.resume()
        await quiet(out, 30)
        assert sorted(moveo.made) == users
        assert await is_full(redis)
        assert texts(telegram) == {moveo.made[0]: ["to whom?"]}
        await make_room(redis)
        for user in users:
            await push_back(back, says(user, f"{user}.3"))
        await quiet(back, 30)
    assert sorted(moveo.made) == users
    by_session = {
        f"new-{number}": [f"{user}.{n}" for n in range(4)] for number, user in enumerate(moveo.made, 1)
    }
    assert {name: [text for to, text in moveo.posted if to == name] for name in by_session} == by_session
    assert len(moveo.posted) == 20


async def test_buttons_go_out_while_it_is_full_and_mean_what_they_said(
    redis: Redis, small: EmbeddedServer, telegram: Platform, moveo: Moveo, config: str, tmp_path: Path
) -> None:
    """Values that are too long for the platform are kept in Redis."""
    back, out = Queue(redis, "support", "in"), Queue(redis, "support", "out")
    long = "a value that is longer than the platform takes " * 3
    options = [{"label": "Yes", "text": long}, {"label": "No", "text": "no"}]
    asked = {"type": "text", "text": "Sure?", "options": options}
    await out.push("s", event("s", [asked], external_session_id="7"))
    await fill(redis)
    with worker(tmp_path, config, small.url) as child:
        await until(lambda: child.started, 20)
        [sent] = await telegram.has(1)
        assert await is_full(redis)
        await make_room(redis)
        pressed = sent.json["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        assert pressed != long
        await push_back(back, Click(chat="7", id="1", payload=pressed, label="Yes"))
        await quiet(back, 30)
    assert moveo.posted == [("s", long)]


async def test_a_session_outlives_a_worker_killed_before_the_message(
    redis: Redis,
    small: EmbeddedServer,
    moveo: Moveo,
    config: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    back = Queue(redis, "support", "in")
    await push_back(back, says("7", "hi"))
    await fill(redis)
    config = config.replace("[worker]", "[worker]\nlease_seconds = 1.0")
    with monkeypatch.context() as patch:
        patch.setenv("MOVEO_BRIDGE_FAILPOINT", "worker.linked")
        with worker(tmp_path, config, small.url, OWN) as killed:
            await until(lambda: not killed.alive, 20)
    assert (moveo.made, moveo.posted) == (["7"], [])
    with worker(tmp_path, config, small.url):
        await quiet(back, 30)
        assert await is_full(redis)
    assert (moveo.made, moveo.posted) == (["7"], [("new-1", "hi")])


async def test_the_web_chat_goes_on_while_it_is_full_and_new_chats_wait_for_room(
    redis: Redis, small: EmbeddedServer, config: str, tmp_path: Path
) -> None:
    """Its histories are in the same Redis. What waits moves from the queue to the history, but a new history
    takes more than it gives back. Then the events wait, however old they get."""
    queue, log = Queue(redis, "site", "out"), ChatLog(redis, "site")
    known, new = "a" * 22, "b" * 22
    await log.append(known, b'{"content":{"text":"hello"}}', "user:1")
    for number in range(5):
        for chat in (known, new):
            said = {"type": "text", "text": f"text {number}"}
            await queue.push(f"s{chat}", event(f"s{chat}", [said], external_session_id=chat))
    await fill(redis)

    async def shown(chat: str) -> list[str]:
        return [json.loads(entry.data)["content"]["text"] for entry in await log.read(chat)]

    async def seen(chat: str, last: str) -> bool:
        return (await shown(chat))[-1:] == [last]

    with worker(tmp_path, config, small.url) as child:
        await until(lambda: child.started, 20)
        await until(lambda: seen(known, "text 4"), 20)
        await asyncio.sleep(1.5)
        assert (await queue.stats()).depth == 5
        assert await shown(new) == []
        assert await is_full(redis)
        await make_room(redis)
        await quiet(queue, 30)
    assert await shown(known) == ["hello", *(f"text {number}" for number in range(5))]
    assert await shown(new) == [f"text {number}" for number in range(5)]
    assert await queue.dead() == []


async def test_a_worker_on_a_full_server_is_seen_says_so_once_and_ends_in_order(
    redis: Redis, small: EmbeddedServer, config: str, tmp_path: Path
) -> None:
    """Neither its own sign of life nor arq's health key keeps it from anything."""
    queue = Queue(redis, "support", "out")
    await queue.push("s", answer("s", "hi", external_session_id="7"))
    await fill(redis)
    with worker(tmp_path, config, small.url) as child:
        await until(lambda: child.started, 20)
        await quiet(queue, 30)
        await until(lambda: "store.full" in child.log)
        assert len(await present(redis)) == 1
        child.signal(signal.SIGTERM)
        assert child.ended() == 0
        events = [json.loads(line)["event"] for line in child.log.splitlines()]
    assert events.count("store.full") == 1
    assert "store.unavailable" not in events
    assert "worker.fault" not in events
    assert await present(redis) == []
