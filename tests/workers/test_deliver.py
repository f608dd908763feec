from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from bridge.channels.capabilities import Pace
from bridge.content import Text
from bridge.secret import Secret
from tests.workers.bench import Bridge, quiet, running, until
from tests.workers.plain import CAPABILITIES, Plain
from tests.workers.platform import Answer, Platform, Received

pytestmark = pytest.mark.usefixtures("fast_backoff")


@pytest.fixture
def fast_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.retry.BASE_SECONDS", 0.01)


def text(said: str, *options: str) -> dict[str, Any]:
    shown = [{"label": option, "text": f"{option}!"} for option in options]
    return {"type": "text", "text": said, **({"options": shown} if shown else {})}


def image(url: str) -> dict[str, Any]:
    return {"type": "image", "url": url}


def pause(seconds: float, typing: bool = False) -> dict[str, Any]:
    return {"type": "pause", "duration": seconds, "show_typing": typing}


def texts(there: Platform) -> list[str]:
    return [each.json["text"] for each in there.received if each.path == "/text"]


def once(number: int, answer: Answer) -> Callable[[Received, int], Answer]:
    """This answer to that request, 200 to all others."""
    return lambda _, count: answer if count == number else Answer()


async def test_parts_go_out_in_order_each_with_an_id_of_its_own(bridge: Bridge, there: Platform) -> None:
    await bridge.push(text("one"), text("two"), text("three"))
    async with bridge.running():
        await quiet(bridge.queue)
    assert texts(there) == ["one", "two", "three"]
    assert {each.json["to"] for each in there.received} == {"chat-s1"}
    assert len({each.json["id"] for each in there.received}) == 3
    assert all(each.json["at"] > 1.7e9 for each in there.received)


@pytest.mark.parametrize(
    "answer",
    [Answer(status=503), Answer(cut=True), Answer(status=429, headers={"Retry-After": "0.1"})],
    ids=repr,
)
async def test_a_failed_part_alone_is_sent_again_with_its_id(
    bridge: Bridge, there: Platform, answer: Answer
) -> None:
    there.answer = once(1, answer)
    await bridge.push(text("one"), text("two"), text("three"))
    async with bridge.running():
        await quiet(bridge.queue)
    assert texts(there) == ["one", "two", "two", "three"]
    assert there.received[1].json["id"] == there.received[2].json["id"]


async def test_retry_after_is_obeyed_and_costs_no_try(bridge: Bridge, there: Platform) -> None:
    there.answer = lambda _, count: (
        Answer(status=429, headers={"Retry-After": "0.2"}) if count < 3 else Answer()
    )
    await bridge.push(text("one"))
    async with bridge.running():
        await quiet(bridge.queue)
    times = [each.at for each in there.received]
    assert len(times) == 4
    assert all(later - earlier >= 0.2 for earlier, later in pairwise(times))
    assert (await bridge.queue.stats()).retried_total == 0


async def test_a_refused_message_is_kept_and_the_session_goes_on(bridge: Bridge, there: Platform) -> None:
    there.answer = once(0, Answer(status=403))
    await bridge.push(text("one"), text("never"))
    await bridge.push(text("two"))
    async with bridge.running():
        await quiet(bridge.queue)
    assert texts(there) == ["one", "two"]
    assert [letter.reason for letter in await bridge.queue.dead()] == ["rejected"]


async def test_a_refused_credential_pauses_and_loses_nothing(bridge: Bridge, there: Platform) -> None:
    there.answer = lambda *_: Answer(status=401)
    for number in range(3):
        await bridge.push(text("one"), session=f"s{number}")

    async def paused() -> bool:
        stats = await bridge.queue.stats()
        return bool(stats.paused) and not stats.in_flight

    async with bridge.running():
        await until(paused)
    stats = await bridge.queue.stats()
    assert (stats.depth, stats.dead) == (3, 0)


