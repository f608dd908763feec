"""Each element of an event becomes one content or one Loss; nothing else comes of it, and nothing fails."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.content import (
    Audio,
    Author,
    Card,
    Carousel,
    Content,
    File,
    Handover,
    Image,
    Link,
    Loss,
    Media,
    Notice,
    OpenWebview,
    Option,
    Pause,
    Postback,
    Receipt,
    Text,
    Typing,
    Video,
    Webview,
)
from bridge.events import EVENT_TYPES, decode
from bridge.translate import DEFAULT_TEXTS, Texts, Translation, translate
from tests.seed import payloads

SARAH = Author("Sarah Johnson", "agent-123")
EXAMPLE = "https://example.com"


def shown(payload: dict[str, Any], texts: Texts = DEFAULT_TEXTS) -> Translation:
    return translate(decode(json.dumps(payload).encode()).event, texts)


def said(*responses: object) -> Translation:
    return shown({"event_type": "message:brain_send", "output": {"responses": responses}})


SEED: dict[str, Content] = {
    "message:brain_send": Text(
        "Hello! How can I help you today?",
        (Option("Check Order", "I want to check my order"), Option("Support", "I need support")),
    ),
    "message:brain_send text": Text("Here's your order status.", (Option("Track Order", "Track my order"),)),
    "message:brain_send image": Image(f"{EXAMPLE}/image.jpg", "Product Image"),
    "message:brain_send video": Video(f"{EXAMPLE}/video.mp4", "Tutorial Video"),
    "message:brain_send audio": Audio(f"{EXAMPLE}/audio.mp3", "Voice Message"),
    "message:brain_send file": File(f"{EXAMPLE}/document.pdf", "Invoice.pdf", 102400),
    "message:brain_send carousel": Carousel(
        (
            Card(
                "Product A",
                "$29.99",
                Media("image", f"{EXAMPLE}/product-a.jpg"),
                (Postback("Buy Now", "buy_product_a"), Link("Learn More", f"{EXAMPLE}/product-a")),
            ),
        )
    ),
    "message:brain_send handover": Handover(
        "Transferring you to a human agent...", desk_id="desk-123", department_id="support"
    ),
    "message:brain_send webview": Webview(f"{EXAMPLE}/form", "Fill out form", "full"),
    "message:send": Text(
        "Hi! I'm Sarah from support. How can I help you?",
        author=Author("Sarah Johnson", "agent-123", f"{EXAMPLE}/avatars/sarah.jpg"),
    ),
    "message:compose": Typing(True, SARAH),
    "message:read": Receipt("read", "agent"),
    "message:delivered": Receipt("delivered", "brain"),
    "conversation:member_join": Notice(
        "conversation:member_join", "Sarah Johnson joined the conversation.", SARAH
    ),
    "conversation:member_leave": Notice(
        "conversation:member_leave", "Sarah Johnson left the conversation.", SARAH
    ),
    "conversation:closed": Notice("conversation:closed", DEFAULT_TEXTS["conversation:closed"], SARAH),
    "conversation:reopened": Notice("conversation:reopened", DEFAULT_TEXTS["conversation:reopened"]),
    "session:closed": Notice("session:closed", DEFAULT_TEXTS["session:closed"]),
    "session:expired": Notice("session:expired", DEFAULT_TEXTS["session:expired"]),
}


def test_the_table_holds_every_seed_payload() -> None:
    assert set(SEED) == {payload.name for payload in payloads()}


@pytest.mark.parametrize(
    ("data", "content"),
    [pytest.param(payload.data, SEED[payload.name], id=payload.name) for payload in payloads()],
)
def test_a_seed_payload_becomes_its_content(data: dict[str, Any], content: Content) -> None:
    assert shown(data) == Translation((content,))


@pytest.mark.parametrize(
    ("response", "content"),
    [
        pytest.param({"type": "url", "url": "u"}, Webview("u", height="new_window"), id="url"),
        pytest.param(
            {
                "type": "survey",
                "url": "u",
                "label": "l",
                "height": "tall",
                "name": "n",
                "trigger_node_id": "t",
            },
            Webview("u", "l", "tall", "n", "t"),
            id="survey",
        ),
        pytest.param({"type": "close"}, Notice("close", DEFAULT_TEXTS["close"]), id="close"),
        pytest.param({"type": "pause"}, Pause(1.0, typing=True), id="pause of the default length"),
        pytest.param({"type": "pause", "duration": 2.5, "show_typing": False}, Pause(2.5), id="pause"),
        pytest.param({"type": "video", "url": "u", "size": 7}, Video("u", "", 7), id="video with size"),
        pytest.param({"type": "handover"}, Handover(DEFAULT_TEXTS["handover"]), id="handover without text"),
        pytest.param(
            {"type": "text", "options": [{"label": "a", "text": "b"}]},
            Text("", (Option("a", "b"),)),
            id="no text",
        ),
        pytest.param(
            {"type": "text", "text": " \n", "options": [{"label": "a"}]},
            Text("", (Option("a", "a"),)),
            id="blank text, option without text",
        ),
        pytest.param({"type": "text", "text": "  a "}, Text("  a "), id="text stays as it is"),
        pytest.param(
            {"type": "carousel", "cards": [{"media": {"url": "u"}}]},
            Carousel((Card(media=Media("image", "u")),)),
            id="card of a picture alone",
        ),
        pytest.param(
            {"type": "carousel", "cards": [{"title": "t", "media": {"type": "video", "url": "u"}}]},
            Carousel((Card("t", media=Media("video", "u")),)),
            id="card with a video",
        ),
        pytest.param(
            {
                "type": "carousel",
                "cards": [
                    {
                        "title": "t",
                        "default_action": {"type": "url", "url": "u"},
                        "buttons": [
                            {"type": "postback", "value": "v", "trigger_node_id": "n"},
                            {"type": "postback", "label": "l"},
                            {"type": "url", "url": "u"},
                            {
                                "type": "webview",
                                "url": "u",
                                "label": "l",
                                "height": "compact",
                                "trigger_node_id": "n",
                            },
                        ],
                    }
                ],
            },
            Carousel(
                (
                    Card(
                        "t",
                        buttons=(
                            Postback("v", "v", "n"),
                            Postback("l", "l"),
                            Link("u", "u"),
                            OpenWebview("l", "u", "compact", "n"),
                        ),
                        default_action=Link("t", "u"),
                    ),
                )
            ),
            id="buttons and default action fill in what is missing",
        ),
    ],
)
def test_a_response_becomes_its_content(response: dict[str, Any], content: Content) -> None:
    assert said(response) == Translation((content,))


CARD = {"title": "t"}


@pytest.mark.parametrize(
    ("response", "path", "lost"),
    [
        pytest.param({"type": "text", "text": " "}, "", "neither text nor options", id="text"),
        pytest.param({"type": "image", "name": "n"}, "", "no url", id="image"),
        pytest.param({"type": "video"}, "", "no url", id="video"),
        pytest.param({"type": "audio"}, "", "no url", id="audio"),
        pytest.param({"type": "file"}, "", "no url", id="file"),
        pytest.param({"type": "url"}, "", "no url", id="url"),
        pytest.param({"type": "webview", "label": "l"}, "", "no url", id="webview"),
        pytest.param({"type": "survey"}, "", "no url", id="survey"),
        pytest.param({"type": "pause", "duration": 0}, "", "a pause of no length", id="pause of 0 s"),
        pytest.param({"type": "pause", "duration": -1}, "", "a pause of no length", id="negative pause"),
        pytest.param({"type": "carousel"}, "", "no cards", id="carousel"),
        pytest.param(
            {"type": "text", "text": "a", "options": [{}]},
            ".options[0]",
            "neither label nor text",
            id="option",
        ),
        pytest.param(
            {"type": "carousel", "cards": [CARD, {"default_action": {"type": "url", "url": "u"}}]},
            ".cards[1]",
            "an empty card",
            id="card",
        ),
        pytest.param(
            {"type": "carousel", "cards": [CARD | {"media": {"type": "image"}}]},
            ".cards[0].media",
            "no url",
            id="media without url",
        ),
        pytest.param(
            {"type": "carousel", "cards": [CARD | {"media": {"type": "audio", "url": "u"}}]},
            ".cards[0].media",
            "unknown type audio",
            id="media of another type",
        ),
        pytest.param(
            {"type": "carousel", "cards": [CARD | {"buttons": [{"type": "postback"}]}]},
            ".cards[0].buttons[0]",
            "neither label nor value",
            id="postback",
        ),
        pytest.param(
            {"type": "carousel", "cards": [CARD | {"buttons": [{"type": "url", "label": "l"}]}]},
            ".cards[0].buttons[0]",
            "no url",
            id="url button",
        ),
        pytest.param(
            {"type": "carousel", "cards": [CARD | {"default_action": {"type": "webview"}}]},
            ".cards[0].default_action",
            "no url",
            id="default action",
        ),
    ],
)
def test_what_cannot_be_shown_is_a_loss(response: dict[str, Any], path: str, lost: str) -> None:
    """The rest of the event still goes out."""
    translation = said({"type": "text", "text": "before"}, response)
    assert translation.contents[0] == Text("before")
    assert translation.losses == (Loss(f"output.responses[1]{path}", lost),)
    assert len(translation.contents) == (1 if path == "" else 2)


def test_responses_keep_their_order() -> None:
    translation = said(
        {"type": "text", "text": "a"}, {"type": "pause"}, {"type": "image", "url": "u"}, {"type": "close"}
    )
    assert [type(content) for content in translation.contents] == [Text, Pause, Image, Notice]


# ---- a human agent ----------------------------------------------------------------------------------------


ANN = Author("Ann")


def sent(**body: object) -> Translation:
    return shown({"event_type": "message:send", "from": {"agent_name": "Ann"}, "body": body})


@pytest.mark.parametrize(
    ("attachment", "content"),
    [
        pytest.param(
            {"type": "image", "title": "t", "filename": "f"}, Image("u", "t", author=ANN), id="image"
        ),
        pytest.param({"type": "video", "filename": "f"}, Video("u", "f", author=ANN), id="video"),
        pytest.param({"type": "audio"}, Audio("u", author=ANN), id="audio"),
        pytest.param(
            {"type": "file", "filename": "../a\\b/c.pdf"}, File("u", "c.pdf", author=ANN), id="file"
        ),
        pytest.param({"type": "sticker"}, File("u", author=ANN), id="unknown type"),
        pytest.param({}, File("u", author=ANN), id="no type"),
    ],
)
def test_an_attachment_is_shown_with_its_author(attachment: dict[str, str], content: Content) -> None:
    assert sent(attachments=[attachment | {"url": "u"}]) == Translation((content,))


def test_the_text_comes_before_the_attachments() -> None:
    translation = sent(text="a", attachments=[{"type": "image", "url": "u"}, {"type": "file", "url": "v"}])
    assert [type(content) for content in translation.contents] == [Text, Image, File]


def test_an_attachment_without_a_url_is_a_loss() -> None:
    """An upload's id alone leads nowhere for the user."""
    assert sent(text="a", attachments=[{"type": "file", "id": "i"}]) == Translation(
        (Text("a", author=ANN),), (Loss("body.attachments[0]", "no url"),)
    )


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": " \n", "attachments": []}], ids=str)
def test_an_empty_message_is_a_loss(body: dict[str, Any]) -> None:
    assert sent(**body) == Translation((), (Loss("body", "neither text nor attachments"),))


