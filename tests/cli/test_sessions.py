"""`sessions`: who talks in which session is listed and shown, and people are forgotten."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bridge.content import Choice
from bridge.queue import connect
from bridge.sessions import Sessions
from tests.cli.conftest import Run
from tests.cli.queued import bury, configure, with_queue


@pytest.fixture(autouse=True)
def _chats(folder: Path, redis_url: str) -> None:
    """Two chats of support and one of sales; chat-1 has a button, numbers, a memo, events and letters."""

    async def link() -> None:
        async with connect(redis_url) as redis:
            support, sales = Sessions(redis, "support"), Sessions(redis, "sales")
            await support.link("chat-1", "old")
            await support.link("chat-1", "s-1")
            await support.link("chat-2", "s-2")
            await sales.link("chat-9", "s-9")
            await support.keep(
                "chat-1", {"~a": "a long value"}, [Choice("1", "One", "one"), Choice("2", "Two", "two")]
            )
            await support.remember("chat-1", {"message": "m1"})

    configure(folder, redis_url)
    asyncio.run(link())
    with_queue(redis_url, lambda queue: bury(queue, "s-1", b"first"))
    with_queue(redis_url, lambda queue: bury(queue, "s-2", b"another's"))
    with_queue(redis_url, lambda queue: bury(queue, "chat-1", b"second"), direction="in")
    with_queue(redis_url, lambda queue: queue.push("s-1", b"waits"))


def listed(run: Run, *options: str) -> set[tuple[str, str, str]]:
    lines = [json.loads(line) for line in run("sessions", "list", "--json", *options).stdout.splitlines()]
    return {(line["integration"], line["chat"], line["session"]) for line in lines}


def test_chats_are_listed_with_their_sessions(run: Run) -> None:
    support = {("support", "chat-1", "s-1"), ("support", "chat-2", "s-2")}
    assert listed(run) == support | {("sales", "chat-9", "s-9")}
    assert listed(run, "--integration", "support") == support
    table = run("sessions", "list").stdout.splitlines()
    assert table[0].split() == ["integration", "chat", "session", "idle"]
    assert len(table) == 4
    assert "2 more: raise --limit" in run("sessions", "list", "--limit", "1").stdout


@pytest.mark.parametrize("name", ["chat-1", "s-1", "old"])
def test_a_chat_is_shown_by_its_name_or_a_sessions(run: Run, name: str) -> None:
    assert json.loads(run("sessions", "show", name, "--integration", "support").stdout) == {
        "chat": "chat-1",
        "session": "s-1",
        "sessions": ["old", "s-1"],
        "memo": {"message": "m1"},
        "buttons": 1,
        "numbers": 2,
        "waiting": 1,
        "dead": 2,
    }


def test_a_chat_is_forgotten_and_no_other(run: Run) -> None:
    result = run("sessions", "forget", "s-1", "--integration", "support", "--yes")
    assert result.stdout == "forgotten: 2 sessions, 1 buttons, 1 waiting events, 2 dead letters\n"
    assert run("sessions", "show", "chat-1", "--integration", "support").exit_code == 1
    assert listed(run) == {("support", "chat-2", "s-2"), ("sales", "chat-9", "s-9")}
    letters = run("dead", "list", "--json").stdout.splitlines()
    assert [json.loads(letter)["session"] for letter in letters] == ["s-2"]
    queues = json.loads(run("status", "--json").stdout)["queues"]
    assert [queue["depth"] for queue in queues] == [0, 0, 0, 0]


def test_nobody_is_forgotten_by_mistake(run: Run) -> None:
    assert run("sessions", "forget", "chat-1", "--integration", "support", input="n\n").exit_code == 1
    assert len(listed(run)) == 3


@pytest.mark.parametrize("command", ["show", "forget"])
def test_who_is_not_known_is_said(run: Run, command: str) -> None:
    yes = ["--yes"] if command == "forget" else []
    result = run("sessions", command, "chat-*", "--integration", "support", *yes)
    assert result.exit_code == 1
    assert result.stderr == "moveo-bridge: nothing is kept of a chat or session 'chat-*' of support\n"


def test_the_integration_has_to_be_named_where_there_are_several(run: Run) -> None:
    assert run("sessions", "show", "chat-1").exit_code == 2
