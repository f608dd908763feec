"""An event becomes the same steps every time, in order, with everything that was left out named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.channels import Call, Reply, Request, Wait
from bridge.channels.capabilities import Capabilities
from bridge.channels.choices import mark
from bridge.content import (
    Card,
    Carousel,
    Content,
    Image,
    Loss,
    Option,
    Pause,
    Postback,
    Receipt,
    Text,
    Typing,
    kind,
)
from bridge.errors import ChannelFault
from bridge.plan import Plan, plan
from bridge.testing import corpus

KEY = "00112233445566778899aabbccddeeff"
YES_NO = (Option("Yes", "yes!"), Option("No", "no!"))
PLAIN = Capabilities()
SHOWS_TYPING = Capabilities(shows=frozenset({Text, Typing}), typing_seconds=5)
TYPING_CALL = Call(op="typing", body={"on": True}, ephemeral=True)


class Recorder:
    """A channel that says what it was given: a call for each content, two for an image."""

    name: ClassVar[str] = "recorder"

    def __init__(self, capabilities: Capabilities) -> None:
        self.capabilities = capabilities

    def render(self, content: Content, to: str) -> Sequence[Call]:
        match content:
            case Text():
                return (Call(op="say", body={"text": content.text}),)
            case Image():
                return (
                    Call(op="upload", body={"url": content.url}),
                    Call(op="show", fallback=(Call(op="say", body={"text": content.url}),)),
                )
            case Typing(on=on):
                return (Call(op="typing", body={"on": on}),)
            case _:
                return ()

    def request(self, call: Call) -> Request:
        return Request(url="stdout:")

    def check(self, reply: Reply) -> str | None:
        return None


def planned(*contents: Content, can: Capabilities = PLAIN, pause_max_seconds: float = 30) -> Plan:
    return plan(contents, Recorder(can), "chat-1", key=KEY, pause_max_seconds=pause_max_seconds)


def bare(made: Plan) -> list[Call | Wait]:
    """The steps without what the plan stamps on every call."""
    return [msgspec.structs.replace(s, to="", id="") if isinstance(s, Call) else s for s in made.steps]


def test_steps_are_the_calls_of_the_contents_in_order() -> None:
    made = planned(
        Text("one"), Image("https://example.com/x"), can=Capabilities(shows=frozenset({Text, Image}))
    )
    assert [step.op for step in made.steps if isinstance(step, Call)] == ["say", "upload", "show"]
    assert made.losses == ()


def test_every_call_is_addressed_and_has_an_id_of_its_own() -> None:
    made = planned(
        Text("one"),
        Text("one"),
        Image("https://example.com/x"),
        can=Capabilities(shows=frozenset({Text, Image})),
    )
    calls = [call for step in made.steps if isinstance(step, Call) for call in (step, *step.fallback)]
    assert len(calls) == 5
    assert {call.to for call in calls} == {"chat-1"}
    assert len({call.id for call in calls}) == len(calls)
    assert all(len(bytes.fromhex(call.id)) == 16 for call in calls)


def test_ids_come_of_the_event_and_the_place_alone() -> None:
    [first] = planned(Text("one")).steps
    [again] = planned(Text("another")).steps
    [other] = plan((Text("one"),), Recorder(PLAIN), "chat-1", key=KEY[::-1]).steps
    assert isinstance(first, Call)
    assert isinstance(again, Call)
    assert isinstance(other, Call)
    assert first.id == again.id != other.id


@pytest.mark.parametrize("name", corpus())
def test_the_same_event_makes_the_same_plan(name: str) -> None:
    made, again = planned(corpus()[name]), planned(corpus()[name])
    assert made == again
    assert made.digest == again.digest


def test_the_digest_tells_plans_apart() -> None:
    plans = [
        planned(),
        planned(Text("one")),
        planned(Text("one"), Text("two")),
        planned(Text("two"), Text("one")),
        planned(Pause(1)),
        planned(Pause(2)),
    ]
    assert len({made.digest for made in plans}) == len(plans)
    assert all(len(bytes.fromhex(made.digest)) == 8 for made in plans)


def test_losses_of_all_contents_are_kept_in_order() -> None:
    made = planned(Text(""), Receipt("read"))
    assert made.steps == ()
    assert [loss.content for loss in made.losses] == ["text", "receipt"]


def test_the_numbers_a_user_can_type_go_with_the_last_part() -> None:
    made = planned(Text("one two three", YES_NO), can=Capabilities(text=10))
    assert bare(made) == [
        Call(op="say", body={"text": "one two"}),
        Call(op="say", body={"text": "three"}),
        Call(op="say", body={"text": "1. Yes"}),
        Call(op="say", body={"text": "2. No"}, numbers=mark(YES_NO)),
    ]


def test_a_number_means_one_thing_in_an_event() -> None:
    cards = Carousel((Card("A", buttons=(Postback("Buy", "a"),)), Card("B", buttons=(Postback("Buy", "b"),))))
    made = planned(Text("Sure?", YES_NO), cards)
    numbers = mark((*YES_NO, Option("Buy", "a"), Option("Buy", "b")))
    assert bare(made)[-1] == Call(op="say", body={"text": "B\n\n4. Buy"}, numbers=numbers)


# ---- pauses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pause", "can", "steps"),
    [
        pytest.param(Pause(2.5), Capabilities(), [Wait(2.5)], id="plain"),
        pytest.param(Pause(2), SHOWS_TYPING, [Wait(2)], id="no typing asked for"),
        pytest.param(Pause(5, typing=True), SHOWS_TYPING, [TYPING_CALL, Wait(5, typing=True)], id="one sign"),
        pytest.param(
            Pause(9.5, typing=True),
            SHOWS_TYPING,
            [
                TYPING_CALL,
                Wait(4, typing=True),
                TYPING_CALL,
                Wait(4, typing=True),
                TYPING_CALL,
                Wait(1.5, typing=True),
            ],
            id="renewed before it lapses",
        ),
        pytest.param(
            Pause(12, typing=True),
            Capabilities(shows=frozenset({Text, Typing})),
            [TYPING_CALL, Wait(12, typing=True)],
            id="a sign that stays",
        ),
        pytest.param(Pause(0, typing=True), SHOWS_TYPING, [], id="none"),
        pytest.param(Pause(-3), Capabilities(), [], id="negative"),
        pytest.param(Pause(float("nan")), Capabilities(), [], id="not a number"),
    ],
)
def test_a_pause_is_a_wait_with_typing_kept_alive(
    pause: Pause, can: Capabilities, steps: list[Call | Wait]
) -> None:
    made = planned(pause, can=can)
    assert bare(made) == steps
    assert made.losses == ()


def test_a_pause_without_typing_signs_is_a_wait_all_the_same() -> None:
    made = planned(Pause(2, typing=True))
    assert made.steps == (Wait(2),)
    assert made.losses == (Loss("pause", "the typing sign", "the pause alone"),)


@pytest.mark.parametrize("seconds", [31, 86_400, float("inf")])
def test_a_pause_is_capped(seconds: float) -> None:
    made = planned(Pause(seconds), pause_max_seconds=30)
    assert made.steps == (Wait(30),)
    assert made.losses == (Loss("pause", "the end of a pause", "a shorter pause"),)


@given(st.floats(0, 30), st.floats(0.01, 60))
def test_waits_last_as_long_as_the_pause(seconds: float, typing_seconds: float) -> None:
    can = Capabilities(shows=frozenset({Text, Typing}), typing_seconds=typing_seconds)
    waits = [s.seconds for s in planned(Pause(seconds, typing=True), can=can).steps if isinstance(s, Wait)]
    assert sum(waits) == pytest.approx(seconds, abs=0.001)
    assert all(wait > 0 for wait in waits)
    assert all(wait <= max(typing_seconds + 0.001, 0.5) for wait in waits)


# ---- what a channel gets wrong -----------------------------------------------------------------------------


def test_a_content_the_channel_renders_nothing_for_is_a_loss() -> None:
    made = planned(Card("A"), can=Capabilities(shows=frozenset({Text, Card})))
    assert made.losses == (Loss("card", "the card: the channel rendered nothing for it"),)


def test_a_sign_may_be_nothing() -> None:
    assert planned(Receipt("read"), can=Capabilities(shows=frozenset({Text, Receipt}))) == Plan()


def test_an_error_of_a_renderer_is_not_swallowed() -> None:
    class Broken(Recorder):
        def render(self, content: Content, to: str) -> Sequence[Call]:
            raise KeyError(kind(content))

    with pytest.raises(ChannelFault, match=r"test_plan\.py:\d+: KeyError$"):
        plan((Text("one"),), Broken(PLAIN), "chat-1", key=KEY)
