"""Messenger and Instagram: what is sent for each content, and what their answers mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.channels import Call, Reply
from bridge.channels.messenger import Instagram, Messenger, MessengerSettings
from bridge.content import (
    Audio,
    Card,
    Carousel,
    Choice,
    Content,
    File,
    Image,
    Link,
    Loss,
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
    Uncertain,
)
from bridge.plan import plan
from bridge.secret import Secret
from bridge.testing import corpus
from tests.channels.messenger_rules import Platform, problems
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

TOKEN = "EAAG-token"
ADA = "7234567890123456"
SITE = "https://x.example"
PNG = f"{SITE}/a.png"
HEAD = Media("image", PNG)

platforms = pytest.mark.parametrize("platform", ["messenger", "instagram"])


def channel(platform: Platform = "messenger", **others: Any) -> Messenger:
    cls = {"messenger": Messenger, "instagram": Instagram}[platform]
    return cls(MessengerSettings(token=Secret(TOKEN), **others))


def planned(content: Content, platform: Platform = "messenger") -> list[Call]:
    return calls_of(channel(platform), ADA, content)


def messages(content: Content, platform: Platform = "messenger") -> list[Any]:
    """What is planned for a content, as the messages' own parts."""
    return [call.body.get("message", call.body) for call in planned(content, platform)]


def refusals(calls: Iterable[Call], platform: Platform) -> list[str]:
    """What Meta would refuse of the calls and of all that may go out in their place."""
    return [
        fault
        for call in with_fallbacks(calls)
        for fault in problems(orjson.loads(channel(platform).request(call).body), platform)
    ]


def template(kind: str, **payload: Any) -> dict[str, Any]:
    return {"attachment": {"type": "template", "payload": {"template_type": kind, **payload}}}


def attached(kind: str, url: str) -> dict[str, Any]:
    return {"attachment": {"type": kind, "payload": {"url": url}}}


def quick(title: str, payload: str) -> dict[str, str]:
    return {"content_type": "text", "title": title, "payload": payload}


def postback(title: str, payload: str) -> dict[str, str]:
    return {"type": "postback", "title": title, "payload": payload}


def page(title: str, url: str, **more: str) -> dict[str, str]:
    return {"type": "web_url", "title": title, "url": url, **more}


def options(count: int) -> tuple[Option, ...]:
    return tuple(Option(f"Choice {number}", f"value {number}") for number in range(1, count + 1))


# ---- what is sent ------------------------------------------------------------------------------------------

SAME = [
    pytest.param(Text("*Hi* <b>x</b>!\n_x_"), [{"text": "*Hi* <b>x</b>!\n_x_"}], id="text-as-written"),
    pytest.param(
        Text("Pick", (Option("Yes", "yes please"), Option("No", "no"))),
        [{"text": "Pick", "quick_replies": [quick("Yes", "yes please"), quick("No", "no")]}],
        id="options",
    ),
    pytest.param(Image(PNG, "The shop"), [attached("image", PNG), {"text": "The shop"}], id="image"),
    pytest.param(Video(f"{SITE}/v.mp4"), [attached("video", f"{SITE}/v.mp4")], id="video"),
    pytest.param(Audio(f"{SITE}/a.m4a"), [attached("audio", f"{SITE}/a.m4a")], id="audio"),
    pytest.param(File(f"{SITE}/a.pdf"), [attached("file", f"{SITE}/a.pdf")], id="file"),
    pytest.param(
        File(f"{SITE}/a.pdf", size=26 * 2**20), [{"text": f"{SITE}/a.pdf"}], id="a-file-too-large-is-a-link"
    ),
    pytest.param(
        Card("A", "$9", HEAD, (Postback("Buy", "buy_a"), Link("More", SITE))),
        [
            template(
                "generic",
                elements=[
                    {
                        "title": "A",
                        "subtitle": "$9",
                        "image_url": PNG,
                        "buttons": [postback("Buy", "buy_a"), page("More", SITE)],
                    }
                ],
            )
        ],
        id="card",
    ),
    pytest.param(Card("A", "$9"), [{"text": "A\n$9"}], id="a-card-of-words-is-a-text"),
    pytest.param(Card(media=HEAD), [attached("image", PNG)], id="a-card-of-a-picture-is-one"),
    pytest.param(
        Card("", "$9", HEAD),
        [template("generic", elements=[{"title": "$9", "image_url": PNG}])],
        id="a-card-without-a-title",
    ),
    pytest.param(
        Card("Film", media=Media("video", f"{SITE}/v.mp4")),
        [{"text": "Film"}, attached("video", f"{SITE}/v.mp4")],
        id="a-card-with-a-film",
    ),
    pytest.param(
        Card("A", default_action=Link("", SITE)),
        [
            template(
                "generic",
                elements=[{"title": "A", "default_action": {"type": "web_url", "url": SITE}}],
            )
        ],
        id="a-tap-opens-a-page",
    ),
    pytest.param(
        Carousel((Card("A", buttons=(Postback("Buy", "a"),)), Card("B", "$9"), Card("C"))),
        [
            template(
                "generic",
                elements=[
                    {"title": "A", "buttons": [postback("Buy", "a")]},
                    {"title": "B", "subtitle": "$9"},
                    {"title": "C", "subtitle": "…"},
                ],
            )
        ],
        id="carousel",
    ),
    pytest.param(Typing(on=True), [{"sender_action": "typing_on"}], id="typing"),
    pytest.param(Typing(on=False), [{"sender_action": "typing_off"}], id="typing-ends"),
    pytest.param(Receipt("read", "agent"), [{"sender_action": "mark_seen"}], id="read"),
    pytest.param(Receipt("delivered", "agent"), [], id="delivered-is-shown-by-the-platform"),
]