async def test_a_refused_form_is_replaced_in_its_place_once(bridge: Bridge, there: Platform) -> None:
    there.answer = lambda received, _: Answer(status=415 if received.path == "/image" else 200)
    await bridge.push(text("before"), image("https://x/y.png"), text("after"))
    async with bridge.running():
        await quiet(bridge.queue)
    assert [each.path for each in there.received] == ["/text", "/image", "/text", "/text", "/text"]
    assert texts(there) == ["before", "https://x/y.png", "https://x/y.png", "after"]
    assert len({each.json["id"] for each in there.received}) == 5


async def test_a_fallback_that_is_interrupted_goes_on_where_it_was(bridge: Bridge, there: Platform) -> None:
    def answer(received: Received, count: int) -> Answer:
        return Answer(status=415 if received.path == "/image" else 503 if count == 2 else 200)

    there.answer = answer
    await bridge.push(image("https://x/y.png"), text("after"))
    async with bridge.running():
        await quiet(bridge.queue)
    assert [each.path for each in there.received] == ["/image", *["/text"] * 4]
    assert there.received[2].json["id"] == there.received[3].json["id"]


async def test_a_fallback_that_is_refused_too_is_rejected(bridge: Bridge, there: Platform) -> None:
    there.answer = lambda *_: Answer(status=415)
    await bridge.push(image("https://x/y.png"))
    async with bridge.running():
        await quiet(bridge.queue)
    assert len(there.received) == 2
    assert [letter.reason for letter in await bridge.queue.dead()] == ["rejected"]


async def test_a_chat_that_moved_is_followed(bridge: Bridge, there: Platform) -> None:
    there.answer = once(1, Answer(status=301, headers={"Location": "chat-new"}))
    await bridge.sessions.link("chat-s1", "s1")
    await bridge.push(text("one"), text("two"), text("three"))
    async with bridge.running():
        await quiet(bridge.queue)
    assert [(each.json["text"], each.json["to"]) for each in there.received] == [
        ("one", "chat-s1"),
        ("two", "chat-s1"),
        ("two", "chat-new"),
        ("three", "chat-new"),
    ]
    assert await bridge.sessions.session_of("chat-new") == "s1"


async def test_a_move_is_remembered(bridge: Bridge, there: Platform) -> None:
    there.answer = once(0, Answer(status=301, headers={"Location": "chat-new"}))
    async with bridge.running():
        for said in ("one", "two"):
            await bridge.push(text(said))
            await quiet(bridge.queue)
    assert [each.json["to"] for each in there.received] == ["chat-s1", "chat-new", "chat-new"]


async def test_a_chat_that_moves_in_circles_is_given_up(bridge: Bridge, there: Platform) -> None:
    there.answer = lambda received, _: Answer(
        status=301, headers={"Location": "b" if received.json["to"] == "chat-s1" else "chat-s1"}
    )
    await bridge.push(text("one"))
    async with bridge.running():
        await quiet(bridge.queue)
    assert len(there.received) <= 3
    assert [letter.reason for letter in await bridge.queue.dead()] == ["rejected"]


async def test_a_pause_holds_no_slot(bridge: Bridge, there: Platform) -> None:
    for number in range(20):
        await bridge.push(text("before"), pause(1.0), text("after"), session=f"s{number}")
    loop = asyncio.get_running_loop()
    before = loop.time()
    async with bridge.running(concurrency=1):
        await quiet(bridge.queue)
    assert 1.0 <= loop.time() - before < 3.0
    for number in range(20):
        mine = [each for each in there.received if each.json["to"] == f"chat-s{number}"]
        assert [each.json["text"] for each in mine] == ["before", "after"]
        assert mine[1].at - mine[0].at >= 1.0


async def test_typing_is_shown_during_a_pause_and_its_failure_is_passed_over(
    bridge: Bridge, there: Platform
) -> None:
    there.answer = lambda received, _: Answer(status=503 if received.path == "/typing" else 200)
    await bridge.push(pause(0.2, typing=True), text("after"))
    async with bridge.running():
        await quiet(bridge.queue)
    assert [each.path for each in there.received] == ["/typing", "/text"]
    assert bridge.value('moveo_bridge_calls_total{integration="support",outcome="unavailable"}') == 1


