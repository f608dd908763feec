from __future__ import annotations

import pytest
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from bridge.channels.choices import mark
from bridge.content import Option
from bridge.embedded import EmbeddedServer
from bridge.errors import StoreUnavailable
from bridge.queue import connect
from bridge.sessions import Sessions

YES_NO = mark((Option("Yes", "yes please"), Option("No", "no thanks")))
COLOURS = mark((Option("Red", "red"), Option("Green", "green")))


@pytest.fixture
def sessions(redis_client: Redis) -> Sessions:
    return Sessions(redis_client, "support")


async def test_chat_and_session_find_each_other(sessions: Sessions) -> None:
    assert await sessions.session_of("c1") is None
    assert await sessions.chat_of("s1") is None
    await sessions.link("c1", "s1")
    assert await sessions.session_of("c1") == "s1"
    assert await sessions.chat_of("s1") == "c1"


async def test_integrations_know_nothing_of_each_other(sessions: Sessions, redis_client: Redis) -> None:
    await sessions.link("c1", "s1")
    assert await Sessions(redis_client, "sales").session_of("c1") is None


async def test_an_ended_session_still_finds_its_chat(sessions: Sessions) -> None:
    await sessions.link("c1", "s1")
    await sessions.unlink("c1", "s1")
    assert await sessions.session_of("c1") is None
    assert await sessions.chat_of("s1") == "c1"


async def test_the_end_of_an_old_session_leaves_the_new_one(sessions: Sessions) -> None:
    await sessions.link("c1", "s1")
    await sessions.link("c1", "s2")
    await sessions.unlink("c1", "s1")
    assert await sessions.session_of("c1") == "s2"


async def test_an_event_of_an_old_session_does_not_win_the_chat_back(sessions: Sessions) -> None:
    await sessions.link("c1", "s2")
    await sessions.learn("c1", "s1")
    assert await sessions.session_of("c1") == "s2"
    assert await sessions.chat_of("s1") == "c1"


async def test_an_event_of_a_session_made_elsewhere_links_it(sessions: Sessions) -> None:
    await sessions.learn("c1", "s1")
    assert await sessions.session_of("c1") == "s1"


async def test_a_chat_that_moves_takes_its_session_with_it(sessions: Sessions) -> None:
    await sessions.link("old", "s1")
    await sessions.move("old", "new")
    assert await sessions.session_of("new") == "s1"
    assert await sessions.chat_of("s1") == "new"


async def test_a_short_payload_stands_for_its_text_in_its_chat_only(sessions: Sessions) -> None:
    await sessions.keep("c1", {"~ab": "the long text ✓"})
    assert await sessions.kept("c1", "~ab") == "the long text ✓"
    assert await sessions.kept("c2", "~ab") is None
    assert await sessions.kept("c1", "~cd") is None


async def test_numbers_mean_what_was_asked_last(sessions: Sessions) -> None:
    assert await sessions.numbers("c1") is None
    await sessions.keep("c1", {}, YES_NO)
    await sessions.keep("c1", {}, COLOURS)
    numbers = await sessions.numbers("c1")
    assert numbers is not None
    assert numbers.choices == COLOURS
    assert [numbers.text(typed) for typed in ("2", "RED", "yes")] == ["green", "red", None]


async def test_spent_numbers_are_gone_but_new_ones_stay(sessions: Sessions) -> None:
    await sessions.keep("c1", {}, YES_NO)
    asked = await sessions.numbers("c1")
    assert asked is not None
    await sessions.keep("c1", {}, COLOURS)
    await sessions.spend("c1", asked)
    newer = await sessions.numbers("c1")
    assert newer is not None
    await sessions.spend("c1", newer)
    assert await sessions.numbers("c1") is None


@pytest.mark.parametrize(
    ("typed", "text"), [("1", "Yes"), ("yes", "Yes"), (" 2\n", "No"), ("3", None), ("", None)]
)
async def test_the_texts_that_an_earlier_version_kept_have_numbers(
    sessions: Sessions, redis_client: Redis, typed: str, text: str | None
) -> None:
    key = "{bridge:support:chats}:numbers:c1"
    await redis_client.set(key, b'["Yes","No"]')
    numbers = await sessions.numbers("c1")
    assert numbers is not None
    assert numbers.text(typed) == text
    await sessions.spend("c1", numbers)
    assert await redis_client.get(key) is None


async def test_everything_expires(sessions: Sessions, redis_client: Redis) -> None:
    await sessions.link("c1", "s1")
    await sessions.learn("c2", "s2")
    await sessions.move("c1", "c3")
    await sessions.keep("c1", {"~ab": "x"}, YES_NO)
    await sessions.session_of("c1")
    keys = [key async for key in redis_client.scan_iter("{bridge:support:chats}:*")]
    assert len(keys) == 7
    assert all([await redis_client.ttl(key) > 0 for key in keys])


async def test_a_full_server_takes_every_note(own_server: EmbeddedServer) -> None:
    """Also anew, and after it forgot the scripts; everything expires there too."""
    async with connect(own_server.url) as redis:
        sessions = Sessions(redis, "support")
        await redis.config_set("maxmemory", 1)
        with pytest.raises(OutOfMemoryError):
            await redis.set("plain", b"x")
        for text, asked in (("first", YES_NO), ("second", COLOURS)):
            await redis.script_flush()
            await sessions.link("c1", "s1")
            await sessions.learn("c2", "s2")
            await sessions.remember("c1", {"id": text})
            await sessions.keep("c1", {"~ab": text, "~cd": text}, asked)
            numbers = await sessions.numbers("c1")
            assert numbers is not None
            assert numbers.choices == asked
            await sessions.spend("c1", numbers)
        await sessions.move("c1", "c3")
        assert [await sessions.session_of(chat) for chat in ("c1", "c2", "c3")] == ["s1", "s2", "s1"]
        assert await sessions.chat_of("s2") == "c2"
        assert await sessions.memo("c1") == {"id": "second"}
        assert [await sessions.kept("c1", payload) for payload in ("~ab", "~cd")] == ["second"] * 2
        await sessions.unlink("c1", "s1")
        assert await sessions.session_of("c1") is None
        keys = await redis.keys("*")
        assert len(keys) == 7
        assert all([await redis.ttl(key) > 0 for key in keys])


async def test_redis_going_away_is_said_as_such() -> None:
    async with connect("redis://127.0.0.1:1/0") as nowhere:
        sessions = Sessions(nowhere, "support")
        for asked in (sessions.chat_of("s"), sessions.link("c", "s"), sessions.unlink("c", "s")):
            with pytest.raises(StoreUnavailable):
                await asked