@platforms
@pytest.mark.parametrize(("content", "expected"), SAME)
def test_a_content_is_sent_on_both_as(content: Content, expected: list[Any], platform: Platform) -> None:
    assert messages(content, platform) == expected
    assert refusals(planned(content, platform), platform) == []


@pytest.mark.parametrize(
    ("content", "on_messenger", "on_instagram"),
    [
        pytest.param(
            Card("A", "$9", None, (Postback("Buy", "a"),)),
            [template("button", text="A\n$9", buttons=[postback("Buy", "a")])],
            [
                template(
                    "generic",
                    elements=[{"title": "A", "subtitle": "$9", "buttons": [postback("Buy", "a")]}],
                )
            ],
            id="a-card-without-a-picture",
        ),
        pytest.param(
            Webview(SITE, "Open", "compact", "The form"),
            [
                template(
                    "button", text="The form", buttons=[page("Open", SITE, webview_height_ratio="compact")]
                )
            ],
            [template("generic", elements=[{"title": "The form", "buttons": [page("Open", SITE)]}])],
            id="webview",
        ),
        pytest.param(
            Webview(SITE, "Open", "new_window"),
            [template("button", text="Open", buttons=[page("Open", SITE)])],
            [template("generic", elements=[{"title": "Open", "buttons": [page("Open", SITE)]}])],
            id="webview-in-a-new-window",
        ),
        pytest.param(
            Webview(SITE, "Open", "tall", "x" * 81),
            [template("button", text="x" * 81, buttons=[page("Open", SITE, webview_height_ratio="tall")])],
            [
                {"text": "x" * 81},
                template(
                    "generic",
                    elements=[{"title": "Open", "buttons": [page("Open", SITE)]}],
                ),
            ],
            id="a-long-text-beside-a-page",
        ),
        pytest.param(
            Webview(SITE, "Open", "tall", "x" * 641),
            [
                {"text": "x" * 641},
                template("button", text="Open", buttons=[page("Open", SITE, webview_height_ratio="tall")]),
            ],
            [
                {"text": "x" * 641},
                template(
                    "generic",
                    elements=[{"title": "Open", "buttons": [page("Open", SITE)]}],
                ),
            ],
            id="a-longer-text-beside-a-page",
        ),
        pytest.param(
            Audio(f"{SITE}/a.mp3"),
            [attached("audio", f"{SITE}/a.mp3")],
            [{"text": f"{SITE}/a.mp3"}],
            id="a-format-instagram-does-not-play",
        ),
        pytest.param(
            File(f"{SITE}/a.zip"),
            [attached("file", f"{SITE}/a.zip")],
            [{"text": f"{SITE}/a.zip"}],
            id="a-file-instagram-does-not-take",
        ),
        pytest.param(
            Text("Ω" * 501), [{"text": "Ω" * 501}], [{"text": "Ω" * 500}, {"text": "Ω"}], id="bytes"
        ),
        pytest.param(
            Card("Ω" * 80, "ω" * 80, HEAD),
            [template("generic", elements=[{"title": "Ω" * 80, "subtitle": "ω" * 80, "image_url": PNG}])],
            [template("generic", elements=[{"title": "Ω" * 80, "subtitle": "ω" * 80, "image_url": PNG}])],
            id="a-card-is-counted-in-characters",
        ),
    ],
)
def test_a_content_is_sent_on_each_as(
    content: Content, on_messenger: list[Any], on_instagram: list[Any]
) -> None:
    assert messages(content, "messenger") == on_messenger
    assert messages(content, "instagram") == on_instagram
    for platform in ("messenger", "instagram"):
        assert refusals(planned(content, platform), platform) == []


