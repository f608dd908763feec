"""Dead letters as people meet them: real workers, a real platform, and the commands as processes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from redis.asyncio import Redis

from bridge.queue import Queue
from tests.workers.bench import quiet, until
from tests.workers.children import worker
from tests.workers.events import answer
from tests.workers.platform import Answer, Platform, Received

CONFIG = """
[worker]
admin_port = 0
[integrations.support]
channel = "{channel}"
secrets = ["x"]
{more}
[integrations.support.telegram]
token = "1:x"
api_url = "{url}"
[integrations.support.webhook]
url = "{url}"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""
MANY = 4_000


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Dead = Callable[..., Awaitable[Ran]]
Configure = Callable[..., str]


@pytest.fixture
def configure(there: Platform, tmp_path: Path) -> Configure:
    def configure(channel: str = "webhook", more: str = "") -> str:
        other = "telegram" if channel == "webhook" else "webhook"
        config = CONFIG.format(channel=channel, more=more, url=there.url)
        start = config.index(f"[integrations.support.{other}]")
        end = config.find("[integrations.support.webhook]", start + 1)
        config = config[:start] + (config[end:] if end > 0 else "")
        (tmp_path / "commands.toml").write_text(config)
        return config

    return configure


@pytest.fixture
def dead(redis_url: str, tmp_path: Path) -> Dead:
    """`moveo-bridge dead ...` as a process."""

    async def run(*words: str) -> Ran:
        env = {**os.environ, "REDIS_URL": redis_url, "BRIDGE_CONFIG": str(tmp_path / "commands.toml")}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bridge", "dead", *words, env=env, stdout=-1, stderr=-1
        )
        out, err = await process.communicate()
        return Ran(process.returncode or 0, out.decode(), err.decode())

    return run


async def listed(dead: Dead, *words: str) -> list[dict[str, Any]]:
    ran = await dead("list", "--json", *words)
    assert ran.code == 0, ran.err
    return [json.loads(line) for line in ran.out.splitlines()]


def event(session: str, *texts: str) -> bytes:
    return answer(session, *texts, request_id=f"r-{texts[0]}")


async def push(queue: Queue, session: str, *texts: str) -> None:
    for text in texts:
        await queue.push(session, event(session, text))


def texts(there: Platform) -> list[str]:
    return [each.json["data"]["text"] for each in there.received]


async def test_a_replayed_letter_goes_out_before_newer_events_that_still_wait(
    queue: Queue, there: Platform, configure: Configure, dead: Dead, redis_url: str, tmp_path: Path
) -> None:
    blocked = True
    there.answer = lambda received, _: Answer(
        status=400 if blocked and received.json["data"]["text"] in "23" else 200
    )
    config = configure()
    with worker(tmp_path, config, redis_url):
        await push(queue, "s", "1", "2", "3", "4")
        await quiet(queue, 30)
        await queue.pause("a look")
        await push(queue, "s", "5", "6")
        blocked = False
        assert await dead("replay", "--reason", "rejected") == (0, "replayed 2\n", "")
        assert await dead("replay", "--reason", "rejected") == (0, "replayed 0\n", "")
        await queue.resume()
        await quiet(queue, 30)
    assert texts(there) == ["1", "2", "3", "4", "2", "3", "5", "6"]


async def test_a_letter_that_dies_again_is_a_new_letter_of_the_same_event(
    queue: Queue, there: Platform, configure: Configure, dead: Dead, redis_url: str, tmp_path: Path
) -> None:
    there.answer = lambda *_: Answer(status=400)
    with worker(tmp_path, configure(), redis_url):
        await push(queue, "s", "1")
        await until(lambda: len(there.received) == 1, 20)
        await quiet(queue)
        [first] = await listed(dead)
        await asyncio.sleep(1)  # the list tells seconds
        assert (await dead("replay", first["id"])).out == "replayed 1\n"
        await until(lambda: len(there.received) == 2, 20)
        await quiet(queue)
        [second] = await listed(dead)
    assert {name for name in first if first[name] != second[name]} == {"id", "died_at"}
    assert second["died_at"] > first["died_at"]
    assert (second["reason"], second["error"], second["message"]) == ("rejected", "HTTP 400", "r-1")
    gone = await dead("replay", first["id"])
    assert (gone.code, gone.out) == (1, "replayed 0\n")


async def test_thousands_are_replayed_by_two_at_once_while_workers_run(
    queue: Queue, there: Platform, configure: Configure, dead: Dead, redis_url: str, tmp_path: Path
) -> None:
    """Each goes out once, and in the order of its session."""
    for first in range(0, MANY, 500):
        await asyncio.gather(
            *(
                queue.reject(event(f"s{n % 100}", str(n)), "stale", f"s{n % 100}")
                for n in range(first, first + 500)
            )
        )
    config = configure()
    with worker(tmp_path, config, redis_url), worker(tmp_path, config, redis_url):
        ran = await asyncio.gather(dead("replay", "--all"), dead("replay", "--reason", "stale"))
        assert [each.code for each in ran] == [0, 0]
        assert sum(int(each.out.split()[1]) for each in ran) == MANY
        await quiet(queue, 90)
    by_session: dict[str, list[int]] = {}
    for each in there.received:
        by_session.setdefault(each.json["chat"], []).append(int(each.json["data"]["text"]))
    assert by_session == {f"s{n}": list(range(n, MANY, 100)) for n in range(100)}
    assert await listed(dead) == []


