"""Twilio, the way back: what its webhooks say, signed by its own SDK, and how a sender is set up."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any
from urllib.parse import urlencode

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
    SetUp,
    TwoWay,
    User,
    UserMessage,
)
from bridge.channels.twilio import Twilio, TwilioSettings
from bridge.content import Text, Typing
from bridge.errors import ConfigError, Rejected, SendError, Unauthorized, Unavailable
from bridge.fetch import download
from bridge.secret import Secret
from bridge.sender import open_http
from tests.channels.talk import calls_of
from tests.channels.twilio_rules import fields

ACCOUNT = "AC" + "0" * 32
SERVICE = "MG" + "1" * 32
SID = "SM" + "2" * 32
MEDIA = f"Messages/MM{'3' * 32}/Media/ME{'4' * 32}"
TOKEN = "t0ken"
NUMBER = "+15550001111"
ADA = "+306900000000"
BEN = "whatsapp:+306900000001"
URL = "https://bridge.example/channels/texts"
AT_TWILIO = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}"


def channel(sender: str = NUMBER, **more: Any) -> Twilio:
    made = {"account_sid": ACCOUNT, "auth_token": Secret(TOKEN), "sender": sender, **more}
    return Twilio(TwilioSettings(**made))


# ---- what Twilio sends -------------------------------------------------------------------------------------


def form(**more: str) -> dict[str, str]:
    """A message; with a value of "-", without it."""
    made = {
        "ToCountry": "US",
        "SmsMessageSid": SID,
        "NumMedia": "0",
        "SmsSid": SID,
        "SmsStatus": "received",
        "Body": "Hi",
        "To": NUMBER,
        "NumSegments": "1",
        "MessageSid": SID,
        "AccountSid": ACCOUNT,
        "From": ADA,
        "ApiVersion": "2010-04-01",
        **more,
    }
    return {name: value for name, value in made.items() if value != "-"}


def by_whatsapp(**more: str) -> dict[str, str]:
    return form(From=BEN, To=f"whatsapp:{NUMBER}", ProfileName="Ben", WaId="306900000001", **more)


@cache
def _validator(token: str) -> Any:
    from twilio.request_validator import RequestValidator  # only here: it takes a while

    return RequestValidator(token)


def posted(told: dict[str, str], url: str = URL, signed_url: str | None = None, **more: Any) -> Inbound:
    """The form as Twilio posts it, signed by its SDK for `signed_url`."""
    signed = _validator(TOKEN).compute_signature(signed_url or url, told)
    made: dict[str, Any] = {"headers": {"x-twilio-signature": signed}, "body": urlencode(told).encode()}
    return Inbound(method="POST", url=url, **{**made, **more})


def read(told: dict[str, str]) -> Reading:
    return channel().read(posted(told))


def only(told: dict[str, str]) -> Incoming:
    [incoming] = read(told).incoming
    return incoming


def test_it_is_a_channel_with_all_of_a_way_back() -> None:
    for part in (TwoWay, Downloads, SetUp):
        assert isinstance(channel(), part)


# ---- the signature -----------------------------------------------------------------------------------------

words = st.text(st.characters(codec="utf-8"), max_size=30)


@settings(deadline=None)  # the first example waits for the SDK's import
@given(st.dictionaries(words, words, max_size=8), st.sampled_from([URL, f"{URL}?a=1&b=%20"]))
def test_what_twilio_signed_is_verified_as_its_sdk_does(told: dict[str, str], url: str) -> None:
    inbound = posted(told, url)
    assert _validator(TOKEN).validate(url, told, inbound.headers["x-twilio-signature"])
    assert channel().verify(inbound)


def test_the_answer_that_twilios_page_gives_for_an_example() -> None:
    told = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    inbound = Inbound(
        method="POST",
        url="https://mycompany.com/myapp.php?foo=1&bar=2",
        headers={"x-twilio-signature": "GvWf1cFY/Q7PnoempGyD5oXAezc="},
        body=urlencode(told).encode(),
    )
    assert channel(auth_token=Secret("12345")).verify(inbound)


def test_a_field_that_is_there_twice_counts_as_the_sdk_counts_it() -> None:
    from multidict import MultiDict

    told = MultiDict([("a", "2"), ("a", "1"), ("a", "2"), ("b", "")])
    signed = _validator(TOKEN).compute_signature(URL, told)
    inbound = posted({}, headers={"x-twilio-signature": signed}, body=b"a=2&a=1&a=2&b=")
    assert channel().verify(inbound)


@pytest.mark.parametrize(
    ("seen", "signed"),
    [
        (URL, URL),
        (URL, "https://bridge.example:443/channels/texts"),
        ("https://bridge.example:443/channels/texts", URL),
        ("https://bridge.example:8443/channels/texts", "https://bridge.example:8443/channels/texts"),
        ("https://bridge.example:8443/channels/texts", URL),
        ("http://bridge.example/channels/texts", URL),
        ("http://bridge.example/channels/texts", "https://bridge.example:443/channels/texts"),
        ("http://bridge.example/channels/texts", "http://bridge.example/channels/texts"),
        ("http://bridge.example/channels/texts", "http://bridge.example:80/channels/texts"),
        ("http://[::1]:8080/channels/texts?x=1", "http://[::1]:8080/channels/texts?x=1"),
    ],
    ids=lambda value: value.removesuffix("/channels/texts"),
)
def test_the_address_counts_with_and_without_its_port_and_behind_tls(seen: str, signed: str) -> None:
    assert channel().verify(posted(form(), seen, signed))


@pytest.mark.parametrize(
    ("seen", "signed"),
    [
        (URL, "http://bridge.example/channels/texts"),
        (URL, "https://other.example/channels/texts"),
        (URL, "https://bridge.example/channels/other"),
        (URL, f"{URL}?x=1"),
        ("https://bridge.example:8443/channels/texts", "https://bridge.example:443/channels/texts"),
    ],
)
def test_what_was_signed_for_another_address_is_refused(seen: str, signed: str) -> None:
    assert not channel().verify(posted(form(), seen, signed))


@pytest.mark.parametrize("seen", ["http://10.0.0.7:8080/in/texts", "nonsense", ""])
def test_the_setting_names_the_address_where_the_ingress_sees_another(seen: str) -> None:
    assert channel(webhook_url=URL).verify(posted(form(), seen, URL))
    assert not channel().verify(posted(form(), seen, URL))
    assert not channel(webhook_url=URL).verify(posted(form(), seen, "https://other.example/channels/texts"))


@pytest.mark.parametrize(
    "inbound",
    [
        pytest.param(posted(form(), headers={}), id="none"),
        pytest.param(posted(form(), headers={"x-twilio-signature": ""}), id="empty"),
        pytest.param(posted(form(), headers={"x-twilio-signature": "caf\udce9"}), id="of-bytes"),
        pytest.param(posted(form(), headers={"x-twilio-signature": "é" * 28}), id="of-letters"),
        pytest.param(posted(form(), body=urlencode(form(Body="Ho")).encode()), id="of-another-text"),
        pytest.param(posted(form(), body=urlencode(form(Extra="1")).encode()), id="with-one-more-field"),
        pytest.param(posted(form(), body=b""), id="without-its-fields"),
        pytest.param(posted(form(), body=b"&".join([b"a=1"] * 5000)), id="with-too-many-fields"),
        pytest.param(posted({}, body=b"\xff=\xfe"), id="of-other-bytes"),
        pytest.param(posted(form(), url="https://[::1", signed_url=URL), id="at-no-address"),
    ],
)
def test_any_other_signature_is_refused(inbound: Inbound) -> None:
    assert not channel().verify(inbound)


def test_an_empty_token_verifies_nothing() -> None:
    signed = _validator("").compute_signature(URL, form())
    inbound = posted(form(), headers={"x-twilio-signature": signed})
    assert not channel(auth_token=Secret("")).verify(inbound)


def test_another_method_is_refused_though_it_is_signed() -> None:
    signed = _validator(TOKEN).compute_signature(f"{URL}?{urlencode(form())}", {})
    inbound = Inbound(method="GET", url=f"{URL}?{urlencode(form())}", headers={"x-twilio-signature": signed})
    assert not channel().verify(inbound)


# ---- messages ----------------------------------------------------------------------------------------------

MAP = "https://maps.google.com/?q=37.78789,-122.391664"
PLACE = {"Latitude": "37.787890", "Longitude": "-122.391664"}


def media(*kinds: str) -> dict[str, str]:
    told = {"NumMedia": str(len(kinds))}
    for number, kind in enumerate(kinds):
        told |= {f"MediaContentType{number}": kind, f"MediaUrl{number}": f"{AT_TWILIO}/{MEDIA}"}
    return told


def attached(kind: Any, mime_type: str) -> Attachment:
    return Attachment(type=kind, source=MEDIA, mime_type=mime_type)


@pytest.mark.parametrize(
    ("told", "text", "files"),
    [
        pytest.param({"Body": "Hello! 👋 &+="}, "Hello! 👋 &+=", (), id="text"),
        pytest.param({"Body": "/start"}, "/start", (), id="command"),
        pytest.param({"Body": "a\r\nb\x07"}, "a\nb", (), id="controls"),
        pytest.param({"Body": "STOP", "OptOutType": "STOP"}, "STOP", (), id="stop"),
        pytest.param(
            {"Body": "Look", **media("image/jpeg")}, "Look", (attached("image", "image/jpeg"),), id="picture"
        ),
        pytest.param({"Body": "", **media("video/mp4")}, "", (attached("video", "video/mp4"),), id="film"),
        pytest.param({"Body": "", **media("audio/ogg")}, "", (attached("audio", "audio/ogg"),), id="voice"),
        pytest.param(
            {"Body": "bill.pdf", **media("application/pdf")},
            "bill.pdf",
            (attached("file", "application/pdf"),),
            id="file",
        ),
        pytest.param(
            {"Body": "", **media("text/vcard")}, "", (attached("file", "text/vcard"),), id="contact"
        ),
        pytest.param(
            {"Body": "", **media("image/webp")}, "", (attached("image", "image/webp"),), id="sticker"
        ),
        pytest.param(
            {"Body": "", **media("image/png", "text/x; charset=x")},
            "",
            (attached("image", "image/png"), attached("file", "text/x")),
            id="several",
        ),
        pytest.param(
            {"Body": "", "MediaUrl0": "https://x.example/a.png", "MediaContentType0": "image/png"},
            "",
            (Attachment(type="image", url="https://x.example/a.png", mime_type="image/png"),),
            id="picture-elsewhere",
        ),
        pytest.param({"Body": "", **PLACE}, MAP, (), id="place"),
        pytest.param(
            {"Body": "Twilio", "Label": "Twilio", "Address": "375 Beale St", **PLACE},
            f"Twilio\n375 Beale St\n{MAP}",
            (),
            id="place-with-a-name",
        ),
        pytest.param({"Body": "Hi", "Latitude": "north", "Longitude": "1"}, "Hi", (), id="no-place"),
    ],
)
def test_a_message_is_read(told: dict[str, str], text: str, files: tuple[Attachment, ...]) -> None:
    assert only(form(**told)) == UserMessage(
        chat=ADA, id=SID, text=text, attachments=files, user=User(id=ADA)
    )
    assert only(by_whatsapp(**told)) == UserMessage(
        chat=BEN,
        id=SID,
        text=text,
        attachments=files,
        user=User(id="+306900000001", name="Ben"),
        memo={"message": SID},
    )


@pytest.mark.parametrize("told", [form(), by_whatsapp()], ids=["sms", "whatsapp"])
@pytest.mark.parametrize("sender", [NUMBER, f"whatsapp:{NUMBER}", SERVICE])
def test_the_chat_is_an_address_that_can_be_written_to(sender: str, told: dict[str, str]) -> None:
    of, chat = channel(sender), only(told).chat
    (call,) = calls_of(of, chat, Text("Hi"))
    assert fields(of.request(call))["To"].endswith(chat)


def test_typing_on_whatsapp_is_about_the_message_whose_sid_was_kept() -> None:
    of = channel(f"whatsapp:{NUMBER}")
    message = only(by_whatsapp())
    (call,) = of.render(Typing(on=True), message.chat)
    assert set(call.recall) == set(message.memo)


def test_a_press_on_a_templates_button_is_a_click() -> None:
    told = by_whatsapp(Body="Yes", ButtonText="Yes", ButtonPayload="yes-please", MessageType="button")
    assert only(told) == Click(
        chat=BEN,
        id=SID,
        payload="yes-please",
        label="Yes",
        user=User(id="+306900000001", name="Ben"),
        memo={"message": SID},
    )


def test_a_button_without_a_payload_is_what_it_says() -> None:
    message = only(by_whatsapp(Body="Yes", ButtonText="Yes"))
    assert isinstance(message, UserMessage)
    assert message.text == "Yes"


EMPTY = Reading(answer=b"<Response/>", answer_type="text/xml")


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({}, id="nothing"),
        pytest.param(form(Body=""), id="empty"),
        pytest.param(form(Body="\x07"), id="control"),
        pytest.param(form(From="-"), id="of-nobody"),
        pytest.param(form(MessageSid="-"), id="without-an-id"),
        pytest.param(form(Body="", MediaUrl0="file:///etc/passwd"), id="no-address"),
        *(
            pytest.param(form(MessageStatus=status, From=NUMBER, To=ADA), id=status)
            for status in ("queued", "sent", "delivered", "read", "canceled")
        ),
        pytest.param(form(MessageStatus="failed", To="-"), id="failed-for-nobody"),
    ],
)
def test_what_says_nothing_is_answered_with_nothing(told: dict[str, str]) -> None:
    assert read(told) == EMPTY


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{}", b"[" * 5000, b"a=1&" * 5000, b"From=%FF&=&&="])
def test_what_is_no_form_is_no_message(body: bytes) -> None:
    assert channel().read(posted({}, body=body)) == EMPTY


@given(st.dictionaries(st.sampled_from([*form(), *PLACE, "MediaUrl0", "ButtonPayload"]), words))
def test_whatever_is_in_a_form_is_read_without_an_error(told: dict[str, str]) -> None:
    reading = channel().read(Inbound(method="POST", url=URL, body=urlencode(told).encode()))
    for incoming in reading.incoming:
        orjson.dumps([incoming.chat, incoming.id])


def test_twilio_is_answered_with_words_that_say_nothing() -> None:
    reading = read(form())
    assert (reading.status, reading.answer, reading.answer_type) == (200, b"<Response/>", "text/xml")


# ---- what failed -------------------------------------------------------------------------------------------


def status(kind: str, **more: str) -> dict[str, str]:
    return {
        "MessageSid": SID,
        "MessageStatus": kind,
        "To": BEN,
        "From": f"whatsapp:{NUMBER}",
        "AccountSid": ACCOUNT,
        **more,
    }


@pytest.mark.parametrize("kind", ["failed", "undelivered"])
@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (
            {"ErrorCode": "63016", "ErrorMessage": "Ada said: my words"},
            "error 63016 of Twilio (https://www.twilio.com/docs/api/errors/63016)",
        ),
        ({}, "Twilio names no error"),
        ({"ErrorCode": "my words"}, "Twilio names no error"),
    ],
    ids=["with-a-code", "without", "no-code"],
)
def test_a_message_of_ours_that_failed_is_told(kind: str, more: dict[str, str], reason: str) -> None:
    assert read(status(kind, **more)).failed == (Failed(chat=BEN, reason=reason, message=SID),)
    assert read(status(kind, **more)).incoming == ()


def test_twilio_is_asked_to_tell_of_failures_where_the_address_is_known() -> None:
    def told(**more: Any) -> str | None:
        of = channel(**more)
        (call,) = calls_of(of, ADA, Text("Hi"))
        callback: str | None = fields(of.request(call)).get("StatusCallback")
        return callback

    assert (told(), told(webhook_url=URL)) == (None, URL)


@pytest.mark.parametrize("url", ["bridge.example/x", "ftp://bridge.example/", "https://"])
def test_a_wrong_address_is_named(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^webhook_url: must be"):
        channel(webhook_url=url)


# ---- users' files ------------------------------------------------------------------------------------------


def credentials(header: str) -> str:
    return base64.b64decode(header.removeprefix("Basic ")).decode()


def test_a_file_is_loaded_with_the_credentials_of_the_calls() -> None:
    of = channel(api_key="SK1", api_key_secret=Secret("k3y"))
    assert of.locate(MEDIA) is None
    request = of.download(MEDIA, None)
    assert (request.method, request.url) == ("GET", f"{AT_TWILIO}/{MEDIA}")
    assert credentials(request.headers["authorization"]) == "SK1:k3y"


@pytest.mark.parametrize(
    "url",
    [
        f"https://evil.example/2010-04-01/Accounts/{ACCOUNT}/{MEDIA}",
        f"https://api.twilio.com.evil.example/2010-04-01/Accounts/{'AC' + '9' * 32}/{MEDIA}",
    ],
    ids=["another-host", "a-host-like-it"],
)
def test_the_credentials_go_to_no_host_that_a_message_names(url: str) -> None:
    message = only(form(Body="", MediaUrl0=url))
    assert isinstance(message, UserMessage)
    [file] = message.attachments
    assert channel().download(file.source, None).url == f"{AT_TWILIO}/{MEDIA}"


@pytest.mark.parametrize("source", ["", "../Messages", f"{MEDIA}/../..", f"{MEDIA}.json", "//evil.example"])
def test_a_source_that_is_none_is_loaded_from_nowhere(source: str) -> None:
    with pytest.raises(Rejected):
        channel().download(source, None)


async def test_a_users_picture_comes_from_where_twilio_sends_on_to() -> None:
    seen: dict[str, str | None] = {}

    async def stored(request: web.Request) -> web.Response:
        seen["storage"] = request.headers.get("authorization")
        return web.Response(body=b"picture", content_type="image/png")

    storage = web.Application()
    storage.router.add_get("/a.png", stored)
    async with TestServer(storage) as elsewhere:

        async def send_on(request: web.Request) -> web.Response:
            seen["twilio"] = request.headers.get("authorization")
            raise web.HTTPTemporaryRedirect(str(elsewhere.make_url("/a.png")))

        api = web.Application()
        api.router.add_get(f"/2010-04-01/Accounts/{ACCOUNT}/{MEDIA}", send_on)
        async with TestServer(api) as server, open_http() as http:
            of = channel(api_url=str(server.make_url("/")))
            file = await download(http, of.download(MEDIA, None), 100)
    assert (file.body, file.mime_type) == (b"picture", "image/png")
    assert credentials(seen["twilio"] or "") == f"{ACCOUNT}:{TOKEN}"
    assert seen["storage"] is None


# ---- setting up --------------------------------------------------------------------------------------------


def account(**more: Any) -> Reply:
    told = {"sid": ACCOUNT, "friendly_name": "Shop", "status": "active", "type": "Full", **more}
    return Reply(status=200, body=orjson.dumps(told))


def test_the_account_is_asked_for_its_name_with_its_own_token() -> None:
    of = channel(api_key="SK1", api_key_secret=Secret("k3y"))
    request = of.identify()
    assert (request.method, request.url) == ("GET", f"{AT_TWILIO}.json")
    assert credentials(request.headers["authorization"]) == f"{ACCOUNT}:{TOKEN}"
    assert of.identified(account()) == f"Shop ({ACCOUNT})"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (account(status="suspended"), Unauthorized),
        (account(status="closed"), Unauthorized),
        (account(friendly_name=None), Unavailable),
        (Reply(status=401, body=b'{"code":20003,"message":"Authenticate","status":401}'), Unauthorized),
        (Reply(status=503), Unavailable),
    ],
    ids=["suspended", "closed", "nameless", "token", "away"],
)
def test_an_account_that_is_no_good(reply: Reply, error: type[SendError]) -> None:
    with pytest.raises(error):
        channel().identified(reply)


def test_a_messaging_service_is_told_of_the_webhook_as_the_sdk_does() -> None:
    from twilio.http.response import Response
    from twilio.rest import Client

    wire: list[tuple[Any, ...]] = []

    class Wire:
        def request(self, method: str, url: str, **rest: Any) -> Any:
            wire.append((method, url, rest["data"]))
            return Response(200, '{"sid": "MG1"}')

    Client(ACCOUNT, TOKEN, http_client=Wire()).messaging.v1.services(SERVICE).update(
        inbound_request_url=URL,
        inbound_method="POST",
        fallback_url=URL,
        fallback_method="POST",
        status_callback=URL,
        use_inbound_webhook_on_number=False,
    )
    [request] = channel(SERVICE).connect(URL)
    assert [(request.method, request.url, fields(request))] == wire
    assert channel(SERVICE).check(Reply(status=200, body=b'{"sid":"MG1"}')) == "MG1"
    assert channel(SERVICE).steps(URL) == ""


@pytest.mark.parametrize("sender", [NUMBER, f"whatsapp:{NUMBER}"])
def test_a_number_is_told_by_hand(sender: str) -> None:
    assert channel(sender).connect(URL) == ()
    assert URL in channel(sender).steps(URL)
    assert ("WhatsApp" in channel(sender).steps(URL)) == sender.startswith("whatsapp:")


@pytest.mark.parametrize("sender", [NUMBER, SERVICE])
def test_the_address_to_give_is_the_setting_where_there_is_one(sender: str) -> None:
    of = channel(sender, webhook_url="https://front.example/texts")
    given = of.steps(URL) or str(fields(of.connect(URL)[0]))
    assert "https://front.example/texts" in given
    assert URL not in given


def test_no_secret_shows() -> None:
    assert TOKEN not in repr(vars(channel(SERVICE)))
