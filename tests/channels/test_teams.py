"""Teams: what is sent for each content, and what its answers mean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.channels import Call, Channel, Reply, text
from bridge.channels.choices import mark
from bridge.channels.teams import Teams, TeamsSettings
from bridge.content import (
    Audio,
    Card,
    Carousel,
    Choice,
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
    Rejected,
    Unauthorized,
    Unavailable,
    Uncertain,
)
from bridge.plan import plan
from bridge.secret import Secret
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
    texts,
    waits,
    with_fallbacks,
    words,
)
from tests.channels.teams_rules import problems

APP = "c9e8c047-2a74-40a2-b28a-b162d5f5327c"
PASSWORD = "a~client.secret"
ADA = "a:17I0kl9EkpE1O9PH5TWrzrLNwnWWcfrU7QZjKR0WSfOp"
"""A personal chat."""
THREAD = "19:253b1f341670408fb6fe51050b6e5ceb@thread.tacv2;messageid=1485983194839"
PNG = "https://x.example/a.png"


def channel(**rest: Any) -> Teams:
    return Teams(TeamsSettings(**{"app_id": APP, "app_password": Secret(PASSWORD), **rest}))


def bodies(*said: Content) -> list[dict[str, Any]]:
    return [dict(call.body) for call in calls_of(channel(), ADA, *said)]


def faults(calls: Iterable[object]) -> list[str]:
    of = channel()
    return [fault for call in with_fallbacks(calls) for fault in problems(of.request(call))]


# ---- what a body is made of --------------------------------------------------------------------------------


def said(markup: str, **more: Any) -> dict[str, Any]:
    return {"type": "message", "textFormat": "xml", "text": markup, **more}


def plain(words: str) -> dict[str, Any]:
    return {"type": "message", "textFormat": "plain", "text": words}


def words_of(words: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": words, **style}]}


def title(words: str) -> dict[str, Any]:
    return words_of(words, weight="Bolder", size="Medium")


def picture(name: str = "") -> dict[str, Any]:
    return {"type": "Image", "url": PNG} | ({"altText": name} if name else {})


def press(label: str, value: str) -> dict[str, Any]:
    back = {"type": "messageBack", "displayText": label, "text": label, "value": {"value": value}}
    return {"type": "Action.Submit", "title": label, "data": {"msteams": back}}


def opens(label: str, url: str) -> dict[str, Any]:
    return {"type": "Action.OpenUrl", "title": label, "url": url}


def suggesting(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"suggestedActions": {"to": [], "actions": list(actions)}}


def says(label: str, value: str) -> dict[str, Any]:
    return {"type": "imBack", "title": label, "value": value}


def row(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"type": "ActionSet", "actions": list(actions)}


def card(*elements: dict[str, Any], actions: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    content: dict[str, Any] = {"type": "AdaptiveCard", "version": "1.2", "body": list(elements)}
    if buttons := list(actions):
        content["actions"] = buttons
    return {"contentType": "application/vnd.microsoft.card.adaptive", "content": content}


def with_cards(summary: str, *cards: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"type": "message", "attachments": list(cards)}
    if len(cards) > 1:
        body["attachmentLayout"] = "carousel"
    return body | ({"summary": summary} if summary else {})


def test_it_is_a_channel() -> None:
    assert isinstance(channel(), Channel)


# ---- what is sent ------------------------------------------------------------------------------------------

SHOES = Card(
    "Shoes",
    "$9 & up",
    Media("image", PNG),
    (
        Postback("Buy", "buy 1"),
        Link("More", "https://x.example/1"),
        OpenWebview("Try", "https://x.example/2"),
    ),
)
HATS = Card("Hats", buttons=(Postback("Buy", "buy 2"),))
SHOES_CARD = card(
    picture("Shoes"),
    title("Shoes"),
    words_of("$9 & up"),
    actions=[
        press("Buy", "buy 1"),
        opens("More", "https://x.example/1"),
        opens("Try", "https://x.example/2"),
    ],
)
HATS_CARD = card(title("Hats"), actions=[press("Buy", "buy 2")])
YES_NO = (Option("Yes", "yes please"), Option("No", "no thanks"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            Text("*not* <b>markup</b> &amp;\n  _more_"),
            [said("*not* &lt;b&gt;markup&lt;/b&gt; &amp;amp;<br/>\u00a0\u00a0_more_")],
            id="text-exactly-as-written",
        ),
        pytest.param(
            Text("See (https://x.example/?a=1&b=2)."),
            [said('See (<a href="https://x.example/?a=1&amp;b=2">https://x.example/?a=1&amp;b=2</a>).')],
            id="text-with-an-address",
        ),
        pytest.param(
            Text("Pick", YES_NO),
            [said("Pick", **suggesting(says("Yes", "yes please"), says("No", "no thanks")))],
            id="options",
        ),
        pytest.param(
            Text("Pick", tuple(Option(label, f"say {label}") for label in "ABCDEFG")),
            [
                with_cards(
                    "Pick",
                    card(
                        words_of("Pick"),
                        row(*(press(label, f"say {label}") for label in "ABCDEF")),
                        row(press("G", "say G")),
                    ),
                )
            ],
            id="more-options-than-are-suggested",
        ),
        pytest.param(
            Image(PNG, "A *look*"),
            [with_cards("A *look*", card(picture("A *look*"), words_of("A *look*")))],
            id="image",
        ),
        pytest.param(Image(PNG), [with_cards("", card(picture()))], id="image-without-name"),
        pytest.param(
            Image("http://x.example/a.png", "Look"),
            [said('Look: <a href="http://x.example/a.png">http://x.example/a.png</a>')],
            id="image-http",
        ),
        pytest.param(
            Image("https://x.example/a.webp"),
            [said('<a href="https://x.example/a.webp">https://x.example/a.webp</a>')],
            id="image-of-another-format",
        ),
        pytest.param(
            Video("https://x.example/v.mp4", "Tour"),
            [said('Tour: <a href="https://x.example/v.mp4">https://x.example/v.mp4</a>')],
            id="video",
        ),
        pytest.param(
            Audio("https://x.example/a.mp3", "Song"),
            [said('Song: <a href="https://x.example/a.mp3">https://x.example/a.mp3</a>')],
            id="audio",
        ),
        pytest.param(
            File("https://x.example/b.pdf", "Bill"),
            [said('Bill: <a href="https://x.example/b.pdf">https://x.example/b.pdf</a>')],
            id="file",
        ),
        pytest.param(
            Webview("https://x.example/f", "Open", name="A form"),
            [with_cards("A form", card(words_of("A form"), actions=[opens("Open", "https://x.example/f")]))],
            id="webview",
        ),
        pytest.param(SHOES, [with_cards("Shoes", SHOES_CARD)], id="card"),
        pytest.param(Carousel((SHOES,)), [with_cards("Shoes", SHOES_CARD)], id="carousel-of-one"),
        pytest.param(Carousel((SHOES, HATS)), [with_cards("Shoes", SHOES_CARD, HATS_CARD)], id="carousel"),
        pytest.param(Typing(on=True), [{"type": "typing"}], id="typing"),
        pytest.param(Typing(on=False), [], id="typing-ends-by-itself"),
    ],
)
def test_a_content_is_sent_as(content: Content, expected: list[dict[str, Any]]) -> None:
    assert bodies(content) == expected


@pytest.mark.parametrize(
    "spoken",
    ["two\nlines", " space ", "a <b>", "R&D", "x" * 201, "7", "~token", "…\ttab"],
)
def test_what_would_not_come_back_as_it_is_stands_behind_a_button(spoken: str) -> None:
    (body,) = bodies(Text("Pick", (Option("It", spoken), Option("No", "no"))))
    assert "suggestedActions" not in body
    assert body["attachments"][0]["content"]["body"][1]["actions"][1] == press("No", "no")


@pytest.mark.parametrize(("count", "buttons"), [(3, False), (4, True), (18, True), (19, False)])
def test_options_are_suggested_then_buttons_then_numbered(count: int, buttons: bool) -> None:
    calls = calls_of(
        channel(), ADA, Text("Pick", tuple(Option(f"Choice {n}", f"I choose {n}") for n in range(count)))
    )
    assert ("attachments" in calls[0].body) == buttons
    assert len(calls[0].numbers) == (0 if count <= 18 else count)


def test_a_receipt_is_reported_as_lost() -> None:
    made = plan((Receipt("read"),), channel(), ADA, key="k")
    assert (made.steps, len(made.losses)) == ((), 1)


@pytest.mark.parametrize(("letter", "size", "messages"), [("x", 4000, 1), ("x", 4001, 2), ("👋", 2001, 2)])
def test_a_text_is_split_by_utf16_units(letter: str, size: int, messages: int) -> None:
    assert len(bodies(Text(letter * size))) == messages


def test_a_carousel_too_big_for_one_message_goes_on_in_the_next() -> None:
    some = tuple(
        Card(f"{n}", "“" * 2000, buttons=tuple(Postback(f"{b} " + "λ" * 60, "λ" * 250) for b in range(6)))
        for n in range(10)
    )
    sent = bodies(Carousel(some))
    assert len(sent) == 2
    assert sum(len(body["attachments"]) for body in sent) == 10


def test_a_long_value_is_kept_and_a_token_sent() -> None:
    (call,) = calls_of(channel(), ADA, Text("Pick", (Option("A", "v" * 513),)))
    ((token, value),) = call.keep.items()
    assert value == "v" * 513
    assert call.body["attachments"][0]["content"]["body"][1]["actions"] == [press("A", token)]


# ---- simpler forms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "chain"),
    [
        pytest.param(Text("*a* <b>"), [plain("*a* <b>")], id="text"),
        pytest.param(
            Text("Pick", YES_NO),
            [said("Pick<br/><br/>1. Yes<br/>2. No"), plain("Pick\n\n1. Yes\n2. No")],
            id="options",
        ),
        pytest.param(
            Image(PNG, "Look"),
            [said(f'Look: <a href="{PNG}">{PNG}</a>'), plain(f"Look: {PNG}")],
            id="image",
        ),
        pytest.param(
            Carousel((HATS, Card("Caps"))),
            [said("Hats<br/><br/>1. Buy"), plain("Hats\n\n1. Buy"), said("Caps"), plain("Caps")],
            id="carousel",
        ),
        pytest.param(Typing(on=True), [], id="typing"),
    ],
)
def test_each_refusal_has_a_simpler_form(content: Content, chain: list[dict[str, Any]]) -> None:
    _, *simpler = with_fallbacks(calls_of(channel(), ADA, content))
    assert [dict(call.body) for call in simpler] == chain


def test_the_numbers_of_a_simpler_form_stand_for_its_options() -> None:
    (call,) = calls_of(channel(), ADA, Text("Pick", YES_NO))
    assert [each.numbers for each in with_fallbacks([call])] == [(), *[mark(YES_NO)] * 2]
    many = tuple(Option(f"{n}", f"n {n}") for n in range(40))
    (numbered,) = calls_of(channel(), ADA, Text("Pick", many))
    assert {each.numbers for each in with_fallbacks([numbered])} == {mark(many)}


def test_the_numbers_of_a_carousels_simpler_form_go_on() -> None:
    cards = tuple(Card(name, buttons=(Postback("Buy", f"buy {name}"),)) for name in ("One", "Two"))
    (call,) = calls_of(channel(), ADA, Carousel(cards))
    assert call.fallback[0].body["text"] == "One<br/><br/>1. Buy"
    assert call.fallback[1].body["text"] == "Two<br/><br/>2. Buy"
    assert call.fallback[1].numbers == (Choice("1", "Buy", "buy One"), Choice("2", "Buy", "buy Two"))


def test_every_call_goes_where_the_conversation_is_served() -> None:
    for name, content in corpus().items():
        for call in with_fallbacks(calls_of(channel(), ADA, content)):
            assert call.recall == ("service_url",), name


# ---- as written --------------------------------------------------------------------------------------------

MARKED = st.text(st.sampled_from("*_~`<>&|-ab 1;\n/:{}()DATE\t\"'"), max_size=60) | words


class Shown(HTMLParser):
    """What a reader sees of a text."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.words = ""
        self.feed(markup)
        self.close()

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.words += "\n" if tag == "br" else ""


