"""Telegram: what is sent for each content, what its answers mean, and the way back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import orjson
import pytest
from aiogram.types import Update
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.channels import (
    Attachment,
    Call,
    Click,
    Downloads,
    Inbound,
    Reading,
    Reply,
    SetUp,
    TwoWay,
    User,
    UserMessage,
)
from bridge.channels.telegram import Telegram, TelegramSettings
from bridge.content import (
    Audio,
    Card,
    Content,
    File,
    Image,
    Link,
    Media,
    OpenWebview,
    Option,
    Postback,
    Text,
    Typing,
    Video,
    Webview,
)
from bridge.errors import (
    BridgeError,
    ConfigError,
    ContentRefused,
    Moved,
    Rejected,
    Unauthorized,
    Unavailable,
    Uncertain,
)
from bridge.secret import MASK, Secret
from bridge.sender import Sender, open_http
from bridge.testing import corpus
from tests.channels.talk import (
    NOT_THE_PLATFORM,
    addresses,
    calls_for,
    calls_of,
    events,
    made_of,
    named,
    refusal,
    waits,
    with_fallbacks,
)
from tests.channels.telegram_rules import problems
from tests.channels.telegram_updates import message_update, person, press_update
from tests.workers.platform import Answer, Received, platform

TOKEN = "123456:a-token-that-must-never-be-seen"
SECRET_TOKEN = "updates_are-Telegrams"
ADA = "4711"
"""A private chat: its id is its user's."""
GROUP = "-1001234"
PNG = "https://x.example/a.png"


def channel(api_url: str = "https://api.telegram.org", secret_token: str | None = SECRET_TOKEN) -> Telegram:
    secret = None if secret_token is None else Secret(secret_token)
    return Telegram(TelegramSettings(token=Secret(TOKEN), api_url=api_url, secret_token=secret))


def rendered(content: Content, to: str = ADA) -> list[tuple[str, dict[str, Any]]]:
    """The calls without their chat, which is checked once for all."""
    calls = channel().render(content, to)
    assert {call.body["chat_id"] for call in calls} <= {int(to)}
    return [(call.op, {k: v for k, v in call.body.items() if k != "chat_id"}) for call in calls]


def keyboard(*rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"inline_keyboard": [list(row) for row in rows]}


def press(label: str, data: str) -> dict[str, Any]:
    return {"text": label, "callback_data": data}


def test_it_is_a_channel_with_all_of_a_way_back() -> None:
    assert isinstance(channel(), TwoWay)
    assert isinstance(channel(), Downloads)
    assert isinstance(channel(), SetUp)


# ---- what is sent ------------------------------------------------------------------------------------------

