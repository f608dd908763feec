"""LINE, the way back: what its webhooks say, as its own SDK reads them too, and how an account is set up."""

from __future__ import annotations

import base64
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
    Inbound,
    Incoming,
    Reading,
    Reply,
    SetUp,
    TwoWay,
    User,
    UserMessage,
)
from bridge.channels.line import Line, LineSettings
from bridge.content import Card, Option, Postback, Receipt, Text
from bridge.errors import ConfigError, Rejected, SendError, Unauthorized, Unavailable
from bridge.fetch import download
from bridge.secret import Secret
from bridge.sender import Sender, open_http
from tests.channels.talk import calls_of

TOKEN = "channel-access-token/+="
SECRET = "0123456789abcdef0123456789abcdef"
ADA = "U" + "a" * 32
GROUP = "C" + "b" * 32
ROOM = "R" + "c" * 32
EVENT = "01FZ74A0TDDPYRVKNK77XKC3ZR"
URL = "https://bridge.example/channels/line"


def channel(**more: Any) -> Line:
    return Line(LineSettings(**{"token": Secret(TOKEN), "channel_secret": Secret(SECRET), **more}))


# ---- what LINE sends ---------------------------------------------------------------------------------------


def event(kind: str = "message", **more: Any) -> dict[str, Any]:
    """An event; with a value of None, without it."""
    made = {
        "type": kind,
        "mode": "active",
        "timestamp": 1462629479859,
        "source": {"type": "user", "userId": ADA},
        "webhookEventId": EVENT,
        "deliveryContext": {"isRedelivery": False},
        "replyToken": "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA",
        **more,
    }
    return {name: value for name, value in made.items() if value is not None}


def said(kind: str, **content: Any) -> dict[str, Any]:
    token = {"quoteToken": "q3Plxr4AgKd", "markAsReadToken": "30yhdy232"}
    return event(message={"id": "444573844083572737", "type": kind, **token, **content})


def pressed(data: str, **more: Any) -> dict[str, Any]:
    return event("postback", postback={"data": data}, **more)


def body(*events: Any) -> bytes:
    return orjson.dumps({"destination": "U" + "d" * 32, "events": list(events)})


def signature(raw: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()


def posted(raw: bytes, signed: str | None = None) -> Inbound:
    headers = {} if signed is None else {"x-line-signature": signed}
    return Inbound(method="POST", url=URL, headers=headers, body=raw)


def read(raw: bytes) -> Reading:
    return channel().read(posted(raw))


def only(raw: bytes) -> Incoming:
    [incoming] = read(raw).incoming
    return incoming


def test_it_is_a_channel_with_all_of_a_way_back() -> None:
    for part in (TwoWay, Downloads, SetUp):
        assert isinstance(channel(), part)


# ---- the signature -----------------------------------------------------------------------------------------


@cache
def _parser(secret: str) -> Any:
    from linebot.v3 import WebhookParser  # only here: it takes a second

    return WebhookParser(secret)


@settings(deadline=None)  # the first example waits for the SDK's import
@given(
    st.text(st.characters(codec="utf-8"), max_size=200),
    st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1),
)
def test_what_line_signed_is_verified_as_its_sdk_does(words: str, secret: str) -> None:
    signed = signature(words.encode(), secret)
    assert _parser(secret).signature_validator.validate(words, signed)
    assert channel(channel_secret=Secret(secret)).verify(posted(words.encode(), signed))


BODY = body(said("text", text="Hi"))


@pytest.mark.parametrize(
    "inbound",
    [
        pytest.param(posted(BODY), id="none"),
        pytest.param(posted(BODY, ""), id="empty"),
        pytest.param(posted(BODY, signature(BODY + b" ")), id="of-another-body"),
        pytest.param(posted(BODY, signature(BODY, "guess")), id="by-another-secret"),
        pytest.param(posted(BODY, signature(BODY).rstrip("=")), id="cut"),
        pytest.param(posted(BODY, hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()), id="in-hex"),
        pytest.param(posted(BODY, "caf\udce9"), id="of-bytes"),
        pytest.param(posted(BODY, "é" * 44), id="of-letters"),
    ],
)
def test_any_other_signature_is_refused(inbound: Inbound) -> None:
    assert not channel().verify(inbound)


