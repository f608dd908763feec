"""Decoding reads what is as documented into typed values, and of anything else whatever can be read."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.content import Loss
from bridge.errors import PayloadError
from bridge.events import (
    EVENT_TYPES,
    AgentSend,
    BrainSend,
    Compose,
    Decoded,
    Delivered,
    Event,
    Read,
    Route,
    Unknown,
    decode,
    event_type,
    route,
)
from bridge.events.responses import (
    RESPONSE_TYPES,
    CarouselResponse,
    CloseResponse,
    FileResponse,
    PauseResponse,
    PostbackButton,
    Response,
    SurveyResponse,
    TextResponse,
    UrlButton,
    UrlResponse,
    WebviewResponse,
)
from tests.seed import Payload, payloads

BASE: dict[str, Any] = {"event_type": "message:brain_send", "session_id": "s", "timestamp": 1_704_067_200_000}


def say(*responses: object) -> bytes:
    return json.dumps(BASE | {"output": {"responses": responses}}).encode()


def read(raw: bytes) -> tuple[tuple[Response, ...], list[tuple[str, str]]]:
    decoded = decode(raw)
    assert isinstance(decoded.event, BrainSend)
    return decoded.event.output.responses, [(loss.content, loss.lost) for loss in decoded.losses]


def test_there_are_11_event_types_and_the_documented_response_types() -> None:
    assert len(EVENT_TYPES) == 11
    nine = {"text", "image", "video", "audio", "file", "carousel", "webview", "handover", "pause"}
    assert set(RESPONSE_TYPES) == nine | {"url", "survey", "close"}


@pytest.mark.parametrize("payload", payloads(), ids=lambda payload: payload.name)
def test_a_seed_payload_is_read_whole(payload: Payload) -> None:
    """Encoding the event again gives the page's payload, with defaults for what it leaves out."""
    decoded = decode(payload.raw)
    assert decoded.losses == ()
    assert event_type(decoded.event) == payload.data["event_type"]
    assert _holds(msgspec.to_builtins(decoded.event), payload.data)


def _holds(value: Any, part: Any) -> bool:
    """Whether `part` is in `value`, which may have more keys."""
    match value, part:
        case dict(), dict():
            return all(key in value and _holds(value[key], item) for key, item in part.items())
        case list() | tuple(), list():
            return len(value) == len(part) and all(map(_holds, value, part))
    return bool(value == part)


@pytest.mark.parametrize("payload", payloads(), ids=lambda payload: payload.name)
def test_salvage_reads_the_same_as_the_fast_path(payload: Payload) -> None:
    """A byte order mark alone sends an event down the tolerant path, and changes nothing."""
    assert decode(b"\xef\xbb\xbf" + payload.raw) == decode(payload.raw)


@pytest.mark.parametrize("payload", payloads(), ids=lambda payload: payload.name)
def test_the_session_of_a_seed_payload_is_found(payload: Payload) -> None:
    ephemeral = isinstance(decode(payload.raw).event, Compose | Read | Delivered)
    where = Route("sess-456", 1_704_067_200_000, ephemeral)
    assert route(payload.raw) == route(b"\xef\xbb\xbf" + payload.raw) == where


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        pytest.param({"type": "url", "url": "u"}, UrlResponse("u"), id="url"),
        pytest.param({"type": "close"}, CloseResponse(), id="close"),
        pytest.param(
            {
                "type": "survey",
                "url": "u",
                "label": "l",
                "height": "compact",
                "name": "n",
                "trigger_node_id": "t",
            },
            SurveyResponse("u", "l", "compact", "n", "t"),
            id="survey",
        ),
        pytest.param({"type": "pause"}, PauseResponse(None, True), id="pause, bare"),
        pytest.param(
            {"type": "pause", "duration": 2.5, "show_typing": False}, PauseResponse(2.5, False), id="pause"
        ),
        pytest.param(
            {"type": "text", "text": "a", "action_id": "x"}, TextResponse("a", (), "x"), id="action_id"
        ),
    ],
)
def test_what_other_pages_document_is_read(response: dict[str, Any], expected: Response) -> None:
    assert read(say(response)) == ((expected,), [])


def test_further_card_and_button_fields_are_read() -> None:
    card = {
        "default_action": {"type": "url", "label": "a", "url": "u"},
        "buttons": [{"type": "postback", "label": "l", "value": "v", "trigger_node_id": "t"}],
    }
    ((carousel,), losses) = read(say({"type": "carousel", "cards": [card]}))
    assert isinstance(carousel, CarouselResponse)
    assert carousel.cards[0].default_action == UrlButton("a", "u")
    assert carousel.cards[0].buttons == (PostbackButton("l", "v", "t"),)
    assert losses == []