def test_an_agent_without_a_name_is_an_agent() -> None:
    assert shown({"event_type": "message:send", "body": {"text": "a"}}).contents == (
        Text("a", author=Author("An agent")),
    )


# ---- signs, receipts, notices -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "content"),
    [
        pytest.param(
            {"action": "stop", "author_type": "agent", "author_name": "Ann"},
            Typing(False, Author("Ann")),
            id="stop",
        ),
        pytest.param(
            {"action": "start", "author_type": "brain", "author_name": "Bot"}, Typing(True), id="the AI agent"
        ),
        pytest.param({"action": "start"}, Typing(True), id="nobody"),
        pytest.param(
            {"action": "start", "author_type": "agent"}, Typing(True, Author("An agent")), id="nameless agent"
        ),
    ],
)
def test_compose_is_typing(event: dict[str, str], content: Content) -> None:
    assert shown({"event_type": "message:compose"} | event) == Translation((content,))


@pytest.mark.parametrize(
    ("event", "path"),
    [
        pytest.param({"event_type": "message:compose"}, "action", id="compose without action"),
        pytest.param({"event_type": "message:compose", "action": "pause"}, "action", id="unknown action"),
        pytest.param(
            {"event_type": "message:compose", "action": "start", "author_type": "visitor"},
            "author_type",
            id="the user's own typing",
        ),
        pytest.param(
            {"event_type": "message:read", "author_type": "visitor"}, "author_type", id="own reading"
        ),
        pytest.param(
            {"event_type": "message:delivered", "author_type": "visitor"}, "author_type", id="own receipt"
        ),
        pytest.param({"event_type": "new:thing"}, "event_type", id="unknown event"),
        pytest.param({}, "event_type", id="no event type"),
    ],
)
def test_an_event_that_shows_nothing_is_a_loss(event: dict[str, str], path: str) -> None:
    translation = shown(event)
    assert translation.contents == ()
    assert [loss.content for loss in translation.losses] == [path]