@pytest.mark.parametrize("secret", [None, Secret("")], ids=["unset", "empty"])
def test_without_a_secret_nothing_is_taken(secret: Secret | None) -> None:
    if secret is not None:
        with pytest.raises(ConfigError, match=r"^channel_secret: "):
            channel(channel_secret=secret)
        return
    assert not channel(channel_secret=secret).verify(posted(BODY, signature(BODY, "")))


def test_no_error_and_no_repr_shows_the_secret() -> None:
    with pytest.raises(ConfigError) as caught:
        channel(channel_secret=Secret("two words"))
    assert "words" not in str(caught.value)
    assert SECRET not in repr(vars(channel()))


# ---- messages ----------------------------------------------------------------------------------------------

LINES = {"contentProvider": {"type": "line"}}
PICTURE = "https://x.example/original.jpg"
ELSEWHERE = {
    "contentProvider": {
        "type": "external",
        "originalContentUrl": PICTURE,
        "previewImageUrl": "https://x.example/small.jpg",
    }
}
STICKER = {"packageId": "446", "stickerId": "1988", "stickerResourceType": "STATIC"}
PLACE = {"latitude": 35.687574, "longitude": 139.72922}
MAP = "https://maps.google.com/?q=35.687574,139.72922"

MESSAGES = [
    pytest.param(said("text", text="Hello, world!"), "Hello, world!", (), id="text"),
    pytest.param(said("text", text="/start"), "/start", (), id="command"),
    pytest.param(said("text", text=" a\r\nb\x07 🇬🇷 "), " a\nb 🇬🇷 ", (), id="controls"),
    pytest.param(
        said(
            "text",
            text="Good Morning!! (love)",
            emojis=[{"index": 15, "length": 6, "productId": "5ac1b", "emojiId": "001"}],
        ),
        "Good Morning!! (love)",
        (),
        id="emoji",
    ),
    pytest.param(
        said("image", **LINES), "", (Attachment(type="image", source="image/444573844083572737"),), id="image"
    ),
    pytest.param(
        said("image", **ELSEWHERE), "", (Attachment(type="image", url=PICTURE),), id="image-from-elsewhere"
    ),
    pytest.param(
        said("video", duration=60000, **LINES),
        "",
        (Attachment(type="video", source="video/444573844083572737"),),
        id="video",
    ),
    pytest.param(
        said("audio", duration=60000, **LINES),
        "",
        (Attachment(type="audio", source="audio/444573844083572737"),),
        id="audio",
    ),
    pytest.param(
        said("file", fileName="bill.pdf", fileSize=2138),
        "",
        (Attachment(type="file", source="file/444573844083572737", filename="bill.pdf"),),
        id="file",
    ),
    pytest.param(said("location", **PLACE), MAP, (), id="location"),
    pytest.param(
        said("location", title="my location", address="Tokyo, Yotsuya 1-6-1", **PLACE),
        f"my location\nTokyo, Yotsuya 1-6-1\n{MAP}",
        (),
        id="a-place-with-a-name",
    ),
    pytest.param(said("sticker", **STICKER), "[sticker]", (), id="sticker"),
    pytest.param(
        said("sticker", keywords=["cony", "sally", "hi", "wave"], **STICKER),
        "[sticker: cony, sally, hi]",
        (),
        id="sticker-with-keywords",
    ),
    pytest.param(
        said("sticker", text="Let's\nhang out!", keywords=["hi"], **STICKER),
        "Let's\nhang out!",
        (),
        id="sticker-with-words",
    ),
]


@pytest.mark.parametrize(("told", "text", "files"), MESSAGES)
def test_a_message_is_read(told: dict[str, Any], text: str, files: tuple[Attachment, ...]) -> None:
    assert only(body(told)) == UserMessage(
        chat=ADA, id=EVENT, text=text, attachments=files, user=User(id=ADA), memo={"read": "30yhdy232"}
    )


def mentions(*who: dict[str, Any]) -> dict[str, Any]:
    return {"mention": {"mentionees": list(who)}}


BOT = {"type": "user", "userId": "U" + "d" * 32, "isSelf": True}
ALL = {"type": "all"}