SHOWN = [
    pytest.param(
        Text("*not* <b>markup</b> & _more_"),
        [("sendMessage", {"text": "*not* <b>markup</b> & _more_"})],
        id="text-exactly-as-written",
    ),
    pytest.param(
        Text("Pick", options=(Option("Yes", "yes please"), Option("No", "no thanks"))),
        [
            (
                "sendMessage",
                {
                    "text": "Pick",
                    "reply_markup": keyboard([press("Yes", "yes please"), press("No", "no thanks")]),
                },
            )
        ],
        id="options",
    ),
    pytest.param(
        Text("", options=(Option("Yes", "yes"),)),
        [("sendMessage", {"text": "…", "reply_markup": keyboard([press("Yes", "yes")])})],
        id="options-without-a-text",
    ),
    pytest.param(Text(" \n"), [], id="nothing-to-say"),
    pytest.param(
        Image(PNG, name="The new shop"),
        [("sendPhoto", {"photo": PNG, "caption": "The new shop"})],
        id="image",
    ),
    pytest.param(Image(PNG), [("sendPhoto", {"photo": PNG})], id="image-without-caption"),
    pytest.param(
        Image("https://x.example/A.GIF?v=1"),
        [("sendAnimation", {"animation": "https://x.example/A.GIF?v=1"})],
        id="gif-moves",
    ),
    pytest.param(
        Video("https://x.example/v.mp4", name="Tour"),
        [("sendVideo", {"video": "https://x.example/v.mp4", "caption": "Tour"})],
        id="video",
    ),
    pytest.param(
        Audio("https://x.example/a.mp3", name="Song"),
        [("sendAudio", {"audio": "https://x.example/a.mp3", "caption": "Song"})],
        id="audio",
    ),
    pytest.param(
        Audio("https://x.example/a.ogg"), [("sendVoice", {"voice": "https://x.example/a.ogg"})], id="voice"
    ),
    pytest.param(
        File("https://x.example/d.pdf", name="Invoice.pdf", size=102_400),
        [("sendDocument", {"document": "https://x.example/d.pdf", "caption": "Invoice.pdf"})],
        id="file",
    ),
    pytest.param(
        Image("javascript:alert(1)", name="Look"),
        [("sendMessage", {"text": "Look\njavascript:alert(1)"})],
        id="an-address-telegram-cannot-fetch-is-text",
    ),
    pytest.param(
        Image("https://x.example/ä b.png"),
        [("sendPhoto", {"photo": "https://x.example/%C3%A4%20b.png"})],
        id="an-address-is-made-valid",
    ),
    pytest.param(
        Card("Product A", "$29.99", Media("image", PNG), (Postback("Buy", "buy_a"), Link("More", PNG))),
        [
            (
                "sendPhoto",
                {
                    "photo": PNG,
                    "caption": "Product A\n$29.99",
                    "caption_entities": [{"type": "bold", "offset": 0, "length": 9}],
                    "reply_markup": keyboard([press("Buy", "buy_a"), {"text": "More", "url": PNG}]),
                },
            )
        ],
        id="card",
    ),
    pytest.param(
        Card("👋🏽 Hi", media=Media("video", "https://x.example/v.mp4")),
        [
            (
                "sendVideo",
                {
                    "video": "https://x.example/v.mp4",
                    "caption": "👋🏽 Hi",
                    "caption_entities": [{"type": "bold", "offset": 0, "length": 7}],
                },
            )
        ],
        id="card-with-video-title-counted-in-utf16",
    ),
    pytest.param(
        Card("A", buttons=(Postback("Buy", "buy_a"),)),
        [
            (
                "sendMessage",
                {
                    "text": "A",
                    "entities": [{"type": "bold", "offset": 0, "length": 1}],
                    "reply_markup": keyboard([press("Buy", "buy_a")]),
                },
            )
        ],
        id="card-without-media",
    ),
    pytest.param(
        Card("A", buttons=(Link("Call us", "tel:+302101234567"), Postback("Buy", "buy_a"))),
        [
            (
                "sendMessage",
                {
                    "text": "A\nCall us: tel:+302101234567",
                    "entities": [{"type": "bold", "offset": 0, "length": 1}],
                    "reply_markup": keyboard([press("Buy", "buy_a")]),
                },
            )
        ],
        id="links-telegram-has-no-button-for-are-text",
    ),
    pytest.param(
        Card("A", "s" * 1100, Media("image", PNG), (Postback("Buy", "buy_a"),)),
        [
            ("sendPhoto", {"photo": PNG}),
            (
                "sendMessage",
                {
                    "text": "A\n" + "s" * 1100,
                    "entities": [{"type": "bold", "offset": 0, "length": 1}],
                    "reply_markup": keyboard([press("Buy", "buy_a")]),
                },
            ),
        ],
        id="card-longer-than-a-caption",
    ),
    pytest.param(Typing(on=True), [("sendChatAction", {"action": "typing"})], id="typing"),
    pytest.param(Typing(on=False), [], id="typing-ends-by-itself"),
]


@pytest.mark.parametrize(("content", "expected"), SHOWN)
def test_a_content_is_sent_as(content: Content, expected: list[tuple[str, dict[str, Any]]]) -> None:
    assert rendered(content) == expected


@pytest.mark.parametrize(
    ("url", "height", "to", "action"),
    [
        ("https://x.example/form", "full", ADA, {"web_app": {"url": "https://x.example/form"}}),
        ("https://x.example/form", "full", GROUP, {"url": "https://x.example/form"}),
        ("http://x.example/form", "full", ADA, {"url": "http://x.example/form"}),
        ("https://x.example/form", "new_window", ADA, {"url": "https://x.example/form"}),
    ],
    ids=["private", "group", "not-https", "new-window"],
)
def test_a_webview_opens_in_the_chat_where_telegram_can(
    url: str, height: Any, to: str, action: dict[str, Any]
) -> None:
    webview = Webview(url, label="Fill in", height=height, name="Your details")
    markup = keyboard([{"text": "Fill in", **action}])
    assert rendered(webview, to) == [("sendMessage", {"text": "Your details", "reply_markup": markup})]
    card = Card("Your details", buttons=(OpenWebview("Fill in", url, height),))
    (((_, body)),) = rendered(card, to)
    assert body["reply_markup"] == markup


@pytest.mark.parametrize(
    ("webview", "text"),
    [
        (Webview("https://x.example", label="Open"), "Open"),
        (Webview("https://x.example"), "…"),
        (Webview("nowhere", label="Open"), "Open: nowhere"),
        (Webview("nowhere"), "nowhere"),
    ],
    ids=["only-a-label", "only-an-address", "bad-address", "only-a-bad-address"],
)
def test_a_webview_without_a_name_still_says_something(webview: Webview, text: str) -> None:
    (((_, body)),) = rendered(webview)
    assert body["text"] == text


@pytest.mark.parametrize(
    ("labels", "rows"),
    [
        (["Yes", "No"], [2]),
        (["1", "2", "3"], [3]),
        (["1", "2", "3", "4"], [2, 2]),
        (["1", "2", "3", "4", "5"], [2, 3]),
        (["1", "2", "3", "4", "5", "6", "7"], [2, 2, 3]),
        (["Track my order", "Support"], [2]),
        (["Where is my order?", "Support"], [1, 1]),
        (["日本語のボタン", "はい"], [2]),
        (["日本語のボタンです", "はい"], [1, 1]),
        (["x" * 64], [1]),
    ],
    ids=lambda value: "-".join(map(str, value))[:40],
)
def test_short_labels_share_a_row_and_rows_are_even(labels: list[str], rows: list[int]) -> None:
    options = tuple(Option(label, label) for label in labels)
    (((_, body)),) = rendered(Text("Pick", options=options))
    shown = body["reply_markup"]["inline_keyboard"]
    assert [len(row) for row in shown] == rows
    assert [button["text"] for row in shown for button in row] == labels


