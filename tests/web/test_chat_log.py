"""The history: in order, once for a key, bounded, and gone after its time."""

from __future__ import annotations

import pytest
import redis.asyncio
from redis.asyncio import Redis

from bridge.channels import Request
from bridge.errors import StoreUnavailable, Unavailable
from bridge.web.log import ENTRIES, ChatLog, transport

CHAT = "chat-0001"


async def test_what_is_appended_is_read_in_order(log: ChatLog) -> None:
    ids = [await log.append(CHAT, b'{"n":%d}' % n, f"k{n}") for n in range(5)]
    entries = await log.read(CHAT)
    assert [entry.id for entry in entries] == ids
    assert [entry.data for entry in entries] == [b'{"n":%d}' % n for n in range(5)]


async def test_reading_goes_on_after_an_id_and_stops_at_the_limit(log: ChatLog) -> None:
    ids = [await log.append(CHAT, b"{}", f"k{n}") for n in range(5)]
    assert [entry.id for entry in await log.read(CHAT, ids[1], limit=2)] == ids[2:4]
    assert await log.read(CHAT, ids[-1]) == []


async def test_a_repeated_key_is_appended_once_and_gives_the_first_id(log: ChatLog) -> None:
    first = await log.append(CHAT, b'{"n":1}', "same")
    assert await log.append(CHAT, b'{"n":2}', "same") == first
    assert [entry.data for entry in await log.read(CHAT)] == [b'{"n":1}']


async def test_the_same_key_in_another_chat_is_another_entry(log: ChatLog) -> None:
    await log.append(CHAT, b"{}", "same")
    await log.append("chat-0002", b"{}", "same")
    assert len(await log.read("chat-0002")) == 1


async def test_another_integration_has_another_history(log: ChatLog, redis_client: Redis) -> None:
    await log.append(CHAT, b"{}", "k")
    assert await ChatLog(redis_client, "sales").read(CHAT) == []


async def test_a_history_is_bounded_and_keeps_the_newest(log: ChatLog) -> None:
    total = ENTRIES + 250
    for n in range(total):
        await log.append(CHAT, b"%d" % n, f"k{n}")
    kept = await log.read(CHAT, limit=total)
    assert ENTRIES <= len(kept) < ENTRIES + 200
    assert kept[-1].data == b"%d" % (total - 1)


async def test_every_key_ends_by_itself(log: ChatLog, redis_client: Redis) -> None:
    await log.append(CHAT, b"{}", "k", keep_seconds=1000)
    await log.mark(CHAT, "read", keep_seconds=1000)
    lives = {key: await redis_client.ttl(key) for key in await redis_client.keys("*")}
    assert len(lives) == 3
    assert all(0 < seconds <= 1000 for seconds in lives.values()), lives


async def test_all_keys_of_an_integration_share_one_hash_tag(log: ChatLog, redis_client: Redis) -> None:
    await log.append(CHAT, b"{}", "k")
    await log.mark(CHAT, "read")
    assert all(key.startswith(b"{bridge:support:chat}:") for key in await redis_client.keys("*"))


async def test_a_mark_covers_what_was_there_and_moves_forward(log: ChatLog) -> None:
    first = await log.append(CHAT, b"{}", "k1")
    await log.mark(CHAT, "delivered")
    second = await log.append(CHAT, b"{}", "k2")
    await log.mark(CHAT, "read")
    assert await log.marks(CHAT) == {"delivered": first, "read": second}


async def test_an_empty_history_has_no_marks(log: ChatLog) -> None:
    await log.mark(CHAT, "read")
    assert await log.marks(CHAT) == {}


async def test_scripts_come_back_after_the_server_forgot_them(log: ChatLog, redis_client: Redis) -> None:
    await log.append(CHAT, b"{}", "k1")
    await redis_client.script_flush()
    await log.append(CHAT, b"{}", "k2")
    assert len(await log.read(CHAT)) == 2


@pytest.fixture
async def nowhere() -> ChatLog:
    return ChatLog(redis.asyncio.from_url("unix:///nonexistent/server.sock"), "support")  # type: ignore[no-untyped-call]


async def test_a_store_that_is_not_there_is_named_so(nowhere: ChatLog) -> None:
    for asked in (nowhere.append(CHAT, b"{}", "k"), nowhere.mark(CHAT, "read"), nowhere.publish(CHAT, b"{}"),
                  nowhere.read(CHAT), nowhere.marks(CHAT)):  # fmt: skip
        with pytest.raises(StoreUnavailable):
            await asked


async def test_the_transport_says_try_again_when_the_store_is_not_there(nowhere: ChatLog) -> None:
    request = Request(method="APPEND", url="chat:c", headers={"idempotency-key": "k"}, body=b"{}")
    with pytest.raises(Unavailable):
        await transport(nowhere)(request)


async def test_the_transport_refuses_what_it_does_not_know(log: ChatLog) -> None:
    reply = await transport(log)(Request(method="DELETE", url="chat:c"))
    assert reply.status == 405
