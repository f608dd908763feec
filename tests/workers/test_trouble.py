"""The trouble of some chats is their own: the others are served, whatever the platform says to those."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

import orjson
import pytest
from redis.asyncio import Redis

from bridge.channels import Request, registry
from bridge.queue import Queue
from bridge.sender import Sender, open_http
from tests.channels.fake import SITE
from tests.channels.platforms import PLATFORMS
from tests.workers.bench import Bridge, until
from tests.workers.events import answer
from tests.workers.platform import Answer, Platform, Received

SOON_SECONDS: Final = 4.0
"""Within which a healthy chat's message goes out. One wait of the breaker is a second at most."""

LIMITED: Final = {
    "discord": ("7{:017}", Answer(status=403, body=b'{"code": 40003, "message": "Opening too fast"}')),
    "googlechat": (
        "spaces/S{}",
        Answer(status=429, body=b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}'),
    ),
    "slack": ("C7{:07}", Answer(status=429, body=b'{"ok": false, "error": "ratelimited"}')),
    "viber": ("7{:010}A=", Answer(body=b'{"status": 12, "status_message": "tooManyRequests"}')),
    "whatsapp": (
        "7{:011}",
        Answer(status=400, body=b'{"error": {"code": 131056, "message": "Pair rate limit hit"}}'),
    ),
}
"""What a limit of one chat looks like where the platform names no time, and the address of a sick chat."""


class Trouble:
    """A platform where some chats are sick, and a worker's way out to it."""

    def __init__(self, redis: Redis, there: Platform, bridge: Bridge, queue: Queue) -> None:
        self.redis = redis
        self.there = there
        self.bridge = bridge
        self.queue = queue

    async def push(self, chat: str, said: str) -> None:
        await self.queue.push(chat, answer(chat, said))

    async def shown_soon(self, said: str) -> None:
        """Returns when a message with these words was received."""
        await until(lambda: any(said in each.body.decode() for each in self.there.received), SOON_SECONDS)


@pytest.fixture
async def make(redis: Redis, there: Platform) -> AsyncIterator[Callable[[str], Trouble]]:
    async with open_http() as http:

        def made(kind: str) -> Trouble:
            table = {name: value.format(there.url) for name, value in PLATFORMS[kind].settings.items()}
            bridge = Bridge(redis, Sender(http).send, registry.build(kind, {kind: table}))
            return Trouble(redis, there, bridge, bridge.queue)

        yield made


def yes(kind: str, received: Received) -> Answer:
    request = Request(
        method=received.method, url=SITE + received.url, headers=received.headers, body=received.body
    )
    return PLATFORMS[kind].yes("7", request)


@pytest.mark.parametrize("kind", LIMITED)
async def test_a_limit_of_twenty_chats_delays_no_other_chat(
    make: Callable[[str], Trouble], kind: str
) -> None:
    """The platform answers, so it is up: the breaker stays closed and each chat backs off by itself."""
    trouble, (form, limit) = make(kind), LIMITED[kind]
    sick = [form.format(number) for number in range(20)]
    healthy = PLATFORMS[kind].chats[0]

    def answered(received: Received, _: int) -> Answer:
        said = received.url + received.body.decode()
        return limit if any(chat in said for chat in sick) else yes(kind, received)

    trouble.there.answer = answered
    for chat in sick:
        await trouble.push(chat, "to the sick")
    async with trouble.bridge.running(chat_per_second=0, channel_per_second=0):
        await trouble.there.has(20)
        for number in range(3):
            await trouble.push(healthy, f"healthy {number}")
            await trouble.shown_soon(f"healthy {number}")
            assert (await trouble.queue.stats()).down_seconds is None
    stats = await trouble.queue.stats()
    assert (stats.paused, stats.dead, stats.depth) == ("", 0, 20)


async def test_ten_chats_that_always_fail_delay_no_other_chat(make: Callable[[str], Trouble]) -> None:
    """Their failures open the breaker, again and again; what probes is a chat that has not failed lately."""
    trouble = make("webhook")

    def answered(received: Received, _: int) -> Answer:
        return Answer(status=500 if orjson.loads(received.body)["chat"].startswith("sick") else 204)

    trouble.there.answer = answered
    for number in range(10):
        await trouble.push(f"sick{number}", "to the sick")
    async with trouble.bridge.running():
        await until(lambda: is_down(trouble.queue))
        for number in range(40):
            await trouble.push(f"healthy{number}", f"first {number}.")
        for number in range(40):
            await trouble.shown_soon(f"first {number}.")
        for number in range(10):  # a few more, while those that fail go on failing
            await asyncio.sleep(0.5)
            await trouble.push("healthy0", f"more {number}.")
            await trouble.shown_soon(f"more {number}.")
    assert (await trouble.queue.stats()).depth == 10