@given(MARKED)
def test_a_text_is_shown_as_written(words: str) -> None:
    (call,) = channel().render(Text(words), ADA)
    shown = Shown(call.body["text"]).words
    assert shown.replace("\u00a0", " ") == words.replace("\t", "    ").replace("\u00a0", " ")
    assert not re.search(r"^ |  ", shown, re.MULTILINE), "blanks of which HTML leaves one or none"
    assert call.fallback[0].body == plain(words)


@given(MARKED, MARKED)
def test_a_card_is_shown_as_written(heading: str, words: str) -> None:
    (call,) = channel().render(Card(heading, words, Media("image", PNG)), ADA)
    _, *blocks = call.body["attachments"][0]["content"]["body"]
    assert {block["type"] for block in blocks} <= {"RichTextBlock"}
    shown = ["".join(run["text"] for run in block["inlines"]) for block in blocks]
    assert shown == [part for part in (heading, words) if not text.blank(part)]


def test_a_date_is_not_put_in_place_of_what_was_written() -> None:
    (body,) = bodies(Card("{{DATE(2017-02-14T06:08:39Z, SHORT)}} {{TIME(2017-02-14T06:08:39Z)}}"))
    runs = [run["text"] for run in body["attachments"][0]["content"]["body"][0]["inlines"]]
    assert runs == ["{", "{DATE(2017-02-14T06:08:39Z, SHORT)}} {", "{TIME(2017-02-14T06:08:39Z)}}"]