@pytest.mark.parametrize(
    ("text", "mention", "words"),
    [
        ("@Shop 1", [{**BOT, "index": 0, "length": 5}], "1"),
        ("👋🏽 @Shop hi", [{**BOT, "index": 5, "length": 5}], "👋🏽  hi"),
        ("@All @Shop hi", [{**ALL, "index": 0, "length": 4}, {**BOT, "index": 5, "length": 5}], "@All  hi"),
        ("@Eve hi", [{"type": "user", "index": 0, "length": 4, "isSelf": False}], "@Eve hi"),
        ("@Shop", [{**BOT, "index": 0, "length": 5}], "@Shop"),
        ("Shop hi", [{**BOT, "index": 0, "length": 4}], "Shop hi"),
        ("@Shop hi", [{**BOT, "index": 0, "length": 99}], "@Shop hi"),
        ("@Shop hi", [{**BOT, "index": -3, "length": 2}], "@Shop hi"),
    ],
    ids=["before", "after-emoji", "with-all", "another", "alone", "elsewhere", "too-long", "negative"],
)
def test_a_mention_of_the_account_itself_only_says_whom_it_is_for(
    text: str, mention: list[dict[str, Any]], words: str
) -> None:
    message = only(body(said("text", text=text, **mentions(*mention))))
    assert isinstance(message, UserMessage)
    assert message.text == words


@pytest.mark.parametrize(
    ("source", "chat", "user"),
    [
        ({"type": "user", "userId": ADA}, ADA, ADA),
        ({"type": "group", "groupId": GROUP, "userId": ADA}, GROUP, ADA),
        ({"type": "group", "groupId": GROUP}, GROUP, ""),
        ({"type": "room", "roomId": ROOM, "userId": ADA}, ROOM, ADA),
    ],
    ids=["user", "group", "group-of-strangers", "room"],
)
def test_the_chat_is_an_address_that_can_be_written_to(source: dict[str, str], chat: str, user: str) -> None:
    message = only(body({**said("text", text="Hi"), "source": source}))
    assert (message.chat, message.user) == (chat, User(id=user))
    (call,) = calls_of(channel(), message.chat, Text("Hi"))
    assert orjson.loads(channel().request(call).body)["to"] == chat


def test_a_message_is_marked_as_read_by_the_token_it_brought() -> None:
    message = only(body(said("text", text="Hi")))
    (call,) = channel().render(Receipt("read"), message.chat)
    assert set(call.recall) == set(message.memo)


# ---- presses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["buy_a", "~abc", "a ~b", "v" * 400, "é" * 200], ids=lambda value: value[:8]
)
def test_a_press_brings_back_what_the_button_was_given(value: str) -> None:
    (call,) = channel().render(Text("Pick", (Option("Yes, please", value),)), ADA)
    [item] = call.body["messages"][0]["quickReply"]["items"]
    click = only(body(pressed(item["action"]["data"], replyToken=None)))
    assert isinstance(click, Click)
    assert (click.chat, click.id, click.user, click.memo) == (ADA, EVENT, User(id=ADA), {})
    assert call.keep.get(click.payload, click.payload) == value
    assert click.label == ("Yes, please" if call.keep else "")


def test_a_tap_on_a_card_has_no_label() -> None:
    (call,) = channel().render(Card("A", default_action=Postback("Tap", "v" * 400)), ADA)
    click = only(body(pressed(call.body["messages"][0]["contents"]["action"]["data"])))
    assert isinstance(click, Click)
    assert (list(call.keep), click.label) == ([click.payload], "")


