"""Viber, the way back: what its callbacks say, as its own package reads them too, and how a bot is set up."""

from __future__ import annotations

import hashlib
import hmac
from functools import cache
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.channels import (
    Attachment,
    Click,
    Downloads,
    Failed,
    Inbound,
    Incoming,
    Reading,
    Reply,
    Seen,
    SetUp,
    TwoWay,
    User,
    UserMessage,
)
from bridge.channels.viber import Viber, ViberSettings
from bridge.content import Card, Option, Postback, Text
from bridge.errors import ContentRefused, Rejected, SendError, Unauthorized, Unavailable, Uncertain
from bridge.fetch import download
from bridge.secret import Secret
from bridge.sender import open_http
from tests.channels.talk import calls_of

TOKEN = "44dafb7e0f40021e-61a47a1e6778d187-f2c5a676a07050b3"
ADA = "01234567890A="
MESSAGE = 4912661846655238145
URL = "https://bridge.example/channels/viber"
MEDIA = "https://dl-media.viber.com/3/media/2/short/any/sig/image/0x0/d793/1e18.jpg?Expires=1670587915"


def channel(**more: Any) -> Viber:
    return Viber(ViberSettings(**{"token": Secret(TOKEN), "sender": "Bot", **more}))


# ---- what Viber sends --------------------------------------------------------------------------------------

SENDER = {
    "id": ADA,
    "name": "John McClane",
    "avatar": "https://media-direct.viber.com/download_photo",
    "country": "GR",
    "language": "el",
    "api_version": 10,
}


def callback(event: str, **more: Any) -> dict[str, Any]:
    """A callback; with a value of None, without it."""
    made = {"event": event, "timestamp": 1457764197627, "chat_hostname": "SN-376_", **more}
    return {name: value for name, value in made.items() if value is not None}


def said(kind: str, **content: Any) -> dict[str, Any]:
    message = {"type": kind, "tracking_data": "", **content}
    return callback("message", message_token=MESSAGE, sender=SENDER, message=message, silent=False)


def signature(raw: bytes, token: str = TOKEN) -> str:
    return hmac.new(token.encode(), raw, hashlib.sha256).hexdigest()


def posted(raw: bytes, signed: str | None = None) -> Inbound:
    headers = {} if signed is None else {"x-viber-content-signature": signed}
    return Inbound(method="POST", url=URL, headers=headers, body=raw)


def read(told: Any) -> Reading:
    return channel().read(posted(told if isinstance(told, bytes) else orjson.dumps(told)))


def only(told: Any) -> Incoming:
    [incoming] = read(told).incoming
    return incoming


def test_it_is_a_channel_with_all_of_a_way_back() -> None:
    for part in (TwoWay, Downloads, SetUp):
        assert isinstance(channel(), part)


# ---- the signature -----------------------------------------------------------------------------------------


@cache
def _api(token: str) -> Any:
    from viberbot import Api  # only here: it takes a while
    from viberbot.api.bot_configuration import BotConfiguration

    return Api(BotConfiguration(name="Bot", avatar="", auth_token=token))


@settings(deadline=None)  # the first example waits for the package's import
@given(
    st.binary(max_size=200),
    st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1),
)
def test_what_viber_signed_is_verified_as_its_package_does(raw: bytes, token: str) -> None:
    signed = signature(raw, token)
    assert _api(token).verify_signature(raw, signed)
    assert channel(token=Secret(token)).verify(posted(raw, signed))


def test_the_signature_that_vibers_package_is_tested_with() -> None:
    raw = b'{"event":"webhook","timestamp":4977069964384421269,"message_token":1478683725125}'
    signed = "d21b343448c8aee33b8e93768ef6ceb64a6ba6163099973a2b8bd028fea510ef"
    assert channel().verify(posted(raw, signed))
    assert read(raw) == Reading()


BODY = orjson.dumps(said("text", text="Hi"))


@pytest.mark.parametrize(
    "inbound",
    [
        pytest.param(posted(BODY), id="none"),
        pytest.param(posted(BODY, ""), id="empty"),
        pytest.param(posted(BODY, signature(BODY + b" ")), id="of-another-body"),
        pytest.param(posted(BODY, signature(BODY, "guess")), id="by-another-token"),
        pytest.param(posted(BODY, signature(BODY, "")), id="by-no-token"),
        pytest.param(posted(BODY, signature(BODY)[:-1]), id="cut"),
        pytest.param(posted(BODY, "caf\udce9"), id="of-bytes"),
        pytest.param(posted(BODY, "é" * 64), id="of-letters"),
    ],
)
def test_any_other_signature_is_refused(inbound: Inbound) -> None:
    assert not channel().verify(inbound)