def test_a_long_value_is_kept_and_a_token_sent() -> None:
    fits, long = "é" * 32, "é" * 32 + "!"
    (call,) = channel().render(Text("Pick", options=(Option("A", fits), Option("B", long))), ADA)
    ((first, second),) = call.body["reply_markup"]["inline_keyboard"]
    assert first["callback_data"] == fits
    assert len(second["callback_data"].encode()) <= 64
    assert call.keep == {second["callback_data"]: long}


def test_a_token_is_kept_for_the_fallback_too() -> None:
    card = Card("A", media=Media("image", PNG), buttons=(Postback("Buy", "v" * 100), Link("More", PNG)))
    calls = list(with_fallbacks(channel().render(card, ADA)))
    assert [call.op for call in calls] == ["sendPhoto", "sendMessage", "sendMessage"]
    for call in calls:
        ((button, *_),) = call.body["reply_markup"]["inline_keyboard"]
        assert call.keep == {button["callback_data"]: "v" * 100}


def test_a_keyboard_too_big_for_one_message_goes_on_in_the_next() -> None:
    options = tuple(Option(f"{number:03} " + "λ" * 60, f"{number} " + "v" * 60) for number in range(100))
    calls = channel().render(Text("Pick", options=options), ADA)
    assert len(calls) > 1
    assert [call.body["text"] for call in calls] == ["Pick", *"…" * (len(calls) - 1)]
    rows = [row for call in calls for row in call.body["reply_markup"]["inline_keyboard"]]
    assert [button["text"] for row in rows for button in row] == [option.label for option in options]
    assert [fault for call in calls for fault in problems(call.op, call.body)] == []


@pytest.mark.parametrize(("wave", "ops"), [(511, 1), (512, 2)], ids=["fits", "one-unit-over"])
def test_a_caption_is_counted_in_utf16(wave: int, ops: int) -> None:
    card = Card("A", "👋" * wave, Media("image", PNG))  # "A" and a line end: 2 units
    assert len(rendered(card)) == ops


@pytest.mark.parametrize(("wave", "ops"), [(2048, 1), (2049, 2)], ids=["fits", "two-units-over"])
def test_a_text_is_counted_in_utf16(wave: int, ops: int) -> None:
    assert len(rendered(Text("👋" * wave))) == ops


def test_only_typing_is_ephemeral() -> None:
    assert [call.ephemeral for call in channel().render(Typing(on=True), ADA)] == [True]
    assert [call.ephemeral for call in channel().render(Text("Hi"), ADA)] == [False]


def test_a_public_group_may_be_named() -> None:
    (call,) = channel().render(Text("Hi"), "@news")
    assert call.body["chat_id"] == "@news"


# ---- what goes out when Telegram refuses it ----------------------------------------------------------------

BOLD_A = [{"type": "bold", "offset": 0, "length": 1}]


@pytest.mark.parametrize(
    ("content", "chain"),
    [
        pytest.param(
            Image(PNG, name="Look"),
            [("sendPhoto", {"photo": PNG, "caption": "Look"}), ("sendMessage", {"text": f"Look\n{PNG}"})],
            id="file-then-its-address",
        ),
        pytest.param(
            File(PNG),
            [("sendDocument", {"document": PNG}), ("sendMessage", {"text": PNG})],
            id="file-without-a-name",
        ),
        pytest.param(
            Card("A", media=Media("image", PNG), buttons=(Link("More", "https://m.example"),)),
            [
                (
                    "sendPhoto",
                    {
                        "photo": PNG,
                        "caption": "A",
                        "caption_entities": BOLD_A,
                        "reply_markup": keyboard([{"text": "More", "url": "https://m.example"}]),
                    },
                ),
                (
                    "sendMessage",
                    {
                        "text": f"A\n{PNG}",
                        "entities": BOLD_A,
                        "reply_markup": keyboard([{"text": "More", "url": "https://m.example"}]),
                    },
                ),
                ("sendMessage", {"text": f"A\n{PNG}\nMore: https://m.example", "entities": BOLD_A}),
            ],
            id="card-then-without-picture-then-without-links",
        ),
        pytest.param(
            Webview("https://m.example", label="Open"),
            [
                (
                    "sendMessage",
                    {
                        "text": "Open",
                        "reply_markup": keyboard([{"text": "Open", "web_app": {"url": "https://m.example"}}]),
                    },
                ),
                ("sendMessage", {"text": "Open\nOpen: https://m.example"}),
            ],
            id="webview-then-its-address",
        ),
    ],
)
def test_each_refusal_has_a_simpler_form(content: Content, chain: list[tuple[str, dict[str, Any]]]) -> None:
    calls = list(with_fallbacks(channel().render(content, ADA)))
    assert [
        (call.op, {"chat_id": int(ADA), **body}) for call, (_, body) in zip(calls, chain, strict=True)
    ] == [(op, {"chat_id": int(ADA), **body}) for op, body in chain]
    assert [dict(call.body) for call in calls] == [{"chat_id": int(ADA), **body} for _, body in chain]