JOIN = {
    "event_type": "conversation:member_join",
    "author_name": "Ann {session_id}",
    "author_id": "a-1",
    "author_type": "agent",
    "session_id": "s-1",
    "timestamp": 5,
    "context": {"secret": "x"},
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        pytest.param("{author_name} is here", "Ann {session_id} is here", id="values are not templates"),
        pytest.param("{event_type} {timestamp}", "conversation:member_join 5", id="base fields"),
        pytest.param("[{desk_id}{nothing}]", "[]", id="what is missing is empty"),
        pytest.param("[{context}{__class__}]", "[]", id="scalars only"),
        pytest.param("[{__doc__}{__module__}]", "[]", id="fields only"),
        pytest.param("{author_id.__class__}", "{author_id.__class__}", id="no attributes"),
        pytest.param("{author_id!r} {}", "{author_id!r} {}", id="no conversions"),
        pytest.param("{{author_id}}", "{a-1}", id="braces are no escape"),
    ],
)
def test_a_text_is_filled_from_the_event(template: str, text: str) -> None:
    (notice,) = shown(JOIN, {"conversation:member_join": template}).contents
    assert notice == Notice("conversation:member_join", text, Author("Ann {session_id}", "a-1"))


@pytest.mark.parametrize("name", ["conversation:member_join", "conversation:member_leave"])
def test_a_member_without_a_name_is_an_agent(name: str) -> None:
    (notice,) = shown({"event_type": name}).contents
    assert isinstance(notice, Notice)
    assert notice.text.startswith("An agent ")
    assert notice.author is None