async def is_down(queue: Queue) -> bool:
    return (await queue.stats()).down_seconds is not None


# ---- refusals that may mean the account --------------------------------------------------------------------

NOT_RECEIVING: Final = b'{"error": {"code": 200, "message": "(#200) This person isn\'t receiving messages"}}'


@pytest.fixture
def messenger(make: Callable[[str], Trouble]) -> Trouble:
    """Whose chats from 100 on receive no messages."""
    trouble = make("messenger")

    def answered(received: Received, _: int) -> Answer:
        sick = int(orjson.loads(received.body)["recipient"]["id"]) >= 100
        return Answer(status=400, body=NOT_RECEIVING) if sick else yes("messenger", received)

    trouble.there.answer = answered
    return trouble


async def test_a_person_who_receives_no_messages_stops_nobody(messenger: Trouble) -> None:
    await messenger.push("100", "never")
    await messenger.push("100", "nor this")
    async with messenger.bridge.running():
        for number in range(3):
            await messenger.push("1", f"to the first {number}")
            await messenger.shown_soon(f"to the first {number}")
            await asyncio.sleep(0.2)
        await until(lambda: buried(messenger.queue, 2))
    letters = await messenger.queue.dead()
    assert [(each.session, each.reason) for each in letters] == [("100", "rejected")] * 2
    assert "isn't receiving messages" in letters[0].error
    assert (await messenger.queue.stats()).paused == ""


async def test_three_of_them_in_a_row_pause_and_a_resume_finds_out(messenger: Trouble) -> None:
    """A resume sends to the chats that were not refused first, so it need not meet the same event again."""
    for chat in ("100", "101", "102"):
        await messenger.push(chat, "never")
    async with messenger.bridge.running():
        await until(lambda: is_paused(messenger.queue))
        assert "isn't receiving messages" in (await messenger.queue.stats()).paused
        for chat in ("1", "2"):
            await messenger.push(chat, f"to {chat}")
        asked = len(messenger.there.received)
        await messenger.queue.resume()
        await messenger.shown_soon("to 2")
        await until(lambda: buried(messenger.queue, 3))
        assert b"to 1" in messenger.there.received[asked].body
    stats = await messenger.queue.stats()
    assert (stats.paused, stats.depth, stats.dead) == ("", 0, 3)


async def test_in_a_burst_to_many_chats_those_that_refuse_stop_nobody(messenger: Trouble) -> None:
    """However the answers come in, and whether or not three refusals in a row pause for a moment."""
    for number in range(10):
        await messenger.push(str(100 + number), "never")
        for each in range(3):
            await messenger.push(str(3 * number + each), f"to {3 * number + each}.")
    async with messenger.bridge.running():
        for number in range(30):
            await messenger.shown_soon(f"to {number}.")
        await messenger.push("1", "and one more")
        await messenger.shown_soon("and one more")
        await until(lambda: buried(messenger.queue, 10))
    stats = await messenger.queue.stats()
    assert (stats.paused, stats.depth, stats.dead) == ("", 0, 10)


async def test_one_chat_alone_is_given_up_after_a_while(messenger: Trouble) -> None:
    await messenger.push("100", "never")
    await messenger.push("100", "nor this")
    async with messenger.bridge.running():
        await until(lambda: is_parked(messenger.queue))
        for number in range(1, 3):
            await messenger.redis.zadd("{bridge:support:out}:due", {"100": 0}, xx=True)
            await until(lambda: buried(messenger.queue, number))  # noqa: B023 -- awaited within the loop
            await until(lambda: rests(messenger.queue))
    assert len(messenger.there.received) == 2, "each was sent once"


async def buried(queue: Queue, number: int) -> bool:
    return (await queue.stats()).dead >= number


async def is_paused(queue: Queue) -> bool:
    stats = await queue.stats()
    return bool(stats.paused) and not stats.in_flight


async def is_parked(queue: Queue) -> bool:
    return (await queue.stats()).parked == 1


async def rests(queue: Queue) -> bool:
    stats = await queue.stats()
    return not stats.in_flight and not stats.ready