# ---- what says nothing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(event("follow", follow={"isUnblocked": False}), id="follow"),
        pytest.param(event("unfollow"), id="unfollow"),
        pytest.param(event("join", source={"type": "group", "groupId": GROUP}), id="join"),
        pytest.param(event("memberJoined", joined={"members": []}), id="member"),
        pytest.param(event("unsend", unsend={"messageId": "1"}), id="unsend"),
        pytest.param(event("messageEdited", message={"id": "1", "type": "text", "text": "Ho"}), id="edit"),
        pytest.param(event("beacon", beacon={"hwid": "d41d8cd98f", "type": "enter"}), id="beacon"),
        pytest.param(event("accountLink", link={"result": "ok", "nonce": "n"}), id="account-link"),
        pytest.param({**said("text", text="Hi"), "mode": "standby"}, id="standby"),
        pytest.param({**pressed("buy"), "mode": "standby"}, id="standby-press"),
        pytest.param(pressed(""), id="press-on-nothing"),
        pytest.param({**said("text", text="Hi"), "source": None}, id="of-nobody"),
        pytest.param({**said("text", text="Hi"), "source": {"type": "user"}}, id="of-a-stranger"),
        pytest.param({**said("text", text="Hi"), "source": {"type": "space", "userId": ADA}}, id="elsewhere"),
        pytest.param(said("text", text=""), id="empty"),
        pytest.param(said("text", text=5), id="a-number-for-a-text"),
        pytest.param(said("hologram"), id="another-kind"),
        pytest.param(said("image", contentProvider={"type": "cloud"}), id="a-file-of-another"),
        pytest.param(event(message={"id": "../../x", "type": "image", **LINES}), id="a-path-for-an-id"),
        pytest.param(said("location", latitude="north", longitude=1), id="a-place-that-is-none"),
        pytest.param(event(message=None), id="no-message"),
        pytest.param(5, id="number"),
        pytest.param(None, id="null"),
    ],
)
def test_what_says_nothing_is_no_message_and_costs_no_other(told: Any) -> None:
    assert read(body(told)) == Reading()
    assert [each.id for each in read(body(told, said("text", text="Hi"), told)).incoming] == [EVENT]


def test_line_tries_the_address_with_no_events() -> None:
    raw = body()
    assert channel().verify(posted(raw, signature(raw)))
    assert read(raw) == Reading()


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff", b"null", b"[]", b'{"events":5}', b'{"events":[', b"[" * 5000, b'{"events":' + b"[" * 5000],
    ids=["empty", "bytes", "null", "list", "number", "cut", "deep", "deep-inside"],
)
def test_what_is_no_webhook_is_no_message(raw: bytes) -> None:
    assert read(raw) == Reading()


def test_half_a_pair_of_surrogates_costs_nothing() -> None:
    raw = body(said("text", text="HALF")).replace(b"HALF", b"a\\ud83d")
    message = only(raw)
    assert isinstance(message, UserMessage)
    assert message.text.startswith("a")
    assert message.text.encode()


def test_a_redelivered_event_is_known_by_its_id() -> None:
    again = {**said("text", text="Hi"), "deliveryContext": {"isRedelivery": True}}
    assert only(body(again)) == only(body(said("text", text="Hi")))


# ---- as LINE's SDK reads it --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "text", "files"), [*MESSAGES, pytest.param(pressed("buy"), "buy", (), id="postback")]
)
def test_the_sdk_reads_the_same(told: dict[str, Any], text: str, files: tuple[Attachment, ...]) -> None:
    raw = body(told)
    [theirs] = _parser(SECRET).parse(raw.decode(), signature(raw))
    ours = only(raw)
    assert (ours.chat, ours.id) == (theirs.source.user_id, theirs.webhook_event_id)
    if isinstance(ours, Click):
        assert ours.payload == theirs.postback.data
        return
    assert ours.memo["read"] == theirs.message.mark_as_read_token
    for file in ours.attachments:
        assert file.type == theirs.message.type
        assert file.source.rpartition("/")[2] in (theirs.message.id, "")
    if theirs.message.type == "location":
        assert f"q={theirs.message.latitude},{theirs.message.longitude}" in ours.text


# ---- users' files ------------------------------------------------------------------------------------------


def answered(status: int, content: Any) -> Reply:
    return Reply(status=status, body=orjson.dumps(content))


@pytest.mark.parametrize(
    ("api_url", "there"),
    [("https://api.line.me/", "https://api-data.line.me"), ("https://line.example", "https://line.example")],
    ids=["line", "another-address"],
)
def test_a_picture_is_loaded_with_the_token(api_url: str, there: str) -> None:
    line = channel(api_url=api_url)
    assert line.locate("image/4445") is None
    request = line.download("image/4445", None)
    assert (request.method, request.url) == ("GET", f"{there}/v2/bot/message/4445/content")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("source", ["video/4445", "audio/4445"])