# ---- messages ----------------------------------------------------------------------------------------------

MAP = "https://maps.google.com/?q=37.7898,-122.3942"
STICKER = "https://content.cdn.viber.com/stickers/40/133/00133611.png"

MESSAGES = [
    pytest.param(said("text", text="a message to the service"), "a message to the service", (), id="text"),
    pytest.param(said("text", text="/start"), "/start", (), id="command"),
    pytest.param(said("text", text="a\r\nb\x07 🇬🇷"), "a\nb 🇬🇷", (), id="controls"),
    pytest.param(said("text", text="~hi~"), "~hi~", (), id="no-token"),
    pytest.param(
        said("picture", media=MEDIA, thumbnail=MEDIA, text="Look"),
        "Look",
        (Attachment(type="image", source=MEDIA),),
        id="picture-with-a-caption",
    ),
    pytest.param(
        said("video", media=MEDIA, size=1, duration=3),
        "",
        (Attachment(type="video", source=MEDIA),),
        id="video",
    ),
    pytest.param(
        said("file", media=MEDIA, file_name="bill.pdf", file_size=10000),
        "",
        (Attachment(type="file", source=MEDIA, filename="bill.pdf"),),
        id="file",
    ),
    pytest.param(
        said("picture", media="https://x.example/a.jpg"),
        "",
        (Attachment(type="image", url="https://x.example/a.jpg"),),
        id="picture-elsewhere",
    ),
    pytest.param(
        said("sticker", sticker_id=133611, media=STICKER),
        "",
        (Attachment(type="image", source=STICKER),),
        id="sticker",
    ),
    pytest.param(said("sticker", sticker_id=40133), "[sticker]", (), id="sticker-without-a-file"),
    pytest.param(said("url", media="https://x.example/page"), "https://x.example/page", (), id="address"),
    pytest.param(said("location", location={"lat": 37.7898, "lon": -122.3942}), MAP, (), id="location"),
    pytest.param(
        said("contact", contact={"name": "Alex", "phone_number": "+12125551222"}),
        "Alex +12125551222",
        (),
        id="contact",
    ),
    pytest.param(said("contact", contact={"phone_number": "+1212"}), "+1212", (), id="contact-by-number"),
]


@pytest.mark.parametrize(("told", "text", "files"), MESSAGES)
def test_a_message_is_read(told: dict[str, Any], text: str, files: tuple[Attachment, ...]) -> None:
    assert only(told) == UserMessage(
        chat=ADA,
        id="4912661846655238145",
        text=text,
        attachments=files,
        user=User(id=ADA, name="John McClane", language="el"),
    )


def test_the_chat_is_an_address_that_can_be_written_to() -> None:
    (call,) = calls_of(channel(), only(said("text", text="Hi")).chat, Text("Hi"))
    assert orjson.loads(channel().request(call).body)["receiver"] == ADA


@pytest.mark.parametrize(
    ("token", "known"),
    [
        (b"9007199254740993", "9007199254740993"),
        (b"18446744073709551615", "18446744073709551615"),
        (b'"4912661846655238145"', "4912661846655238145"),
    ],
    ids=["over-a-double", "unsigned", "text"],
)
def test_no_digit_of_a_messages_token_is_lost(token: bytes, known: str) -> None:
    assert only(BODY.replace(b"4912661846655238145", token)).id == known


@pytest.mark.parametrize(
    ("sender", "user"),
    [
        ({"id": ADA}, User(id=ADA)),
        ({"id": ADA, "name": None, "language": None}, User(id=ADA)),
        ({"id": ADA, "name": "A\x07da"}, User(id=ADA, name="Ada")),
    ],
    ids=["id-alone", "nulls", "controls"],
)
def test_the_user_is_told_as_far_as_viber_does(sender: dict[str, Any], user: User) -> None:
    assert only({**said("text", text="Hi"), "sender": sender}).user == user


# ---- presses -----------------------------------------------------------------------------------------------


def typed_by(button: dict[str, Any]) -> dict[str, Any]:
    """What Viber says when somebody presses it."""
    return {**said("text", text=button["ActionBody"]), "silent": bool(button.get("Silent"))}


@pytest.mark.parametrize("value", ["buy_a", "1", "~abc", "v" * 400, "é" * 200], ids=lambda value: value[:8])
def test_a_press_on_a_cards_button_brings_back_what_it_was_given(value: str) -> None:
    (call,) = channel().render(Card("A", buttons=(Postback("Buy", value),)), ADA)
    click = only(typed_by(call.body["rich_media"]["Buttons"][-1]))
    assert isinstance(click, Click)
    assert call.keep.get(click.payload, click.payload) == value
    assert click.label == ("Buy" if call.keep else "")