def test_attachments_are_read() -> None:
    attachment = {
        "type": "image", "mime_type": "image/png", "url": "u", "id": "i", "title": "t", "filename": "f",
    }  # fmt: skip
    decoded = decode(
        json.dumps({"event_type": "message:send", "body": {"attachments": [attachment]}}).encode()
    )
    assert isinstance(decoded.event, AgentSend)
    assert msgspec.to_builtins(decoded.event.body.attachments[0]) == attachment


SAY = "message:brain_send"


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        pytest.param({}, Unknown(), id="empty"),
        pytest.param({"event_type": None, "session_id": None}, Unknown(), id="null"),
        pytest.param({"event_type": "message:compose", "author_name": None}, Compose(), id="null field"),
        pytest.param({"event_type": SAY, "output": None}, BrainSend(), id="null object"),
        pytest.param({"event_type": SAY, "more": {"a": [1]}}, BrainSend(), id="extra field"),
        pytest.param({"event_type": SAY, "session_id": 42}, BrainSend(session_id="42"), id="number as id"),
        pytest.param({"event_type": SAY, "timestamp": "17"}, BrainSend(timestamp=17), id="time as text"),
        pytest.param({"event_type": SAY, "timestamp": 17.0}, BrainSend(timestamp=17), id="time as float"),
        pytest.param({"event_type": "new:thing"}, Unknown(event_type="new:thing"), id="unknown event"),
    ],
)
def test_what_is_missing_or_coerced_is_no_loss(payload: dict[str, Any], event: Event) -> None:
    assert decode(json.dumps(payload).encode()) == Decoded(event)


@pytest.mark.parametrize(
    ("response", "path", "lost"),
    [
        pytest.param({"type": "list_picker"}, "[0]", "unknown type list_picker", id="unknown type"),
        pytest.param(
            {"type": "what <he> wrote"}, "[0]", "unknown type", id="a type that is none is not quoted"
        ),
        pytest.param({"text": "hi"}, "[0]", "no type", id="no type"),
        pytest.param({"type": 5}, "[0]", "unknown type", id="type is a number"),
        pytest.param(None, "[0]", "null where an object belongs", id="null element"),
        pytest.param("hi", "[0]", "text where an object belongs", id="text element"),
        pytest.param(
            {"type": "text", "text": ["a"]}, "[0].text", "a list where text belongs", id="wrong type of text"
        ),
        pytest.param(
            {"type": "text", "text": True},
            "[0].text",
            "true or false where text belongs",
            id="bool is no text",
        ),
        pytest.param(
            {"type": "text", "options": {"a": 1}},
            "[0].options",
            "an object where a list belongs",
            id="no list",
        ),
        pytest.param(
            {"type": "text", "options": ["a"]}, "[0].options[0]", "text where an object belongs", id="option"
        ),
        pytest.param(
            {"type": "carousel", "cards": [{"buttons": [{"type": "phone"}]}]},
            "[0].cards[0].buttons[0]",
            "unknown type phone",
            id="unknown button",
        ),
        pytest.param(
            {"type": "webview", "height": "huge"},
            "[0].height",
            "text where one of compact, full, new_window, tall belongs",
            id="unknown height",
        ),
        pytest.param(
            {"type": "file", "size": "big"},
            "[0].size",
            "text where a whole number in range belongs",
            id="size is no number",
        ),
        pytest.param(
            {"type": "file", "size": -1},
            "[0].size",
            "a number where a whole number in range belongs",
            id="negative size",
        ),
        pytest.param(
            {"type": "pause", "show_typing": "perhaps"},
            "[0].show_typing",
            "text where true or false belongs",
            id="bool is no bool",
        ),
        pytest.param(
            {"type": "file", "size": "\ud800"},
            "[0].size",
            "text where a whole number in range belongs",
            id="size is half of a surrogate pair",
        ),
    ],
)
def test_what_cannot_be_read_is_a_loss_and_the_rest_stays(response: object, path: str, lost: str) -> None:
    responses, losses = read(say(response, {"type": "text", "text": "stays"}))
    assert losses == [(f"output.responses{path}", lost)]
    assert responses[-1] == TextResponse("stays")


def test_the_rest_of_a_broken_response_stays() -> None:
    file = {"type": "file", "url": "u", "name": {"a": 1}, "size": "12"}
    webview = {"type": "webview", "url": "u", "height": 7, "label": 5}
    assert read(say(file, webview))[0] == (FileResponse("u", "", 12), WebviewResponse("u", "5", "full"))


