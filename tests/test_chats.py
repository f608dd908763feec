"""What is kept of a chat is found and erased, all of it, whatever the chat is called."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from bridge.chats import Chats
from bridge.content import Choice
from bridge.queue import Queue
from bridge.sessions import Sessions
from bridge.web.log import ChatLog

NAMES = ("c1", "a:b", "*", "[a-c]", "wört 😀", "a\\b", "c?")


async def keep_something(redis: Redis, chat: str) -> None:
    sessions = Sessions(redis, "support")
    await sessions.link(chat, f"session of {chat}")
    await sessions.keep(chat, {"~t": "value"}, [Choice("1", "One", "one")])
    await sessions.remember(chat, {"m": "1"})
    await ChatLog(redis, "support").append(chat, b"{}", "k")
    out, back = Queue(redis, "support", "out"), Queue(redis, "support", "in")
    await out.push(f"session of {chat}", f"out {chat}".encode())
    await out.reject(f"dead {chat}".encode(), "stale", f"session of {chat}")
    await back.push(chat, f"in {chat}".encode())


async def keys(redis: Redis) -> set[bytes]:
    found: list[bytes] = await redis.keys("*")
    return {key for key in found if b":seen:" not in key}  # digests, which expire


@pytest.mark.parametrize("name", NAMES)
async def test_nothing_of_a_forgotten_chat_is_left_and_all_of_the_others(
    redis_client: Redis, name: str
) -> None:
    for other in NAMES:
        if other != name:
            await keep_something(redis_client, other)
    before = await keys(redis_client)
    await keep_something(redis_client, name)
    about = await Chats(redis_client, "support").forget(name)
    assert (about.session, about.buttons, about.numbers, about.waiting, about.dead) == (
        f"session of {name}",
        1,
        1,
        2,
        1,
    )
    assert await keys(redis_client) == before
    assert await Chats(redis_client, "support").find(name) is None
    assert len([link async for link in Chats(redis_client, "support").links()]) == len(NAMES) - 1


async def test_a_web_chat_is_found_by_its_history_alone(redis_client: Redis) -> None:
    await ChatLog(redis_client, "support").append("c1", b"{}", "k")
    assert await Chats(redis_client, "support").find("c1") == "c1"
    assert await Chats(redis_client, "support").find("c2") is None