def test_a_text_has_no_simpler_form() -> None:
    (call,) = channel().render(Text("Pick", options=(Option("A", "a"),)), ADA)
    assert call.fallback == ()


# ---- Telegram's own rules ----------------------------------------------------------------------------------

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)
contents = made_of(
    words.map(lambda word: word[:64]), words | words.map(lambda word: (word * 20)[:1500]), addresses
)
rendered_alone = contents.filter(lambda content: type(content) in channel().capabilities.shows)


@settings(deadline=None)  # the first example waits for aiogram's import
@given(rendered_alone, st.sampled_from([ADA, GROUP]))
def test_telegram_accepts_whatever_is_rendered_and_every_fallback(content: Content, to: str) -> None:
    for call in with_fallbacks(channel().render(content, to)):
        assert problems(call.op, call.body) == []
        orjson.dumps(call.body)


@settings(deadline=None)
@given(st.lists(contents, max_size=4), st.sampled_from([ADA, GROUP]))
def test_telegram_accepts_whatever_is_planned(planned: list[Content], to: str) -> None:
    for call in with_fallbacks(calls_of(channel(), to, *planned)):
        assert problems(call.op, call.body) == []


@pytest.mark.parametrize("content", corpus().values(), ids=corpus())
def test_telegram_accepts_the_corpus(content: Content) -> None:
    for call in with_fallbacks(calls_of(channel(), ADA, content)):
        assert problems(call.op, call.body) == []


@pytest.mark.parametrize("raw", events())
@pytest.mark.parametrize("to", [ADA, GROUP], ids=["private", "group"])
def test_every_event_is_shown_in_calls_that_telegram_accepts(raw: bytes, to: str) -> None:
    for call in with_fallbacks(calls_for(raw, channel(), to)):
        assert problems(call.op, call.body) == []


@pytest.mark.parametrize(
    ("op", "body"),
    [
        ("sendMessage", {"chat_id": 1, "text": "x" * 4097}),
        ("sendMessage", {"chat_id": 1, "text": "👋" * 2049}),
        ("sendMessage", {"chat_id": 1, "text": " "}),
        ("sendMessage", {"chat_id": "1", "text": "x"}),
        ("sendMessage", {"chat_id": 1, "text": "x", "colour": "red"}),
        (
            "sendMessage",
            {"chat_id": 1, "text": "x", "entities": [{"type": "bold", "offset": 0, "length": 2}]},
        ),
        ("sendMessage", {"chat_id": 1, "text": "x", "reply_markup": keyboard([{"text": "a", "value": "b"}])}),
        ("sendMessage", {"chat_id": 1, "text": "x", "reply_markup": keyboard([press("a", "é" * 33)])}),
        ("sendMessage", {"chat_id": 1, "text": "x", "reply_markup": keyboard([press("a", "b")] * 9)}),
        ("sendMessage", {"chat_id": 1, "text": "x", "reply_markup": keyboard(*[[press("a", "b")]] * 101)}),
        (
            "sendMessage",
            {
                "chat_id": -1,
                "text": "x",
                "reply_markup": keyboard([{"text": "a", "web_app": {"url": "https://x.example"}}]),
            },
        ),
        ("sendPhoto", {"chat_id": 1, "photo": "file:///etc/passwd"}),
        ("sendPhoto", {"chat_id": 1, "photo": PNG, "caption": "x" * 1025}),
        ("sendDance", {"chat_id": 1}),
    ],
)
def test_the_rules_tests_rely_on_can_fail(op: str, body: dict[str, Any]) -> None:
    assert problems(op, body)


# ---- the request -------------------------------------------------------------------------------------------


def test_only_the_address_of_a_request_has_the_token() -> None:
    (call,) = channel("https://bots.example/").render(Text("Hi"), ADA)
    request = channel("https://bots.example/").request(call)
    assert request.url == f"https://bots.example/bot{TOKEN}/sendMessage"
    assert request.method == "POST"
    assert json.loads(request.body) == {"chat_id": int(ADA), "text": "Hi"}
    assert TOKEN not in f"{call}{request.headers}{request.body!r}{channel().__dict__['_secret_token']}"


def test_a_masked_token_is_shown_as_it_is() -> None:
    bot = Telegram(TelegramSettings(token=Secret(MASK)))
    assert bot.request(Call(op="getMe")).url == "https://api.telegram.org/bot***/getMe"


