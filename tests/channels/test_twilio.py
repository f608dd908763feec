"""Twilio: what is sent for each content by SMS, MMS and WhatsApp, and what its answers mean."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bridge.channels import Call, Channel, Reply, text
from bridge.channels.registry import placeholder
from bridge.channels.twilio import Twilio, TwilioSettings
from bridge.content import (
    Audio,
    Author,
    Card,
    Carousel,
    Choice,
    Content,
    File,
    Image,
    Link,
    Loss,
    Media,
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
from tests.channels.twilio_rules import fields, problems

ACCOUNT = "AC" + "0" * 32
SERVICE = "MG" + "0" * 32
SID = "SM" + "0" * 32
TOKEN = "t0ken"
NUMBER = "+15550001111"
ADA = "+306900000000"
BEN = "whatsapp:+306900000001"
PNG = "https://x.example/a.png"
JOINER = "\u2060"


def channel(sender: str = NUMBER, **rest: Any) -> Twilio:
    return Twilio(TwilioSettings(account_sid=ACCOUNT, auth_token=Secret(TOKEN), sender=sender, **rest))


def sms() -> Twilio:
    return channel()


def whatsapp() -> Twilio:
    return channel(f"whatsapp:{NUMBER}")


def bodies(calls: Sequence[Call]) -> list[dict[str, Any]]:
    return [dict(call.body) for call in calls]


def planned(content: Content, of: Twilio, to: str = ADA) -> list[Call]:
    return calls_of(of, to, content)


def faults(of: Twilio, calls: Iterable[Call]) -> list[str]:
    known = {"message": SID}
    requests = [of.request(replace(call, memo=known)) for call in with_fallbacks(calls)]
    return [fault for request in requests for fault in problems(request)]


LINK = re.compile(r"https?://\S+")
FORMATS = re.compile(
    rf"(?<![^\W_])(?<!{JOINER})[*_~`] | ^[ \t]*(?:-[ \t]|>)[ \t]*\S", re.MULTILINE | re.VERBOSE
)
"""What begins a format on WhatsApp: a sign at the edge of a word, or at the start of a line."""


def test_it_is_a_channel() -> None:
    assert isinstance(sms(), Channel)


# ---- what is sent ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (Text("*as* <b>written</b> & _so_ on"), [{"Body": "*as* <b>written</b> & _so_ on"}]),
        (
            Text("Pick", (Option("Yes", "yes please"), Option("No", "no"))),
            [{"Body": "Pick\n\n1. Yes\n2. No"}],
        ),
        (Text("Hi", author=Author("Sarah")), [{"Body": "Sarah: Hi"}]),
        (Image(PNG, "Look"), [{"MediaUrl": [PNG], "Body": "Look"}]),
        (Image(PNG), [{"MediaUrl": [PNG]}]),
        (Image("https://x.example/a.webp", "Look"), [{"Body": "Look: https://x.example/a.webp"}]),
        (Video("https://x.example/v.mp4", "Tour"), [{"Body": "Tour: https://x.example/v.mp4"}]),
        (Audio("https://x.example/a.mp3"), [{"Body": "https://x.example/a.mp3"}]),
        (File("https://x.example/b.pdf", "Bill", 9), [{"Body": "Bill: https://x.example/b.pdf"}]),
        (
            Webview("https://x.example/f", "Open", name="A form"),
            [{"Body": "A form\nOpen: https://x.example/f"}],
        ),
        (
            Card("Shoes", "$9", Media("image", PNG), (Link("More", "https://x.example"),)),
            [{"MediaUrl": [PNG], "Body": "Shoes\n$9\nMore: https://x.example"}],
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Content) else "",
)
def test_a_content_goes_by_sms_as(content: Content, expected: list[dict[str, Any]]) -> None:
    assert bodies(planned(content, sms())) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (Text("Hello!"), [{"Body": "Hello!"}]),
        (Image(PNG, "Look"), [{"MediaUrl": [PNG], "Body": "Look"}]),
        (
            Video("https://x.example/v.mp4", "Tour"),
            [{"MediaUrl": ["https://x.example/v.mp4"], "Body": "Tour"}],
        ),
        (
            Audio("https://x.example/a.mp3", "Song"),
            [{"MediaUrl": ["https://x.example/a.mp3"]}, {"Body": "Song"}],
        ),
        (
            File("https://x.example/b.pdf", "Bill", 9),
            [{"MediaUrl": ["https://x.example/b.pdf"]}, {"Body": "Bill"}],
        ),
        (File("https://x.example/b.zip", "All", 9), [{"Body": "All: https://x.example/b.zip"}]),
        (File("https://x.example/b.pdf", "Big", 16_000_001), [{"Body": "Big: https://x.example/b.pdf"}]),
        (Image("https://x.example/a.gif"), [{"Body": "https://x.example/a.gif"}]),
    ],
)
def test_a_content_goes_by_whatsapp_as(content: Content, expected: list[dict[str, Any]]) -> None:
    assert bodies(planned(content, whatsapp())) == expected


def test_the_users_number_stands_for_an_option() -> None:
    (call,) = planned(Text("Pick", (Option("Yes", "yes please"), Option("No", "no"))), sms())
    assert call.numbers == (Choice("1", "Yes", "yes please"), Choice("2", "No", "no"))


def test_the_cards_of_a_carousel_are_numbered_on() -> None:
    cards = tuple(Card(f"Card {n}", buttons=(Postback("Buy", f"buy {n}"),)) for n in (1, 2))
    calls = planned(Carousel(cards), sms())
    assert bodies(calls) == [{"Body": "Card 1\n\n1. Buy"}, {"Body": "Card 2\n\n2. Buy"}]
    assert calls[-1].numbers == (Choice("1", "Buy", "buy 1"), Choice("2", "Buy", "buy 2"))


def test_lines_have_letters_where_labels_begin_with_digits() -> None:
    (call,) = planned(Text("How was it?", (Option("2 stars", "2"), Option("1 star", "1"))), sms())
    assert call.body["Body"] == "How was it?\n\nA. 2 stars\nB. 1 star"
    assert call.numbers == (Choice("A", "2 stars", "2"), Choice("B", "1 star", "1"))


@pytest.mark.parametrize(
    ("sign", "of"),
    [
        (Typing(on=True), sms()),
        (Typing(on=True), channel(f"whatsapp:{NUMBER}", typing=False)),
        (Receipt("read"), whatsapp()),
    ],
    ids=["typing-by-sms", "typing-is-off", "receipt"],
)
def test_a_sign_there_is_not_is_reported_as_lost(sign: Content, of: Twilio) -> None:
    made = plan((sign,), of, ADA, key="k")
    assert made.steps == ()
    assert [type(loss) for loss in made.losses] == [Loss]


@pytest.mark.parametrize(
    ("api_url", "url"),
    [
        ("https://api.twilio.com", "https://messaging.twilio.com/v2/Indicators/Typing.json"),
        (
            "https://api.dublin.ie1.twilio.com",
            "https://messaging.dublin.ie1.twilio.com/v2/Indicators/Typing.json",
        ),
        ("https://api.example.com", "https://api.example.com/v2/Indicators/Typing.json"),
    ],
    ids=["twilio", "region", "other"],
)
def test_typing_on_whatsapp_is_about_the_users_last_message(api_url: str, url: str) -> None:
    of = channel(f"whatsapp:{NUMBER}", api_url=api_url)
    (call,) = calls_of(of, BEN, Typing(on=True))
    assert (call.recall, call.ephemeral) == (("message",), True)
    request = of.request(replace(call, memo={"message": SID}))
    assert (request.url, fields(request)) == (url, {"channel": "whatsapp", "messageId": SID})
    assert of.render(Typing(on=False), BEN) == ()


@pytest.mark.parametrize(("count", "parts"), [(1600, 1), (1601, 2)])
def test_a_body_has_1600_characters(count: int, parts: int) -> None:
    assert len(planned(Text("x" * count), sms())) == parts


@pytest.mark.parametrize(("count", "parts"), [(800, 1), (801, 2)])
def test_an_emoji_counts_two(count: int, parts: int) -> None:
    assert len(planned(Text("👋" * count), sms())) == parts


@pytest.mark.parametrize(
    ("of", "count", "parts"),
    [(sms(), 1600, 1), (sms(), 1601, 3), (whatsapp(), 1024, 1), (whatsapp(), 1025, 2)],
    ids=["sms", "sms-over", "whatsapp", "whatsapp-over"],
)
def test_a_caption_is_as_long_as_its_channel_has_it(of: Twilio, count: int, parts: int) -> None:
    assert len(planned(Image(PNG, "x" * count), of)) == parts


@pytest.mark.parametrize(
    ("content", "of", "fallback"),
    [
        (Image(PNG, "Look"), sms(), [{"Body": f"Look\n{PNG}"}]),
        (Image(PNG), sms(), [{"Body": PNG}]),
        (File("https://x.example/b.pdf", "Bill"), whatsapp(), [{"Body": "https://x.example/b.pdf"}]),
        (Image(PNG, "x" * 1600), sms(), [{"Body": "x" * 1600}, {"Body": PNG}]),
    ],
    ids=["caption", "alone", "file", "too-long-for-one"],
)
def test_a_refused_file_is_a_text_with_its_address(
    content: Content, of: Twilio, fallback: list[dict[str, Any]]
) -> None:
    call, *_ = planned(content, of)
    assert bodies(call.fallback) == fallback


def test_a_text_has_no_simpler_form() -> None:
    assert [call.fallback for call in planned(Text("Hi"), whatsapp())] == [()]


# ---- as written --------------------------------------------------------------------------------------------

MARKED = st.text(st.sampled_from("*_~`->ab 1.\n/:"), max_size=60) | st.text(
    st.characters(codec="utf-8", exclude_characters=JOINER), max_size=60
)


@given(MARKED)
def test_by_sms_a_text_is_sent_as_written(said: str) -> None:
    sent = [call.body["Body"] for call in sms().render(Text(said), ADA)]
    assert sent == ([] if text.blank(said) else [said])


@given(MARKED)
def test_by_whatsapp_a_text_is_shown_as_written(said: str) -> None:
    """Nothing is left that WhatsApp formats, and nothing is added that is seen."""
    shown = "".join(call.body["Body"] for call in whatsapp().render(Text(said), ADA))
    assert shown.replace(JOINER, "") == ("" if text.blank(said) else said)
    assert not FORMATS.search(LINK.sub("link", shown)), shown


@pytest.mark.parametrize(
    "said", ["*b*", "a _i_", "~s~ ", "`c`", "```m```", "- item", "> quote", "* item", "(*b*)"]
)
def test_what_the_test_takes_for_a_format_would_be_one(said: str) -> None:
    assert FORMATS.search(said)


def test_escaping_may_make_two_messages_of_a_text() -> None:
    said = "* " * 800
    parts = [call.body["Body"] for call in whatsapp().render(Text(said), ADA)]
    assert len(parts) == 2
    assert max(map(len, parts)) <= 1600
    assert " ".join(parts).replace(JOINER, "") == said.strip()


def test_an_address_stays_one() -> None:
    (call,) = whatsapp().render(Text("See https://x.example/a_b_c*d_ now"), ADA)
    assert call.body["Body"] == "See https://x.example/a_b_c*d_ now"


# ---- Twilio's own rules ------------------------------------------------------------------------------------

CHANNELS = {
    "sms": (sms(), ADA),
    "whatsapp": (whatsapp(), BEN),
    "service": (channel(SERVICE), ADA),
    "whatsapp-service": (channel(f"whatsapp:{SERVICE}"), ADA),
    "one-for-both": (sms(), BEN),
    "short-code": (channel("12345"), ADA),
}


@pytest.mark.parametrize("raw", events())
@pytest.mark.parametrize(("of", "to"), CHANNELS.values(), ids=CHANNELS)
def test_every_event_is_shown_in_requests_that_twilio_accepts(raw: bytes, of: Twilio, to: str) -> None:
    assert faults(of, calls_for(raw, of, to)) == []


@pytest.mark.parametrize(("of", "to"), CHANNELS.values(), ids=CHANNELS)
def test_every_content_is_shown_in_requests_that_twilio_accepts(of: Twilio, to: str) -> None:
    assert {
        name: found for name, each in corpus().items() if (found := faults(of, planned(each, of, to)))
    } == {}


@settings(deadline=None)  # the first example waits for the SDK's import
@given(contents, st.sampled_from(list(CHANNELS.values())))
def test_twilio_accepts_whatever_is_planned(content: Content, chosen: tuple[Twilio, str]) -> None:
    of, to = chosen
    assert faults(of, planned(content, of, to)) == []


@pytest.mark.parametrize(
    ("to", "body"),
    [
        (ADA, {"Body": "x" * 1601}),
        (ADA, {"Body": " "}),
        (ADA, {"Body": "x", "Colour": "red"}),
        (ADA, {"MediaUrl": [PNG] * 11}),
        (BEN, {"MediaUrl": [PNG] * 2}),
        (BEN, {"MediaUrl": [PNG], "Body": "x" * 1025}),
        (ADA, {"MediaUrl": ["file:///etc/passwd"]}),
        ("somebody", {"Body": "x"}),
        (ADA, {"Body": "x", "To": "whatsapp:+1555"}),
        (ADA, {"Body": "x", "MessagingServiceSid": SERVICE}),
    ],
)
def test_the_rules_tests_rely_on_can_fail(to: str, body: dict[str, Any]) -> None:
    assert problems(sms().request(Call(op="Messages", to=to, body=body)))


# ---- the request -------------------------------------------------------------------------------------------


def sent(of: Twilio, to: str) -> dict[str, Any]:
    return fields(of.request(Call(op="Messages", to=to, body={"Body": "Hi"})))


@pytest.mark.parametrize(
    ("sender", "to", "addresses"),
    [
        (NUMBER, ADA, {"To": ADA, "From": NUMBER}),
        (NUMBER, "306900000000", {"To": ADA, "From": NUMBER}),
        (NUMBER, BEN, {"To": BEN, "From": f"whatsapp:{NUMBER}"}),
        (f"whatsapp:{NUMBER}", ADA, {"To": f"whatsapp:{ADA}", "From": f"whatsapp:{NUMBER}"}),
        (f"whatsapp:{NUMBER}", BEN, {"To": BEN, "From": f"whatsapp:{NUMBER}"}),
        (SERVICE, ADA, {"To": ADA, "MessagingServiceSid": SERVICE}),
        (SERVICE, BEN, {"To": BEN, "MessagingServiceSid": SERVICE}),
        (f"whatsapp:{SERVICE}", ADA, {"To": f"whatsapp:{ADA}", "MessagingServiceSid": SERVICE}),
        ("My Shop", ADA, {"To": ADA, "From": "My Shop"}),
        ("12345678", ADA, {"To": ADA, "From": "12345678"}),
    ],
)
def test_both_addresses_are_of_one_form(sender: str, to: str, addresses: dict[str, str]) -> None:
    assert sent(channel(sender), to) == {**addresses, "Body": "Hi"}


@pytest.mark.parametrize("to", [ADA, BEN])
def test_the_form_of_the_recipient_says_whether_a_text_is_escaped(to: str) -> None:
    (call,) = sms().render(Text("*hi*"), to)
    assert (JOINER in call.body["Body"]) == (to == BEN)


def test_only_the_header_has_the_secret() -> None:
    of = channel(api_url="https://api.dublin.ie1.twilio.com/")
    request = of.request(Call(op="Messages", to=ADA, body={"Body": "λ & ="}))
    assert request.url == f"https://api.dublin.ie1.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert base64.b64decode(request.headers["authorization"][6:]).decode() == f"{ACCOUNT}:{TOKEN}"
    assert fields(request)["Body"] == "λ & ="
    assert TOKEN not in f"{request.url}{request.body!r}{vars(of)}"


def test_an_api_key_takes_the_tokens_place() -> None:
    of = channel(api_key="SK1", api_key_secret=Secret("k3y"))
    request = of.request(Call(op="Messages", to=ADA, body={"Body": "Hi"}))
    assert base64.b64decode(request.headers["authorization"][6:]) == b"SK1:k3y"
    assert f"/Accounts/{ACCOUNT}/" in request.url


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"account_sid": ""}, "account_sid: is no"),
        ({"account_sid": "AC/.."}, "account_sid: is no"),
        ({"sender": ""}, "sender: must be"),
        ({"sender": "whatsapp:"}, "sender: must be"),
        ({"sender": "+1\n2"}, "sender: must be"),
        ({"api_key": "SK1"}, "api_key: needs"),
        ({"api_key_secret": Secret("s")}, "api_key: needs"),
        ({"api_url": "api.twilio.com"}, "api_url: must be"),
    ],
)
def test_a_wrong_setting_is_named(changed: dict[str, Any], problem: str) -> None:
    right: dict[str, Any] = {"account_sid": ACCOUNT, "auth_token": Secret(TOKEN), "sender": NUMBER}
    with pytest.raises(ConfigError, match=f"^{problem}"):
        Twilio(TwilioSettings(**right | changed))


def test_it_can_be_looked_at_without_an_account() -> None:
    assert Image in placeholder("twilio").capabilities.shows


# ---- the answer --------------------------------------------------------------------------------------------


def refused(status: int, code: int, **headers: str) -> Reply:
    said = {"code": code, "message": "The 'To' number +306900000000 …", "more_info": "…", "status": status}
    return Reply(status=status, headers=headers, body=orjson.dumps(said))


def accepted(**rest: Any) -> Reply:
    return Reply(
        status=201, body=orjson.dumps({"sid": "SM1", "status": "queued", "error_code": None, **rest})
    )


def test_a_typing_sign_was_taken() -> None:
    assert whatsapp().check(Reply(status=200, body=b'{"success":true}')) is None


def test_a_yes_gives_the_messages_sid() -> None:
    assert sms().check(accepted()) == "SM1"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refused(400, 21610), Rejected),
        (refused(400, 21211), Rejected),
        (refused(400, 21614), Rejected),
        (refused(403, 21408), Rejected),
        (refused(400, 21617), Rejected),
        (refused(400, 63016), Rejected),
        (refused(400, 21910), Rejected),
        (refused(400, 99999), Rejected),
        (accepted(status="failed", error_code=30003), Rejected),
        (refused(400, 21612), ContentRefused),
        (refused(400, 21620), ContentRefused),
        (refused(400, 12300), ContentRefused),
        (refused(400, 63019), ContentRefused),
        (accepted(status="undelivered", error_code=63021), ContentRefused),
        (refused(401, 20003), Unauthorized),
        (refused(401, 70051), Unauthorized),
        (refused(404, 20404), Forbidden),
        *((refused(400, code), Forbidden) for code in (21606, 21659, 21703, 63007)),
        (refused(429, 20429), Unavailable),
        (refused(400, 14107), Unavailable),
        (refused(500, 20500), Unavailable),
        (refused(503, 21610), Unavailable),
        (accepted(status="failed", error_code=30001), Unavailable),
        (Reply(status=404, body=b'{"message":"no such page"}'), Unavailable),
        (Reply(status=201, body=b"{}"), Uncertain),
        *NOT_THE_PLATFORM,
    ],
    ids=named,
)
def test_a_no_says_what_to_do_next(reply: Reply, error: type[BridgeError]) -> None:
    found = refusal(sms(), reply)
    assert type(found) is error
    assert ADA not in str(found)


@pytest.mark.parametrize(
    ("reply", "retry_after", "scope"),
    [
        (refused(429, 20429), 1.0, "channel"),
        (refused(429, 20429, **{"retry-after": "7"}), 7.0, "channel"),
        (refused(400, 63038), 900.0, "channel"),
        (refused(400, 21611), 60.0, "channel"),
        (refused(400, 14107), None, "chat"),
        (refused(503, 20503, **{"retry-after": "60"}), 60.0, None),
        (Reply(status=429, headers={"retry-after": "3"}, body=b"slow down"), 3.0, None),
    ],
    ids=["too-many", "with-a-time", "for-this-day", "queue-full", "two-numbers", "header", "proxy"],
)
def test_who_has_to_wait_and_for_how_long(reply: Reply, retry_after: float | None, scope: str | None) -> None:
    assert waits(sms(), reply) == (retry_after, scope)