@pytest.mark.parametrize(("count", "replies"), [(1, 1), (13, 13), (14, 0)], ids=str)
def test_options_are_quick_replies_up_to_thirteen(count: int, replies: int) -> None:
    [message] = messages(Text("Pick", options(count)))
    assert len(message.get("quick_replies", ())) == replies


@pytest.mark.parametrize(("length", "parts"), [(2000, 1), (2001, 2)], ids=["fits", "one-over"])
def test_quick_replies_stand_under_the_last_part(length: int, parts: int) -> None:
    made = messages(Text("x" * length, options(2)))
    assert ["quick_replies" in message for message in made] == [False] * (parts - 1) + [True]


def test_a_longer_title_is_a_reported_loss() -> None:
    made = plan((Card("x" * 81, media=HEAD),), channel(), ADA, key="k")
    assert Loss("card", "the end of a card's text", "a message of its own") in made.losses


@pytest.mark.parametrize(("count", "rows"), [(10, [10]), (11, [10, 1])], ids=str)
def test_a_carousel_has_ten_cards(count: int, rows: list[int]) -> None:
    made = messages(Carousel(tuple(Card(f"P {n}", media=HEAD) for n in range(count))))
    assert [len(message["attachment"]["payload"]["elements"]) for message in made] == rows


@pytest.mark.parametrize(
    "content",
    [
        Text("Pick", (Option("A", "v" * 1001),)),
        Card("A", buttons=(Postback("A", "v" * 1001),)),
        Card("A", media=HEAD, buttons=(Postback("A", "v" * 1001),)),
    ],
    ids=["quick-reply", "button-template", "generic-template"],
)
def test_a_long_value_is_kept_and_a_token_sent(content: Content) -> None:
    [call] = channel().render(content, ADA)
    [(token, value)] = call.keep.items()
    assert value == "v" * 1001
    assert token in orjson.dumps(call.body).decode()


@pytest.mark.parametrize(
    ("content", "said", "numbers"),
    [
        (Image(PNG), PNG, ()),
        (Text("Pick", options(2)), "Pick\n1. Choice 1\n2. Choice 2", ("value 1", "value 2")),
        (Webview(SITE, "Open", name="The form"), f"The form\nOpen: {SITE}", ()),
        (
            Card("A", "$9", HEAD, (Postback("Buy", "a"), OpenWebview("Go", SITE)), Link("", f"{SITE}/a")),
            f"A\n$9\n{PNG}\n{SITE}/a\nGo: {SITE}\n1. Buy",
            ("a",),
        ),
        (
            Carousel(
                (Card("A", buttons=(Postback("Buy A", "a"),)), Card("B", buttons=(Postback("Buy B", "b"),)))
            ),
            "A\nB\n1. Buy A\n2. Buy B",
            ("a", "b"),
        ),
    ],
    ids=["file", "options", "webview", "card", "carousel"],
)
def test_what_may_be_refused_has_a_fallback_of_text(
    content: Content, said: str, numbers: tuple[str, ...]
) -> None:
    [call] = channel().render(content, ADA)
    [plain] = call.fallback
    assert (plain.body["message"]["text"], plain.fallback) == (said, ())
    assert tuple(choice.text for choice in plain.numbers) == numbers


def test_letters_stand_for_options_that_begin_with_digits() -> None:
    cards = tuple(Card(f"{n}", buttons=(Postback(f"{n} rooms", f"{n}"),)) for n in (2, 1))
    [call] = channel().render(Carousel(cards), ADA)
    [plain] = call.fallback
    assert plain.body["message"]["text"] == "2\n1\nA. 2 rooms\nB. 1 rooms"
    assert plain.numbers == (Choice("A", "2 rooms", "2"), Choice("B", "1 rooms", "1"))