@pytest.mark.parametrize(
    ("token", "api_url", "problem"),
    [
        ("", "https://api.telegram.org", "token: is no token"),
        ("123:with/slash", "https://api.telegram.org", "token: is no token"),
        ("123:with\nline", "https://api.telegram.org", "token: is no token"),
        ("123:abc", "api.telegram.org", "api_url: must be an address"),
    ],
    ids=["empty", "slash", "line-end", "no-scheme"],
)
def test_a_wrong_setting_is_named_and_not_quoted(token: str, api_url: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Telegram(TelegramSettings(token=Secret(token), api_url=api_url))
    assert str(caught.value).startswith(problem)
    assert "with" not in str(caught.value).removeprefix(problem).partition("starts")[0]


# ---- the answer --------------------------------------------------------------------------------------------


def refused(code: int, description: str, **parameters: Any) -> Reply:
    body = {"ok": False, "error_code": code, "description": description, "parameters": parameters}
    return Reply(status=code, body=orjson.dumps(body))


@pytest.mark.parametrize(
    ("body", "message_id"),
    [
        (b'{"ok":true,"result":{"message_id":42,"chat":{"id":1}}}', "42"),
        (b'{"ok":true,"result":true}', None),
    ],
    ids=["message", "typing"],
)
def test_a_yes_gives_the_messages_id(body: bytes, message_id: str | None) -> None:
    assert channel().check(Reply(status=200, body=body)) == message_id


def test_a_click_acknowledged_too_late_is_no_failure() -> None:
    late = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    assert channel().check(refused(400, late)) is None


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refused(403, "Forbidden: bot was blocked by the user"), Rejected),
        (refused(403, "Forbidden: user is deactivated"), Rejected),
        (refused(403, "Forbidden: bot was kicked from the group chat"), Rejected),
        (refused(403, "Forbidden: the group chat was deleted"), Rejected),
        (refused(400, "Bad Request: chat not found"), Rejected),
        (refused(400, "Bad Request: message thread not found"), Rejected),
        (refused(400, "Bad Request: chat_id is empty"), Rejected),
        (refused(400, "Bad Request: wrong HTTP URL specified"), ContentRefused),
        (refused(400, "Bad Request: failed to get HTTP URL content"), ContentRefused),
        (refused(400, "Bad Request: wrong type of the web page content"), ContentRefused),
        (refused(400, "Bad Request: file is too big"), ContentRefused),
        (refused(400, "Bad Request: BUTTON_URL_INVALID"), ContentRefused),
        (refused(400, "Bad Request: not enough rights to send photos to the chat"), ContentRefused),
        (refused(413, "Request Entity Too Large"), ContentRefused),
        (refused(401, "Unauthorized"), Unauthorized),
        (refused(404, "Not Found"), Unauthorized),
        (refused(400, "Bad Request: FROZEN_METHOD_INVALID"), Unauthorized),
        (refused(500, "Internal Server Error"), Unavailable),
        (refused(502, "Bad Gateway"), Unavailable),
        (Reply(status=404, body=b'{"message":"no such page"}'), Unavailable),
        *NOT_THE_PLATFORM,
        (Reply(status=400, body=b'{"ok":false}'), ContentRefused),
        (
            Reply(status=400, body=b'{"ok":false,"error_code":"x","description":7,"parameters":[]}'),
            ContentRefused,
        ),
    ],
    ids=named,
)
def test_a_no_says_what_to_do_next(reply: Reply, error: type[BridgeError]) -> None:
    assert type(refusal(channel(), reply)) is error


@pytest.mark.parametrize(
    ("reply", "retry_after", "scope"),
    [
        (refused(429, "Too Many Requests: retry after 35", retry_after=35), 35.0, "chat"),
        (
            msgspec.structs.replace(refused(429, "Too Many Requests"), headers={"retry-after": "7"}),
            7.0,
            "chat",
        ),
        (refused(429, "Too Many Requests"), None, "chat"),
        (refused(429, "Too Many Requests", retry_after="soon"), None, "chat"),
        (refused(500, "Internal Server Error"), None, None),
        (Reply(status=429, headers={"retry-after": "3"}, body=b"slow down"), 3.0, None),
        (Reply(status=503, headers={"retry-after": "60"}), 60.0, None),
    ],
    ids=["parameter", "header", "no-time", "no-number", "down", "proxy-429", "proxy-503"],
)
def test_a_limit_holds_the_chat_alone(reply: Reply, retry_after: float | None, scope: str | None) -> None:
    assert waits(channel(), reply) == (retry_after, scope)


def test_an_upgraded_group_has_moved() -> None:
    upgraded = "Bad Request: group chat was upgraded to a supergroup chat"
    found = refusal(channel(), refused(400, upgraded, migrate_to_chat_id=-1001234))
    assert isinstance(found, Moved)
    assert found.to == "-1001234"


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        ("Bad Request: can't parse entities", "Bad Request: can't parse entities"),
        (
            "Bad Request: inline keyboard button URL 'https://x.example/secret' is invalid: Wrong port",
            "Bad Request: inline keyboard button URL … is invalid: Wrong port",
        ),
        (
            'Bad Request: unsupported start tag "it\'s mine" at byte offset 5',
            "Bad Request: unsupported start tag …",
        ),
        ("x" * 500, "x" * 200),
    ],
    ids=["plain", "address", "words", "endless"],
)
def test_a_reason_quotes_nothing_of_the_message(description: str, reason: str) -> None:
    found = refusal(channel(), refused(400, description))
    assert type(found) is ContentRefused
    assert str(found).startswith(reason)
    assert "secret" not in str(found)
    assert "mine" not in str(found)


