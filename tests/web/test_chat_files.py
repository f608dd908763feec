"""Files in the store: bounded together, gone after their time and with their chat."""

from __future__ import annotations

import asyncio
import re

import pytest
import redis.asyncio
from redis.asyncio import Redis

from bridge.errors import StoreUnavailable
from bridge.web.files import WEIGHT, ChatFile, ChatFiles
from bridge.web.log import ChatLog

CHAT = "chat-0001"
MUCH = 1_000_000


def photo(size: int = 5, chat: str = CHAT) -> ChatFile:
    return ChatFile(chat, "photo.png", "image/png", size)


async def keep(log: ChatLog, size: int = 5, chat: str = CHAT, **how: int) -> str | None:
    return await log.files.keep(photo(size, chat), b"x" * size, **{"most": MUCH} | how)


async def test_a_file_is_given_as_it_was_kept_under_a_name_nobody_guesses(log: ChatLog) -> None:
    name = await log.files.keep(photo(), b"\x00\xff12 ", most=MUCH)
    assert name
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", name)
    assert await log.files.about([name, "unknown", name]) == [photo(), None, photo()]
    assert [await log.files.part(name, *part) for part in ((0, 5), (1, 3), (4, 9), (5, 9))] == [
        b"\x00\xff12 ", b"\xff1", b" ", b"",
    ]  # fmt: skip
    assert await keep(log) != name


async def test_another_integration_has_other_files(log: ChatLog, redis_client: Redis) -> None:
    name = await keep(log)
    assert await ChatLog(redis_client, "sales").files.about([name or ""]) == [None]


@pytest.mark.parametrize("name", ["", "*", "a" * 31, "ä" * 32, f"{'a' * 32}\n"])
async def test_what_is_no_id_is_not_asked_for(log: ChatLog, name: str) -> None:
    assert await log.files.about([name]) == [None]


async def test_all_files_together_are_bounded_and_small_ones_are_not_free(log: ChatLog) -> None:
    most = 2 * (100 + WEIGHT)
    assert await keep(log, 100, most=most)
    assert not await keep(log, 101, "chat-0002", most=most)
    assert await keep(log, 100, "chat-0003", most=most)
    assert not await keep(log, 0, most=most)


async def test_a_file_that_had_no_room_leaves_nothing(log: ChatLog, redis_client: Redis) -> None:
    assert await keep(log, 10, most=5) is None
    assert await redis_client.keys("*") == []


async def test_what_has_ended_makes_room_and_leaves_the_sum_once(log: ChatLog, redis_client: Redis) -> None:
    most = 2 * (100 + WEIGHT)
    first, _ = await keep(log, 100, most=most, seconds=1), await keep(log, 100, most=most)
    assert not await keep(log, 100, most=most)
    await asyncio.sleep(1.1)
    assert await log.files.about([first or ""]) == [None]
    assert await log.files.part(first or "", 0, 9) == b""
    assert await keep(log, 100, most=most)
    assert not await keep(log, 100, most=most)
    assert int(await redis_client.get("{bridge:support:chat}:sum")) == most


async def test_every_key_ends_by_itself_and_none_before_the_files_it_counts(
    log: ChatLog, redis_client: Redis
) -> None:
    await keep(log, seconds=1000)
    await keep(log, seconds=10)
    lives = {key: await redis_client.ttl(key) for key in await redis_client.keys("*")}
    assert len(lives) == 8
    assert all(0 < seconds <= 1000 for seconds in lives.values()), lives
    assert sum(seconds <= 10 for seconds in lives.values()) == 2


async def test_a_forgotten_chat_takes_its_files_along_and_no_others(
    log: ChatLog, redis_client: Redis
) -> None:
    kept = await keep(log, 7, "chat-0002")
    before = {key: await redis_client.dump(key) for key in await redis_client.keys("*")}
    forgotten = [await keep(log), await keep(log)]
    await log.append(CHAT, b"{}", "k")
    await redis_client.delete(f"{{bridge:support:chat}}:seen:{CHAT}:k")
    await log.forget(CHAT)
    assert await log.files.about([*map(str, forgotten), str(kept)]) == [None, None, photo(7, "chat-0002")]
    assert {key: await redis_client.dump(key) for key in await redis_client.keys("*")} == before
    await log.forget("chat-0002")
    assert await redis_client.keys("*") == []


async def test_a_store_that_is_not_there_is_named_so() -> None:
    nowhere = ChatFiles(redis.asyncio.from_url("unix:///nonexistent/server.sock"), "{t}")  # type: ignore[no-untyped-call]
    for asked in (nowhere.keep(photo(), b"", most=9), nowhere.about(["a" * 32]), nowhere.part("a", 0, 1),
                  nowhere.forget(CHAT)):  # fmt: skip
        with pytest.raises(StoreUnavailable):
            await asked
