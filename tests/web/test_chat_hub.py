"""The hub: a watch hears of its own chat only, holds little, and hears again after Redis was away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bridge.web.hub import SIGNS, Hub, Watch
from bridge.web.log import ChatLog, Notice

CHAT = "chat-0001"


@pytest.fixture
async def hub(redis_client: Redis) -> AsyncIterator[Hub]:
    hub = Hub(redis_client)
    async with hub.running():
        yield hub


async def listening(hub: Hub, log: ChatLog) -> None:
    """Returns once the hub hears: its first subscription wakes every watch."""
    with hub.watch(log, "warm-up1") as watch:
        while True:
            await log.publish("warm-up1", b"{}")
            if await watch.wait(0.05) and watch.signs():
                return


async def test_a_new_entry_wakes_the_watches_of_its_chat_only(hub: Hub, log: ChatLog) -> None:
    await listening(hub, log)
    with hub.watch(log, CHAT) as mine, hub.watch(log, CHAT) as twin, hub.watch(log, "chat-0002") as other:
        await log.append(CHAT, b"{}", "k")
        assert await mine.wait(5)
        assert await twin.wait(5)
        await log.append("chat-0002", b"{}", "k")
        assert await other.wait(5)
        mine.clear()
        await log.append("chat-0002", b"{}", "k2")
        assert not await mine.wait(0.1)


async def test_the_same_chat_of_another_integration_is_another_chat(
    hub: Hub, log: ChatLog, redis_client: Redis
) -> None:
    await listening(hub, log)
    sales = ChatLog(redis_client, "sales")
    with hub.watch(log, CHAT) as mine, hub.watch(sales, CHAT) as other:
        await sales.append(CHAT, b"{}", "k")
        assert await other.wait(5)
        assert not await mine.wait(0.1)


async def test_a_lost_connection_is_made_again_and_wakes_every_watch(
    hub: Hub, log: ChatLog, redis_client: Redis
) -> None:
    await listening(hub, log)
    with hub.watch(log, CHAT) as watch:
        watch.clear()
        await redis_client.client_kill_filter(_type="pubsub")
        assert await watch.wait(10)
        watch.clear()
        await log.append(CHAT, b"{}", "k")
        assert await watch.wait(5)


async def test_an_unreadable_notice_ends_nothing(hub: Hub, log: ChatLog, redis_client: Redis) -> None:
    await listening(hub, log)
    with hub.watch(log, CHAT) as watch:
        watch.clear()
        await redis_client.publish(log.channel, b"\xff not json")
        await log.append(CHAT, b"{}", "k")
        assert await watch.wait(5)


async def test_nothing_is_kept_of_a_watch_that_ended(hub: Hub, log: ChatLog) -> None:
    with hub.watch(log, CHAT):
        assert hub.watching(log, CHAT) == 1
    assert hub.watching(log, CHAT) == 0
    assert not hub._watches


async def test_closing_wakes_those_who_wait_and_those_who_come_late(hub: Hub, log: ChatLog) -> None:
    with hub.watch(log, CHAT) as watch:
        waiting = asyncio.create_task(watch.wait(60))
        await asyncio.sleep(0)
        hub.close()
        assert await waiting
        assert watch.closed
    with hub.watch(log, CHAT) as late:
        assert late.closed


async def test_it_ends_at_whatever_moment_it_is_told(redis_client: Redis) -> None:
    """A cancellation that meets the client while it connects must not be lost."""
    async with asyncio.timeout(30):
        for turns in range(60):
            async with Hub(redis_client).running():
                for _ in range(turns):
                    await asyncio.sleep(0)


def sign(text: str) -> Notice:
    return Notice(CHAT, "sign", text)


def test_a_watch_keeps_the_last_signs_only() -> None:
    watch = Watch()
    for number in range(SIGNS + 5):
        watch.hear(sign(str(number)))
    assert watch.signs() == [str(number).encode() for number in range(5, SIGNS + 5)]
    assert watch.signs() == []


def test_a_message_outdates_the_signs_before_it_but_not_those_after() -> None:
    watch = Watch()
    watch.hear(sign("before"))
    watch.hear(Notice(CHAT, "entry"))
    watch.hear(sign("after"))
    assert watch.signs() == [b"after"]