# ---- the way back ------------------------------------------------------------------------------------------


def update(body: object, secret_token: str | None = SECRET_TOKEN) -> Inbound:
    headers = {} if secret_token is None else {"x-telegram-bot-api-secret-token": secret_token}
    return Inbound(method="POST", url="https://bridge.example/x", headers=headers, body=orjson.dumps(body))


def test_only_telegram_knows_the_secret_token() -> None:
    assert channel().verify(update({}))
    assert not channel().verify(update({}, secret_token="guess"))
    assert not channel().verify(update({}, secret_token="caf\udce9"))
    assert not channel().verify(update({}, secret_token=None))


@pytest.mark.parametrize("configured", [None, ""], ids=["unset", "empty"])
@pytest.mark.parametrize("given", [None, ""], ids=["no-header", "empty-header"])
def test_without_a_secret_token_nothing_is_taken(configured: str | None, given: str | None) -> None:
    assert not channel(secret_token=configured).verify(update({}, secret_token=given))


FILE = {"file_id": "AgACAgQ-f_1", "file_unique_id": "u"}
SIZE = {**FILE, "width": 90, "height": 60}
FILM = {**SIZE, "duration": 3}
STICKER = {**SIZE, "type": "regular", "is_animated": False, "is_video": False}
PLACE = {"latitude": 37.98, "longitude": 23.72}
MAP = "https://maps.google.com/?q=37.98,23.72"


def attachment(kind: Any, mime_type: str = "", filename: str = "") -> Attachment:
    return Attachment(type=kind, source="AgACAgQ-f_1", mime_type=mime_type, filename=filename)


PNG_FILE = {**FILE, "file_name": "a.png", "mime_type": "image/png"}
SAID: list[tuple[dict[str, Any], str, Attachment | None]] = [
    ({"text": "Hello\n👋"}, "Hello\n👋", None),
    ({"text": "/start campaign"}, "/start campaign", None),
    ({"text": "/help@fake_bot"}, "/help@fake_bot", None),
    ({"text": "a\r\nb"}, "a\nb", None),
    (
        {"text": "Look", "forward_date": 1, "media_group_id": "7", "via_bot": person(3)},
        "Look",
        None,
    ),
    (
        {"photo": [SIZE, {**SIZE, "file_id": "small", "width": 9}], "caption": "My receipt"},
        "My receipt",
        attachment("image", "image/jpeg"),
    ),
    ({"photo": [{**SIZE, "file_id": "small", "width": 9}, SIZE]}, "", attachment("image", "image/jpeg")),
    ({"video": FILM}, "", attachment("video", "video/mp4")),
    (
        {"video": {**FILM, "mime_type": "video/quicktime", "file_name": "m.mov"}, "caption": "See"},
        "See",
        attachment("video", "video/quicktime", "m.mov"),
    ),
    ({"video_note": {**FILE, "length": 240, "duration": 3}}, "", attachment("video", "video/mp4")),
    ({"animation": FILM, "document": PNG_FILE}, "", attachment("video", "video/mp4")),
    (
        {"animation": {**FILM, "mime_type": "image/gif"}, "document": FILE},
        "",
        attachment("image", "image/gif"),
    ),
    ({"voice": {**FILE, "duration": 3}}, "", attachment("audio", "audio/ogg")),
    (
        {"audio": {**FILE, "duration": 3, "title": "Song", "mime_type": "audio/mp4", "file_name": "s.m4a"}},
        "",
        attachment("audio", "audio/mp4", "s.m4a"),
    ),
    ({"audio": {**FILE, "duration": 3}}, "", attachment("audio", "audio/mpeg")),
    (
        {"document": {**FILE, "file_name": "bill.pdf", "mime_type": "application/pdf"}},
        "",
        attachment("file", "application/pdf", "bill.pdf"),
    ),
    ({"document": PNG_FILE}, "", attachment("image", "image/png", "a.png")),
    ({"document": {**FILE, "mime_type": "a\r\nb: c"}}, "", attachment("file")),
    ({"document": FILE}, "", attachment("file")),
    ({"sticker": STICKER}, "", attachment("image", "image/webp")),
    ({"sticker": {**STICKER, "emoji": "👍"}}, "👍", attachment("image", "image/webp")),
    ({"sticker": {**STICKER, "is_animated": True, "emoji": "👍"}}, "👍", None),
    ({"sticker": {**STICKER, "is_video": True}}, "[sticker]", None),
    ({"dice": {"emoji": "🎲", "value": 5}}, "🎲", None),
    ({"contact": {"phone_number": "+30210", "first_name": "Eva"}}, "Eva +30210", None),
    ({"location": PLACE}, MAP, None),
    (
        {"location": PLACE, "venue": {"location": PLACE, "title": "Shop", "address": "Main St 1"}},
        f"Shop\nMain St 1\n{MAP}",
        None,
    ),
]


