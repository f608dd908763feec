"""Google Chat: what is sent for each content as an app and by a webhook, and what its answers mean."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.oauth2.service_account import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.channels import Call, Channel, Reply, text
from bridge.channels.googlechat import GoogleChat, GoogleChatSettings, account
from bridge.content import (
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
    Rejected,
    Unauthorized,
    Unavailable,
    Uncertain,
)
from bridge.plan import plan
from bridge.secret import Secret
from bridge.testing import corpus
from tests.channels.googlechat_rules import problems
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

TOKEN = "ya29.t0ken"
SPACE = "spaces/AAAA"
PNG = "https://x.example/a.png"
ENDPOINT = "https://bridge.example.com/channels/chat"
ID = "0123456789abcdef0123456789abcdef"


def app(**rest: Any) -> GoogleChat:
    return GoogleChat(GoogleChatSettings(token=Secret(TOKEN), **rest))


def webhook() -> GoogleChat:
    return GoogleChat(
        GoogleChatSettings(token=Secret("w t".replace(" ", "-")), key=Secret("k"), space="BBBB")
    )


def planned(content: Content, of: GoogleChat, to: str = SPACE) -> list[Call]:
    return calls_of(of, to, content)


def bodies(content: Content, of: GoogleChat | None = None) -> list[dict[str, Any]]:
    return [dict(call.body) for call in planned(content, of or app())]


def faults(of: GoogleChat, calls: Iterable[Call]) -> list[str]:
    return [fault for call in with_fallbacks(calls) for fault in problems(of.request(call))]


def press(label: str, value: str) -> dict[str, Any]:
    action = {"function": "reply", "parameters": [{"key": "value", "value": value}]}
    return {"text": label, "onClick": {"action": action}}


def opens(label: str, url: str) -> dict[str, Any]:
    return {"text": label, "onClick": {"openLink": {"url": url}}}


def row(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"buttonList": {"buttons": list(buttons)}}


def paragraph(said: str) -> dict[str, Any]:
    return {"textParagraph": {"text": said}}


def cards(preview: str, *cards: Sequence[dict[str, Any]]) -> dict[str, Any]:
    made = [
        {"cardId": f"card-{number}", "card": {"sections": [{"widgets": list(widgets)}]}}
        for number, widgets in enumerate(cards, 1)
    ]
    return {"cardsV2": made, **({"fallbackText": preview} if preview else {})}


def test_it_is_a_channel() -> None:
    assert isinstance(app(), Channel)


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
SHOES_TOP = [{"image": {"imageUrl": PNG, "altText": "Shoes"}}, paragraph("<b>Shoes</b>\n$9 &amp; up")]
SHOES_ROW = row(
    press("Buy", "buy 1"), opens("More", "https://x.example/1"), opens("Try", "https://x.example/2")
)
HATS_ROW = row(press("Buy", "buy 2"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(Text("Hi, it's 5 & more"), [{"text": "Hi, it's 5 & more"}], id="text"),
        pytest.param(
            Text("*as* <b>written</b> &amp;"),
            [cards("*as* <b>written</b> &amp;", [paragraph("*as* &lt;b&gt;written&lt;/b&gt; &amp;amp;")])],
            id="text-with-signs",
        ),
        pytest.param(
            Text("Pick", (Option("Yes", "yes please"), Option("No", "no"))),
            [{"text": "Pick", "accessoryWidgets": [row(press("Yes", "yes please"), press("No", "no"))]}],
            id="options",
        ),
        pytest.param(
            Text("*Pick*", (Option("Yes", "yes"),)),
            [cards("*Pick*", [paragraph("*Pick*"), row(press("Yes", "yes"))])],
            id="options-under-signs",
        ),
        pytest.param(
            Image(PNG, "A <look>"),
            [
                cards(
                    "A <look>",
                    [{"image": {"imageUrl": PNG, "altText": "A <look>"}}, paragraph("A &lt;look&gt;")],
                )
            ],
            id="image",
        ),
        pytest.param(Image(PNG), [cards("", [{"image": {"imageUrl": PNG}}])], id="image-without-name"),
        pytest.param(
            Image("http://x.example/a.png", "Look"),
            [{"text": "Look: http://x.example/a.png"}],
            id="image-http",
        ),
        pytest.param(
            Video("https://x.example/v.mp4", "Tour"), [{"text": "Tour: https://x.example/v.mp4"}], id="video"
        ),
        pytest.param(
            File("https://x.example/b.pdf", "Bill"), [{"text": "Bill: https://x.example/b.pdf"}], id="file"
        ),
        pytest.param(
            Webview("https://x.example/f", "Open", name="A form"),
            [{"text": "A form", "accessoryWidgets": [row(opens("Open", "https://x.example/f"))]}],
            id="webview",
        ),
        pytest.param(SHOES, [cards("Shoes", [*SHOES_TOP, SHOES_ROW])], id="card"),
        pytest.param(Carousel((SHOES,)), [cards("Shoes", [*SHOES_TOP, SHOES_ROW])], id="carousel-of-one"),
        pytest.param(
            Carousel((SHOES, HATS)),
            [
                cards(
                    "Shoes",
                    [
                        {
                            "carousel": {
                                "carouselCards": [
                                    {"widgets": SHOES_TOP, "footerWidgets": [SHOES_ROW]},
                                    {"widgets": [paragraph("<b>Hats</b>")], "footerWidgets": [HATS_ROW]},
                                ]
                            }
                        }
                    ],
                )
            ],
            id="carousel",
        ),
    ],
)
def test_a_content_is_sent_as(content: Content, expected: list[dict[str, Any]]) -> None:
    assert bodies(content) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (Text("Pick", (Option("Yes", "yes"),)), [{"text": "Pick\n\n1. Yes"}]),
        (
            Webview("https://x.example/f", "Open"),
            [{"text": "Open", "accessoryWidgets": [row(opens("Open", "https://x.example/f"))]}],
        ),
        (
            Card("Shoes", buttons=(Link("More", PNG),)),
            [cards("Shoes", [paragraph("<b>Shoes</b>")]), {"text": f"Shoes\nMore: {PNG}"}],
        ),
    ],
    ids=["options", "webview", "card"],
)
def test_by_a_webhook_no_button_asks_for_an_answer(content: Content, expected: list[dict[str, Any]]) -> None:
    assert bodies(content, webhook()) == expected


@pytest.mark.parametrize("sign", [Typing(on=True), Receipt("read")], ids=["typing", "receipt"])
def test_signs_are_reported_as_lost(sign: Content) -> None:
    made = plan((sign,), app(), SPACE, key="k")
    assert (made.steps, len(made.losses)) == ((), 1)


@pytest.mark.parametrize(("size", "messages"), [(6000, 1), (6001, 2)])
def test_a_text_is_split_by_bytes(size: int, messages: int) -> None:
    assert len(bodies(Text("x" * size))) == messages
    assert len(bodies(Text("é" * (size // 2) + "x" * (size % 2)))) == messages


@pytest.mark.parametrize(("count", "widget"), [(50, True), (51, False)])
def test_more_options_than_buttons_are_numbered(count: int, widget: bool) -> None:
    options = tuple(Option(f"Choice {number}", f"{number}") for number in range(count))
    (body,) = bodies(Text("Pick", options))
    assert ("accessoryWidgets" in body) == widget


def test_buttons_that_have_no_room_go_out_under_a_further_message() -> None:
    options = tuple(Option(f"{number:02} " + "λ" * 60, f"{number}" + "λ" * 250) for number in range(50))
    sent = bodies(Text("Pick", options))
    assert [body["text"] for body in sent] == ["Pick", *"…" * (len(sent) - 1)]
    assert len(sent) > 1
    buttons = [button for body in sent for button in body["accessoryWidgets"][0]["buttonList"]["buttons"]]
    assert [button["text"] for button in buttons] == [option.label for option in options]


def test_a_carousel_too_big_for_one_message_goes_on_in_the_next() -> None:
    some = tuple(Card(f"{number}", "λ" * 700, buttons=(Postback("Buy", "λ" * 250),)) for number in range(10))
    sent = bodies(Carousel(some))
    slides = [
        slide
        for body in sent
        for slide in body["cardsV2"][0]["card"]["sections"][0]["widgets"][0]["carousel"]["carouselCards"]
    ]
    assert (len(sent), len(slides)) == (2, 10)


def test_a_long_value_is_kept_and_a_token_sent() -> None:
    (call,) = planned(Text("Pick", (Option("A", "v" * 513),)), app())
    ((token, value),) = call.keep.items()
    assert value == "v" * 513
    button = call.body["accessoryWidgets"][0]["buttonList"]["buttons"][0]
    assert button["onClick"]["action"]["parameters"] == [
        {"key": "value", "value": token},
        {"key": "label", "value": "A"},
    ]


def test_an_add_ons_buttons_are_posted_to_its_endpoint() -> None:
    of = app(audience=ENDPOINT)
    for content in (Text("Pick", (Option("A", "a"),)), HATS, Carousel((SHOES, HATS))):
        for call in with_fallbacks(planned(content, of)):
            shown = orjson.dumps(call.body).decode()
            assert shown.count('"function"') == shown.count(f'"function":"{ENDPOINT}"') > 0


@pytest.mark.parametrize(
    ("content", "chain"),
    [
        pytest.param(Text("*a*"), [{"text": "*a*"}], id="signs"),
        pytest.param(Image(PNG, "Look"), [{"text": f"Look\n{PNG}"}], id="image"),
        pytest.param(
            Webview("https://x.example/f", "Open"),
            [{"text": "Open\nOpen: https://x.example/f"}],
            id="webview",
        ),
        pytest.param(
            SHOES,
            [
                {
                    "text": f"Shoes\n$9 & up\n{PNG}\nMore: https://x.example/1\nTry: https://x.example/2",
                    "accessoryWidgets": [row(press("Buy", "buy 1"))],
                }
            ],
            id="card",
        ),
        pytest.param(
            Carousel((HATS, Card("Caps"))),
            [
                cards("Hats", [paragraph("<b>Hats</b>"), HATS_ROW], [paragraph("<b>Caps</b>")]),
                {"text": "Hats", "accessoryWidgets": [HATS_ROW]},
                {"text": "Caps"},
            ],
            id="carousel",
        ),
    ],
)
def test_each_refusal_has_a_simpler_form(content: Content, chain: list[dict[str, Any]]) -> None:
    _, *simpler = with_fallbacks(planned(content, app()))
    assert [dict(call.body) for call in simpler] == chain


# ---- as written --------------------------------------------------------------------------------------------

MARKED = st.text(st.sampled_from("*_~`<>&|-ab 1;\n/:"), max_size=60) | st.text(
    st.characters(codec="utf-8"), max_size=60
)
FORMATS = re.compile(
    r"(?<![^\W_])[*_~`](?=\S) | <\S | ^[ \t]*[-*][ \t]+\S | ^[ \t]*>", re.MULTILINE | re.VERBOSE
)
"""What begins a format in a text of Chat, outside of links."""
LINK = re.compile(r"https?://[^\s<>|]+")


@given(MARKED)
def test_a_text_is_shown_as_written(said: str) -> None:
    for call in app().render(Text(said), SPACE):
        match call.body:
            case {"text": shown}:
                assert not FORMATS.search(LINK.sub("link", shown))
            case {"cardsV2": [{"card": {"sections": [{"widgets": [{"textParagraph": {"text": markup}}]}]}}]}:
                assert not re.search("[<>]", markup)
                shown = html.unescape(markup)
        assert shown == said


@pytest.mark.parametrize(
    ("said", "as_it_is"),
    [
        ("2 * 3 < 7 - 1 & snake_case ~ 5", True),
        ("https://x.example/_a_*b*?q=~c~", True),
        ("*b*", False),
        ("an _i_", False),
        ("`c`", False),
        ("```\ncode\n```", False),
        ("* item", False),
        ("- item", False),
        ("> quote", False),
        ("<users/all>", False),
        ("<https://x.example|here>", False),
    ],
)
def test_only_a_text_without_markup_goes_as_it_is(said: str, as_it_is: bool) -> None:
    (body,) = bodies(Text(said))
    assert ("text" in body) == as_it_is


@given(MARKED, MARKED)
def test_a_card_is_shown_as_written(title: str, subtitle: str) -> None:
    for call in app().render(Card(title, subtitle, Media("image", PNG)), SPACE):
        _, *rest = call.body["cardsV2"][0]["card"]["sections"][0]["widgets"]
        markup = "".join(widget["textParagraph"]["text"] for widget in rest)
        shown = html.unescape(markup.removeprefix("<b>").replace("</b>", "", 1))
        assert not re.search("[<>]", markup.removeprefix("<b>").replace("</b>", "", 1))
        assert shown == "\n".join(part for part in (title, subtitle) if not text.blank(part))


# ---- Google's own rules ------------------------------------------------------------------------------------

CHANNELS = {
    "app": (app(), SPACE),
    "app-in-a-thread": (app(), f"{SPACE}/threads/CCCC"),
    "add-on": (app(audience=ENDPOINT), SPACE),
    "webhook": (webhook(), "your-session-789"),
}


@pytest.mark.parametrize("raw", events())
@pytest.mark.parametrize(("of", "to"), CHANNELS.values(), ids=CHANNELS)
def test_every_event_is_shown_in_requests_that_chat_accepts(raw: bytes, of: GoogleChat, to: str) -> None:
    assert faults(of, calls_for(raw, of, to)) == []


@pytest.mark.parametrize(("of", "to"), CHANNELS.values(), ids=CHANNELS)
def test_every_content_is_shown_in_requests_that_chat_accepts(of: GoogleChat, to: str) -> None:
    assert {
        name: found for name, each in corpus().items() if (found := faults(of, planned(each, of, to)))
    } == {}


wide = st.sampled_from(["<" * 90, "👋" * 90, '"&' * 45])
long = wide.map(lambda word: word * 40)
addressed = addresses | st.just(f"https://x.example/?{'&' * 2000}")


@settings(deadline=None, max_examples=60)  # the first example waits for the models' import
@given(made_of(words | wide, texts | long, addressed, options=60), st.sampled_from(list(CHANNELS.values())))
def test_chat_accepts_whatever_is_planned(content: Content, chosen: tuple[GoogleChat, str]) -> None:
    of, to = chosen
    assert faults(of, planned(content, of, to)) == []


@pytest.mark.parametrize(
    "body",
    [
        {"text": " "},
        {"text": "x" * 32_001},
        {"text": "x", "colour": "red"},
        {"text": 5},
        {"text": "x", "accessoryWidgets": [paragraph("x")]},
        {"text": "x", "accessoryWidgets": [row()]},
        {"text": "x", "accessoryWidgets": [row({"text": "x"})]},
        {"text": "x", "accessoryWidgets": [row(opens("x", "javascript:alert(1)"))]},
        {"text": "x", "accessoryWidgets": [row(press(" ", "v"))]},
        cards("x", [paragraph("<i>x</i>")]),
        cards("x", [paragraph("a & b")]),
        cards("x", [{"image": {"imageUrl": "http://x.example/a.png"}}]),
        cards("x", [paragraph("x")] * 101),
        cards("x", []),
        {"cardsV2": cards("x", [paragraph("x")])["cardsV2"] * 2},
    ],
)
def test_the_rules_tests_rely_on_can_fail(body: dict[str, Any]) -> None:
    assert problems(app().request(Call(op="messages.create", to=SPACE, body=body)))


# ---- the request -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [SPACE, "AAAA"])
def test_an_apps_request(to: str) -> None:
    of = app(api_url="https://chat.example/")
    request = of.request(Call(op="messages.create", to=to, id=ID, body={"text": "Hi"}))
    assert urlsplit(request.url)[:3] == ("https", "chat.example", "/v1/spaces/AAAA/messages")
    assert parse_qs(urlsplit(request.url).query) == {
        "requestId": ["01234567-89ab-cdef-0123-456789abcdef"],
        "messageId": [f"client-{ID}"],
    }
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert orjson.loads(request.body) == {"text": "Hi"}
    assert TOKEN not in f"{request.url}{request.body!r}{vars(of)}"


def test_a_thread_of_a_space() -> None:
    request = app().request(Call(op="messages.create", to=f"{SPACE}/threads/CCCC", body={"text": "Hi"}))
    assert urlsplit(request.url).path == "/v1/spaces/AAAA/messages"
    assert urlsplit(request.url).query == "messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"
    assert orjson.loads(request.body) == {"text": "Hi", "thread": {"name": f"{SPACE}/threads/CCCC"}}


def test_a_webhooks_request() -> None:
    request = webhook().request(Call(op="messages.create", to="ada", id=ID, body={"text": "Hi"}))
    assert urlsplit(request.url).path == "/v1/spaces/BBBB/messages"
    assert parse_qs(urlsplit(request.url).query) == {
        "requestId": ["01234567-89ab-cdef-0123-456789abcdef"],
        "key": ["k"],
        "token": ["w-t"],
        "messageReplyOption": ["REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"],
    }
    assert "authorization" not in request.headers
    assert orjson.loads(request.body) == {"text": "Hi", "thread": {"threadKey": "ada"}}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"token": Secret("")}, "token: is no"),
        ({"token": Secret("a\nb")}, "token: is no"),
        ({"key": Secret("k")}, "key: needs space"),
        ({"space": "AAAA"}, "key: needs space"),
        ({"api_url": "chat.googleapis.com"}, "api_url: must be"),
        ({"audience": "my-project"}, "audience: must be"),
        ({"audience": "http://bridge.example.com"}, "audience: must be"),
        ({"audience": "https://bridge.example.com/a b"}, "audience: must be"),
        ({"audience": "1", "key": Secret("k"), "space": "AAAA"}, "audience: is for a Chat app"),
    ],
    ids=[
        "empty",
        "line-end",
        "key-alone",
        "space-alone",
        "no-scheme",
        "project-id",
        "http-audience",
        "bad-audience",
        "audience-of-a-webhook",
    ],
)
def test_a_wrong_setting_is_named(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=f"^{problem}"):
        GoogleChat(GoogleChatSettings(**{"token": Secret(TOKEN), **changed}))


# ---- a token of its own ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem(key: Any, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    octets: bytes = key.private_bytes(Encoding.PEM, form, NoEncryption())
    return octets.decode()


SHORT = """-----BEGIN PRIVATE KEY-----
MIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8wggE7AgEAAkEA6NVcr40Zu9+ybDwZ
9Fi5I3qD6krLuaqBGHcEMS0N5S92wc5DFktWQ1JDwqDu5A4BbgE7TQsDyFlvpYJ4
h5eAsQIDAQABAkEA1SmBkbc8uCQ01aKwoGQaG8EuxHF10qWnSx6rV9pHvmnW46Y6
Cy6fzTZHQKdV4D9C7kSmvQpa1cJ/EP7WXNtTgQIhAPXKNmWEzoywH0w5NTlXIeZ7
1Ohe1KYsELDevDz62x7bAiEA8oFeHyqkD+hNOwXgfE+HVIFdP/H2Xb8cjlxJi9mH
VmMCIGoThz5w/qOBL0C6P9orXJoYP1657pR42As9VYgLy52ZAiEA5TmbumIYCmFO
/0ei1l5mUV6mwlb4xcxsNbTOYD8SSnkCIG3qIUoS2TfN9DRJG0ARY9j9G0uz8VZX
v5by9gamw/YV
-----END PRIVATE KEY-----
"""
"""An RSA key of 512 bits, which is no secret."""


def key_file(private_key: str) -> dict[str, str]:
    """What the console gives out, as far as it is read by anyone."""
    return {
        "type": "service_account",
        "client_email": "bot@project.iam.gserviceaccount.com",
        "private_key": private_key,
        "private_key_id": "k1",
        "token_uri": "https://oauth2.googleapis.com/token",
    }


def bearer(file: dict[str, str], at: float) -> str:
    of = GoogleChat(GoogleChatSettings(token=Secret(orjson.dumps(file).decode())))
    request = of.request(Call(op="messages.create", to=SPACE, body={"text": "Hi"}))
    assert "private" not in f"{vars(of)}{request}"
    assert isinstance(request.grant, account.Account)
    return request.grant.token(at)


def test_an_app_signs_for_itself_as_googles_own_library_does(key: rsa.RSAPrivateKey) -> None:
    file, now = key_file(pem(key)), time.time()
    token = bearer(file, now)
    claims = jwt.decode(token, key.public_key(), algorithms=["RS256"])
    library: Any = Credentials
    google = library.from_service_account_info(file, scopes=[account.SCOPE]).with_always_use_jwt_access(True)
    google.refresh(None)
    theirs = jwt.decode(google.token, key.public_key(), algorithms=["RS256"])
    assert jwt.get_unverified_header(token) == jwt.get_unverified_header(google.token)
    assert claims.keys() == theirs.keys()
    assert {name: claims[name] for name in ("iss", "sub", "scope")} == {
        name: theirs[name] for name in ("iss", "sub", "scope")
    }
    assert claims["exp"] - claims["iat"] == theirs["exp"] - theirs["iat"]


@pytest.mark.parametrize("at", [1_700_000_000.0, 1_700_001_800.5, 1_700_003_599.9])
def test_a_token_is_good_when_it_is_used(key: rsa.RSAPrivateKey, at: float) -> None:
    claims = jwt.decode(
        bearer(key_file(pem(key)), at), key.public_key(), algorithms=["RS256"], options={"verify_exp": False}
    )
    assert claims["iat"] <= at - 60
    assert claims["exp"] >= at + 1200


def test_calls_soon_after_another_have_the_same_token(key: rsa.RSAPrivateKey) -> None:
    file = key_file(pem(key))
    start = 1_700_000_000 // account.RENEWAL * account.RENEWAL + account.SKEW
    assert bearer(file, start) == bearer(file, start + account.RENEWAL - 1)
    assert bearer(file, start) != bearer(file, start + account.RENEWAL)


@pytest.mark.parametrize(
    ("private_key", "problem"),
    [
        (lambda key: "", "no RSA key"),
        (lambda key: "-----BEGIN PRIVATE KEY-----\n====\n", "no RSA key"),
        (lambda key: pem(key)[:400], "no RSA key"),
        (lambda key: pem(ec.generate_private_key(ec.SECP256R1())), "no RSA key"),
        (lambda key: SHORT, "too short"),
    ],
    ids=["none", "no-base64", "cut-off", "elliptic", "short"],
)
def test_a_key_that_cannot_sign_is_named(
    key: rsa.RSAPrivateKey, private_key: Callable[[rsa.RSAPrivateKey], str], problem: str
) -> None:
    with pytest.raises(ConfigError, match=f"^token: has a private_key that is {problem}"):
        bearer(key_file(private_key(key)), 0)


def test_a_file_that_is_no_key_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^token: is not the JSON of a service account's key"):
        bearer({"installed": "x"}, 0)


# ---- the answer --------------------------------------------------------------------------------------------


def refused(code: int, status: str, message: str = "It is so.", why: str = "", **headers: str) -> Reply:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": why}] if why else []
    said = {"error": {"code": code, "message": message, "status": status, "details": details}}
    return Reply(status=code, headers=headers, body=orjson.dumps(said))


def test_a_yes_gives_the_messages_name() -> None:
    name = f"{SPACE}/messages/m.n"
    assert app().check(Reply(status=200, body=orjson.dumps({"name": name, "text": "Hi"}))) == name


def test_a_repeat_is_there_already() -> None:
    assert app().check(refused(409, "ALREADY_EXISTS")) is None


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refused(400, "INVALID_ARGUMENT"), ContentRefused),
        (refused(400, "INVALID_ARGUMENT", why="API_KEY_INVALID"), Unauthorized),
        (refused(403, "PERMISSION_DENIED", "This Chat app is not a member of the space."), Rejected),
        (refused(404, "NOT_FOUND", "Space not found."), Rejected),
        (refused(400, "FAILED_PRECONDITION"), Rejected),
        (refused(409, "ABORTED"), Unavailable),
        (refused(499, "CANCELLED"), Unavailable),
        (refused(401, "UNAUTHENTICATED"), Unauthorized),
        (refused(403, "PERMISSION_DENIED", "… ACCESS_TOKEN_SCOPE_INSUFFICIENT"), Unauthorized),
        (refused(403, "PERMISSION_DENIED", "… SERVICE_DISABLED"), Unauthorized),
        (refused(404, "NOT_FOUND", "Google Chat app not found. To create …"), Unauthorized),
        (refused(429, "RESOURCE_EXHAUSTED"), Unavailable),
        (refused(500, "INTERNAL"), Unavailable),
        (refused(503, "UNAVAILABLE"), Unavailable),
        (refused(504, "DEADLINE_EXCEEDED"), Unavailable),
        (Reply(status=200, body=b"{}"), Uncertain),
        *NOT_THE_PLATFORM,
    ],
    ids=named,
)
def test_a_no_says_what_to_do_next(reply: Reply, error: type[BridgeError]) -> None:
    assert type(refusal(app(), reply)) is error


@pytest.mark.parametrize(
    ("reply", "retry_after", "scope"),
    [
        (refused(429, "RESOURCE_EXHAUSTED"), None, "chat"),
        (refused(429, "RESOURCE_EXHAUSTED", **{"retry-after": "7"}), 7.0, "chat"),
        (refused(409, "ABORTED"), None, "chat"),
        (refused(503, "UNAVAILABLE"), None, None),
        (Reply(status=503, headers={"retry-after": "60"}), 60.0, None),
    ],
    ids=["no-time", "header", "conflict", "unavailable", "proxy"],
)
def test_a_limit_holds_the_space_alone(reply: Reply, retry_after: float | None, scope: str | None) -> None:
    assert waits(app(), reply) == (retry_after, scope)