# ---- a send whose outcome nobody knows ---------------------------------------------------------------------


def cut_once(received: Received, number: int) -> Answer:
    """The connection is reset after the whole request was read."""
    return Answer(cut=number == 1, body=b'{"ok": true, "result": {"message_id": 1}}')


def said(there: Platform) -> list[str]:
    return [each.json["text"] for each in there.received]


async def test_what_may_have_arrived_is_held_where_that_is_asked_for(
    queue: Queue, there: Platform, configure: Configure, dead: Dead, redis_url: str, tmp_path: Path
) -> None:
    """Its session goes on; a person looks into the chat, then replays the letter or purges it."""
    there.answer = cut_once
    with worker(tmp_path, configure("telegram", 'resend = "hold"'), redis_url):
        await push(queue, "42", "1", "2", "3")
        await until(lambda: said(there) == ["1", "2", "3"], 30)
        await quiet(queue)
        [letter] = await listed(dead, "--reason", "uncertain")
        assert (letter["session"], letter["message"], letter["tries"]) == ("42", "r-2", 0)
        assert letter["error"] == "the reply was cut off (ServerDisconnectedError)"
        assert (await dead("replay", letter["id"])).out == "replayed 1\n"
        await until(lambda: said(there) == ["1", "2", "3", "2"], 30)
        await quiet(queue)
    assert await listed(dead) == []


async def test_it_is_sent_again_where_nothing_else_is_said(
    queue: Queue, there: Platform, configure: Configure, dead: Dead, redis_url: str, tmp_path: Path
) -> None:
    there.answer = cut_once
    with worker(tmp_path, configure("telegram"), redis_url):
        await push(queue, "42", "1", "2", "3")
        await until(lambda: said(there) == ["1", "2", "2", "3"], 30)
        await quiet(queue)
    assert await listed(dead) == []


async def test_it_is_sent_again_where_a_repeat_is_shown_once(
    queue: Queue, there: Platform, configure: Configure, dead: Dead, redis_url: str, tmp_path: Path
) -> None:
    """By the id that both have: there is nothing to hold it for."""
    there.answer = cut_once
    with worker(tmp_path, configure("webhook", 'resend = "hold"'), redis_url):
        await push(queue, "42", "1", "2", "3")
        await until(lambda: texts(there) == ["1", "2", "2", "3"], 30)
        await quiet(queue)
    ids = [each.headers["webhook-id"] for each in there.received]
    assert len(list(groupby(ids))) == 3
    assert await listed(dead) == []


# ---- what a letter tells without being opened --------------------------------------------------------------


async def test_no_error_of_a_letter_quotes_what_a_person_wrote(
    queue: Queue, redis_client: Redis, there: Platform, redis_url: str, tmp_path: Path
) -> None:
    """The errors of a plug-in, and of who reads the payload, might."""
    channel = 'channel = "tests.workers.poison:Poison"\n'
    config = CONFIG.partition("[integrations.support.telegram]")[0].format(channel="x", more="")
    config = (
        config.replace('channel = "x"\n', channel) + f'[integrations.support.poison]\nurl = "{there.url}"\n'
    )
    said = "raise canary words"
    lost = json.loads(event("s", said)) | {"external_session_id": ""}
    await queue.push("broken", b'{"text": "canary words"')
    await queue.push("list", b'["canary words"]')
    await queue.push("nobody", json.dumps(lost).encode())
    await queue.push("s", event("s", said))
    back = Queue(redis_client, "support", "in")
    await back.push("42", b'{"type": "canary words", "chat": "42"}')
    await back.push("43", b'{"type": "message", "id": "1", "chat": "43", "text": "canary words"}')
    with worker(tmp_path, config, redis_url) as child:
        await quiet(queue, 60)
        await quiet(back, 60)
        assert "canary" not in child.log
    letters = [*await queue.dead(), *await back.dead()]
    assert sorted(
        (letter.session, letter.reason, re.sub(r"^/.*\.py:\d+: | at .*", "", letter.error))
        for letter in letters
    ) == [
        ("42", "undecodable", "ValidationError"),
        ("43", "no-moveo-key", ""),
        ("broken", "undecodable", "no JSON: JSONDecodeError"),
        ("list", "undecodable", "a list where an object belongs"),
        ("nobody", "no-recipient", ""),
        ("s", "fault", "ValueError"),
    ]