@pytest.mark.parametrize(
    ("fields", "said", "file"), SAID, ids=[f"{'-'.join(fields)} {said[:9]}" for fields, said, _ in SAID]
)
def test_a_message_is_read_as_words_and_files(
    fields: dict[str, Any], said: str, file: Attachment | None
) -> None:
    body = message_update(9, 4711, **fields)
    Update.model_validate(body)  # aiogram's: it is what Telegram sends
    user = User(id="4711", name="Ada", language="en")
    expected = UserMessage(chat="4711", id="9", text=said, attachments=(file,) if file else (), user=user)
    assert channel().read(update(body)) == Reading((expected,))


def test_a_group_is_one_chat() -> None:
    body = message_update(9, -1001234, "Hi")
    body["message"] |= {"chat": {"id": -1001234, "type": "supergroup", "title": "Us"}, "message_thread_id": 3}
    body["message"]["from"] = person(5)
    Update.model_validate(body)
    (incoming,) = channel().read(update(body)).incoming
    assert (incoming.chat, incoming.user.id) == ("-1001234", "5")


@pytest.mark.parametrize(
    ("sender", "user"),
    [
        ({"last_name": "Lovelace", "username": "ada"}, User(id="5", name="Ada Lovelace", language="en")),
        ({"first_name": "", "username": "ada"}, User(id="5", name="ada", language="en")),
    ],
    ids=["full-name", "only-a-username"],
)
def test_the_user_has_a_name(sender: dict[str, Any], user: User) -> None:
    body = message_update(9, -1001234, "Hi")
    body["message"]["from"] = person(5, **sender)
    (incoming,) = channel().read(update(body)).incoming
    assert (incoming.chat, incoming.user) == ("-1001234", user)


def test_a_press_is_read_as_a_click_and_acknowledged() -> None:
    body = press_update(9, 4711, press("Buy", "buy_a"))
    Update.model_validate(body)
    reading = channel().read(update(body))
    (click,) = reading.incoming
    answer = Call(op="answerCallbackQuery", body={"callback_query_id": "press-9"}, to="4711", ephemeral=True)
    assert click == Click(
        chat="4711",
        id="9",
        payload="buy_a",
        label="Buy",
        user=User(id="4711", name="Ada", language="en"),
        acknowledge=(answer,),
    )
    assert problems(answer.op, answer.body) == []


def test_a_press_under_a_message_too_old_is_a_click_as_well() -> None:
    body = press_update(9, 4711, press("Buy", "~a-token"))
    body["callback_query"]["message"] = {"chat": {"id": 4711, "type": "private"}, "message_id": 8, "date": 0}
    Update.model_validate(body)
    (click,) = channel().read(update(body)).incoming
    assert isinstance(click, Click)
    assert (click.chat, click.payload, click.label) == ("4711", "~a-token", "")


def _message(**fields: Any) -> dict[str, Any]:
    body: dict[str, Any] = message_update(9, 4711, "Hi")["message"]
    return {**body, **fields}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"update_id": 9, "edited_message": _message()}, id="edit"),
        pytest.param({"update_id": 9, "channel_post": _message()}, id="channel-post"),
        pytest.param({"update_id": 9, "message": _message(**{"from": {"id": 1, "is_bot": True}})}, id="bot"),
        pytest.param({"update_id": 9, "message": {**_message(), "from": None}}, id="nobody"),
        pytest.param({"update_id": 9, "message": {**_message(text=""), "pinned_message": {}}}, id="service"),
        pytest.param({"update_id": 9, "my_chat_member": {"chat": {"id": 1}}}, id="blocked"),
        pytest.param(
            {"update_id": 9, "message": _message(is_automatic_forward=True)}, id="channel-post-copied"
        ),
        pytest.param({"update_id": 9, "business_message": _message()}, id="business"),
        pytest.param({"update_id": 9, "message": {**_message(text=""), "photo": []}}, id="no-photo"),
        pytest.param(
            {"update_id": 9, "callback_query": {"id": "p", "from": {"id": 1}, "data": "x"}},
            id="press-elsewhere",
        ),
        pytest.param(
            {"update_id": 9, "callback_query": {"id": "p", "from": {"id": 1}, "message": _message()}},
            id="game",
        ),
        pytest.param({"update_id": "nine", "message": _message()}, id="wrong-type"),
        pytest.param({}, id="empty"),
        pytest.param([], id="list"),
    ],
)
def test_anything_else_is_no_message(body: object) -> None:
    assert channel().read(update(body)) == Reading()


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b'{"update_id":9', b"[" * 5000], ids=["empty", "bytes", "cut", "deep"]
)
def test_what_is_no_json_is_no_message(body: bytes) -> None:
    assert channel().read(msgspec.structs.replace(update({}), body=body)) == Reading()


# ---- loading a file ----------------------------------------------------------------------------------------


def located(result: object, status: int = 200, **rest: Any) -> Reply:
    return Reply(status=status, body=orjson.dumps({"ok": status == 200, "result": result, **rest}))


