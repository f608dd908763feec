"""The scripted agent as a table: what is said, and what is posted then."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.channels.webchat import WebChat
from bridge.emulator.script import ISLANDS, MENU, SHOWS, Action, Post, Received, Sleep, Talk, hear
from bridge.events import EVENT_TYPES
from bridge.events.responses import RESPONSE_TYPES

AGENT = Talk(greeted=True)
HUMAN = Talk(who="human", greeted=True)
CLOSED = Talk(closed=True, greeted=True)


PHOTO = Received("photo.png", "image", "http://b/photo")
NOTES = Received("notes.txt", "file", "http://b/notes")


def play(talk: Talk, text: str, *files: Received) -> tuple[Talk, list[str]]:
    """What is posted, by name: event types, and the types of responses."""
    talk, actions = hear(talk, text, files, "http://m")
    return talk, names(actions)


def names(actions: tuple[Action, ...]) -> list[str]:
    found: list[str] = []
    for action in actions:
        if isinstance(action, Post):
            found += [part["type"] for part in responses(action)] or [action.event_type]
            found[-1] += f" {action.fields['action']}" if "action" in action.fields else ""
    return found


def responses(post: Post) -> list[dict[str, Any]]:
    return list(post.fields.get("output", {}).get("responses", []))


SHOWN = ["text", "image", "video", "audio", "file", "url", "carousel", "webview", "survey"]
SEEN = "message:delivered"
TYPED = ["message:compose start", "message:compose stop", "message:send"]
LEAVE = ["conversation:member_leave", "conversation:closed"]
HANDOVER = ["handover", "conversation:member_join", *TYPED]


@pytest.mark.parametrize(
    ("before", "text", "posted", "after"),
    [
        pytest.param(Talk(), "hello", [SEEN, "text"], AGENT, id="greets first"),
        pytest.param(Talk(), "Show me an image!", [SEEN, "image"], AGENT, id="first a wish: no greeting"),
        pytest.param(AGENT, "menu", [SEEN, "text"], AGENT, id="menu"),
        pytest.param(AGENT, "qwerty", [SEEN, "text"], AGENT, id="not understood"),
        pytest.param(AGENT, "", [SEEN, "text"], AGENT, id="nothing"),
        *[pytest.param(AGENT, name, [SEEN, name], AGENT, id=name) for name in SHOWN],
        pytest.param(AGENT, "TEXT", [SEEN, "text"], AGENT, id="any case"),
        pytest.param(AGENT, "a picture, please", [SEEN, "image"], AGENT, id="another word for it"),
        pytest.param(AGENT, "pause", [SEEN, "text", "pause", "text"], AGENT, id="pause between texts"),
        pytest.param(
            AGENT,
            "everything",
            [SEEN, *SHOWN, "text", "pause", "text"],
            AGENT,
            id="everything",
        ),
        pytest.param(AGENT, "choose_lake", [SEEN, "text"], AGENT, id="postback"),
        pytest.param(AGENT, "numbers", [SEEN, "text"], AGENT, id="numbers"),
        pytest.param(AGENT, "handover", [SEEN, *HANDOVER], HUMAN, id="handover"),
        pytest.param(AGENT, "I want a person", [SEEN, *HANDOVER], HUMAN, id="handover by another word"),
        pytest.param(AGENT, "close", [SEEN, "close", "conversation:closed"], CLOSED, id="agent closes"),
        pytest.param(HUMAN, "what now?", ["message:read", *TYPED], HUMAN, id="human answers"),
        pytest.param(HUMAN, "image", ["message:read", *TYPED], HUMAN, id="human is no menu"),
        pytest.param(HUMAN, "Bye!", ["message:read", *TYPED, *LEAVE], CLOSED, id="bye"),
        pytest.param(HUMAN, "close", ["message:read", *TYPED, *LEAVE], CLOSED, id="human closes"),
        pytest.param(CLOSED, "hi", ["conversation:reopened", SEEN, "text"], AGENT, id="reopened"),
        pytest.param(
            CLOSED, "carousel", ["conversation:reopened", SEEN, "carousel"], AGENT, id="reopened by a wish"
        ),
        pytest.param(
            CLOSED,
            "handover",
            ["conversation:reopened", SEEN, *HANDOVER],
            HUMAN,
            id="reopened for a human",
        ),
        pytest.param(
            AGENT, "expire", ["text", "session:expired"], Talk(ended=True, greeted=True), id="expire"
        ),
        pytest.param(
            HUMAN, " End ", ["text", "session:closed"], Talk("human", ended=True, greeted=True), id="end"
        ),
    ],
)
def test_the_script(before: Talk, text: str, posted: list[str], after: Talk) -> None:
    assert play(before, text) == (after, posted)


def test_the_menu_names_every_response_type_and_each_option_leads_there() -> None:
    _, actions = hear(Talk(), "hello", (), "http://m")
    (said,) = responses(actions[-1])  # type: ignore[arg-type]
    options = {option["label"]: option["text"] for option in said["options"]}
    assert options == {name.capitalize(): name for name in MENU}
    assert set(RESPONSE_TYPES) <= set(options.values())
    for name in RESPONSE_TYPES:
        assert name in play(AGENT, options[name.capitalize()])[1]
    assert list(options.values())[:3] == ["everything", "carousel", "handover"]
    assert len(set(MENU)) == len(MENU) == len(SHOWS) + 1


def test_numbers_asks_for_more_than_the_web_chat_has_buttons_for_and_each_is_answered() -> None:
    _, actions = hear(AGENT, "numbers", (), "http://m")
    (asked,) = responses(actions[-1])  # type: ignore[arg-type]
    assert len(asked["options"]) == len(ISLANDS) > WebChat.capabilities.options
    for option in asked["options"]:
        assert f"You chose {option['label']}." in str(hear(AGENT, option["text"], (), "http://m")[1])


@pytest.mark.parametrize("text", ["", "here is a picture"])
def test_a_picture_is_shown_back_and_a_file_is_named(text: str) -> None:
    """Whatever is written beside it: a caption is no wish."""
    _, actions = hear(Talk(), text, (PHOTO, NOTES), "http://m")
    said, shown = responses(actions[-1])  # type: ignore[arg-type]
    assert "photo.png, notes.txt" in said["text"]
    assert shown == {"type": "image", "url": "http://b/photo", "name": "photo.png"}


def test_the_end_by_silence_says_how_to_go_on() -> None:
    _, actions = hear(AGENT, "expire", (), "http://m")
    assert "a new one begins by itself" in str(actions[0])


def test_together_the_paths_post_every_event_type() -> None:
    """Whoever plays the script through has seen all 11."""
    seen: set[str] = set()
    talk = Talk()
    for text in ("handover", "a question", "bye", "again", "expire"):
        talk, actions = hear(talk, text, (), "http://m")
        seen |= {action.event_type for action in actions if isinstance(action, Post)}
    _, actions = hear(Talk(), "end", (), "http://m")
    seen |= {action.event_type for action in actions if isinstance(action, Post)}
    assert seen == set(EVENT_TYPES)


@pytest.mark.parametrize(
    ("talk", "posted"),
    [(AGENT, [SEEN, "text", "image"]), (HUMAN, ["message:read", *TYPED])],
    ids=["agent", "human"],
)
def test_a_file_is_acknowledged_by_its_name(talk: Talk, posted: list[str]) -> None:
    _, actions = hear(talk, "", (PHOTO, NOTES), "http://m")
    assert names(actions) == posted
    assert "photo.png, notes.txt" in str(actions[-1])


@pytest.mark.parametrize("height", ["full", "tall", "compact", "new_window"])
def test_a_webview_of_any_height(height: str) -> None:
    _, actions = hear(AGENT, f"webview {height}", (), "http://m")
    assert responses(actions[-1])[0]["height"] == height  # type: ignore[arg-type]


def test_every_button_of_the_carousel_that_says_something_is_answered() -> None:
    _, actions = hear(AGENT, "carousel", (), "http://m")
    (carousel,) = responses(actions[-1])  # type: ignore[arg-type]
    values = [
        button["value"]
        for card in carousel["cards"]
        for button in card["buttons"]
        if button["type"] == "postback"
    ]
    assert len(values) == 3
    for value in values:
        assert f"You chose {value.removeprefix('choose_')}" in str(hear(AGENT, value, (), "http://m")[1])


def test_the_human_attaches_the_guide_once() -> None:
    _, greeting = hear(AGENT, "handover", (), "http://m")
    _, answer = hear(HUMAN, "hm", (), "http://m")
    assert greeting[-1].fields["body"]["attachments"][0]["url"] == "http://m/guide.pdf"  # type: ignore[union-attr]
    assert answer[-1].fields["body"]["attachments"] == []  # type: ignore[union-attr]


def test_a_human_takes_time() -> None:
    """Reading and typing are waits, and the sign of typing is on during the second."""
    _, actions = hear(HUMAN, "hm", (), "http://m")
    kinds = ["sleep" if isinstance(action, Sleep) else action.event_type for action in actions]
    assert kinds == ["message:read", "sleep", "message:compose", "sleep", "message:compose", "message:send"]