def test_a_film_or_a_sound_is_asked_for_when_it_is_ready(source: str) -> None:
    asked = channel().locate(source)
    assert asked
    assert asked.url == "https://api-data.line.me/v2/bot/message/4445/content/transcoding"
    loaded = channel().download(source, answered(200, {"status": "succeeded"}))
    assert loaded.url == "https://api-data.line.me/v2/bot/message/4445/content"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answered(200, {"status": "processing"}), Unavailable),
        (answered(200, {"status": "failed"}), Rejected),
        (answered(200, {"status": "?"}), Unavailable),
        (answered(200, {}), Unavailable),
        (answered(404, {"message": "Not found"}), Rejected),
        (answered(401, {"message": "Authentication failed"}), Unauthorized),
        (answered(500, {"message": "The server has an error"}), Unavailable),
        (Reply(status=502, body=b"<html>"), Unavailable),
        (Reply(status=200, body=b"<html>"), Unavailable),
    ],
    ids=["processing", "failed", "unknown", "empty", "gone", "token", "down", "gateway", "a-page"],
)
def test_a_film_that_is_not_ready(reply: Reply, error: type[SendError]) -> None:
    with pytest.raises(error) as caught:
        channel().download("video/4445", reply)
    assert type(caught.value) in (error, *error.__subclasses__())


@pytest.mark.parametrize("source", ["", "image/", "image/../info", "image/1?x", "//evil.example/1"])
def test_a_source_that_is_none_is_loaded_from_nowhere(source: str) -> None:
    with pytest.raises(Rejected):
        channel().download(source, None)


async def test_a_users_film_comes_from_a_server_when_it_is_ready() -> None:
    waiting = ["processing", "succeeded"]

    async def preparation(request: web.Request) -> web.Response:
        return web.json_response({"status": waiting.pop(0)})

    async def content(request: web.Request) -> web.Response:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        return web.Response(body=b"film", content_type="video/mp4")

    app = web.Application()
    app.router.add_get("/v2/bot/message/4445/content/transcoding", preparation)
    app.router.add_get("/v2/bot/message/4445/content", content)
    async with TestServer(app) as server, open_http() as http:
        line, send = channel(api_url=str(server.make_url("/"))), Sender(http).send
        asked = line.locate("video/4445")
        assert asked
        with pytest.raises(Unavailable):
            line.download("video/4445", await send(asked))
        file = await download(http, line.download("video/4445", await send(asked)), 100)
    assert (file.body, file.mime_type) == (b"film", "video/mp4")


# ---- setting up --------------------------------------------------------------------------------------------

INFO = {
    "userId": "U" + "d" * 32,
    "basicId": "@216ru",
    "displayName": "Shop",
    "chatMode": "chat",
    "markAsReadMode": "manual",
}


def test_the_account_is_asked_for_its_name() -> None:
    request = channel().identify()
    assert (request.method, request.url) == ("GET", "https://api.line.me/v2/bot/info")
    assert channel().identified(answered(200, INFO)) == "Shop (@216ru)"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answered(401, {"message": "Authentication failed"}), Unauthorized),
        (answered(200, {}), Unavailable),
        (answered(500, {"message": "?"}), Unavailable),
        (Reply(status=503), Unavailable),
    ],
    ids=["token", "nameless", "down", "away"],
)
def test_an_account_that_has_no_name(reply: Reply, error: type[SendError]) -> None:
    with pytest.raises(error):
        channel().identified(reply)


def test_the_webhook_is_registered_and_the_rest_is_done_by_hand() -> None:
    [request] = channel().connect(URL)
    assert (request.method, request.url) == ("PUT", "https://api.line.me/v2/bot/channel/webhook/endpoint")
    assert orjson.loads(request.body) == {"endpoint": URL}
    assert request.headers["content-type"] == "application/json"
    assert channel().check(Reply(status=200, body=b"{}")) is None
    assert URL in channel().steps(URL)
    assert "channel_secret" not in channel().steps(URL)


def test_without_a_secret_nothing_is_registered_and_the_steps_say_why() -> None:
    line = channel(channel_secret=None)
    assert line.connect(URL) == ()
    assert line.steps(URL).startswith("Set channel_secret")
