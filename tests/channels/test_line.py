"""LINE: what is sent for each content, and what its answers mean."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bridge.channels import Call, Reply
from bridge.channels.line import Line, LineSettings
from bridge.channels.text import blank
from bridge.content import (
    Audio,
    Card,
    Carousel,
    Content,
    File,
    Image,
    Link,
    Media,
    OpenWebview,
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
    Unauthorized,
    Unavailable,
)
from bridge.plan import plan
from bridge.secret import Secret
from bridge.testing import corpus
from tests.channels.line_rules import problems
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
    words,
)

TOKEN = "channel-access-token/+="
ADA = "U" + "a" * 32
GROUP = "C" + "b" * 32
PNG = "https://x.example/a.png"


def channel(**more: Any) -> Line:
    return Line(LineSettings(token=Secret(TOKEN), **more))


def rendered(content: Content, to: str = ADA, **more: Any) -> list[dict[str, Any]]:
    """The one message of each call."""
    calls = channel(**more).render(content, to)
    assert {call.op for call in calls} <= {"message/push"}
    assert {len(call.body["messages"]) for call in calls} <= {1}
    return [call.body["messages"][0] for call in calls]


def planned(*said: Content, to: str = ADA) -> list[Call]:
    return calls_of(channel(), to, *said)


def refusals(calls: Sequence[Call]) -> list[str]:
    """What LINE would refuse of the calls and of all that may go out in their place."""
    known = {"read": "30yhdy232..."}
    requests = [channel().request(replace(call, memo=known)) for call in with_fallbacks(calls)]
    return [
        fault
        for request in requests
        for fault in problems(request.url.removeprefix("https://api.line.me"), orjson.loads(request.body))
    ]


def postback(label: str, data: str) -> dict[str, str]:
    return {"type": "postback", "data": data, "label": label, "displayText": label}


def column(*contents: dict[str, Any]) -> dict[str, Any]:
    return {"type": "box", "layout": "vertical", "spacing": "sm", "contents": list(contents)}


def button(action: dict[str, str]) -> dict[str, Any]:
    return {"type": "button", "height": "sm", "action": action}


def title(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words, "wrap": True, "weight": "bold"}


def subtitle(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words, "wrap": True, "size": "sm", "color": "#666666"}


def hero(url: str) -> dict[str, Any]:
    return {"type": "image", "url": url, "size": "full", "aspectRatio": "20:13", "aspectMode": "cover"}


def flex(alt: str, contents: dict[str, Any]) -> dict[str, Any]:
    return {"type": "flex", "altText": alt, "contents": contents}


# ---- what is sent ------------------------------------------------------------------------------------------

SHOWN = [
    pytest.param(
        Text("*not* <b>markup</b> & {more}"),
        [{"type": "text", "text": "*not* <b>markup</b> & {more}"}],
        id="text-exactly-as-written",
    ),
    pytest.param(
        Text("Pick", (Option("Yes", "yes please"), Option("No", "no thanks"))),
        [
            {
                "type": "text",
                "text": "Pick",
                "quickReply": {
                    "items": [
                        {"type": "action", "action": postback("Yes", "yes please")},
                        {"type": "action", "action": postback("No", "no thanks")},
                    ]
                },
            }
        ],
        id="options",
    ),
    pytest.param(
        Image(PNG), [{"type": "image", "originalContentUrl": PNG, "previewImageUrl": PNG}], id="image"
    ),
    pytest.param(
        Audio("https://x.example/a.m4a"),
        [{"type": "audio", "originalContentUrl": "https://x.example/a.m4a", "duration": 60_000}],
        id="audio",
    ),
    pytest.param(
        Card(
            "Product A",
            "$29.99",
            Media("image", PNG),
            (Postback("Buy", "buy_a"), Link("More", PNG)),
            Link("", "https://x.example/tap"),
        ),
        [
            flex(
                "Product A\n$29.99\nBuy\nMore",
                {
                    "type": "bubble",
                    "hero": hero(PNG),
                    "body": column(title("Product A"), subtitle("$29.99")),
                    "footer": column(
                        button(postback("Buy", "buy_a")),
                        button({"type": "uri", "uri": PNG, "label": "More"}),
                    ),
                    "action": {"type": "uri", "uri": "https://x.example/tap"},
                },
            )
        ],
        id="card",
    ),
    pytest.param(
        Card(media=Media("image", PNG)),
        [flex("…", {"type": "bubble", "hero": hero(PNG)})],
        id="card-with-a-picture-only",
    ),
    pytest.param(
        Card("Tap", default_action=Postback("a label longer than twenty", "tapped")),
        [
            flex(
                "Tap",
                {
                    "type": "bubble",
                    "body": column(title("Tap")),
                    "action": {"type": "postback", "data": "tapped"},
                },
            )
        ],
        id="card-to-tap",
    ),
    pytest.param(
        Carousel((Card("A"), Card("B", "b"))),
        [
            flex(
                "A\nB\nb",
                {
                    "type": "carousel",
                    "contents": [
                        {"type": "bubble", "body": column(title("A"))},
                        {"type": "bubble", "body": column(title("B"), subtitle("b"))},
                    ],
                },
            )
        ],
        id="carousel",
    ),
    pytest.param(
        Webview("https://x.example/form", label="Fill in", name="Your details"),
        [
            flex(
                "Your details\nFill in",
                {
                    "type": "bubble",
                    "body": column(title("Your details")),
                    "footer": column(
                        button({"type": "uri", "uri": "https://x.example/form", "label": "Fill in"})
                    ),
                },
            )
        ],
        id="webview",
    ),
]


@pytest.mark.parametrize(("content", "expected"), SHOWN)
def test_a_content_is_sent_as(content: Content, expected: list[dict[str, Any]]) -> None:
    assert rendered(content) == expected
    assert refusals(planned(content)) == []


@pytest.mark.parametrize(
    ("more", "preview"),
    [({}, "https://x.example/v.mp4"), ({"video_preview": PNG}, PNG)],
    ids=["its-own-address", "the-setting"],
)
def test_a_video_has_the_preview_line_asks_for(more: dict[str, Any], preview: str) -> None:
    url = "https://x.example/v.mp4"
    assert rendered(Video(url), **more) == [
        {"type": "video", "originalContentUrl": url, "previewImageUrl": preview}
    ]


@pytest.mark.parametrize(
    ("content", "lost"),
    [
        (File("https://x.example/a.pdf"), "the file itself"),
        (Image("http://x.example/a.png"), "the image itself"),
        (Image("https://x.example/a.webp"), "the image itself"),
        (Video("https://x.example/a.webm"), "the video itself"),
        (Audio("https://x.example/a.ogg"), "the audio itself"),
        (Image(f"{PNG}?{'x' * 2000}"), "the image itself"),
    ],
    ids=["file", "http", "webp", "webm", "ogg", "long"],
)
def test_what_line_would_not_show_becomes_a_link_and_is_reported(content: Content, lost: str) -> None:
    made = plan([content], channel(), ADA, key="k")
    (call,) = [step for step in made.steps if isinstance(step, Call)]
    assert call.body["messages"] == [{"type": "text", "text": content.url}]  # type: ignore[union-attr]
    assert [loss.lost for loss in made.losses] == [lost]


def test_an_address_without_an_ending_is_tried() -> None:
    signed = "https://x.example/media/7f3?" + "s" * 1500
    (call,) = planned(Image(signed))
    assert call.body["messages"][0]["originalContentUrl"] == signed


def test_typing_is_a_loading_animation() -> None:
    (call,) = channel().render(Typing(on=True), ADA)
    assert (call.op, call.body, call.ephemeral) == ("chat/loading/start", {"loadingSeconds": 20}, True)
    assert refusals(planned(Typing(on=True))) == []


@pytest.mark.parametrize(
    ("typing", "to"),
    [(Typing(on=False), ADA), (Typing(on=True), GROUP), (Typing(on=True), "R" + "c" * 32)],
    ids=["off", "group", "room"],
)
def test_there_is_no_loading_animation(typing: Typing, to: str) -> None:
    assert channel().render(typing, to) == ()


def test_a_receipt_marks_up_to_the_message_whose_token_the_chat_keeps() -> None:
    (call,) = calls_of(channel(), ADA, Receipt("read"))
    assert (call.op, call.recall, call.ephemeral) == ("chat/markAsRead", ("read",), True)
    request = channel().request(replace(call, memo={"read": "30yhdy232..."}))
    assert request.url == "https://api.line.me/v2/bot/chat/markAsRead"
    assert orjson.loads(request.body) == {"markAsReadToken": "30yhdy232..."}
    assert "x-line-retry-key" not in request.headers
    assert problems("/v2/bot/chat/markAsRead", orjson.loads(request.body)) == []


def test_a_receipt_that_a_message_arrived_is_none_of_lines() -> None:
    made = plan([Receipt("delivered")], channel(), ADA, key="k")
    assert made.steps == ()
    assert len(made.losses) == 1


def test_a_long_value_is_kept_and_a_token_sent_with_its_label() -> None:
    fits, long = "é" * 150, "é" * 150 + "!"
    (call,) = channel().render(Text("Pick", (Option("A", fits), Option("B", long))), ADA)
    first, second = (item["action"] for item in call.body["messages"][0]["quickReply"]["items"])
    assert first["data"] == fits
    assert list(call.keep.values()) == [long]
    assert second["data"] == f"{next(iter(call.keep))} B"


def test_values_of_cards_are_kept_for_the_fallback_too() -> None:
    long = "v" * 400
    card = Card("A", buttons=(Postback("Buy", long),), default_action=Postback("", long + "!"))
    (call,) = channel().render(Carousel((card,)), ADA)
    (plain,) = call.fallback
    assert sorted(call.keep.values()) == sorted(plain.keep.values()) == [long, long + "!"]


@pytest.mark.parametrize(("count", "quick"), [(13, True), (14, False)], ids=["13", "14"])
def test_more_options_than_quick_replies_are_numbered(count: int, quick: bool) -> None:
    options = tuple(Option(f"Choice {number}", f"I choose {number}") for number in range(count))
    (call,) = planned(Text("Pick", options))
    assert ("quickReply" in call.body["messages"][0]) is quick
    assert len(call.numbers) == (0 if quick else count)


@pytest.mark.parametrize(("wave", "calls"), [(2500, 1), (2501, 2)], ids=["fits", "one-over"])
def test_a_text_is_counted_in_utf16(wave: int, calls: int) -> None:
    made = planned(Text("👋" * wave))
    assert len(made) == calls
    assert refusals(made) == []


@pytest.mark.parametrize(("count", "sizes"), [(12, [12]), (13, [12, 1]), (25, [12, 12, 1])])
def test_a_carousel_has_twelve_bubbles(count: int, sizes: list[int]) -> None:
    made = planned(Carousel(tuple(Card(f"Card {number}") for number in range(count))))
    assert [len(call.body["messages"][0]["contents"]["contents"]) for call in made] == sizes


def test_a_carousel_too_big_for_one_message_goes_on_in_the_next() -> None:
    long = f"https://x.example/{'x' * 960}/"
    cards = tuple(
        Card(
            f"{number} " + "λ" * 190,
            "ि" * 1000,
            Media("image", f"{PNG}?{'x' * 1900}"),
            tuple(Link(f"L {other}", f"{long}{other}") for other in range(10)),
        )
        for number in range(12)
    )
    made = planned(Carousel(cards))
    assert len(made) > 1
    shown = [bubble for call in made for bubble in call.body["messages"][0]["contents"]["contents"]]
    assert [bubble["body"]["contents"][0]["text"] for bubble in shown] == [card.title for card in cards]
    assert refusals(made) == []


# ---- what goes out when LINE refuses it --------------------------------------------------------------------


def test_a_file_falls_back_to_its_address() -> None:
    (call,) = channel().render(Image(PNG), ADA)
    assert [other.body["messages"] for other in call.fallback] == [[{"type": "text", "text": PNG}]]


def test_cards_fall_back_to_a_text_that_says_the_same() -> None:
    cards = (
        Card("A", "a", Media("image", PNG), (Postback("Buy", "buy_a"), Link("More", "https://m.example"))),
        Card("B", buttons=(Postback("Buy", "buy_b"),), default_action=OpenWebview("", "https://t.example")),
    )
    (call,) = channel().render(Carousel(cards), ADA)
    (plain,) = call.fallback
    (message,) = plain.body["messages"]
    assert message["text"] == f"A\na\n{PNG}\nBuy\nMore: https://m.example\n\nB\nBuy\nhttps://t.example"
    assert [item["action"] for item in message["quickReply"]["items"]] == [
        postback("Buy", "buy_a"),
        postback("Buy 2", "buy_b"),
    ]


def test_a_text_has_no_simpler_form() -> None:
    (call,) = channel().render(Text("Pick", (Option("A", "a"),)), ADA)
    assert call.fallback == ()


# ---- LINE's own rules --------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)  # the first example waits for the import of the SDK
@given(st.lists(contents, max_size=3), st.sampled_from([ADA, GROUP]))
def test_line_accepts_whatever_is_planned(some: list[Content], to: str) -> None:
    assert refusals(planned(*some, to=to)) == []


@pytest.mark.parametrize("name", corpus())
def test_line_accepts_the_corpus(name: str) -> None:
    assert refusals(planned(corpus()[name])) == []


@given(words, words)
def test_what_is_written_is_shown_as_it_is(one: str, other: str) -> None:
    assert rendered(Text(one)) == [{"type": "text", "text": one}]
    (message,) = rendered(Card(f"t{one}", other))
    shown = [part["text"] for part in message["contents"]["body"]["contents"]]
    assert shown == [f"t{one}", *([] if blank(other) else [other])]


@pytest.mark.parametrize("raw", events())
@pytest.mark.parametrize("to", [ADA, GROUP], ids=["user", "group"])
def test_every_event_is_shown_in_calls_that_line_accepts(raw: bytes, to: str) -> None:
    typing_alone = b'"message:compose"' in raw or b'"pause"' in raw
    assert refusals(calls_for(raw, channel(), to, silent=to == GROUP and typing_alone)) == []


def pushed(**message: Any) -> dict[str, Any]:
    return {"to": ADA, "messages": [message]}


def bubbled(**bubble: Any) -> dict[str, Any]:
    return pushed(**flex("x", {"type": "bubble", **bubble}))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("message/push", pushed(type="text", text="x" * 5001)),
        ("message/push", pushed(type="text", text="👋" * 2501)),
        ("message/push", pushed(type="text", text=" ")),
        ("message/push", pushed(type="text", text="x", colour="red")),
        ("message/push", pushed(type="text")),
        ("message/push", {**pushed(type="text", text="x"), "to": "4711"}),
        ("message/push", pushed(type="text", text="x", quickReply={"items": []})),
        (
            "message/push",
            pushed(type="text", text="x", quickReply={"items": [{"action": postback("a" * 21, "b")}]}),
        ),
        (
            "message/push",
            pushed(type="text", text="x", quickReply={"items": [{"action": postback("a", "b" * 301)}]}),
        ),
        ("message/push", pushed(type="image", originalContentUrl=PNG)),
        (
            "message/push",
            pushed(type="image", originalContentUrl="http://x.example/a.png", previewImageUrl=PNG),
        ),
        ("message/push", pushed(**flex("x" * 401, {"type": "bubble", "hero": hero(PNG)}))),
        ("message/push", bubbled()),
        ("message/push", bubbled(body=column(title(" ")))),
        ("message/push", bubbled(body=column({**title("x"), "weight": "heavy"}))),
        ("message/push", bubbled(body=column({**title("x"), "font": "serif"}))),
        ("message/push", bubbled(body=column(title("x" * 30_001)))),
        ("message/push", bubbled(footer=column(button({"type": "uri", "label": "x", "uri": "javascript:"})))),
        ("message/push", bubbled(footer=column(button({"type": "uri", "uri": PNG})))),
        ("message/push", pushed(**flex("x", {"type": "carousel", "contents": []}))),
        ("chat/loading/start", {"chatId": ADA, "loadingSeconds": 7}),
        ("chat/loading/stop", {"chatId": ADA}),
        ("chat/markAsRead", {"markAsReadToken": ""}),
        ("chat/markAsRead", {"chatId": ADA}),
    ],
)
def test_the_rules_tests_rely_on_can_fail(path: str, body: dict[str, Any]) -> None:
    assert problems(f"/v2/bot/{path}", body)


# ---- the request -------------------------------------------------------------------------------------------


def test_only_the_header_of_a_request_has_the_token() -> None:
    (call,) = planned(Text("Hi"))
    request = channel(api_url="https://line.example/").request(call)
    assert request.url == "https://line.example/v2/bot/message/push"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert orjson.loads(request.body) == {"to": ADA, "messages": [{"type": "text", "text": "Hi"}]}
    assert TOKEN not in f"{call}{request.url}{request.body!r}{channel()._token}"


def test_each_call_and_each_fallback_has_a_retry_key_of_its_own() -> None:
    calls = list(with_fallbacks(planned(Image(PNG), Text("Hi"))))
    keys = [channel().request(call).headers["x-line-retry-key"] for call in calls]
    assert keys == [str(uuid.UUID(call.id)) for call in calls]
    assert len(set(keys)) == 3


def test_a_loading_animation_has_no_retry_key() -> None:
    (call,) = planned(Typing(on=True))
    assert call.id
    assert "x-line-retry-key" not in channel().request(call).headers


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"token": Secret("")}, "token: is no channel access token"),
        ({"token": Secret("two words")}, "token: is no channel access token"),
        ({"api_url": "api.line.me"}, "api_url: must be an address"),
        ({"video_preview": "http://x.example/a.png"}, "video_preview: must be an address"),
        ({"video_preview": "javascript:alert(1)"}, "video_preview: must be an address"),
    ],
    ids=["empty", "space", "no-scheme", "http", "script"],
)
def test_a_wrong_setting_is_named_and_not_quoted(more: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Line(LineSettings(**{"token": Secret(TOKEN), **more}))
    assert str(caught.value).startswith(problem)
    assert "words" not in str(caught.value)


# ---- the answer --------------------------------------------------------------------------------------------


def answered(status: int, message: str = "", *properties: str, **headers: str) -> Reply:
    body: dict[str, Any] = {"message": message}
    if properties:
        body["details"] = [{"message": "May not be empty", "property": each} for each in properties]
    return Reply(
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=orjson.dumps(body),
    )


SENT = b'{"sentMessages":[{"id":"461230966842064897","quoteToken":"q"}]}'
ACCEPTED = b'{"message":"The retry key is already accepted","sentMessages":[{"id":"461230966842064897"}]}'


@pytest.mark.parametrize(
    ("reply", "message_id"),
    [
        (Reply(status=200, body=SENT), "461230966842064897"),
        (Reply(status=409, body=ACCEPTED), "461230966842064897"),
        (answered(409, "The retry key is already accepted"), None),
        (answered(409, "", x_line_accepted_request_id="r"), None),
        (Reply(status=202, body=b"{}"), None),
        (Reply(status=200, body=b'{"sentMessages":[]}'), None),
    ],
    ids=["sent", "sent-before", "sent-before-without-id", "by-header", "loading", "no-id"],
)
def test_a_yes_gives_the_messages_id(reply: Reply, message_id: str | None) -> None:
    assert channel().check(reply) == message_id


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answered(400, "The request body has 1 error(s)", "messages[0].text"), ContentRefused),
        (answered(400, "A message (messages[0]) in the request body is invalid"), ContentRefused),
        (answered(413, "Request Entity Too Large"), ContentRefused),
        (answered(400, "The property, 'to', in the request body is invalid (line: -)"), Rejected),
        (answered(400, "The request body has 1 error(s)", "to"), Rejected),
        (answered(404, "Not found"), Rejected),
        (answered(415, "Unsupported Media Type"), Rejected),
        (answered(401, "Authentication failed. Confirm that the access token is valid."), Unauthorized),
        (answered(403, "Access to this API is not available for your account"), Forbidden),
        (answered(429, "You have reached your monthly limit."), Unauthorized),
        (answered(429, "The API rate limit has been exceeded. Try again later."), Unavailable),
        (answered(409, "Conflict"), Unavailable),
        (answered(500, "Internal server error"), Unavailable),
        *NOT_THE_PLATFORM,
        (Reply(status=400, body=b'{"message":7,"details":{}}'), ContentRefused),
    ],
    ids=named,
)
def test_a_no_says_what_to_do_next(reply: Reply, error: type[BridgeError]) -> None:
    assert type(refusal(channel(), reply)) is error


def test_the_rate_limit_is_the_accounts() -> None:
    reply = answered(429, "The API rate limit has been exceeded. Try again later.")
    assert waits(channel(), reply) == (1.0, "channel")


def test_a_reason_is_bounded() -> None:
    assert len(str(refusal(channel(), answered(400, "x" * 5000)))) == 200
