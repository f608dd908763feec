"""Every channel against its platform, over sockets: what the user sees and what the operator gets, whatever
the platform answers.

The pieces are the real ones, from the queue on the real server to HTTP; the platforms, and what their answers
mean, are those of tests.channels.platforms.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
from redis.asyncio import Redis

from bridge.channels import registry
from bridge.errors import (
    ContentRefused,
    Forbidden,
    Moved,
    Rejected,
    SendError,
    Unauthorized,
    Unavailable,
    Uncertain,
)
from bridge.events import EVENT_TYPES
from bridge.events.responses import RESPONSE_TYPES
from bridge.samples import sample
from bridge.sender import Sender, open_http
from tests.canaries import TEXT
from tests.channels.fake import Wait, fake
from tests.channels.platforms import PLATFORMS, TOKEN
from tests.channels.talk import with_fallbacks
from tests.workers.bench import quiet, until
from tests.workers.way import Way

IMPATIENT_SECONDS: Final = 0.2
"""Until a call that nobody answers is given up."""


def cases(wanted: type[SendError] | type[Wait]) -> list[Any]:
    """Every platform's answers with this meaning, as parameters of a test."""
    return [
        pytest.param(kind, name, id=f"{kind}-{name}")
        for kind, platform in PLATFORMS.items()
        for name, (_, meaning) in platform.every_answer.items()
        if meaning is wanted or isinstance(meaning, wanted)
    ]


def test_every_channel_that_speaks_http_has_its_platform() -> None:
    assert {row.kind for row in PLATFORMS.values()} == registry.BUILT_IN.keys() - {"console", "webchat"}


every_platform = pytest.mark.parametrize("kind", PLATFORMS)


@pytest.fixture(autouse=True)
def _fast_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.retry.BASE_SECONDS", 0.01)


@pytest.fixture
async def way(redis_client: Redis, kind: str, logged: io.StringIO) -> AsyncIterator[Way]:
    """Whatever comes of it, nothing that is logged or kept has the platform's secret in it."""
    async with (
        fake(PLATFORMS[kind]) as there,
        open_http() as http,
        open_http(total_seconds=IMPATIENT_SECONDS) as impatient,
    ):
        way = Way(redis_client, there, Sender(http), Sender(impatient))
        await way.greeted()
        yield way
        stats = await way.bridge.queue.stats()
        errors = [letter.error for letter in await way.bridge.queue.dead()]
    assert TOKEN not in "".join([logged.getvalue(), stats.paused, *errors])


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": f"{said}, says the {TEXT}"}


IMAGE: Final = {"type": "image", "url": "https://x.example/a.png", "name": f"A picture of a {TEXT}"}

# ---- what is taken -----------------------------------------------------------------------------------------


@every_platform
async def test_messages_are_shown_in_order_under_the_platforms_ids(way: Way) -> None:
    first = await way.push(text("one"), text("two"))
    second = await way.push(text("three"))
    async with way.working():
        await quiet(way.bridge.queue)
    assert way.there.problems == []
    assert way.shown == way.received == way.wires(first + second)
    assert way.ids == way.there.ids
    assert (await way.bridge.queue.stats()).delivered_total == 2


@every_platform
async def test_whatever_moveo_sends_is_taken_and_in_order(way: Way) -> None:
    """Every event and response type, the human agent's message, typing signs, receipts and notices."""
    chat = way.there.platform.chats[0]
    kinds = [(kind, None) for kind in EVENT_TYPES] + [("message:brain_send", kind) for kind in RESPONSE_TYPES]
    events = [
        sample(event, response_type=response, session=chat, number=number, now_ms=1)
        for number, (event, response) in enumerate(kinds, 1)
    ]
    for event in events:
        await way.post(event)
    async with way.working():
        await quiet(way.bridge.queue)
    assert way.there.problems == []
    assert way.received == way.wires(call for event in events for call in way.calls(event))
    assert await way.letters() == []


# ---- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), cases(Rejected))
async def test_a_refusal_is_kept_with_its_reason_and_the_chat_goes_on(way: Way, name: str) -> None:
    way.there.will(name)
    never = await way.push(text("never"), text("nor this"))
    after = await way.push(text("after"))
    async with way.working():
        await quiet(way.bridge.queue)
    assert way.received == way.wires([never[0], *after])
    assert way.shown == way.wires(after)
    (letter,) = await way.bridge.queue.dead()
    assert (letter.reason, letter.tries) == ("rejected", 0)
    assert letter.error
    assert (await way.bridge.queue.stats()).paused == ""


@pytest.mark.parametrize(("kind", "name"), cases(ContentRefused))
async def test_a_refused_form_gives_way_to_a_simpler_one_in_its_place(way: Way, name: str) -> None:
    way.there.will(name)
    picture, *rest = await way.push(IMAGE, text("after"))
    async with way.working():
        await quiet(way.bridge.queue)
    assert picture.fallback
    assert way.there.problems == []
    assert way.shown == way.wires([*picture.fallback, *rest])
    assert await way.letters() == []


@pytest.mark.parametrize(("kind", "name"), cases(ContentRefused))
async def test_what_is_refused_in_its_simplest_form_too_is_kept_with_its_reason(way: Way, name: str) -> None:
    never = list(with_fallbacks(await way.push(text("never"))))
    after = await way.push(text("after"))
    way.there.will(*[name] * len(never))
    async with way.working():
        await quiet(way.bridge.queue)
    assert way.received == way.wires(never + after)
    assert way.shown == way.wires(after)
    assert await way.letters() == ["rejected"]