def test_closed_without_an_agent_has_no_author() -> None:
    (notice,) = shown(
        {"event_type": "conversation:closed"}, {"conversation:closed": "By {agent_name}"}
    ).contents
    assert notice == Notice("conversation:closed", "By An agent")


@pytest.mark.parametrize("off", [False, ""])
@pytest.mark.parametrize("name", sorted(set(DEFAULT_TEXTS) & set(EVENT_TYPES)))
def test_a_notice_that_is_switched_off_is_no_loss(name: str, off: Any) -> None:
    assert shown({"event_type": name}, {name: off}) == Translation()


@pytest.mark.parametrize("off", [False, ""])
@pytest.mark.parametrize("name", ["close", "handover"])
def test_a_response_text_can_be_switched_off(name: str, off: Any) -> None:
    """A handover that brings its own text still says it."""
    event = decode(payload := json.dumps(
        {"event_type": "message:brain_send", "output": {"responses": [{"type": name}]}}
    ).encode()).event  # fmt: skip
    assert translate(event, {name: off}) == Translation()
    own = decode(payload.replace(b'"handover"', b'"handover", "text": "own"')).event
    assert len(translate(own, {name: off}).contents) == (1 if name == "handover" else 0)


@pytest.mark.parametrize(
    ("name", "at"),
    [("session:closed", "event_type"), ("close", "output.responses[0]"), ("handover", "output.responses[0]")],
)
def test_a_text_that_comes_out_empty_is_a_loss(name: str, at: str) -> None:
    brain = {"event_type": "message:brain_send", "output": {"responses": [{"type": name}]}}
    payload = brain if at != "event_type" else {"event_type": name}
    assert shown(payload, {name: "{status}"}) == Translation((), (Loss(at, "a text with nothing in it"),))


@pytest.mark.parametrize("output", [None, {}, {"responses": []}, {"responses": None}], ids=str)
def test_an_answer_without_responses_is_a_loss(output: Any) -> None:
    payload = {"event_type": "message:brain_send", "output": output}
    assert shown(payload) == Translation((), (Loss("output.responses", "no responses"),))


def test_every_lifecycle_event_has_a_text_and_every_text_its_use() -> None:
    silent = {"message:brain_send", "message:send", "message:compose", "message:read", "message:delivered"}
    assert set(DEFAULT_TEXTS) == set(EVENT_TYPES) - silent | {"close", "handover"}


