from __future__ import annotations

import json

import pytest

from bridge.channels import Call, Step, Wait
from bridge.plan import Plan
from workers.journey import MISSED_MS, Journey, read

NOW = 1_704_067_200_000
FALLBACK = (Call(op="b1"), Call(op="b2", fallback=(Call(op="simplest"),)))


def plan_to(to: str) -> Plan:
    return Plan((Call(op="a", to=to), Call(op="b", to=to, fallback=FALLBACK), Wait(1.0), Call(op="c", to=to)))


def start(cursor: bytes = b"", to: str = "chat") -> Journey:
    stored = read(cursor)
    return Journey(plan_to, stored.to or to, stored)


def rest(journey: Journey) -> list[str]:
    """What is left of the journey, step by step."""

    def name(step: Step) -> str:
        return f"{step.op}@{step.to}" if isinstance(step, Call) else "wait"

    names = []
    while step := journey.step:
        names.append(name(step))
        journey.advance()
    return names


def test_a_journey_goes_through_all_steps() -> None:
    assert rest(start()) == ["a@chat", "b@chat", "wait", "c@chat"]


@pytest.mark.parametrize("taken", range(5))
def test_a_resumed_journey_goes_on_where_the_cursor_says(taken: int) -> None:
    journey = start()
    for _ in range(taken):
        journey.advance()
    resumed = start(journey.cursor)
    assert not resumed.restarted
    assert rest(resumed) == ["a@chat", "b@chat", "wait", "c@chat"][taken:]


@pytest.mark.parametrize("resumed", [False, True])
def test_a_fallback_stands_in_the_step_s_place(resumed: bool) -> None:
    journey = start()
    journey.advance()
    journey.fall_back()
    journey.advance()
    journey = start(journey.cursor) if resumed else journey
    assert rest(journey) == ["b2@", "wait", "c@chat"]


@pytest.mark.parametrize("resumed", [False, True])
def test_a_fallback_may_have_one_of_its_own(resumed: bool) -> None:
    """A picture, then its text with buttons, then the text alone: each simpler than the one before."""
    journey = start()
    journey.advance()
    journey.fall_back()
    journey.advance()
    journey.fall_back()
    journey = start(journey.cursor) if resumed else journey
    assert rest(journey) == ["simplest@", "wait", "c@chat"]


@pytest.mark.parametrize("resumed", [False, True])
def test_a_moved_chat_gets_the_steps_that_are_left(resumed: bool) -> None:
    journey = start()
    journey.advance()
    journey.move("new")
    journey = start(journey.cursor) if resumed else journey
    assert not journey.restarted
    assert rest(journey) == ["b@new", "wait", "c@new"]


def test_a_cursor_of_another_plan_starts_again() -> None:
    journey = start()
    journey.advance()
    other = Journey(lambda to: Plan((Call(op="z", to=to),)), "chat", read(journey.cursor))
    assert other.restarted
    assert rest(other) == ["z@chat"]


@pytest.mark.parametrize("cursor", [b"", b"x", b'{"step":1}', b'["p","q"]'], ids=repr)
def test_a_cursor_that_cannot_be_read_is_a_new_start(cursor: bytes) -> None:
    assert rest(start(cursor))[0] == "a@chat"


def test_a_cursor_of_a_later_version_may_say_more() -> None:
    journey = start()
    journey.advance()
    longer = json.dumps([*json.loads(journey.cursor), "more"]).encode()
    assert rest(start(longer))[0] == "b@chat"


def test_a_turn_that_was_waited_for_is_used_up_by_one_try() -> None:
    journey = start()
    journey.wait_turn(NOW)
    assert start(journey.cursor).has_turn(NOW)
    assert not start(journey.cursor).has_turn(NOW + MISSED_MS), "it was missed"
    journey.unpaced()
    assert not start(journey.cursor).has_turn(NOW)
    journey.wait_turn(NOW)
    journey.advance()
    assert not journey.has_turn(NOW)