def test_only_signs_are_ephemeral() -> None:
    [sign], [said] = channel().render(Typing(on=True), ADA), channel().render(Text("Hi"), ADA)
    assert (sign.ephemeral, said.ephemeral) == (True, False)


# ---- Meta's own rules --------------------------------------------------------------------------------------


@platforms
@given(content=contents)
def test_meta_accepts_whatever_is_planned_and_every_fallback(platform: Platform, content: Content) -> None:
    assert refusals(planned(content, platform), platform) == []


@given(said=st.text(max_size=400))
def test_a_text_is_sent_as_it_was_written(said: str) -> None:
    made = channel().render(Text(said), ADA)
    assert "".join(call.body["message"]["text"] for call in made) in (said, "")


@platforms
@pytest.mark.parametrize("content", corpus().values(), ids=corpus())
def test_meta_accepts_the_corpus(content: Content, platform: Platform) -> None:
    assert refusals(planned(content, platform), platform) == []


@platforms
@pytest.mark.parametrize("raw", events())
def test_every_event_is_shown_in_messages_that_meta_accepts(raw: bytes, platform: Platform) -> None:
    assert refusals(calls_for(raw, channel(platform), ADA), platform) == []


def request(message: dict[str, Any]) -> dict[str, Any]:
    return {"recipient": {"id": "1"}, "messaging_type": "RESPONSE", "message": message}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"recipient": {"id": "1"}, "sender_action": "dance"},
        {"recipient": {"id": "1"}, "sender_action": "typing_on", "messaging_type": "RESPONSE"},
        {"recipient": {"id": "1"}, "message": {"text": "x"}},
        request({"text": " "}),
        request({"text": "x" * 2001}),
        request({"text": "x", "colour": "red"}),
        request({"text": "x", "quick_replies": [quick("A", "a")] * 2}),
        request({"text": "x", "quick_replies": [quick(str(n), "a") for n in range(14)]}),
        request({"text": "x", "quick_replies": [quick("x" * 21, "a")]}),
        request({"text": "x", "quick_replies": [quick("A", "x" * 1001)]}),
        request(attached("image", "nope")),
        request(attached("dance", PNG)),
        request(template("button", text="x" * 641, buttons=[postback("A", "a")])),
        request(template("button", text="x", buttons=[])),
        request(template("button", text="x", buttons=[postback("A", "a")] * 4)),
        request(template("button", text="x", buttons=[page("A", SITE, webview_height_ratio="new_window")])),
        request(template("generic", elements=[])),
        request(template("generic", elements=[{"title": "x"}])),
        request(template("generic", elements=[{"title": "x" * 81, "subtitle": "x"}])),
        request(template("generic", elements=[{"title": "x", "default_action": page("x", SITE)}])),
        request(template("generic", elements=[{"title": "x", "subtitle": "x"}] * 11)),
    ],
    ids=lambda body: str(body)[:90],
)
def test_the_rules_tests_rely_on_can_fail(body: dict[str, Any]) -> None:
    assert problems(body, "messenger")


@pytest.mark.parametrize(
    "message",
    [
        {"text": "Ω" * 501},
        template("button", text="x", buttons=[postback("A", "a")]),
        template(
            "generic",
            elements=[{"title": "x", "buttons": [page("A", SITE, webview_height_ratio="full")]}],
        ),
    ],
    ids=["bytes", "button-template", "height"],
)
def test_the_rules_know_what_differs(message: dict[str, Any]) -> None:
    assert problems(request(message), "instagram")
    assert problems(request(message), "messenger") == []


# ---- the request -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (Text("Hi"), {"messaging_type": "RESPONSE", "message": {"text": "Hi"}}),
        (Typing(on=True), {"sender_action": "typing_on"}),
    ],
    ids=["message", "sign"],
)
def test_a_request_has_address_and_token(content: Content, body: dict[str, Any]) -> None:
    [call] = channel().render(content, ADA)
    made = channel("instagram", api_url="https://graph.instagram.com/v99.0/").request(
        msgspec.structs.replace(call, to=ADA)
    )
    assert made.url == "https://graph.instagram.com/v99.0/me/messages"
    assert made.headers["authorization"] == f"Bearer {TOKEN}"
    assert orjson.loads(made.body) == {"recipient": {"id": ADA}, **body}
    assert TOKEN not in f"{call}{made.url}{made.body!r}"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [({"token": Secret("a\nb")}, "token: "), ({"api_url": "graph.example"}, "api_url: ")],
    ids=["token", "api_url"],
)
def test_a_wrong_setting_is_named(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=f"^{problem}"):
        Messenger(MessengerSettings(**{"token": Secret(TOKEN), **changed}))