def test_an_address_on_a_card_is_a_link_unless_there_are_too_many() -> None:
    (body,) = bodies(Card("Shop", "at https://x.example/a, now"))
    _, block = body["attachments"][0]["content"]["body"]
    assert [(run["text"], run.get("selectAction", {}).get("url")) for run in block["inlines"]] == [
        ("at ", None),
        ("https://x.example/a", "https://x.example/a"),
        (", now", None),
    ]
    (body,) = bodies(Card("Shop", "https://x.example/a " * 21))
    assert len(body["attachments"][0]["content"]["body"][1]["inlines"]) == 1


@pytest.mark.parametrize(
    ("written", "linked"),
    [
        ("https://x.example/a_(b)", ["https://x.example/a_(b"]),
        ("xhttps://x.example", []),
        ("https://", []),
        ("https://user@x.example/", []),
        ("HTTPS://x.example http://y.example!", ["http://y.example"]),
        ("https://x.example/" + "x" * 2040, []),
        ("https://παράδειγμα.gr", ["https://παράδειγμα.gr"]),
    ],
)
def test_only_an_address_is_a_link(written: str, linked: list[str]) -> None:
    (call,) = channel().render(Text(written), ADA)
    assert [Shown(found).words for found in re.findall("<a .*?</a>", call.body["text"])] == linked