@pytest.mark.parametrize(("kind", "name"), cases(Unauthorized))
async def test_a_refused_credential_pauses_loudly_and_loses_nothing(way: Way, name: str) -> None:
    way.there.will(*[name] * 4)
    here, there = await way.push(text("here")), await way.push(text("there"), chat=1)
    queue = way.bridge.queue

    async def paused() -> bool:
        stats = await queue.stats()
        return bool(stats.paused) and not stats.in_flight

    async with way.working(concurrency=1):
        await until(paused)
        stats = await queue.stats()
        assert stats.paused.startswith("unauthorized: ")
        assert (stats.depth, stats.dead) == (2, 0)
        assert way.shown == []
        assert len(set(way.received)) == 1, "the other chat was left alone"
        assert way.bridge.value('moveo_bridge_calls_total{integration="support",outcome="unauthorized"}') == 1
        way.there.answer_as_usual()
        await queue.resume()
        await quiet(queue)
    assert sorted(way.shown) == sorted(way.wires(here + there))
    assert await way.letters() == []


@pytest.mark.parametrize(("kind", "name"), cases(Forbidden))
async def test_an_unclear_refusal_is_buried_when_another_chat_gets_through(way: Way, name: str) -> None:
    way.there.will(name)
    here = await way.push(text("here"))
    queue = way.bridge.queue
    async with way.working(concurrency=1):
        await until(way.parked)
        assert way.received == way.wires(here)
        assert (await queue.stats()).dead == 0
        there = await way.push(text("there"), chat=1)
        await quiet(queue)
    assert way.shown == way.wires(there)
    assert len(way.received) == 2, "the refused message was not sent again"
    (letter,) = await queue.dead()
    assert (letter.session, letter.reason, letter.tries) == ("s0", "rejected", 0)
    assert letter.error
    stats = await queue.stats()
    assert (stats.paused, stats.retried_total) == ("", 0)
    assert way.bridge.value('moveo_bridge_calls_total{integration="support",outcome="forbidden"}') == 1


@pytest.mark.parametrize(("kind", "name"), cases(Moved))
async def test_a_chat_that_moved_is_followed(way: Way, name: str) -> None:
    way.there.will(name)
    event = way.event(text("one"), text("two"))
    await way.post(event)
    async with way.working():
        await quiet(way.bridge.queue)
    assert way.shown == way.wires(way.calls(event, way.there.platform.moves_to))
    assert await way.letters() == []


# ---- what is not now ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), cases(Wait))
async def test_a_limit_is_waited_for_exactly_and_costs_no_try(way: Way, name: str) -> None:
    """It holds the chat alone, or everything, as the platform means it."""
    _, limit = way.there.platform.every_answer[name]
    assert isinstance(limit, Wait)
    way.there.will(name)
    queue, before = way.bridge.queue, await way.now()
    here = await way.push(text("one"), text("two"))
    async with way.working(concurrency=1):
        await until(lambda: len(way.received) == 1)
        await until(way.parked)
        assert before + limit.seconds <= await way.parked_until() <= await way.now() + limit.seconds
        held_until = await way.held_until()
        assert (before + limit.seconds <= held_until) == (limit.scope == "channel")
        assert held_until <= await way.now() + limit.seconds
        there = await way.push(text("three"), chat=1)
        if held_until:
            await way.let_go()
            await quiet(queue)
            assert sorted(way.shown) == sorted(way.wires(here + there))
        else:
            await until(lambda: way.shown == way.wires(there))
            await way.let_go()
            await quiet(queue)
            assert way.shown == way.wires(there + here)
    stats = await queue.stats()
    assert (stats.retried_total, stats.dead, stats.paused) == (0, 0, "")


@pytest.mark.parametrize(("kind", "name"), cases(Unavailable))
async def test_what_is_broken_is_tried_again_until_it_is_not(way: Way, name: str) -> None:
    way.there.will(name, name)
    first = await way.push(text("one"), text("two"))
    second = await way.push(text("three"))
    async with way.working():
        await quiet(way.bridge.queue)
    one, *others = way.wires(first + second)
    assert way.received == [one, one, one, *others]
    assert way.shown == [one, *others]
    stats = await way.bridge.queue.stats()
    assert (stats.retried_total, stats.dead) == (2, 0)


# ---- what nobody knows -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), cases(Uncertain))
async def test_an_outcome_that_nobody_knows_is_sent_again_under_its_key(way: Way, name: str) -> None:
    """Where the platform takes a key it is shown once, and that one part is all that may be there twice."""
    way.there.will(name)
    first = await way.push(text("one"), text("two"))
    second = await way.push(text("three"))
    async with way.working():
        await quiet(way.bridge.queue)
    one, *others = way.wires(first + second)
    assert way.received == [one, one, *others]
    assert way.shown == ([one, *others] if way.once else [one, one, *others])
    assert len({way.there.key(request) for request in way.there.received[:2]}) == 1
    assert way.ids == way.there.ids[-3:]
    assert await way.letters() == []
    unknown = way.bridge.value('moveo_bridge_calls_total{integration="support",outcome="uncertain"}')
    by_itself = name == "a cut" and one[0] == "PUT"  # aiohttp repeats what HTTP says may be repeated
    assert unknown == (0 if by_itself else 1)


@pytest.mark.parametrize("name", ["a cut"])
@every_platform
async def test_who_wants_nothing_twice_gets_a_dead_letter_where_there_is_no_key(way: Way, name: str) -> None:
    way.there.will(name)
    first = await way.push(text("one"))
    second = await way.push(text("two"))
    async with way.working(resend="hold"):
        await quiet(way.bridge.queue)
    assert way.shown == way.wires(first + second)
    assert len(way.received) == (3 if way.once else 2)
    assert await way.letters() == ([] if way.once else ["uncertain"])
