"""Viber: what is sent for each content, and what its answers mean."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.channels import Call, Reply
from bridge.channels.viber import Viber, ViberSettings, markup
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
    Text,
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
from tests.channels.viber_rules import problems

TOKEN = "445da6az1s345z78-dazcczb2542zv51a-e0vc5fva17480im9"
ADA = "01234567890A="
PNG = "https://x.example/a.png"
PDF = "https://x.example/files/Invoice%201.pdf"
JOINER = markup.JOINER


def channel(**more: Any) -> Viber:
    return Viber(ViberSettings(**{"token": Secret(TOKEN), "sender": "Bot", **more}))


def rendered(content: Content) -> list[dict[str, Any]]:
    calls = channel().render(content, ADA)
    assert {call.op for call in calls} <= {"send_message"}
    return [dict(call.body) for call in calls]


def planned(*said: Content) -> list[Call]:
    return calls_of(channel(), ADA, *said)


def refusals(calls: Sequence[Call]) -> list[str]:
    """What Viber would refuse of the calls and of all that may go out in their place."""
    requests = [channel().request(call) for call in with_fallbacks(calls)]
    return [fault for request in requests for fault in problems(orjson.loads(request.body))]


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def reply(body: str, **more: Any) -> dict[str, Any]:
    return {"ActionType": "reply", "ActionBody": body, **more}


def key(label: str, body: str, columns: int = 6, **more: Any) -> dict[str, Any]:
    return {"Columns": columns, "Rows": 1, "Text": label, **reply(body, **more)}


def keyboard(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"keyboard": {"Type": "keyboard", "DefaultHeight": False, "Buttons": list(buttons)}}


NO_TAP = {"ActionType": "none", "ActionBody": "none"}


def said(words: str, rows: int, **tap: Any) -> dict[str, Any]:
    style = {"TextSize": "regular", "TextHAlign": "left", "TextVAlign": "middle"}
    return {
        "Columns": 6,
        "Rows": rows,
        "BgColor": "#FFFFFF",
        "Text": words,
        **style,
        **(tap or NO_TAP),
    }


def picture(url: str, rows: int, **tap: Any) -> dict[str, Any]:
    return {"Columns": 6, "Rows": rows, "Image": url, **(tap or NO_TAP)}


def button(label: str, **does: Any) -> dict[str, Any]:
    shown = f'<font color="#FFFFFF">{label}</font>'
    return {"Columns": 6, "Rows": 1, "BgColor": "#7360F2", "Text": shown, **does}


def rich(alt: str, rows: int, *buttons: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "rich_media",
        "min_api_version": 7,
        "alt_text": alt,
        "rich_media": {
            "Type": "rich_media",
            "ButtonsGroupColumns": 6,
            "ButtonsGroupRows": rows,
            "BgColor": "#FFFFFF",
            "Buttons": list(buttons),
        },
    }


# ---- what is sent ------------------------------------------------------------------------------------------

SHOWN = [
    pytest.param(Text("Hello <b> & co."), [text("Hello <b> & co.")], id="text"),
    pytest.param(
        Text("*bold* snake_case 5 * 3 https://x.example/_a_ end_"),
        [text(f"*{JOINER}bold*{JOINER} snake_case 5 *{JOINER} 3 https://x.example/_a_ end_{JOINER}")],
        id="signs-are-no-format",
    ),
    pytest.param(
        Text("Pick", (Option("Yes & no", "yes please"), Option("No", "no thanks"))),
        [{**text("Pick"), **keyboard(key("Yes &amp; no", "yes please"), key("No", "no thanks"))}],
        id="options",
    ),
    pytest.param(
        Text("Pick", tuple(Option(label, label) for label in "ABC")),
        [{**text("Pick"), **keyboard(key("A", "A", 3), key("B", "B", 3), key("C", "C", 6))}],
        id="short-labels-share-a-row",
    ),
    pytest.param(
        Image(PNG, "The *new* shop"),
        [{"type": "picture", "text": f"The *{JOINER}new*{JOINER} shop", "media": PNG}],
        id="image",
    ),
    pytest.param(Image(PNG), [{"type": "picture", "text": "", "media": PNG}], id="image-without-caption"),
    pytest.param(
        Image(PNG, "*" * 300),
        [{"type": "picture", "text": "", "media": PNG}, text(f"*{JOINER}" * 300)],
        id="image-whose-caption-grew-too-long",
    ),
    pytest.param(
        Video("https://x.example/v.mp4", "Tour", 1000),
        [{"type": "video", "media": "https://x.example/v.mp4", "size": 1000}, text("Tour")],
        id="video",
    ),
    pytest.param(
        Audio("https://x.example/a.mp3", size=10),
        [{"type": "file", "media": "https://x.example/a.mp3", "size": 10, "file_name": "a.mp3"}],
        id="audio",
    ),
    pytest.param(
        File(PDF, "My invoice.PDF", 10),
        [{"type": "file", "media": PDF, "size": 10, "file_name": "My invoice.PDF"}],
        id="file",
    ),
    pytest.param(
        File(PDF, "My invoice", 10),
        [
            {"type": "file", "media": PDF, "size": 10, "file_name": "Invoice 1.pdf"},
            text("My invoice"),
        ],
        id="file-whose-name-has-no-ending",
    ),
    pytest.param(
        Card("Product A", "$29.99", Media("image", PNG), (Postback("Buy", "buy_a"), Link("More", PNG))),
        [
            rich(
                "Product A\n$29.99",
                7,
                picture(PNG, 3),
                said("<b>Product A</b><br>$29.99", 2),
                button("Buy", **reply("buy_a", Silent=True)),
                button("More", ActionType="open-url", ActionBody=PNG, OpenURLType="external"),
            )
        ],
        id="card",
    ),
    pytest.param(
        Card("A", "", Media("image", PNG), tuple(Postback(label, label) for label in "XYZ")),
        [
            rich(
                "A",
                7,
                picture(PNG, 2),
                said("<b>A</b>", 2),
                *(button(label, **reply(label, Silent=True)) for label in "XYZ"),
            )
        ],
        id="card-with-three-buttons-and-a-lower-picture",
    ),
    pytest.param(
        Card(media=Media("image", "https://x.example/a.GIF")),
        [
            rich(
                "…",
                5,
                {
                    "Columns": 6,
                    "Rows": 5,
                    "BgMedia": "https://x.example/a.GIF",
                    "BgMediaType": "gif",
                    "BgLoop": True,
                    **NO_TAP,
                },
            )
        ],
        id="card-with-a-gif-only",
    ),
    pytest.param(
        Card(subtitle="a < b\nc", default_action=Postback("", "tapped")),
        [rich("a < b\nc", 2, said("a &lt; b<br>c", 2, **reply("tapped", Silent=True)))],
        id="card-to-tap",
    ),
    pytest.param(
        Carousel((Card("A", media=Media("image", PNG)), Card("B", buttons=(Postback("Buy", "b"),)))),
        [
            rich(
                "A\nB",
                6,
                picture(PNG, 4),
                said("<b>A</b>", 2),
                said("<b>B</b>", 5),
                button("Buy", **reply("b", Silent=True)),
            )
        ],
        id="carousel-of-cards-as-high-as-the-highest",
    ),
]


@pytest.mark.parametrize(("content", "expected"), SHOWN)
def test_a_content_is_sent_as(content: Content, expected: list[dict[str, Any]]) -> None:
    assert rendered(content) == expected
    assert refusals(planned(content)) == []


@pytest.mark.parametrize(
    ("height", "where"), [("full", "internal"), ("new_window", "external")], ids=["inside", "outside"]
)
def test_a_webview_is_a_card_with_a_button(height: Any, where: str) -> None:
    page = Webview("https://x.example/form", "Fill in", height, "Your details")
    made = plan([page], channel(), ADA, key="k")
    (call,) = [step for step in made.steps if isinstance(step, Call)]
    words, opens = call.body["rich_media"]["Buttons"]
    assert words["Text"] == "<b>Your details</b>"
    assert (opens["ActionBody"], opens["OpenURLType"]) == ("https://x.example/form", where)
    assert made.losses == ()


@pytest.mark.parametrize(
    ("content", "lost"),
    [
        (Video("https://x.example/v.mp4"), "the video itself"),
        (File(PDF), "the file itself"),
        (Audio("https://x.example/a.mp3"), "the audio itself"),
        (File(PDF, size=51 * 2**20), "the file itself"),
        (Video("https://x.example/v.webm", size=1), "the video itself"),
        (Image("https://x.example/image?id=1"), "the image itself"),
    ],
    ids=["video-no-size", "file-no-size", "audio-no-size", "large", "webm", "no-ending"],
)
def test_what_viber_does_not_take_becomes_a_link_and_is_reported(content: Any, lost: str) -> None:
    made = plan([content], channel(), ADA, key="k")
    (call,) = [step for step in made.steps if isinstance(step, Call)]
    assert call.body == text(content.url)
    assert [loss.lost for loss in made.losses] == [lost]


def test_a_long_value_is_kept_and_its_token_stays_out_of_the_chat() -> None:
    fits, long = "é" * 125, "é" * 125 + "!"
    (call,) = channel().render(Text("Pick", (Option("A", fits), Option("B", long))), ADA)
    first, second = call.body["keyboard"]["Buttons"]
    assert (first["ActionBody"], first.get("Silent")) == (fits, None)
    assert list(call.keep.values()) == [long]
    assert second["ActionBody"] == f"{next(iter(call.keep))} B"
    assert second["Silent"]
    assert call.body["min_api_version"] == 6


def test_values_of_cards_are_kept_for_the_fallback_too() -> None:
    long = "v" * 400
    card = Card("A", buttons=(Postback("Buy", long),), default_action=Postback("", long + "!"))
    (call,) = channel().render(Carousel((card,)), ADA)
    (plain,) = call.fallback
    assert sorted(call.keep.values()) == sorted(plain.keep.values()) == [long, long + "!"]


@pytest.mark.parametrize(("count", "quick"), [(12, True), (13, False)], ids=["12", "13"])
def test_more_options_than_rows_are_numbered(count: int, quick: bool) -> None:
    options = tuple(Option(f"Choice {number}", f"I choose {number}") for number in range(count))
    (call,) = planned(Text("Pick", options))
    assert ("keyboard" in call.body) is quick
    assert len(call.numbers) == (0 if quick else count)


@pytest.mark.parametrize(("letters", "calls"), [(7000, 1), (7001, 2)], ids=["fits", "one-over"])
def test_a_long_text_is_several(letters: int, calls: int) -> None:
    made = planned(Text("x" * letters))
    assert len(made) == calls
    assert refusals(made) == []


@pytest.mark.parametrize("word", ["*", "λ", "字", "👋", "* ", '"', "\\_"])
def test_a_text_fits_a_request_whatever_it_is_written_in(word: str) -> None:
    calls = planned(Text(word * (7000 // len(word))))
    assert refusals(calls) == []
    shown = "".join(call.body["text"] for call in calls).replace(JOINER, "")
    assert shown.replace(" ", "") == (word * (7000 // len(word))).replace(" ", "")


def test_a_keyboard_that_makes_a_text_too_big_follows_it() -> None:
    options = tuple(Option(f"{number} " + "λ" * 30, f"{number} " + "字" * 80) for number in range(12))
    first, second = planned(Text("λ" * 4000, options))
    assert first.body == text("λ" * 4000)
    assert (second.body["text"], len(second.body["keyboard"]["Buttons"])) == ("…", 12)
    assert refusals([first, second]) == []


@pytest.mark.parametrize(("count", "sizes"), [(6, [6]), (7, [6, 1]), (25, [6, 6, 6, 6, 1])])
def test_a_carousel_has_six_cards(count: int, sizes: list[int]) -> None:
    made = planned(Carousel(tuple(Card(f"Card {number}") for number in range(count))))
    assert [len(call.body["rich_media"]["Buttons"]) for call in made] == sizes


def test_a_carousel_too_big_for_one_request_goes_on_in_the_next() -> None:
    links = tuple(Link(f"L {number}", f"https://x.example/{'x' * 1950}/{number}") for number in range(2))
    cards = tuple(
        Card(
            f"Card {number}",
            "字" * 150,
            Media("image", f"https://x.example/{'y' * 1950}.png"),
            links,
            links[0],
        )
        for number in range(6)
    )
    made = planned(Carousel(cards))
    assert len(made) > 1
    titles = re.findall("<b>(.*?)</b>", str([call.body["rich_media"]["Buttons"] for call in made]))
    assert titles == [card.title for card in cards]
    assert refusals(made) == []


def test_text_that_outgrows_a_card_when_escaped_follows_it_whole() -> None:
    card = Card("<" * 60, "&" * 150)
    shown, follows = rendered(card)
    (words,) = shown["rich_media"]["Buttons"]
    assert words["Text"].startswith("<b>" + "&lt;" * 20)
    assert len(words["Text"]) <= 250
    assert follows == text("<" * 60 + "\n" + "&" * 150)
    assert refusals(planned(card)) == []


# ---- what goes out when Viber refuses it -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (Image(PNG, "Look"), f"Look\n{PNG}"),
        (File(PDF, "Invoice.pdf", 1), f"Invoice.pdf\n{PDF}"),
        (Video("https://x.example/v.mp4", size=1), "https://x.example/v.mp4"),
    ],
    ids=["image", "file", "video"],
)
def test_a_file_falls_back_to_its_address(content: Content, expected: str) -> None:
    (call,) = channel().render(content, ADA)
    assert [other.body for other in call.fallback] == [text(expected)]


def test_cards_fall_back_to_a_text_that_says_the_same() -> None:
    cards = (
        Card("A", "a", Media("image", PNG), (Postback("Buy", "buy_a"), Link("More", "https://m.example"))),
        Card("B", buttons=(Postback("Buy", "buy_b"),), default_action=OpenWebview("", "https://t.example")),
    )
    (call,) = channel().render(Carousel(cards), ADA)
    (plain,) = call.fallback
    assert plain.body == {
        **text(f"A\na\n{PNG}\nBuy\nMore: https://m.example\n\nB\nBuy\nhttps://t.example"),
        **keyboard(key("Buy", "buy_a", Silent=True), key("Buy 2", "buy_b", Silent=True)),
        "min_api_version": 6,
    }


def test_a_text_has_no_simpler_form() -> None:
    (call,) = channel().render(Text("Pick", (Option("A", "a"),)), ADA)
    assert call.fallback == ()


# ---- Viber's own rules -------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(st.lists(contents, max_size=3))
def test_viber_accepts_whatever_is_planned(some: list[Content]) -> None:
    assert refusals(planned(*some)) == []


@pytest.mark.parametrize("name", corpus())
def test_viber_accepts_the_corpus(name: str) -> None:
    assert refusals(planned(corpus()[name])) == []


FORMAT = re.compile(r"(?<![^\W_])([*_~]|```)(?=\S)[^\n]*?(?<=\S)\1(?!\S)")
"""A format as Viber finds it: from a sign to the same sign with white space, or nothing, behind it."""
ADDRESS = re.compile(r"https?://\S+")
"""Nothing is put into one: it would lead elsewhere."""
marked = st.text(st.sampled_from("ab *_~`\n.,é字"), max_size=40)


@given(marked | words)
def test_a_message_shows_a_text_as_it_was_written(said: str) -> None:
    shown = markup.plain(said)
    assert shown.replace(JOINER, "") == said.replace(JOINER, "")
    assert not FORMAT.search(ADDRESS.sub("link", shown))


@pytest.mark.parametrize("said", ["*bold*", "so _this_ is", "```code```", "~no~\nmore"])
def test_the_format_that_property_looks_for_is_found(said: str) -> None:
    assert FORMAT.search(said)


@given(st.text(st.sampled_from("ab<>&;\n\"'#"), max_size=40) | words)
def test_a_button_shows_a_text_as_it_was_written(said: str) -> None:
    shown = markup.html(said)
    assert html.unescape(shown.replace("<br>", "\n")) == said
    assert set(re.findall("<[^>]*>", shown)) <= {"<br>"}


@pytest.mark.parametrize("raw", events())
def test_every_event_is_shown_in_calls_that_viber_accepts(raw: bytes) -> None:
    assert refusals(calls_for(raw, channel(), ADA)) == []


def request(**message: Any) -> dict[str, Any]:
    return {"receiver": ADA, "sender": {"name": "Bot"}, **message}


@pytest.mark.parametrize(
    "body",
    [
        request(type="text", text="x" * 7001),
        request(type="text", text=" "),
        request(type="text"),
        request(type="text", text="x", colour="red"),
        request(type="text", text="字" * 6000),
        request(type="sound", media=PNG),
        request(type="picture", media=PNG),
        request(type="picture", media=PNG, text="x" * 513),
        request(type="picture", media="https://x.example/a", text=""),
        request(type="picture", media="ftp://x.example/a.png", text=""),
        request(type="video", media="https://x.example/v.mp4"),
        request(type="video", media="https://x.example/v.mp4", size=27 * 2**20),
        request(type="file", media=PDF, size=10, file_name="x" * 257),
        request(type="text", text="x", **keyboard()),
        request(type="text", text="x", **keyboard(*[key("a", "b")] * 13)),
        request(type="text", text="x", **keyboard(key("a", "b", 5))),
        request(type="text", text="x", **keyboard(key("a" * 251, "b"))),
        request(type="text", text="x", **keyboard(key("a", ""))),
        request(type="text", text="x", **keyboard(key("a", "b", Silent=True))),
        request(type="text", text="x", **keyboard({**key("a", "b"), "ActionType": "dance"})),
        request(**rich("x", 8, said("x", 8))),
        request(**rich("x", 5, said("x", 4))),
        request(**rich("x", 2, *[said("x", 2)] * 7)),
        request(**rich("x", 3, said("x", 2), said("x", 2))),
        request(**rich("x", 1, button("x", ActionType="open-url", ActionBody="javascript:"))),
        request(**rich("x", 2, picture("nowhere", 2))),
    ],
)
def test_the_rules_tests_rely_on_can_fail(body: dict[str, Any]) -> None:
    assert problems(body)


# ---- the request -------------------------------------------------------------------------------------------


def test_only_the_header_of_a_request_has_the_token() -> None:
    (call,) = planned(Text("Hi"))
    made = channel(api_url="https://viber.example/", avatar=PNG).request(call)
    assert made.url == "https://viber.example/pa/send_message"
    assert made.headers["x-viber-auth-token"] == TOKEN
    sender = {"name": "Bot", "avatar": PNG}
    assert orjson.loads(made.body) == {"receiver": ADA, "sender": sender, **text("Hi")}
    assert TOKEN not in f"{call}{made.url}{made.body!r}{channel()._token}"


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"token": Secret("")}, "token: is no authentication token"),
        ({"token": Secret("two words")}, "token: is no authentication token"),
        ({"sender": " "}, "sender: must be a name"),
        ({"sender": "words " * 5}, "sender: must be a name"),
        ({"avatar": "http://x.example/a.png"}, "avatar: must be an address"),
        ({"api_url": "chatapi.viber.com"}, "api_url: must be an address"),
    ],
    ids=["empty", "space", "nameless", "long-name", "avatar", "no-scheme"],
)
def test_a_wrong_setting_is_named_and_not_quoted(more: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        channel(**more)
    assert str(caught.value).startswith(problem)
    assert "words" not in str(caught.value)


# ---- the answer --------------------------------------------------------------------------------------------


def answered(status: int, message: str = "", *, http: int = 200, wait: str = "") -> Reply:
    headers = {"retry-after": wait} if wait else {}
    body = {"status": status, "status_message": message, "message_token": 5741311803571721087}
    return Reply(status=http, headers=headers, body=orjson.dumps(body))


@pytest.mark.parametrize(
    ("body", "message_id"),
    [
        (b'{"status":0,"status_message":"ok","message_token":5741311803571721087}', "5741311803571721087"),
        (b'{"status":0,"status_message":"ok"}', None),
    ],
    ids=["token", "no-token"],
)
def test_a_yes_gives_the_messages_id(body: bytes, message_id: str | None) -> None:
    assert channel().check(Reply(status=200, body=body)) == message_id


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answered(1, "invalidUrl"), ContentRefused),
        (answered(2, "invalidAuthToken"), Unauthorized),
        (answered(3, "badData"), ContentRefused),
        (answered(4, "missingData"), ContentRefused),
        (answered(5, "receiverNotRegistered"), Rejected),
        (answered(6, "receiverNotSubscribed"), Rejected),
        (answered(7, "publicAccountBlocked"), Unauthorized),
        (answered(9, "publicAccountSuspended"), Unauthorized),
        (answered(10, "webhookNotSet"), Unauthorized),
        (answered(15, "publicAccountNotAuthorized"), Forbidden),
        (answered(11, "receiverNoSuitableDevice"), Rejected),
        (answered(12, "tooManyRequests"), Unavailable),
        (answered(13, "apiVersionNotSupported"), ContentRefused),
        (answered(14, "incompatibleWithVersion"), ContentRefused),
        (answered(21, "unsupportedCountry"), Rejected),
        (answered(24, "noBalance"), Unauthorized),
        (answered(99, "generalError"), Unavailable),
        (answered(3, "badData", http=500), Unavailable),
        (answered(2, "invalidAuthToken", http=429), Unavailable),
        (answered(3, "badData", http=400), ContentRefused),
        (answered(0, "ok", http=404), Unavailable),
        (Reply(status=403, body=b'{"message":"Forbidden"}'), Unavailable),
        (Reply(status=200, body=b'{"status":"0"}'), Uncertain),
        *NOT_THE_PLATFORM,
    ],
    ids=named,
)
def test_a_no_says_what_to_do_next(reply: Reply, error: type[BridgeError]) -> None:
    assert type(refusal(channel(), reply)) is error


def test_too_many_messages_hold_one_chat() -> None:
    assert waits(channel(), answered(12, "tooManyRequests")) == (None, "chat")
    assert waits(channel(), answered(12, "tooManyRequests", wait="60")) == (60.0, "chat")
    assert waits(channel(), answered(99, "generalError")) == (None, None), "it may be anything"