# ---- the answer --------------------------------------------------------------------------------------------


def failed(code: int, subcode: int = 0, status: int = 400) -> Reply:
    error = {"message": "no", "type": "OAuthException", "code": code, "error_subcode": subcode}
    return Reply(status=status, body=orjson.dumps({"error": error}))


def headed(reply: Reply, name: str, value: str) -> Reply:
    return msgspec.structs.replace(reply, headers={name: value})


def usage(kind: str, minutes: int) -> str:
    """What Meta says of a business's limits."""
    limit = {"type": kind, "call_count": 100, "estimated_time_to_regain_access": minutes}
    return orjson.dumps({"66782684": [limit]}).decode()


@pytest.mark.parametrize(
    ("body", "message_id"),
    [(b'{"recipient_id":"1","message_id":"m_1"}', "m_1"), (b'{"recipient_id":"1"}', None)],
    ids=["message", "sign"],
)
def test_a_yes_gives_the_messages_id(body: bytes, message_id: str | None) -> None:
    assert channel().check(Reply(status=200, body=body)) == message_id


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        *((failed(code), Unavailable) for code in (1, 2, 4, 17, 32, 613, 1200, 80001, 80002, 80006)),
        *(
            (failed(code, subcode), Rejected)
            for code, subcode in (
                (551, 0),
                (551, 1545041),
                (200, 1545041),
                (10, 2018278),
                (10, 2534022),
                (10, 2018108),
                (100, 2018001),
                (100, 33),
            )
        ),
        *((failed(100, subcode), ContentRefused) for subcode in (0, 2018047, 2018008)),
        *((failed(code), Unauthorized) for code in (0, 102, 190, 368)),
        *((failed(code), Forbidden) for code in (3, 10, 200, 230, 299)),
        (failed(200, 2018028), Forbidden),
        (failed(190, status=200), Unauthorized),
        (failed(987654), ContentRefused),
        (failed(987654, status=503), Unavailable),
        (Reply(status=200, body=b'{"ok":true}'), Uncertain),
        *NOT_THE_PLATFORM,
    ],
    ids=named,
)
def test_a_no_says_what_to_do_next(reply: Reply, error: type[BridgeError]) -> None:
    assert type(refusal(channel(), reply)) is error


@pytest.mark.parametrize(
    ("reply", "wait", "scope"),
    [
        (failed(2), None, "chat"),
        (failed(613), 5.0, "channel"),
        (failed(4), 60.0, "channel"),
        (failed(80006), 60.0, "channel"),
        (headed(failed(4), "retry-after", "7"), 7.0, "channel"),
        (headed(failed(80006), "x-business-use-case-usage", usage("messenger", 19)), 1140.0, "channel"),
        (headed(failed(80002), "x-business-use-case-usage", usage("instagram", 0)), 60.0, "channel"),
        (headed(failed(4), "x-business-use-case-usage", usage("ads_management", 19)), 60.0, "channel"),
        (headed(failed(4), "x-business-use-case-usage", '{"1": "much"}'), 60.0, "channel"),
        (headed(failed(4), "x-business-use-case-usage", usage("pages", 10**9)), 60.0, "channel"),
        (headed(failed(4), "x-business-use-case-usage", "\udcff"), 60.0, "channel"),
        (headed(failed(4), "x-business-use-case-usage", '{"1":[{"x":' + 9000 * "["), 60.0, "channel"),
    ],
    ids=[
        "chat",
        "sends",
        "calls",
        "day",
        "header",
        "minutes",
        "soon",
        "ads",
        "nonsense",
        "years",
        "bytes",
        "deep",
    ],
)
def test_a_limit_holds_the_chat_or_the_whole_channel(reply: Reply, wait: float | None, scope: str) -> None:
    assert waits(channel(), reply) == (wait, scope)