@pytest.mark.parametrize(
    ("raw", "text", "loss"),
    [
        pytest.param(
            b'"a\\ud800b"',
            "a\ufffdb",
            Loss("output.responses[0].text", "half of a surrogate pair", "the replacement character"),
            id="lone surrogate",
        ),
        pytest.param(
            b'"a\xffb"',
            "a\ufffdb",
            Loss("payload", "bytes that are no UTF-8", "the replacement character"),
            id="invalid UTF-8",
        ),
        pytest.param(
            b'"a\xef\xbf\xbdb", "size": 1.0, "action_id": 1', "a\ufffdb", None, id="a replacement of theirs"
        ),
        pytest.param(b'"a\x01b"', "a\x01b", None, id="control character"),
        pytest.param(b'"a\\ud83d\\ude00b"', "a\U0001f600b", None, id="escaped pair"),
        pytest.param(b'"7", "text": "again"', "again", None, id="key twice"),
        pytest.param(b"7" * 5000, "7" * 5000, None, id="more digits than a number has"),
        pytest.param(b"1e999", "1e999", None, id="more than a float holds"),
    ],
)
def test_broken_text_is_repaired(raw: bytes, text: str, loss: Loss | None) -> None:
    body = b'{"event_type":"message:brain_send","output":{"responses":[{"type":"text","text":%s}]}}' % raw
    decoded = decode(body)
    assert isinstance(decoded.event, BrainSend)
    (response,) = decoded.event.output.responses
    assert isinstance(response, TextResponse)
    assert response.text == text
    assert decoded.losses == ((loss,) if loss else ())
    response.text.encode()


@pytest.mark.parametrize("depth", [101, 1_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")], ids=["lists", "objects"])
def test_deep_nesting_is_cut_and_the_rest_stays(depth: int, opening: bytes, closing: bytes) -> None:
    """No recursion limit is met, a brace inside a string is no depth, and what follows the cut is read."""
    deep = opening * depth + b"1" + closing * depth
    raw = b'{"session_id":4,"context":{"note":"[{\\"","deep":' + deep + b'},"event_type":"session:expired"}'
    decoded = decode(raw)
    assert event_type(decoded.event) == "session:expired"
    assert decoded.event.session_id == "4"
    assert decoded.event.context["note"] == '[{"'
    assert decoded.losses == (Loss("payload", "values nested deeper than 100 levels"),)
    assert route(raw) == Route("4")


@pytest.mark.parametrize(
    "timestamp",
    ["-5", "1e300", "99999999999999999999", '"soon"', "[]", "true", "NaN", "9" * 5000, r'"\ud800"'],
)
def test_an_impossible_time_is_none(timestamp: str) -> None:
    raw = b'{"event_type":"session:closed","session_id":"s","timestamp":%s}' % timestamp.encode()
    assert decode(raw).event.timestamp is None
    assert route(raw) == Route("s")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no json",
        b"[]",
        b'"text"',
        b"null",
        b"17",
        b"{",
        b'{"a":1} {"b":2}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"' * 9,
    ],
    ids=lambda raw: repr(raw[:12]),
)
def test_only_what_is_no_json_object_is_refused(raw: bytes) -> None:
    """The refusal says why, and quotes nothing; the route is none."""
    with pytest.raises(PayloadError, match=r"^(no JSON: JSONDecodeError|[a-z ]+ where an object belongs)$"):
        decode(raw)
    assert route(raw) == Route("")


def test_an_unterminated_string_takes_linear_time() -> None:
    """A megabyte of escaped quotes would take minutes with a careless pattern; the test's timeout says so."""
    assert route(b'{"a":"' + b'\\"' * 500_000) == Route("")


def test_the_session_is_that_of_the_bridge_where_theirs_is_missing() -> None:
    assert route(b'{"external_session_id":"ours"}') == Route("ours")
    assert route(b'{"external_session_id":"ours","session_id":"theirs"}') == Route("theirs")
    assert route(b'{"external_session_id":12,"session_id":{}}') == Route("12")


calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Examples are judged by their outcome: how long they take says more of the machine."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=15,
)


@calm
@given(
    st.dictionaries(
        st.sampled_from(["event_type", "session_id", "output", "timestamp", "context", "x"]), JSON
    )
)
def test_decoding_never_fails_for_an_object(value: dict[str, Any]) -> None:
    """Whatever comes out can be encoded again: it holds valid Unicode only."""
    msgspec.json.encode(decode(json.dumps(value).encode()).event)


@calm
@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_refused(raw: bytes) -> None:
    try:
        decode(raw)
    except PayloadError:
        assert route(raw) == Route("")


@calm
@given(st.sampled_from(payloads()), st.data())
def test_a_seed_payload_with_a_broken_byte_is_an_event_or_refused(
    payload: Payload, data: st.DataObject
) -> None:
    raw = bytearray(payload.raw)
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(raw))
    except PayloadError:
        assert route(bytes(raw)) == Route("")