def test_a_quick_reply_is_a_message_of_the_user_as_the_chat_shows_it() -> None:
    (call,) = channel().render(Text("Pick", (Option("Yes", "yes please"),)), ADA)
    message = only(typed_by(call.body["keyboard"]["Buttons"][0]))
    assert isinstance(message, UserMessage)
    assert message.text == "yes please"


@pytest.mark.parametrize("silent", [True, False, None], ids=["silent", "loud", "unsaid"])
def test_a_long_quick_reply_is_a_click(silent: bool | None) -> None:
    (call,) = channel().render(Text("Pick", (Option("Yes, please", "v" * 400),)), ADA)
    told = said("text", text=call.body["keyboard"]["Buttons"][0]["ActionBody"])
    click = only({**told, "silent": silent})
    assert click == Click(
        chat=ADA,
        id="4912661846655238145",
        payload=next(iter(call.keep)),
        label="Yes, please",
        user=User(id=ADA, name="John McClane", language="el"),
    )


# ---- what says nothing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(callback("webhook", message_token=241256543215), id="webhook"),
        pytest.param(callback("subscribed", user=SENDER), id="subscribed"),
        pytest.param(callback("unsubscribed", user_id=ADA), id="unsubscribed"),
        pytest.param(
            callback("conversation_started", type="open", context="x", user=SENDER, subscribed=False),
            id="conversation_started",
        ),
        pytest.param(callback("delivered", message_token=MESSAGE, user_id=ADA), id="delivered"),
        pytest.param(callback("client_status", user=SENDER), id="another-event"),
        pytest.param({**said("text", text="Hi"), "sender": None}, id="of-nobody"),
        pytest.param({**said("text", text="Hi"), "sender": {"id": ""}}, id="of-a-stranger"),
        pytest.param({**said("text", text="Hi"), "message": None}, id="no-message"),
        pytest.param(said("text", text=""), id="empty"),
        pytest.param(said("text", text=5), id="a-number-for-a-text"),
        pytest.param(said("picture", media="file:///etc/passwd"), id="no-address"),
        pytest.param(said("location", location={"lat": "north"}), id="a-place-that-is-none"),
        pytest.param(said("contact", contact={}), id="a-contact-without-anything"),
        pytest.param(said("hologram"), id="another-kind"),
        pytest.param([], id="list"),
        pytest.param(None, id="null"),
        pytest.param(5, id="number"),
    ],
)
def test_what_says_nothing_is_answered_and_left(told: Any) -> None:
    assert read(told) == Reading()


def test_what_the_user_has_seen_is_told() -> None:
    seen = (Seen(chat=ADA, id=f"{MESSAGE}:{ADA}:seen"),)
    assert read(callback("seen", message_token=MESSAGE, user_id=ADA)) == Reading(seen=seen)


@pytest.mark.parametrize(
    "raw", [b"", b"\xff", b'{"event":"mess', b"[" * 5000, b'{"message":' * 5000],
    ids=["empty", "bytes", "cut", "deep", "deep-inside"],
)  # fmt: skip
def test_what_is_no_callback_is_no_message(raw: bytes) -> None:
    assert read(raw) == Reading()


def test_half_a_pair_of_surrogates_costs_nothing() -> None:
    message = only(BODY.replace(b"Hi", b"a\\ud83d"))
    assert isinstance(message, UserMessage)
    assert message.text.startswith("a")
    assert message.id == "4912661846655238145"


# ---- what failed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("desc", "reason"),
    [
        ("failure description", "failure description"),
        (None, "Viber names no reason"),
        ("x" * 900, "x" * 200),
        ("a\x1b[31mb", "a[31mb"),
    ],
    ids=["described", "undescribed", "endless", "controls"],
)
def test_a_message_of_ours_that_failed_is_told(desc: str | None, reason: str) -> None:
    told = callback("failed", message_token=MESSAGE, user_id=ADA, desc=desc)
    assert read(told) == Reading(failed=(Failed(chat=ADA, reason=reason, message="4912661846655238145"),))


# ---- as Viber's package reads it ---------------------------------------------------------------------------