def test_a_file_is_located_and_then_loaded_with_the_token() -> None:
    bot = channel("https://bots.example/")
    asked = bot.locate("AgACAgQ-f_1")
    assert asked is not None
    assert asked.url == f"https://bots.example/bot{TOKEN}/getFile"
    assert json.loads(asked.body) == {"file_id": "AgACAgQ-f_1"}
    assert problems("getFile", json.loads(asked.body)) == []
    request = bot.download("AgACAgQ-f_1", located({**FILE, "file_path": "photos/file_7.jpg"}))
    assert (request.method, request.url) == ("GET", f"https://bots.example/file/bot{TOKEN}/photos/file_7.jpg")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refused(400, "Bad Request: file is too big"), Rejected),
        (refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable"), Rejected),
        (refused(401, "Unauthorized"), Unauthorized),
        (refused(429, "Too Many Requests: retry after 3", retry_after=3), Unavailable),
        (located({**FILE}), Rejected),
        (located({**FILE, "file_path": "/var/lib/telegram-bot-api/1:a/photos/file_7.jpg"}), Rejected),
        (located({**FILE, "file_path": "photos/../../bot1:a/logOut"}), Rejected),
        (located({**FILE, "file_path": "photos/a?b"}), Rejected),
        (located({**FILE, "file_path": 5}), Rejected),
        (Reply(status=503), Unavailable),
        (None, Rejected),
    ],
    ids=[
        "too-big", "gone", "bad-token", "429", "no-path", "local-server", "another-place", "query",
        "no-text", "proxy", "not-asked",
    ],
)  # fmt: skip
def test_a_file_that_is_not_to_be_had(reply: Reply | None, error: type[BridgeError]) -> None:
    with pytest.raises(error) as caught:
        channel().download("AgACAgQ-f_1", reply)
    assert isinstance(caught.value, error)
    assert TOKEN not in str(caught.value)


# ---- setting it up -----------------------------------------------------------------------------------------

HOOK = "https://bridge.example.com/channels/support"


def test_a_bot_is_asked_for_its_name() -> None:
    request = channel().identify()
    assert request.url == f"https://api.telegram.org/bot{TOKEN}/getMe"
    known = located({"id": 1, "is_bot": True, "first_name": "Shop", "username": "shop_bot"})
    assert channel().identified(known) == "@shop_bot"
    for reply, error in [
        (refused(401, "Unauthorized"), Unauthorized),
        (located(True), Unavailable),
        (Reply(status=502), Unavailable),
    ]:
        with pytest.raises((error, Uncertain)):
            channel().identified(reply)


def test_the_webhook_is_registered_with_its_secret_for_what_is_read() -> None:
    (request,) = channel().connect(HOOK)
    body = json.loads(request.body)
    assert request.url == f"https://api.telegram.org/bot{TOKEN}/setWebhook"
    assert body == {
        "url": HOOK,
        "secret_token": SECRET_TOKEN,
        "allowed_updates": ["message", "callback_query"],
    }
    assert problems("setWebhook", body) == []
    assert channel().check(located(True)) is None
    assert channel().steps(HOOK) == ""


@pytest.mark.parametrize("secret", [None, ""])
def test_without_a_secret_token_nothing_is_registered_and_the_steps_say_why(secret: str | None) -> None:
    assert channel(secret_token=secret).connect(HOOK) == ()
    assert channel(secret_token=secret).steps(HOOK).startswith("In the settings secret_token is missing")


# ---- over a socket -----------------------------------------------------------------------------------------


def bot_api(received: Received, number: int) -> Answer:
    """A Bot API server that has one file."""

    def says(result: object) -> Answer:
        return Answer(body=orjson.dumps({"ok": True, "result": result}))

    match received.method, received.path.removeprefix("/file").removeprefix(f"/bot{TOKEN}/"):
        case "POST", "getMe":
            return says({"id": 123456, "is_bot": True, "first_name": "Fake", "username": "fake_bot"})
        case "POST", "getFile" if received.json == {"file_id": "f1"}:
            return says({"file_id": "f1", "file_unique_id": "u", "file_path": "files/f1"})
        case "POST", "getFile":
            wrong = "Bad Request: wrong file_id or the file is temporarily unavailable"
            return Answer(status=400, body=refused(400, wrong).body)
        case "GET", "files/f1":
            return Answer(body=b"a picture")
        case "POST", "setWebhook" if not problems("setWebhook", received.json):
            return says(True)
    return Answer(status=404, body=refused(404, "Not Found").body)


async def test_a_users_file_comes_from_a_bot_api_server() -> None:
    async with platform() as there, open_http() as http:
        there.answer = bot_api
        bot, send = channel(there.url), Sender(http).send
        asked = bot.locate("f1")
        assert asked is not None
        assert (await send(bot.download("f1", await send(asked)))).body == b"a picture"
        asked = bot.locate("f2")
        assert asked is not None
        with pytest.raises(Rejected):
            bot.download("f2", await send(asked))
        (hook,) = bot.connect(HOOK)
        assert bot.check(await send(hook)) is None
        assert bot.identified(await send(bot.identify())) == "@fake_bot"


def test_half_a_surrogate_pair_costs_no_message() -> None:
    body = orjson.dumps(message_update(9, 4711, "Hi there")).replace(b"there", b"\\ud83d there")
    (message,) = channel().read(msgspec.structs.replace(update({}), body=body)).incoming
    assert isinstance(message, UserMessage)
    assert message.text.startswith("Hi ")
    assert message.text.endswith(" there")