# ---- Microsoft's own rules ---------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", events())
def test_every_event_is_shown_in_requests_that_teams_accepts(raw: bytes) -> None:
    assert faults(calls_for(raw, channel(), ADA, silent=True)) == []


def test_every_content_is_shown_in_requests_that_teams_accepts() -> None:
    assert {
        name: found for name, each in corpus().items() if (found := faults(calls_of(channel(), ADA, each)))
    } == {}


@settings(max_examples=150)
@given(made_of(words, texts, addresses))
def test_teams_accepts_whatever_is_planned(content: Content) -> None:
    assert faults(calls_of(channel(), ADA, content)) == []


@pytest.mark.parametrize(
    "content",
    [
        Text("&" * 4000),
        Text(("https://x.example/" + "&" * 1980 + "z ") * 2),
        Text('"' * 4000, tuple(Option(f"{n}" + "👋" * 60, '"' * 512) for n in range(18))),
        Text("{{DATE(" * 571, tuple(Option(f"{n}", "x") for n in range(18))),
        Text("http://a.b " * 363, tuple(Option(f"{n}", "x") for n in range(18))),
        Carousel(tuple(Card('"' * 300, '"' * 2000, Media("image", PNG)) for _ in range(10))),
    ],
    ids=["ampersands", "addresses", "quotes-on-a-card", "dates", "links-on-a-card", "carousel"],
)
def test_what_escaping_makes_longest_has_room(content: Content) -> None:
    calls = calls_of(channel(), ADA, content)
    assert faults(calls) == []
    sizes = [text.measure(orjson.dumps(call.body).decode(), "utf16") for call in calls]
    assert max(sizes) < 42_000