@pytest.mark.parametrize(("told", "text", "files"), MESSAGES)
def test_vibers_package_reads_the_same(
    told: dict[str, Any], text: str, files: tuple[Attachment, ...]
) -> None:
    raw = orjson.dumps(told)
    theirs = _api(TOKEN).parse_request(raw)
    ours = only(raw)
    assert isinstance(ours, UserMessage)
    assert (ours.chat, ours.user.name, ours.id) == (
        theirs.sender.id,
        theirs.sender.name,
        str(theirs.message_token),
    )
    for file in ours.attachments:
        assert getattr(theirs.message, "media", MEDIA) in (file.source, file.url, MEDIA)
        assert getattr(theirs.message, "file_name", "") == file.filename
    if location := getattr(theirs.message, "location", None):
        assert f"?q={location.latitude},{location.longitude}" in ours.text


def test_vibers_package_reads_the_same_of_a_failure() -> None:
    raw = orjson.dumps(callback("failed", message_token=MESSAGE, user_id=ADA, desc="no such picture"))
    theirs = _api(TOKEN).parse_request(raw)
    [ours] = read(raw).failed
    assert (ours.chat, ours.message, ours.reason) == (
        theirs.user_id,
        str(theirs.message_token),
        theirs.desc,
    )


# ---- users' files ------------------------------------------------------------------------------------------


def test_a_file_is_loaded_from_vibers_address_and_no_secret_goes_there() -> None:
    assert channel().locate(MEDIA) is None
    request = channel().download(MEDIA, None)
    assert (request.method, request.url, request.headers) == ("GET", MEDIA, {})


@pytest.mark.parametrize(
    "source",
    [
        "https://viber.com.evil.example/a.jpg",
        "https://evilviber.com/a.jpg",
        "http://dl-media.viber.com/a.jpg",
        "https://dl-media.viber.com@evil.example/a.jpg",
        "https://dl-media.viber.com:1@evil.example/a.jpg",
        "http://169.254.169.254/latest/meta-data",
        "",
    ],
)
def test_an_address_that_is_not_vibers_is_not_gone_to(source: str) -> None:
    with pytest.raises(Rejected):
        channel().download(source, None)
    told = said("picture", media=source)
    assert all(not file.source for each in read(told).incoming for file in each.attachments)  # type: ignore[union-attr]


async def test_a_users_picture_comes_from_a_server() -> None:
    async def media(request: web.Request) -> web.Response:
        assert "x-viber-auth-token" not in request.headers
        return web.Response(body=b"picture", content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/a.jpg", media)
    async with TestServer(app) as server, open_http() as http:
        viber = channel(api_url=str(server.make_url("/")))
        told = orjson.dumps(said("picture", media=str(server.make_url("/a.jpg"))))
        [message] = viber.read(posted(told)).incoming
        assert isinstance(message, UserMessage)
        file = await download(http, viber.download(message.attachments[0].source, None), 100)
    assert (file.name, file.body, file.mime_type) == ("a.jpg", b"picture", "image/jpeg")


# ---- setting up --------------------------------------------------------------------------------------------


def answered(status: int, **content: Any) -> Reply:
    return Reply(status=200, body=orjson.dumps({"status": status, "status_message": "…", **content}))


def test_the_bot_is_asked_for_its_name() -> None:
    request = channel().identify()
    assert request.url == "https://chatapi.viber.com/pa/get_account_info"
    assert (request.headers["x-viber-auth-token"], request.body) == (TOKEN, b"{}")
    assert channel().identified(answered(0, id="pa:75", name="Shop", uri="shop")) == "Shop"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answered(2), Unauthorized),
        (answered(0), Unavailable),
        (answered(0, name=""), Unavailable),
        (Reply(status=503), Unavailable),
        (Reply(status=200, body=b"<html>"), Uncertain),
    ],
    ids=["token", "nameless", "empty", "away", "a-page"],
)
def test_a_bot_that_has_no_name(reply: Reply, error: type[SendError]) -> None:
    with pytest.raises(error):
        channel().identified(reply)


def test_the_webhook_is_registered_for_what_is_read() -> None:
    [request] = channel().connect(URL)
    assert request.url == "https://chatapi.viber.com/pa/set_webhook"
    assert request.headers["x-viber-auth-token"] == TOKEN
    assert orjson.loads(request.body) == {
        "url": URL,
        "event_types": ["message", "failed", "seen"],
        "send_name": True,
        "send_photo": False,
    }
    assert channel().check(answered(0, event_types=["message", "failed", "seen"])) is None
    assert channel().steps(URL) == ""


def test_a_webhook_that_viber_does_not_reach_is_refused() -> None:
    with pytest.raises(ContentRefused, match="status 1"):
        channel().check(answered(1))