# ---- whatever comes ---------------------------------------------------------------------------------------

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Examples are judged by their outcome: how long they take says more of the machine."""

CONTENTS = get_args(Content)
WORDS = [
    "type",
    "text",
    "url",
    "label",
    "value",
    "carousel",
    "postback",
    "pause",
    "webview",
    "agent",
    "start",
    "",
    "9",
]
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(WORDS)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=8,
)


def nodes(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every node below the root."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from nodes(item, (*path, key))


@st.composite
def broken(draw: st.DrawFn) -> dict[str, Any]:
    """A seed payload of which up to three nodes are deleted, nulled, replaced, doubled or made lists."""
    value: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(payloads())).data)
    for _ in range(draw(st.integers(1, 3))):
        if not (paths := list(nodes(value))):
            break
        *parents, key = draw(st.sampled_from(paths))
        parent: Any = value
        for step in parents:
            parent = parent[step]
        match draw(st.sampled_from(["delete", "null", "replace", "double", "wrap"])):
            case "delete":
                del parent[key]
            case "null":
                parent[key] = None
            case "replace":
                parent[key] = draw(JSON)
            case "double":
                parent[key] = [parent[key], parent[key]]
            case "wrap":
                parent[key] = {"type": parent[key]}
    return value


def dropped(losses: list[Loss], path: str) -> int:
    """How many elements of the list at `path` are reported as lost."""
    return sum(1 for loss in losses if re.fullmatch(re.escape(path) + r"\[\d+\]", loss.content))


def check(value: dict[str, Any]) -> None:
    """The rules for any event: closed union, valid Unicode, and an account of every element."""
    decoded = decode(json.dumps(value).encode())
    translation = translate(decoded.event)
    losses = [*decoded.losses, *translation.losses]
    assert all(isinstance(content, CONTENTS) for content in translation.contents)
    assert all(loss.content and loss.lost for loss in losses)
    assert translation.contents or losses or _empty(value)
    if value.get("event_type") == "message:brain_send":
        responses = _list(value, "output", "responses")
        assert len(responses) == len(translation.contents) + dropped(losses, "output.responses")
    if value.get("event_type") == "message:send":
        attachments = _list(value, "body", "attachments")
        texts = sum(isinstance(content, Text) for content in translation.contents)
        files = len(translation.contents) - texts
        assert len(attachments) == files + dropped(losses, "body.attachments")


def _list(value: dict[str, Any], outer: str, inner: str) -> list[Any]:
    found = value.get(outer)
    found = found.get(inner) if isinstance(found, dict) else None
    return found if isinstance(found, list) else []


def _empty(value: dict[str, Any]) -> bool:
    """An answer without responses: there is nothing to account for."""
    return value.get("event_type") == "message:brain_send" and not _list(value, "output", "responses")


@calm
@given(broken())
def test_a_broken_seed_payload_is_accounted_for(value: dict[str, Any]) -> None:
    check(value)


@calm
@given(st.dictionaries(st.sampled_from(["event_type", "output", "body", "from", "action"]), JSON), st.data())
def test_any_object_is_accounted_for(value: dict[str, Any], data: st.DataObject) -> None:
    check(value | {"event_type": data.draw(st.sampled_from([*EVENT_TYPES, "new:thing"]))})


def objects(*names: str) -> st.SearchStrategy[Any]:
    """Objects with some of these fields, and now and then something else."""
    return st.dictionaries(st.sampled_from(names), JSON, max_size=len(names)) | JSON


@calm
@given(st.lists(objects("type", "text", "url", "cards", "options", "duration"), max_size=5))
def test_any_list_of_responses_is_accounted_for(responses: list[Any]) -> None:
    check({"event_type": "message:brain_send", "output": {"responses": responses}})


def account(response: dict[str, Any]) -> tuple[Content, list[Loss]]:
    event = {"event_type": "message:brain_send", "output": {"responses": [response]}}
    decoded = decode(json.dumps(event).encode())
    translation = translate(decoded.event)
    (content,) = translation.contents
    return content, [*decoded.losses, *translation.losses]


@calm
@given(st.lists(objects("label", "text"), max_size=5))
def test_any_list_of_options_is_accounted_for(options: list[Any]) -> None:
    content, losses = account({"type": "text", "text": "a", "options": options})
    assert isinstance(content, Text)
    assert len(options) == len(content.options) + dropped(losses, "output.responses[0].options")


@calm
@given(st.lists(objects("title", "subtitle", "media", "buttons"), max_size=5))
def test_any_list_of_cards_is_accounted_for(cards: list[Any]) -> None:
    content, losses = account({"type": "carousel", "cards": [CARD, *cards]})
    assert isinstance(content, Carousel)
    assert len(cards) + 1 == len(content.cards) + dropped(losses, "output.responses[0].cards")


@calm
@given(st.lists(objects("type", "label", "value", "url"), max_size=5))
def test_any_list_of_buttons_is_accounted_for(buttons: list[Any]) -> None:
    content, losses = account({"type": "carousel", "cards": [CARD | {"buttons": buttons}]})
    assert isinstance(content, Carousel)
    (card,) = content.cards
    assert len(buttons) == len(card.buttons) + dropped(losses, "output.responses[0].cards[0].buttons")
