"""The whole loop: people write, click and send files on a platform, the emulator's agent answers each in its
chat and in order, while workers are killed and Moveo's API fails, hangs and forgets sessions.

The platform, its people, Moveo and the ingress live in the test and survive; workers are processes of their
own, ended with SIGKILL.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from redis.asyncio import Redis

from bridge.emulator import EmulatorConfig, build
from bridge.queue import Queue, connect
from bridge.secret import Secret
from tests.workers.bench import until
from tests.workers.children import worker
from tests.workers.platform import Answer, Platform, Received, platform

CHATS = 500
KILLS = 3
CONCURRENCY = 64
SECRET, TOKEN, KEY = "loop-secret", "1:loop", "loop-key"
CONFIG = """
[ingress]
host = "127.0.0.1"
port = {port}
admin_port = 0
[worker]
admin_port = 0
concurrency = 64
lease_seconds = 2.0
media_hosts = ["127.0.0.1"]
[moveo]
url = "{moveo}"
timeout_seconds = 4.0
[integrations.support]
channel = "telegram"
secrets = ["loop-secret"]
integration_id = "loop"
api_key = "loop-key"
chat_per_second = 0
channel_per_second = 0
[integrations.support.telegram]
token = "1:loop"
secret_token = "told"
api_url = "{telegram}"
"""
SAID = re.compile(r"You chose (c\d+n\d+)\.|I have received (c\d+n\d+)\.")

INGRESS = (sys.executable, "-m", "bridge", "ingress")

Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


class Telegram:
    """The platform's side: what each chat has seen, as the words by which the agent's answers differ."""

    def __init__(self, there: Platform) -> None:
        self.url = there.url
        self.seen: dict[int, list[str]] = {}
        self.shown = 0
        there.answer = self._answer

    def _answer(self, received: Received, number: int) -> Answer:
        op = received.path.rpartition("/")[2]
        if "/file/" in received.path:
            return Answer(body=b"%PDF-1.4", headers={"content-type": "application/pdf"})
        if op == "getFile":
            result: Any = {"file_id": "f", "file_path": f"documents/{received.json['file_id']}.pdf"}
        elif op == "sendMessage":
            chat, text = int(received.json["chat_id"]), received.json["text"]
            found = SAID.search(text)
            self.shown += 1
            self.seen.setdefault(chat, []).append(next(filter(None, found.groups())) if found else text)
            result = {"message_id": number + 1, "date": 1, "chat": {"id": chat, "type": "private"}}
        else:
            result = True
        return Answer(body=json.dumps({"ok": True, "result": result}).encode())


class Person:
    """Somebody in a chat: says, clicks and sends, each thing once the one before was taken."""

    def __init__(self, http: aiohttp.ClientSession, url: str, chat: int) -> None:
        self._http, self._url, self.chat, self._number = http, url, chat, 0
        self.said: list[str] = []

    def _update(self, fields: dict[str, Any]) -> dict[str, Any]:
        sender = {"id": self.chat, "is_bot": False, "first_name": f"Person {self.chat}"}
        message = {
            "message_id": self._number,
            "date": 1,
            "chat": {"id": self.chat, "type": "private"},
            "from": sender,
        }
        if "data" in fields:
            press = {"id": f"p{self.chat}-{self._number}", "from": sender, "chat_instance": "1"}
            return {"callback_query": press | fields | {"message": message | {"text": "?"}}}
        return {"message": message | fields}

    async def _tell(self, **fields: Any) -> None:
        update = {"update_id": self.chat * 1000 + self._number, **self._update(fields)}
        headers = {"X-Telegram-Bot-Api-Secret-Token": "told"}
        while True:
            async with self._http.post(self._url, json=update, headers=headers) as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.2)  # as the platform does

    def _word(self) -> str:
        self._number += 1
        self.said.append(f"c{self.chat}n{self._number}")
        return self.said[-1]

    async def say(self) -> None:
        await self._tell(text=f"choose_{self._word()}")

    async def click(self) -> None:
        await self._tell(data=f"choose_{self._word()}")

    async def send(self) -> None:
        name = self._word()
        await self._tell(document={"file_id": name, "file_unique_id": name, "file_name": name})

    async def end(self) -> None:
        """Lets the session expire; the next thing said needs a new one."""
        self._number += 1
        await self._tell(text="expire")


class Loop:
    """All that runs but the workers, and the queues they work at."""

    def __init__(self, url: str, telegram: Telegram, redis: Redis, http: aiohttp.ClientSession) -> None:
        self.telegram, self._http, self._url = telegram, http, url
        self.back = Queue(redis, "support", "in")

    def person(self, chat: int) -> Person:
        return Person(self._http, f"{self._url}/channels/support", chat)

    async def answered(self, people: list[Person], seconds: float = 90.0) -> None:
        """Returns once every chat has seen the answer to the last thing that was said in it."""
        await until(
            lambda: all(person.said[-1] in self.telegram.seen.get(person.chat, ()) for person in people),
            seconds,
        )


@asynccontextmanager
async def loop(redis_url: str, folder: Path, fault: Fault) -> AsyncIterator[tuple[Loop, str]]:
    """The platform, Moveo and the ingress; and the settings for workers."""

    @web.middleware
    async def faulty(request: web.Request, handler: Any) -> web.StreamResponse:
        injected = await fault(request) if request.path.startswith("/v1/") else None
        return injected or await handler(request)

    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(platform())
        redis = await stack.enter_async_context(connect(redis_url))
        connector = aiohttp.TCPConnector(limit=CHATS)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        emulated = EmulatorConfig(
            webhook_url=f"{url}/moveo/support",
            secret=Secret(SECRET),
            integration_id="loop",
            api_key=Secret(KEY),
            pace=0,
        )
        moveo = build(emulated)
        moveo.middlewares.append(faulty)
        config = CONFIG.format(port=port, moveo=await _serve(stack, moveo), telegram=there.url)
        ingress = stack.enter_context(worker(folder, config, redis_url, INGRESS))
        await until(lambda: "ingress.started" in ingress.log, 20)
        yield Loop(url, Telegram(there), redis, http), config


async def _serve(stack: AsyncExitStack, app: web.Application) -> str:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


def once_each(seen: list[str]) -> list[str]:
    """What was seen, neighbours that are the same as one: a part, or a message, that a killed worker had in
    its hands goes out again before anything that follows it."""
    return [word for word, _ in groupby(seen)]


async def no_fault(request: web.Request) -> web.StreamResponse | None:
    return None


async def test_500_chats_are_answered_in_order_while_workers_are_killed(
    redis_url: str, tmp_path: Path
) -> None:
    dice = random.Random(20260517)

    async def fault(request: web.Request) -> web.StreamResponse | None:
        """Now and then Moveo fails or hangs before it does anything."""
        roll = dice.random()
        if roll < 0.02:
            return web.json_response({"error_code": "internal-server-error"}, status=500)
        if roll < 0.022:
            await asyncio.sleep(5)
        return None

    async with loop(redis_url, tmp_path, fault) as (made, config):
        people = [made.person(chat) for chat in range(1, CHATS + 1)]

        async def talk(person: Person) -> None:
            await person.say()
            await person.click()
            await person.send()
            await person.say()
            await person.click()

        async with AsyncExitStack() as stack:
            workers = [stack.enter_context(worker(tmp_path, config, redis_url)) for _ in range(2)]
            await until(lambda: all(each.started for each in workers), 20)

            async def kill() -> None:
                """One worker after another, each while it works and once its successor does."""
                for number in range(1, KILLS + 1):
                    await until(lambda: made.telegram.shown > number * CHATS, 60)  # noqa: B023
                    successor = stack.enter_context(worker(tmp_path, config, redis_url))
                    workers.append(successor)
                    await until(lambda: successor.started, 20)  # noqa: B023
                    workers[number - 1].signal(signal.SIGKILL)

            await asyncio.gather(kill(), *map(talk, people))
            await made.answered(people)
            assert [each.alive for each in workers] == [False] * KILLS + [True, True]
    seen = {person.chat: made.telegram.seen[person.chat] for person in people}
    assert {chat: once_each(words) for chat, words in seen.items()} == {
        person.chat: person.said for person in people
    }
    repeated = sum(len(words) - len(once_each(words)) for words in seen.values())
    assert repeated <= 2 * KILLS * CONCURRENCY, "no more than what the killed had in hand"


async def test_a_session_that_expired_is_made_anew_and_nothing_is_lost(
    redis_url: str, tmp_path: Path
) -> None:
    async with loop(redis_url, tmp_path, no_fault) as (made, config):
        people = [made.person(chat) for chat in range(1, 51)]

        async def talk(person: Person) -> None:
            for _ in range(3):
                await person.say()
                await person.end()
                await person.click()

        with worker(tmp_path, config, redis_url) as running:
            await until(lambda: running.started, 20)
            await asyncio.gather(*map(talk, people))
            await made.answered(people)
        assert await made.back.dead() == []
    for person in people:
        words = [word for word in made.telegram.seen[person.chat] if word.startswith("c")]
        assert words == person.said


async def test_a_wrong_key_pauses_the_way_back_loudly_and_loses_nothing(
    redis_url: str, tmp_path: Path
) -> None:
    refusing = True

    async def fault(request: web.Request) -> web.StreamResponse | None:
        return web.json_response({"error_code": "unauthorized"}, status=401) if refusing else None

    async with loop(redis_url, tmp_path, fault) as (made, config):
        people = [made.person(chat) for chat in range(1, 11)]
        with worker(tmp_path, config, redis_url) as running:
            await until(lambda: running.started, 20)
            await asyncio.gather(*(person.say() for person in people))
            stats = await made.back.stats()
            while not stats.paused:
                await asyncio.sleep(0.05)
                stats = await made.back.stats()
            await until(lambda: "queue.paused" in running.log)  # it is said after it is done
            await asyncio.gather(*(person.click() for person in people))
            assert (await made.back.stats()).depth == 20
            refusing = False
            await made.back.resume()
            await made.answered(people)
    assert {person.chat: person.said for person in people} == made.telegram.seen