async def test_a_typing_sign_that_hangs_holds_up_no_message(
    bridge: Bridge, there: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.deliver.EPHEMERAL_SECONDS", 0.1)
    there.answer = lambda received, _: Answer(seconds=1.0 if received.path == "/typing" else 0.0)
    await bridge.push(pause(0.01, typing=True), text("after"))
    async with bridge.running():
        received = await there.has(2)
    assert received[1].at - received[0].at < 0.8


@pytest.mark.parametrize(("useful", "outcome"), [(10.0, "delivered"), (0.05, "skipped")])
async def test_a_late_typing_sign_is_left_out(
    bridge: Bridge, there: Platform, useful: float, outcome: str
) -> None:
    await bridge.push(event_type="message:compose", action="start", author_name="Jane")
    await asyncio.sleep(0.1)
    async with bridge.running(ephemeral_seconds=useful):
        await quiet(bridge.queue)
    assert len(there.received) == (1 if outcome == "delivered" else 0)
    sample = f'moveo_bridge_deliveries_total{{direction="out",integration="support",outcome="{outcome}"}}'
    assert bridge.value(sample) == 1


async def test_the_pace_of_a_chat_is_kept_by_all_workers_together(bridge: Bridge, there: Platform) -> None:
    paced = msgspec.structs.replace(CAPABILITIES, chat_pace=Pace(per_second=5.0))
    await bridge.push(text("1"), text("2"))
    await bridge.push(text("3"), text("4"))
    both = [bridge.dispatcher(channel=Plain(there.url, paced)) for _ in range(2)]
    async with running(bridge.redis, *both):
        await quiet(bridge.queue)
    assert texts(there) == ["1", "2", "3", "4"]
    times = [each.at for each in there.received]
    assert all(later - earlier > 0.15 for earlier, later in pairwise(times))
    assert times[-1] - times[0] < 1.2, "a reservation is taken once"


@pytest.mark.parametrize(
    ("own", "set_to", "wait"),
    [
        pytest.param(None, {}, 0.0, id="none"),
        pytest.param(None, {"chat_per_second": 5.0}, 0.2, id="of the settings"),
        pytest.param(None, {"channel_per_second": 5.0}, 0.2, id="of the settings, for the channel"),
        pytest.param(Pace(0.01), {"chat_per_second": 5.0}, 0.2, id="the settings win"),
        pytest.param(Pace(0.01), {"chat_per_second": 0}, 0.0, id="switched off"),
    ],
)
async def test_the_settings_change_the_pace(
    bridge: Bridge, there: Platform, own: Pace | None, set_to: dict[str, float], wait: float
) -> None:
    await bridge.push(text("1"), text("2"))
    paced = Plain(there.url, msgspec.structs.replace(CAPABILITIES, chat_pace=own))
    async with bridge.running(channel=paced, **set_to):
        await quiet(bridge.queue)
    first, second = (each.at for each in there.received)
    assert wait - 0.05 < second - first < wait + 1


@pytest.mark.parametrize(
    ("path", "fields", "to"),
    [
        ("external_session_id", {}, "chat-s1"),
        ("context.user.custom_psid", {"context": {"user": {"custom_psid": 42}}}, "42"),
        ("context.user.custom_psid", {"context": {"user": []}}, None),
        ("context.live", {"context": {"live": True}}, None),
        ("session_id.x", {}, None),
        ("nothing", {}, None),
    ],
)
async def test_the_recipient_is_where_the_setting_says(
    bridge: Bridge, there: Platform, path: str, fields: dict[str, Any], to: str | None
) -> None:
    await bridge.push(text("hi"), **fields)
    async with bridge.running(recipient=path):
        await quiet(bridge.queue)
    assert [each.json["to"] for each in there.received] == ([to] if to else [])
    assert [letter.reason for letter in await bridge.queue.dead()] == ([] if to else ["no-recipient"])


async def test_a_session_that_names_no_chat_is_for_the_chat_known_for_it(
    bridge: Bridge, there: Platform
) -> None:
    await bridge.sessions.link("chat-known", "s1")
    await bridge.push(text("hi"), external_session_id="")
    async with bridge.running():
        await quiet(bridge.queue)
    assert [each.json["to"] for each in there.received] == ["chat-known"]


async def test_chat_and_session_are_linked_until_the_session_ends(bridge: Bridge, there: Platform) -> None:
    two_way = {"api_key": Secret("k"), "integration_id": "i"}
    await bridge.push(text("hi"))
    async with bridge.running(**two_way):
        await quiet(bridge.queue)
        assert await bridge.sessions.session_of("chat-s1") == "s1"
        await bridge.push(event_type="session:expired")
        await quiet(bridge.queue)
    assert await bridge.sessions.session_of("chat-s1") is None
    assert await bridge.sessions.chat_of("s1") == "chat-s1"


async def test_buttons_are_kept_before_they_are_shown(bridge: Bridge, there: Platform) -> None:
    shows = msgspec.structs.replace(CAPABILITIES, shows=frozenset({Text}), options=5)
    await bridge.push(text("pick", "Red"))
    async with bridge.running(channel=Plain(there.url, shows)):
        await quiet(bridge.queue)
    assert await bridge.sessions.kept("chat-s1", "~Red") == "Red!"


async def test_numbers_are_kept_where_there_are_no_buttons(bridge: Bridge, there: Platform) -> None:
    await bridge.push(text("pick", "Red", "Green"))
    async with bridge.running():
        await quiet(bridge.queue)
    numbers = await bridge.sessions.numbers("chat-s1")
    assert numbers is not None
    assert numbers.text("2") == "Green!"


@pytest.mark.parametrize("payload", [b"[]", b"no json", b""], ids=repr)
async def test_what_is_no_event_is_kept_as_undecodable(bridge: Bridge, payload: bytes) -> None:
    await bridge.queue.push("s", payload)
    async with bridge.running():
        await quiet(bridge.queue)
    assert [letter.reason for letter in await bridge.queue.dead()] == ["undecodable"]


async def test_losses_are_counted_once(bridge: Bridge, there: Platform) -> None:
    there.answer = once(0, Answer(status=503))
    await bridge.push({"type": "hologram"}, text("hi"))
    async with bridge.running():
        await quiet(bridge.queue)
    assert texts(there) == ["hi", "hi"]
    assert bridge.value('moveo_bridge_losses_total{content="output.responses",integration="support"}') == 1


async def test_a_cursor_of_another_plan_starts_again(bridge: Bridge, there: Platform) -> None:
    """As after a deploy between two tries: repeating is better than losing."""
    there.answer = once(1, Answer(status=429, headers={"Retry-After": "0.3"}))
    await bridge.push(text("pick", "Red"), text("two"))
    async with bridge.running():
        await there.has(2)
    shows = msgspec.structs.replace(CAPABILITIES, options=5)
    async with bridge.running(channel=Plain(there.url, shows)):
        await quiet(bridge.queue)
    assert texts(there)[0] != texts(there)[2]
    assert [each.splitlines()[0] for each in texts(there)] == ["pick", "two", "pick", "two"]


async def test_a_stop_leaves_after_the_part_in_flight(bridge: Bridge, there: Platform) -> None:
    there.answer = lambda *_: Answer(seconds=0.2)
    await bridge.push(text("one"), text("two"), text("three"))
    async with bridge.running():
        await there.has(2)
    assert texts(there) == ["one", "two"]
    (rest,) = (await bridge.queue.turn([], 1)).deliveries
    assert (rest.tries, json.loads(rest.cursor)[1]) == (0, 2)