@pytest.mark.parametrize(
    "body",
    [
        {"type": "message"},
        said(" "),
        said("a & b"),
        said("a < b"),
        said("<b>x</b>"),
        said("<!-- x -->"),
        said('<a href="javascript:alert(1)">x</a>'),
        said('<a href="https://x.example">x'),
        said("x\ny"),
        said("x" * 50_000),
        said("x", colour="red"),
        said("x", textFormat="html"),
        said("x", attachments=[HATS_CARD]),
        said("x", **suggesting()),
        said("x", **suggesting(*[says("x", "x")] * 4)),
        said("x", **suggesting(says(" ", "x"))),
        said("x", **suggesting(opens("x", PNG))),
        with_cards("x", HATS_CARD) | suggesting(says("x", "x")),
        {"type": "typing", "text": "x"},
        with_cards("x", *[HATS_CARD] * 11),
        {**with_cards("x", HATS_CARD, HATS_CARD), "attachmentLayout": "list"},
        with_cards("x", card()),
        with_cards("x", card(title("x"), actions=[press("x", "x")] * 7)),
        with_cards("x", card(title("x"), row(*[press("x", "x")] * 7))),
        with_cards("x", card(title("x"), actions=[press(" ", "x")])),
        with_cards("x", card(title("x"), actions=[opens("x", "mailto:x@y.example")])),
        with_cards("x", card(title("x"), actions=[{"type": "Action.Submit", "title": "x", "data": {}}])),
        with_cards("x", card({"type": "RichTextBlock", "inlines": []})),
        with_cards("x", card(words_of("x", weight="Heavy"))),
        with_cards("x", card(words_of("{{DATE(2017-02-14T06:08:39Z)}}"))),
        with_cards("x", card({"type": "Marquee", "text": "x"})),
        with_cards("x", card({"type": "Image", "url": "http://x.example/a.png"})),
        with_cards("x", card({**title("x"), "colour": "red"})),
    ],
)
def test_the_rules_tests_rely_on_can_fail(body: dict[str, Any]) -> None:
    assert problems(channel().request(Call(op="SendToConversation", to=ADA, body=body)))


# ---- the request -------------------------------------------------------------------------------------------


def test_a_request() -> None:
    of = channel()
    request = of.request(Call(op="SendToConversation", to=THREAD, body=said("Hi")))
    assert request.url == (
        "https://smba.trafficmanager.net/teams/v3/conversations/"
        "19%3A253b1f341670408fb6fe51050b6e5ceb%40thread.tacv2%3Bmessageid%3D1485983194839/activities"
    )
    assert orjson.loads(request.body) == said("Hi")
    assert PASSWORD not in f"{request}{vars(of)}"


@pytest.mark.parametrize(
    ("service_url", "served"),
    [
        ("https://smba.trafficmanager.net/emea/72f988bf/", "https://smba.trafficmanager.net/emea/72f988bf"),
        ("https://smba.infra.gcc.teams.microsoft.com", "https://smba.infra.gcc.teams.microsoft.com"),
        ("https://x.example/a?b=c#d", "https://x.example/a"),
        ("http://127.0.0.1:9/other/", "http://127.0.0.1:9/other"),
        ("http://smba.trafficmanager.net/emea/", "http://127.0.0.1:9/teams"),
        ("https://user@x.example/", "http://127.0.0.1:9/teams"),
        ("file:///etc/passwd", "http://127.0.0.1:9/teams"),
        ("{service_url}", "http://127.0.0.1:9/teams"),
        ("", "http://127.0.0.1:9/teams"),
    ],
)
def test_a_call_goes_where_the_conversation_is_served(service_url: str, served: str) -> None:
    of = channel(api_url="http://127.0.0.1:9/teams/")
    call = Call(op="SendToConversation", to="x", memo={"service_url": service_url}, body=said("Hi"))
    assert of.request(call).url == f"{served}/v3/conversations/x/activities"
    assert of.request(Call(op="SendToConversation", to="x")).url.startswith("http://127.0.0.1:9/teams/v3/")


