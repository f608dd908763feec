"""Matrix: what is sent for each content, and what a homeserver's answers mean."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given

from bridge.channels import Call, Loaded, Reply, Request, Uploaded
from bridge.channels.matrix import Matrix, MatrixSettings
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
    Media,
    Notice,
    Option,
    Postback,
    Receipt,
    Text,
    Typing,
    Video,
    Webview,
)
from bridge.errors import (
    BridgeError,
    ConfigError,
    ContentRefused,
    Forbidden,
    Rejected,
    SendError,
    Unauthorized,
    Unavailable,
    Uncertain,
)
from bridge.plan import plan
from bridge.secret import Secret
from bridge.testing import corpus
from tests.channels.matrix_rules import EVENT_BYTES, problems
from tests.channels.talk import (
    NOT_THE_PLATFORM,
    calls_for,
    calls_of,
    contents,
    events,
    named,
    refusal,
    waits,
    with_fallbacks,
)

TOKEN = "as-a-token-that-must-never-be-seen"
BOT = "@support:example.org"
ROOM = "!qKkq/AFp%F:example.org"
PNG = "https://x.example/shop/a_b.png"
FILM = "https://x.example/film.mp4"
HOME = "https://matrix.example.org"
KEPT = Uploaded(address="mxc://example.org/AbC", mime_type="image/png", size=1234)


def channel(**given: Any) -> Matrix:
    return Matrix(MatrixSettings(**{"api_url": HOME, "user_id": BOT, "token": Secret(TOKEN), **given}))


def planned(*said: Content) -> list[Call]:
    return calls_of(channel(), ROOM, *said)


def bodies(*said: Content) -> list[dict[str, Any]]:
    """What is sent, without the empty mentions that all messages have in common."""
    calls = planned(*said)
    assert all(call.body["m.mentions"] == {} for call in calls if call.op.startswith("send/"))
    return [{k: v for k, v in call.body.items() if k != "m.mentions"} for call in calls]


def m_text(said: str) -> dict[str, Any]:
    return {"msgtype": "m.text", "body": said}


def media(form: str, body: str, filename: str) -> dict[str, Any]:
    return {"msgtype": f"m.{form}", "body": body, "filename": filename, "url": "mxc://{uploaded}"}


PRODUCT = Card("Product A", "$29.99", Media("image", PNG), (Postback("Buy", "buy_a"), Link("More", PNG)))

# ---- what is sent ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(Text(f"*a* <b> @room at {PNG}"), [m_text(f"*a* <b> @room at {PNG}")], id="text"),
        pytest.param(
            Text("Pick", (Option("Yes", "yes please"), Option("No", "no"))),
            [m_text("Pick\n\n1. Yes\n2. No")],
            id="options",
        ),
        pytest.param(Text("Hi", author=Author("Sarah")), [m_text("Sarah: Hi")], id="author"),
        pytest.param(Image(PNG), [media("image", "a_b.png", "a_b.png")], id="image"),
        pytest.param(Image(PNG, "The new shop"), [media("image", "The new shop", "a_b.png")], id="caption"),
        pytest.param(Video(FILM, "Tour"), [media("video", "Tour", "film.mp4")], id="video"),
        pytest.param(
            Audio("https://x.example/", "Hello"),
            [media("audio", "Hello", "audio")],
            id="no-name-in-the-address",
        ),
        pytest.param(
            File("https://x.example/dl?id=7", "Invoice 7.pdf"),
            [media("file", "Invoice 7.pdf", "Invoice 7.pdf")],
            id="a-file-is-called-by-its-name",
        ),
        pytest.param(
            File("https://x.example/i%207.pdf", "Your invoice"),
            [media("file", "Your invoice", "i 7.pdf")],
            id="a-file-with-a-caption",
        ),
        pytest.param(
            File("https://x.example/a/..%2F%0A%00b.pdf"), [media("file", "b.pdf", "b.pdf")], id="a-bad-name"
        ),
        pytest.param(
            File(f"https://x.example/{'y' * 200}.pdf"),
            [media("file", "y" * 116 + ".pdf", "y" * 116 + ".pdf")],
            id="a-long-name",
        ),
        pytest.param(
            PRODUCT,
            [media("image", "a_b.png", "a_b.png"), m_text(f"Product A\n$29.99\nMore: {PNG}\n\n1. Buy")],
            id="card",
        ),
        pytest.param(
            Carousel((Card("A", "1", Media("image", PNG)), Card("B"))),
            [media("image", "A\n1", "a_b.png"), m_text("B")],
            id="carousel",
        ),
        pytest.param(
            Webview("https://x.example/form", "Fill in", name="Your details"),
            [m_text("Your details\nFill in: https://x.example/form")],
            id="webview",
        ),
        pytest.param(Handover("To a human"), [m_text("To a human")], id="handover"),
        pytest.param(
            Notice("close", "Closed."), [{"msgtype": "m.notice", "body": "Closed."}], id="notice-is-a-notice"
        ),
        pytest.param(Typing(on=True), [{"typing": True, "timeout": 5000}], id="typing"),
        pytest.param(Typing(on=False), [{"typing": False}], id="typing-ends"),
        pytest.param(Receipt("read"), [{}], id="read"),
        pytest.param(Receipt("delivered"), [], id="delivered"),
    ],
)
def test_a_content_is_sent_as(content: Content, expected: list[dict[str, Any]]) -> None:
    assert bodies(content) == expected


def test_options_can_be_answered_by_their_numbers() -> None:
    (call,) = planned(Text("Pick", (Option("Yes", "yes please"), Option("No", "no"))))
    assert [choice.text for choice in call.numbers] == ["yes please", "no"]


def test_only_signs_are_ephemeral() -> None:
    calls = planned(Text("Hi"), Image(PNG), Notice("close", "Bye"), Typing(on=True), Receipt("read"))
    assert [call.ephemeral for call in calls] == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("said", "count"),
    [("a" * 16_384, 1), ("a" * 16_385, 2), ("é" * 8_192, 1), ("é" * 8_193, 2), ('"' * 16_384, 1)],
    ids=["fits", "over", "two-bytes-fit", "two-bytes-over", "escaped"],
)
def test_a_text_is_split_by_its_bytes(said: str, count: int) -> None:
    sent = bodies(Text(said))
    assert len(sent) == count
    assert "".join(body["body"] for body in sent) == said


@pytest.mark.parametrize("letter", ['"', "\\", "a\n", "a\t", "é", "€", "😀", "\u2028"], ids=repr)
def test_the_longest_text_is_at_most_half_an_event_whatever_it_is_of(letter: str) -> None:
    for call in planned(Text(letter * 20_000)):
        assert len(channel().request(call).body) < EVENT_BYTES / 2 + 200


# ---- requests ----------------------------------------------------------------------------------------------


def asked(content: Content, **stamps: Any) -> Request:
    (call,) = planned(content)
    return channel().request(msgspec.structs.replace(call, **stamps))


def test_a_message_is_put_into_its_room_under_the_calls_id() -> None:
    request = asked(Text("Hi"), id="0f" * 16)
    path = f"/rooms/!qKkq%2FAFp%25F:example.org/send/m.room.message/{'0f' * 16}"
    assert (request.method, request.url) == ("PUT", f"{HOME}/_matrix/client/v3{path}")
    assert request.headers == {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    assert orjson.loads(request.body) == {"msgtype": "m.text", "body": "Hi", "m.mentions": {}}


def test_a_repeat_is_known_by_its_id() -> None:
    assert channel().capabilities.idempotent
    first, other = (asked(Text("Hi"), id=each).url for each in ("0f" * 16, "0e" * 16))
    assert first != other
    assert asked(Text("Hi"), id="0f" * 16).url == first


def test_signs_have_addresses_of_their_own() -> None:
    room = f"{HOME}/_matrix/client/v3/rooms/!qKkq%2FAFp%25F:example.org"
    typing = asked(Typing(on=True))
    assert (typing.method, typing.url) == ("PUT", f"{room}/typing/{BOT}")
    read = asked(Receipt("read"), memo={"event": "$a/b+c:example.org"})
    assert (read.method, read.url) == ("POST", f"{room}/receipt/m.read/$a%2Fb%2Bc:example.org")
    assert read.body == b"{}"


def test_a_receipt_is_about_the_users_last_event() -> None:
    (call,) = planned(Receipt("read"))
    assert (call.recall, call.ephemeral) == (("event",), True)
    assert asked(Receipt("read")).url.endswith("/receipt/m.read/")


@pytest.mark.parametrize("room", [".", "..", "..."], ids=str)
def test_a_chat_of_dots_leads_nowhere_else(room: str) -> None:
    (call,) = calls_of(channel(), room, Text("Hi"))
    assert f"/rooms/{'%252E' * len(room)}/send/" in channel().request(call).url


def test_a_file_is_handed_over_under_its_name() -> None:
    (call,) = planned(File(PNG, "Die große Übersicht.pdf"))
    assert call.upload
    assert (call.upload.url, call.upload.max_bytes) == (PNG, 20 * 2**20)
    request = channel().upload(Loaded(name=call.upload.name, mime_type="application/pdf", body=b"%PDF"))
    assert request.method == "POST"
    assert request.url == (f"{HOME}/_matrix/media/v3/upload?filename=Die%20gro%C3%9Fe%20%C3%9Cbersicht.pdf")
    assert request.headers == {"authorization": f"Bearer {TOKEN}", "content-type": "application/pdf"}
    assert request.body == b"%PDF"


def test_a_file_of_no_known_type_is_handed_over_as_bytes() -> None:
    assert channel().upload(Loaded(body=b"x")).headers["content-type"] == "application/octet-stream"
    (call,) = planned(File(PNG))
    file = msgspec.structs.replace(KEPT, mime_type="")
    body = orjson.loads(channel().request(msgspec.structs.replace(call, uploaded=file)).body)
    assert body["info"]["mimetype"] == "application/octet-stream"


def test_what_was_handed_over_is_shown_from_where_it_is() -> None:
    assert orjson.loads(asked(Image(PNG, "Look"), uploaded=KEPT).body) == {
        "msgtype": "m.image",
        "body": "Look",
        "filename": "a_b.png",
        "url": "mxc://example.org/AbC",
        "info": {"mimetype": "image/png", "size": 1234},
        "m.mentions": {},
    }


def test_a_file_larger_than_the_homeserver_takes_is_a_link() -> None:
    small = channel(upload_bytes=1000)
    (call,) = calls_of(small, ROOM, Video(FILM, "Tour", size=1001))
    assert call.body["body"] == f"Tour: {FILM}"
    (call,) = calls_of(small, ROOM, Video(FILM, "Tour", size=1000))
    assert call.upload
    assert call.upload.max_bytes == 1000


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (Image(PNG), PNG),
        (Image(PNG, "Look"), f"Look: {PNG}"),
        (Video(FILM, "The\ntour"), f"The tour: {FILM}"),
        (File(PNG, "Invoice.pdf"), f"Invoice.pdf: {PNG}"),
    ],
    ids=["image", "caption", "video", "file"],
)
def test_a_file_falls_back_to_a_link(content: Content, text: str) -> None:
    (call,) = planned(content)
    (other,) = call.fallback
    assert other.body == {**m_text(text), "m.mentions": {}}
    assert (other.fallback, other.upload) == ((), None)


def test_a_text_has_no_simpler_form() -> None:
    (call,) = planned(Text("Hi"))
    assert call.fallback == ()


# ---- the rules of Matrix -----------------------------------------------------------------------------------


def refusals(*calls: Call) -> list[str]:
    """What would be refused: of the calls as they are rendered, and with their files where they are then."""
    there = channel()
    return [
        fault
        for call in calls
        for each in (call, msgspec.structs.replace(call, uploaded=KEPT if call.upload else None))
        for fault in problems(there.request(msgspec.structs.replace(each, memo={"event": "$e"})), ROOM)
    ]


@pytest.mark.parametrize("raw", events())
def test_every_event_is_shown_in_calls_that_a_homeserver_accepts(raw: bytes) -> None:
    assert refusals(*with_fallbacks(calls_for(raw, channel(), ROOM))) == []


@pytest.mark.parametrize("content", corpus().values(), ids=corpus())
def test_a_homeserver_accepts_the_corpus(content: Content) -> None:
    assert refusals(*with_fallbacks(plan((content,), channel(), ROOM, key="k").steps)) == []


@given(content=contents)
def test_a_homeserver_accepts_whatever_is_planned_and_every_fallback(content: Content) -> None:
    assert refusals(*with_fallbacks(planned(content))) == []


def test_the_rules_can_fail() -> None:
    request = asked(Text("Hi"))
    for content in (
        {"msgtype": "m.image", "body": "x", "url": PNG},
        {"msgtype": "m.text", "body": '"' * 33_000},
    ):
        body = orjson.dumps({**content, "m.mentions": {}})
        assert problems(msgspec.structs.replace(request, body=body), ROOM) != []
    assert problems(msgspec.structs.replace(request, method="POST"), ROOM) != []
    assert problems(request, "!another:example.org") != []


# ---- settings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"token": Secret("")}, "token: must be of ASCII letters"),
        ({"token": Secret("syt with\nline")}, "token: must be of ASCII letters"),
        ({"user_id": "support"}, "user_id: must be the bot's whole id"),
        ({"user_id": "@support"}, "user_id: must be the bot's whole id"),
        ({"user_id": "@a b:example.org"}, "user_id: must be the bot's whole id"),
        ({"api_url": "matrix.example.org"}, "api_url: must be an address"),
        ({"upload_bytes": 0}, "upload_bytes: must be at least 1"),
    ],
    ids=["empty", "line-end", "no-id", "no-server", "space", "no-scheme", "no-bytes"],
)
def test_a_wrong_setting_is_named_and_not_quoted(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        channel(**given)
    assert "syt" not in str(caught.value)


def test_what_matrix_does_not_show_is_not_rendered() -> None:
    with pytest.raises(ValueError, match="matrix shows no carousel"):
        channel().render(Carousel(()), ROOM)


# ---- the answer --------------------------------------------------------------------------------------------


def refused(status: int, code: str, **fields: Any) -> Reply:
    return Reply(status=status, body=orjson.dumps({"errcode": code, "error": "my words", **fields}))


@pytest.mark.parametrize(
    ("body", "event"),
    [(b'{"event_id":"$abc"}', "$abc"), (b'{"room_id":"!a:b"}', None), (b"{}", None)],
    ids=["message", "joined", "sign"],
)
def test_a_yes_gives_the_events_id(body: bytes, event: str | None) -> None:
    assert channel().check(Reply(status=200, body=body)) == event


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        *(
            (refused(403, code), Rejected)
            for code in ("M_FORBIDDEN", "M_GUEST_ACCESS_FORBIDDEN", "M_UNKNOWN")
        ),
        *((refused(404, code), Rejected) for code in ("M_NOT_FOUND", "M_UNKNOWN")),
        *((refused(400, code), Rejected) for code in ("M_FORBIDDEN", "M_NOT_FOUND")),
        *(
            (refused(400, code), ContentRefused)
            for code in ("M_BAD_JSON", "M_NOT_JSON", "M_UNKNOWN", "M_INVALID_PARAM")
        ),
        (refused(413, "M_TOO_LARGE"), ContentRefused),
        *(
            (refused(401, code), Unauthorized)
            for code in ("M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_ANY_OTHER")
        ),
        *(
            (refused(403, code), Unauthorized)
            for code in ("M_USER_DEACTIVATED", "M_USER_SUSPENDED", "M_CONSENT_NOT_GIVEN")
        ),
        (refused(404, "M_UNRECOGNIZED"), Forbidden),
        (refused(403, "M_RESOURCE_LIMIT_EXCEEDED"), Unavailable),
        (refused(500, "M_UNKNOWN"), Unavailable),
        (refused(500, "M_USER_IN_USE"), Unavailable),
        (refused(503, "M_UNKNOWN_TOKEN"), Unavailable),
        (Reply(status=200, body=b'{"event_id":7}'), Uncertain),
        (Reply(status=200, body=b'{"errcode":"M_FORBIDDEN"}'), Uncertain),
        *NOT_THE_PLATFORM,
    ],
    ids=named,
)
def test_a_no_says_what_to_do_next(reply: Reply, error: type[BridgeError]) -> None:
    found = refusal(channel(), reply)
    assert type(found) is error
    assert "my words" not in str(found)


@pytest.mark.parametrize("code", ["M_FORBIDDEN", "<b>my words</b>", "M" * 65], ids=["code", "words", "long"])
def test_a_no_is_told_by_its_code(code: str) -> None:
    assert str(refusal(channel(), refused(403, code))) == (
        "HTTP 403 M_FORBIDDEN" if code == "M_FORBIDDEN" else "HTTP 403"
    )


@pytest.mark.parametrize(
    ("headers", "fields", "wait"),
    [
        ({"retry-after": "2"}, {"retry_after_ms": 686}, 2.0),
        ({}, {"retry_after_ms": 686}, 0.686),
        ({}, {"retry_after_ms": "soon"}, None),
        ({}, {"retry_after_ms": -1}, None),
        ({}, {}, None),
    ],
    ids=["header", "field", "words", "negative", "neither"],
)
def test_a_limit_is_the_accounts(headers: dict[str, str], fields: dict[str, Any], wait: float | None) -> None:
    reply = refused(429, "M_LIMIT_EXCEEDED", **fields)
    assert waits(channel(), msgspec.structs.replace(reply, headers=headers)) == (wait, "channel")


# ---- the answer to a file ----------------------------------------------------------------------------------


def test_a_file_is_where_the_homeserver_says() -> None:
    reply = Reply(status=200, body=b'{"content_uri":"mxc://example.org/Ab_c-1"}')
    assert channel().uploaded(reply) == "mxc://example.org/Ab_c-1"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refused(413, "M_TOO_LARGE"), ContentRefused),
        (Reply(status=413, body=b"<html>nginx"), ContentRefused),
        (refused(403, "M_FORBIDDEN"), ContentRefused),
        (refused(403, "M_USER_LIMIT_EXCEEDED"), ContentRefused),
        (refused(400, "M_UNKNOWN"), ContentRefused),
        (refused(401, "M_UNKNOWN_TOKEN"), Unauthorized),
        (refused(429, "M_LIMIT_EXCEEDED"), Unavailable),
        (refused(500, "M_UNKNOWN"), Unavailable),
        (Reply(status=200, body=b'{"content_uri":"https://elsewhere.example/x"}'), Uncertain),
        (Reply(status=200, body=b'{"content_uri":"mxc://a/b/../c"}'), Uncertain),
        (Reply(status=200, body=b"{}"), Uncertain),
        *NOT_THE_PLATFORM,
    ],
    ids=named,
)
def test_a_file_that_is_not_taken(reply: Reply, error: type[BridgeError]) -> None:
    with pytest.raises(SendError) as caught:
        channel().uploaded(reply)
    assert type(caught.value) is error