async def test_a_message_is_sent_with_a_token_that_was_asked_for_once() -> None:
    asked: list[dict[str, list[str]]] = []
    sent: list[tuple[str, str]] = []

    async def token(request: web.Request) -> web.Response:
        asked.append(parse_qs((await request.read()).decode()))
        return web.json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": "t0ken"})

    async def activity(request: web.Request) -> web.Response:
        sent.append((request.headers["authorization"], (await request.json())["text"]))
        return web.json_response({"id": f"m{len(sent)}"}, status=201)

    app = web.Application()
    app.router.add_post("/my-tenant/oauth2/v2.0/token", token)
    app.router.add_post("/emea/v3/conversations/{id}/activities", activity)
    async with TestServer(app) as server, open_http() as http:
        here = str(server.make_url("/")).rstrip("/")
        of, sender = channel(api_url=here, login_url=here, tenant="my-tenant"), Sender(http)
        memo = {"service_url": f"{here}/emea/"}
        for words in ("one", "two"):
            call = Call(op="SendToConversation", to=ADA, memo=memo, body=said(words))
            assert of.check(await sender.send(of.request(call))) == f"m{len(sent)}"
    assert sent == [("Bearer t0ken", "one"), ("Bearer t0ken", "two")]
    assert asked == [
        {
            "grant_type": ["client_credentials"],
            "client_id": [APP],
            "client_secret": [PASSWORD],
            "scope": ["https://api.botframework.com/.default"],
        }
    ]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"app_id": ""}, "app_id: is no"),
        ({"app_id": "a b"}, "app_id: is no"),
        ({"app_password": Secret("")}, "app_password: is empty"),
        ({"tenant": "my/tenant"}, "tenant: is no"),
        ({"api_url": "smba.trafficmanager.net"}, "api_url: must be"),
        ({"login_url": "ftp://x.example"}, "login_url: must be"),
        ({"issuer": ""}, "issuer: must be"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_named(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=f"^{problem}"):
        channel(**changed)


# ---- the answer --------------------------------------------------------------------------------------------


def failed(status: int, code: str, message: str = "It is so.", **headers: str) -> Reply:
    said = {"error": {"code": code, "message": message}}
    return Reply(status=status, headers=headers, body=orjson.dumps(said))


@pytest.mark.parametrize(
    ("reply", "activity"),
    [
        (Reply(status=200, body=b'{"id": "1:abc"}'), "1:abc"),
        (Reply(status=201, body=b'{"id": "1485983408511"}'), "1485983408511"),
        (Reply(status=202, body=b'{"id": ""}'), None),
        (Reply(status=200, body=b"{}"), None),
        (Reply(status=202), None),
    ],
    ids=named,
)
def test_a_yes_gives_the_activitys_id(reply: Reply, activity: str | None) -> None:
    assert channel().check(reply) == activity


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (failed(400, "BadArgument"), ContentRefused),
        (failed(400, "BadSyntax"), ContentRefused),
        (failed(413, "MessageSizeTooBig"), ContentRefused),
        (failed(401, "BotNotRegistered"), Unauthorized),
        (Reply(status=401, body=b'{"message": "Authorization has been denied."}'), Unauthorized),
        (failed(403, "BotDisabledByAdmin"), Rejected),
        (failed(403, "BotNotInConversationRoster"), Rejected),
        (failed(403, "ConversationBlockedByUser"), Rejected),
        (failed(403, "MessageWritesBlocked"), Rejected),
        (failed(403, "InvalidBotApiHost"), Rejected),
        (failed(404, "ConversationNotFound"), Rejected),
        (failed(405, "MethodNotAllowed"), Rejected),
        (failed(412, "PreconditionFailed"), Unavailable),
        (failed(429, "Throttled"), Unavailable),
        (failed(500, "ServiceError"), Unavailable),
        (failed(502, "ServiceError"), Unavailable),
        (failed(503, "ServiceUnavailable"), Unavailable),
        (Reply(status=504, body=b"{}"), Unavailable),
        (Reply(status=201, body=b"[]"), Uncertain),
        *NOT_THE_PLATFORM,
    ],
    ids=named,
)
def test_a_no_says_what_to_do_next(reply: Reply, error: type[BridgeError]) -> None:
    assert type(refusal(channel(), reply)) is error


@pytest.mark.parametrize(
    ("reply", "seconds", "scope"),
    [
        (failed(429, "Throttled"), None, "chat"),
        (failed(429, "Throttled", **{"retry-after": "7"}), 7.0, "chat"),
        (failed(412, "PreconditionFailed"), None, "chat"),
        (failed(503, "ServiceUnavailable", **{"retry-after": "3"}), 3.0, None),
        (failed(500, "ServiceError"), None, None),
    ],
    ids=["no-time", "header", "conflict", "unavailable", "down"],
)
def test_a_limit_holds_the_chat_alone(reply: Reply, seconds: float | None, scope: str | None) -> None:
    assert waits(channel(), reply) == (seconds, scope)


@pytest.mark.parametrize("code", ["<b>Ada wrote this</b>", "x" * 65, ""])
def test_an_error_quotes_a_code_and_no_words(code: str) -> None:
    assert str(refusal(channel(), failed(404, "ConversationNotFound", "Ada said hi"))) == (
        "HTTP 404 ConversationNotFound"
    )
    assert str(refusal(channel(), failed(404, code))) == "HTTP 404"
