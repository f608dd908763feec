"""WhatsApp, the way back: what its webhooks say, as pywa reads them too, and how the number is set up."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
import pytest
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
from bridge.channels.whatsapp import WhatsApp, WhatsAppSettings
from bridge.content import Text
from bridge.errors import (
    ConfigError,
    Forbidden,
    Rejected,
    SendError,
    Unauthorized,
    Unavailable,
    Uncertain,
)
from bridge.secret import Secret
from tests.channels.talk import calls_of
from tests.channels.test_hub import APP_SECRET, asked, posted, signature

TOKEN = "EAAG-token"
VERIFY = "wort"
NUMBER = "106540352242922"
ADA = "306912345678"
HIDDEN = "GR.13491208655302741918"
WAMID = "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA="
URL = "https://bridge.example/channels/support"


def channel(**others: Any) -> WhatsApp:
    secrets = {"token": Secret(TOKEN), "app_secret": Secret(APP_SECRET), "verify_token": Secret(VERIFY)}
    return WhatsApp(WhatsAppSettings(**{**secrets, "phone_number_id": NUMBER, **others}))


# ---- what WhatsApp sends -----------------------------------------------------------------------------------


def person(name: str | None = "Ada", **ids: str) -> dict[str, Any]:
    return {"profile": {"name": name} if name else {}, **(ids or {"wa_id": ADA, "user_id": HIDDEN})}


def change(number: str = NUMBER, field: str = "messages", **value: Any) -> dict[str, Any]:
    metadata = {"display_phone_number": "15550783881", "phone_number_id": number}
    return {"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}


def said(kind: str, content: Any = None, **others: Any) -> dict[str, Any]:
    """A message; with an id of None and the like, without."""
    message = {"from": ADA, "from_user_id": HIDDEN, "id": WAMID, "timestamp": "1749416383", "type": kind}
    message |= {} if content is None else {kind: content}
    return {name: value for name, value in {**message, **others}.items() if value is not None}


def body(*changes: dict[str, Any], kind: str = "whatsapp_business_account") -> bytes:
    return orjson.dumps({"object": kind, "entry": [{"id": "102290129340398", "changes": list(changes)}]})


def webhook(*messages: dict[str, Any], contacts: Any = None) -> bytes:
    return body(change(contacts=[person()] if contacts is None else contacts, messages=list(messages)))


def read(raw: bytes) -> Reading:
    return channel().read(posted(raw))


def only(raw: bytes) -> Incoming:
    [incoming] = read(raw).incoming
    return incoming


PICTURE = {"id": "1003383421387256", "mime_type": "image/jpeg", "sha256": "SfInY0gGKTsJlUWbwxC1"}
PLACE = {"latitude": 37.44216251868683, "longitude": -122.16153582049394}
CONTACT = {
    "name": {"formatted_name": "Barbara Johnson", "first_name": "Barbara"},
    "phones": [{"phone": "+1 650-555-9999", "wa_id": "16505559999", "type": "HOME"}],
    "emails": [{"email": "bjohnson@luckyshrub.com", "type": "Work"}],
    "org": {"company": "Lucky Shrub"},
}
ORDER = {
    "catalog_id": "194836987003835",
    "text": "Love these!",
    "product_items": [
        {"product_retailer_id": "di9ozbzfi4", "quantity": 2, "item_price": 30, "currency": "USD"},
        {"product_retailer_id": "nqryix03ez", "quantity": 1, "item_price": 25, "currency": "USD"},
    ],
}
MAP = "https://maps.google.com/?q=37.44216251868683,-122.16153582049394"

MESSAGES = [
    pytest.param(said("text", {"body": "Hello!"}), "Hello!", [], id="text"),
    pytest.param(said("text", {"body": "/start"}), "/start", [], id="command"),
    pytest.param(said("text", {"body": "a\r\nb\x07 🇬🇷"}), "a\nb 🇬🇷", [], id="text-with-controls"),
    pytest.param(
        said("image", {**PICTURE, "caption": "Look"}),
        "Look",
        [Attachment(type="image", source="1003383421387256", mime_type="image/jpeg")],
        id="image-with-a-caption",
    ),
    pytest.param(
        said("video", {**PICTURE, "mime_type": "video/mp4"}),
        "",
        [Attachment(type="video", source="1003383421387256", mime_type="video/mp4")],
        id="video",
    ),
    pytest.param(
        said("audio", {**PICTURE, "mime_type": "audio/ogg; codecs=opus", "voice": True}),
        "",
        [Attachment(type="audio", source="1003383421387256", mime_type="audio/ogg")],
        id="voice",
    ),
    pytest.param(
        said("document", {**PICTURE, "mime_type": "application/pdf", "filename": "Bill.pdf"}),
        "",
        [
            Attachment(
                type="file", source="1003383421387256", mime_type="application/pdf", filename="Bill.pdf"
            )
        ],
        id="document",
    ),
    pytest.param(
        said("sticker", {**PICTURE, "mime_type": "image/webp", "animated": False}),
        "",
        [Attachment(type="image", source="1003383421387256", mime_type="image/webp")],
        id="sticker",
    ),
    pytest.param(said("location", PLACE), MAP, [], id="location"),
    pytest.param(
        said("location", {**PLACE, "name": "Philz Coffee", "address": "101 Forest Ave"}),
        f"Philz Coffee\n101 Forest Ave\n{MAP}",
        [],
        id="a-place-with-a-name",
    ),
    pytest.param(
        said("contacts", [CONTACT, {"name": {"formatted_name": "Bob"}}]),
        "Barbara Johnson +1 650-555-9999 bjohnson@luckyshrub.com\nBob",
        [],
        id="contacts",
    ),
    pytest.param(said("order", ORDER), "Love these!\n2 × di9ozbzfi4\n1 × nqryix03ez", [], id="order"),
]


@pytest.mark.parametrize(("message", "text", "files"), MESSAGES)
def test_a_message_is_read(message: dict[str, Any], text: str, files: list[Attachment]) -> None:
    assert only(webhook(message)) == UserMessage(
        chat=ADA,
        id=WAMID,
        text=text,
        attachments=tuple(files),
        user=User(id=ADA, name="Ada"),
        memo={"message": WAMID},
    )


def pressed(kind: str, **reply: Any) -> dict[str, Any]:
    context = {"from": "15550783881", "id": "wamid.OURS"}
    return said("interactive", {"type": kind, kind: reply}, context=context)


CLICKS = [
    pytest.param(pressed("button_reply", id="yes please", title="Yes"), "yes please", "Yes", id="button"),
    pytest.param(pressed("list_reply", id="b", title="Blue"), "b", "Blue", id="row"),
    pytest.param(
        pressed(
            "list_reply", id="~x", title="A label of more than tw…", description="A label of more than two"
        ),
        "~x",
        "A label of more than two",
        id="row-with-its-whole-label",
    ),
    pytest.param(
        said("button", {"payload": "No-Button-Payload", "text": "No"}),
        "No-Button-Payload",
        "No",
        id="template",
    ),
]


@pytest.mark.parametrize(("message", "payload", "label"), CLICKS)
def test_a_press_is_a_click(message: dict[str, Any], payload: str, label: str) -> None:
    assert only(webhook(message)) == Click(
        chat=ADA,
        id=WAMID,
        payload=payload,
        label=label,
        user=User(id=ADA, name="Ada"),
        memo={"message": WAMID},
    )


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(said("reaction", {"message_id": "wamid.OURS", "emoji": "👍"}), id="reaction"),
        pytest.param(said("text", {"body": "Hi, all"}, group_id="555555555"), id="in-a-group"),
        pytest.param(
            said("system", {"body": "User Ada changed her number", "type": "user_changed_number"}),
            id="system",
        ),
        pytest.param(
            said("unsupported", {"type": "poll"}, errors=[{"code": 131051, "title": "Message type unknown"}]),
            id="unsupported",
        ),
        pytest.param(
            said("edit", {"original_message_id": "wamid.X", "message": {"type": "text"}}), id="edit"
        ),
        pytest.param(said("revoke", {"original_message_id": "wamid.X"}), id="deletion"),
        pytest.param(said("request_welcome"), id="a-chat-was-opened"),
        pytest.param(pressed("nfm_reply", name="flow", body="Sent", response_json="{}"), id="a-flow"),
        pytest.param(pressed("call_permission_reply", response="accept"), id="a-call"),
        pytest.param(pressed("button_reply"), id="a-press-on-nothing"),
        pytest.param(said("text", {"body": ""}), id="nothing"),
        pytest.param(said("image", {"mime_type": "image/png"}), id="a-file-without-an-id"),
        pytest.param(said("text", {"body": "Hi"}, **{"from": None, "from_user_id": None}), id="of-nobody"),
        pytest.param(said("text", {"body": 5}), id="a-number-for-a-text"),
        pytest.param(said("contacts", [5, None]), id="contacts-that-are-none"),
    ],
)
def test_what_says_nothing_is_no_message(message: dict[str, Any]) -> None:
    assert read(webhook(message)) == Reading()


# ---- who wrote ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "contact", "chat"),
    [
        pytest.param({}, person(), ADA, id="number-and-id"),
        pytest.param({"from_user_id": None}, person(wa_id=ADA), ADA, id="number"),
        pytest.param({"from": None}, person(user_id=HIDDEN), HIDDEN, id="hidden"),
        pytest.param({"from": ""}, person(wa_id="", user_id=HIDDEN), HIDDEN, id="an-empty-number"),
        pytest.param({"from": HIDDEN}, person(wa_id=HIDDEN, user_id=HIDDEN), HIDDEN, id="an-id-for-a-number"),
        pytest.param(
            {"from": None},
            person(user_id=HIDDEN, parent_user_id="GR.ENT.1181579"),
            HIDDEN,
            id="with-the-id-of-its-company",
        ),
    ],
)
def test_the_chat_is_an_address_that_can_be_written_to(
    ids: dict[str, Any], contact: dict[str, Any], chat: str
) -> None:
    incoming = only(webhook(said("text", {"body": "Hi"}, **ids), contacts=[contact]))
    assert (incoming.chat, incoming.user) == (chat, User(id=chat, name="Ada"))
    [call] = calls_of(channel(), incoming.chat, Text("Hi"))
    sent = orjson.loads(channel().request(call).body)
    assert sent.get("recipient" if chat == HIDDEN else "to") == chat


@pytest.mark.parametrize(
    ("contacts", "name"),
    [
        pytest.param([], "", id="nobody"),
        pytest.param([person("Eve", wa_id="1"), person("Ada", wa_id=ADA)], "Ada", id="several"),
        pytest.param([person("Eve", wa_id="1")], "", id="somebody-else"),
        pytest.param([{"wa_id": ADA, "profile": {"username": "ada"}}], "ada", id="username"),
        pytest.param([{"wa_id": ADA, "profile": {"name": None}}], "", id="null"),
        pytest.param([{"wa_id": ADA}], "", id="no-profile"),
        pytest.param([{"wa_id": 5}, 7, person()], "Ada", id="broken-ones"),
    ],
)
def test_the_name_is_that_of_who_wrote(contacts: list[Any], name: str) -> None:
    assert only(webhook(said("text", {"body": "Hi"}), contacts=contacts)).user == User(id=ADA, name=name)


def test_what_is_told_to_another_number_is_for_the_integration_that_has_it() -> None:
    ours = change(contacts=[person()], messages=[said("text", {"body": "Hi"})])
    other = change("1", contacts=[person()], messages=[said("text", {"body": "Not for us"})])
    [incoming] = read(body(other, ours)).incoming
    assert isinstance(incoming, UserMessage)
    assert incoming.text == "Hi"


@pytest.mark.parametrize(
    "raw",
    [
        body(change(field="smb_message_echoes", message_echoes=[said("text", {"body": "Ours"})])),
        body(change(field="history", messages=[said("text", {"body": "Old"})])),
        body(change(messages=[said("text", {"body": "Hi"})]), kind="page"),
        body(change(contacts=[person()], errors=[{"code": 0, "title": "AuthException"}])),
    ],
    ids=["echoes", "history", "another-object", "errors"],
)
def test_other_webhooks_are_none_of_ours(raw: bytes) -> None:
    assert read(raw) == Reading()


def test_everything_in_a_webhook_is_read_in_order() -> None:
    def one(number: int) -> dict[str, Any]:
        return said("text", {"body": f"{number}"}, id=f"wamid.{number}")

    entries = [
        {"id": "1", "changes": [change(messages=[one(1), one(2)]), change(messages=[one(3)])]},
        {"id": "1", "changes": [change(messages=[one(4)])]},
    ]
    raw = orjson.dumps({"object": "whatsapp_business_account", "entry": entries})
    assert [incoming.id for incoming in read(raw).incoming] == [f"wamid.{n}" for n in (1, 2, 3, 4)]


def test_a_message_that_cannot_be_read_costs_no_other() -> None:
    broken = [5, None, said("text", "no object"), said("location", {"latitude": "north"})]
    raw = orjson.dumps(
        {
            "object": "whatsapp_business_account",
            "entry": [
                7,
                {"changes": "none"},
                {
                    "changes": [
                        {"field": 1},
                        change(metadata=5),
                        change(messages=[*broken, said("text", {"body": "Hi"})]),
                    ]
                },
            ],
        }
    )
    assert [incoming.id for incoming in read(raw).incoming] == [WAMID]


# ---- what failed -------------------------------------------------------------------------------------------


def status(state: str, **others: Any) -> dict[str, Any]:
    return {"id": "wamid.OURS", "status": state, "timestamp": "1", "recipient_id": ADA, **others}


LATE = {"code": 131047, "title": "Re-engagement message", "message": "Ada said: my words"}


@pytest.mark.parametrize(
    ("told", "failed"),
    [
        pytest.param(
            status("failed", errors=[LATE]),
            Failed(chat=ADA, reason="WhatsApp's error 131047", message="wamid.OURS"),
            id="failed",
        ),
        pytest.param(
            {"id": "wamid.OURS", "status": "failed", "recipient_user_id": HIDDEN, "errors": [LATE]},
            Failed(chat=HIDDEN, reason="WhatsApp's error 131047", message="wamid.OURS"),
            id="hidden",
        ),
        pytest.param(
            status("failed"),
            Failed(chat=ADA, reason="WhatsApp names no error", message="wamid.OURS"),
            id="without-a-reason",
        ),
        *(
            pytest.param(status(state, pricing={"billable": True}), None, id=state)
            for state in ("sent", "delivered", "played")
        ),
        pytest.param({"status": 5}, None, id="broken"),
    ],
)
def test_a_message_of_ours_that_failed_is_told(told: dict[str, Any], failed: Failed | None) -> None:
    assert read(body(change(statuses=[told]))) == Reading(failed=(failed,) if failed else ())


def test_what_the_user_has_read_is_told() -> None:
    assert read(body(change(statuses=[status("read")]))) == Reading(
        seen=(Seen(chat=ADA, id="wamid.OURS:read"),)
    )


# ---- as pywa reads it --------------------------------------------------------------------------------------


@cache
def _client() -> Any:
    from pywa.client import WhatsApp as Client  # only here: it takes a while
    from pywa.utils import UserIdentifier as Id

    return Client(phone_id=NUMBER, token="t", user_identifier_priority=(Id.WA_ID, Id.BSUID, Id.PARENT_BSUID))


def by_pywa(raw: bytes) -> Any:
    from pywa.types.base_update import RawUpdate

    client = _client()
    update = RawUpdate(raw, hmac_header=None, update_hash="")
    return client._handlers_to_updates[client._get_handler_type(update)].from_update(client, update)


@pytest.mark.parametrize(("message", "text", "files"), MESSAGES)
def test_pywa_reads_the_same_of_a_message(
    message: dict[str, Any], text: str, files: list[Attachment]
) -> None:
    raw = webhook(message)
    theirs, ours = by_pywa(raw), only(raw)
    assert isinstance(ours, UserMessage)
    assert (ours.chat, ours.id, ours.user.name) == (theirs.chat.id, theirs.id, theirs.from_user.name)
    for file in ours.attachments:
        theirs_is = type(theirs.media).__name__.lower()
        assert {"sticker": "image", "document": "file"}.get(theirs_is, theirs_is) == file.type
        assert (theirs.media.id, theirs.media.mime_type.partition(";")[0]) == (file.source, file.mime_type)
        assert (getattr(theirs.media, "filename", None) or "") == file.filename
    assert bool(theirs.media) == bool(ours.attachments)
    if theirs.text is not None or theirs.media:
        assert ours.text in (theirs.text, theirs.caption or "", "a\nb 🇬🇷")
    elif theirs.location:
        assert f"?q={theirs.location.latitude},{theirs.location.longitude}" in ours.text
    elif theirs.contacts:
        assert [line.split(" +")[0] for line in ours.text.splitlines()] == [
            contact.name.formatted_name for contact in theirs.contacts
        ]
    else:
        assert [f"{product.quantity} × {product.sku}" for product in theirs.order.products] == (
            ours.text.splitlines()[1:]
        )


@pytest.mark.parametrize(("message", "payload", "label"), CLICKS)
def test_pywa_reads_the_same_of_a_press(message: dict[str, Any], payload: str, label: str) -> None:
    raw = webhook(message)
    theirs, ours = by_pywa(raw), only(raw)
    assert isinstance(ours, Click)
    assert (ours.chat, ours.id) == (theirs.from_user.preferred_id, theirs.id)
    assert (ours.payload, ours.label) == (theirs.data, getattr(theirs, "description", None) or theirs.title)


def test_pywa_reads_the_same_of_a_failure() -> None:
    raw = body(change(contacts=[person()], statuses=[status("failed", errors=[LATE])]))
    theirs = by_pywa(raw)
    assert read(raw).failed == (
        Failed(
            chat=theirs.from_user.wa_id,
            message=theirs.id,
            reason=f"WhatsApp's error {theirs.error.code}",
        ),
    )


# ---- strangers and nonsense --------------------------------------------------------------------------------


def test_only_what_meta_signed_is_verified() -> None:
    raw = webhook(said("text", {"body": "Grüße"}))
    assert channel().verify(posted(raw, signature(raw)))
    assert channel().verify(posted(raw, signature(raw, "another"))) is False
    assert channel(app_secret=None).verify(posted(raw, signature(raw))) is False


def test_the_handshake_is_answered() -> None:
    inbound = asked(mode="subscribe", verify_token=VERIFY, challenge="1158201444")
    assert channel().verify(inbound)
    assert channel().read(inbound) == Reading(answer=b"1158201444")
    assert channel(verify_token=None).verify(inbound) is False


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=5), parts, max_size=3),
    max_leaves=8,
)
pieces = st.sampled_from([message for message, *_ in (param.values for param in [*MESSAGES, *CLICKS])])


@given(pieces, st.data())
@settings(max_examples=300)
def test_whatever_stands_in_a_message_is_read_or_left(message: Any, data: st.DataObject) -> None:
    broken = orjson.loads(orjson.dumps(message))
    part = broken
    while isinstance(part, dict) and part and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(part)))
        if isinstance(part[name], dict) and data.draw(st.booleans()):
            part = part[name]
        else:
            part[name] = data.draw(json)
    good = said("text", {"body": "Hi"}, id="wamid.GOOD")
    assert read(webhook(broken, good)).incoming[-1].id == "wamid.GOOD"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"5",
        b"\xff\xfe",
        b'{"object": "whatsapp_business_account"}',
        b'{"object": "whatsapp_business_account", "entry": {}}',
        b'{"object": "whatsapp_business_account", "entry": [' + b"[" * 100_000,
        b"[" * 100_000,
        b'{"object": "whatsapp_business_account", "entry": [' + b"[" * 9_000 + b"]" * 9_000 + b"]}",
        webhook(said("text", {"body": "Hi"}))[:-9],
    ],
    ids=lambda raw: str(raw[:60]),
)
def test_a_body_that_is_none_holds_nothing(raw: bytes) -> None:
    assert read(raw) == Reading()


@pytest.mark.parametrize(
    ("broken", "shown"),
    [(b"\\ud83d", "?"), (b"\\ude00\\ud83d", "??"), (b"\xff", None), (b"\\u0000", None)],
    ids=["half-a-pair", "a-pair-the-wrong-way-round", "no-utf-8", "a-nul"],
)
def test_a_text_that_is_no_unicode_costs_no_other(broken: bytes, shown: str | None) -> None:
    raw = webhook(said("text", {"body": "X"}, id="wamid.X"), said("text", {"body": "Hi"}))
    texts = {
        incoming.id: incoming.text
        for incoming in read(raw.replace(b'"X"', b'"%s"' % broken)).incoming
        if isinstance(incoming, UserMessage)
    }
    assert texts == ({"wamid.X": shown, WAMID: "Hi"} if shown else {WAMID: "Hi"})


# ---- files -------------------------------------------------------------------------------------------------


def answered(url: str = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&hash=x") -> Reply:
    told = {"messaging_product": "whatsapp", "url": url, "mime_type": "image/jpeg", "file_size": 303833}
    return Reply(status=200, body=orjson.dumps(told))


def test_a_file_is_located_and_then_loaded_with_the_token() -> None:
    asking = channel().locate("1003383421387256")
    assert (asking.method, asking.url) == ("GET", "https://graph.facebook.com/v25.0/1003383421387256")
    loading = channel().download("1003383421387256", answered())
    assert loading.method == "GET"
    assert loading.url == "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&hash=x"
    assert {request.headers["authorization"] for request in (asking, loading)} == {f"Bearer {TOKEN}"}
    assert TOKEN not in asking.url + loading.url


def test_an_id_cannot_lead_elsewhere() -> None:
    assert channel().locate("../me?x=1#").url == "https://graph.facebook.com/v25.0/..%2Fme%3Fx%3D1%23"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://lookaside.fbsbx.com.evil.example/",
        "https://evilfbsbx.com/",
        "https://evil.example/?lookaside.fbsbx.com",
        "https://lookaside.fbsbx.com@evil.example/",
        "https://evil.example\\.fbsbx.com/",
        "http://lookaside.fbsbx.com/",
        "http://graph.facebook.com/",
        "https://graph.facebook.com:444/",
        "file:///etc/passwd",
        "//lookaside.fbsbx.com/",
        "",
    ],
)
def test_the_token_is_shown_to_no_host_but_metas(url: str) -> None:
    with pytest.raises(Rejected) as caught:
        channel().download("1", answered(url))
    assert url not in str(caught.value) or not url


def test_an_api_of_ones_own_may_have_the_files_too() -> None:
    own = channel(api_url="http://127.0.0.1:8080/v25.0")
    assert own.download("1", answered("http://127.0.0.1:8080/file")).url == "http://127.0.0.1:8080/file"


def failure(code: int, status: int = 400, subcode: int = 0) -> Reply:
    error = {"message": "no", "type": "OAuthException", "code": code, "error_subcode": subcode}
    return Reply(status=status, body=orjson.dumps({"error": error}))


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        pytest.param(None, Rejected, id="nothing"),
        pytest.param(Reply(status=200, body=b"{}"), Rejected, id="no-address"),
        pytest.param(failure(100, subcode=33), Rejected, id="an-id-that-is-gone"),
        pytest.param(failure(190, 401), Unauthorized, id="token"),
        pytest.param(failure(130429, 429), Unavailable, id="too-many"),
        pytest.param(failure(987654, 500), Unavailable, id="down"),
        pytest.param(Reply(status=200, body=b"<html>"), Uncertain, id="a-proxy"),
    ],
)
def test_a_file_that_is_not_to_be_had_says_why(reply: Reply | None, error: type[SendError]) -> None:
    with pytest.raises(error):
        channel().download("1", reply)


# ---- setting up --------------------------------------------------------------------------------------------


def test_it_can_do_what_its_kind_can() -> None:
    assert isinstance(channel(), TwoWay)
    assert isinstance(channel(), Downloads)
    assert isinstance(channel(), SetUp)


def test_the_number_says_who_it_is() -> None:
    request = channel().identify()
    assert request.method == "GET"
    assert request.url == (
        f"https://graph.facebook.com/v25.0/{NUMBER}?fields=verified_name,display_phone_number"
    )
    told = {"verified_name": "Lucky Shrub", "display_phone_number": "+1 555-078-3881", "id": NUMBER}
    assert channel().identified(Reply(status=200, body=orjson.dumps(told))) == "Lucky Shrub (+1 555-078-3881)"


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"verified_name": "", "display_phone_number": "+1 555"}, "+1 555"),
        ({"display_phone_number": "+1 555"}, "+1 555"),
        ({"id": NUMBER}, f"number {NUMBER}"),
    ],
    ids=["unverified", "no-name", "neither"],
)
def test_a_number_without_a_name_is_its_number(told: dict[str, str], name: str) -> None:
    assert channel().identified(Reply(status=200, body=orjson.dumps(told))) == name


@pytest.mark.parametrize("reply", [failure(190, 401), failure(100, subcode=33), failure(10, 403)], ids=str)
def test_a_wrong_token_or_number_is_told(reply: Reply) -> None:
    with pytest.raises((Unauthorized, Forbidden)):
        channel().identified(reply)


def test_connecting_gives_the_number_an_address_of_its_own() -> None:
    [request] = channel().connect(URL)
    assert (request.method, request.url) == ("POST", f"https://graph.facebook.com/v25.0/{NUMBER}")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert orjson.loads(request.body) == {
        "webhook_configuration": {"override_callback_uri": URL, "verify_token": VERIFY}
    }
    assert channel().check(Reply(status=200, body=b'{"success":true}')) is None


@pytest.mark.parametrize("missing", ["app_secret", "verify_token"])
def test_meta_is_told_nothing_while_it_would_not_be_believed(missing: str) -> None:
    incomplete = channel(**{missing: None})
    assert incomplete.connect(URL) == ()
    assert incomplete.steps(URL).startswith("Set app_secret")


def test_the_steps_have_the_address_and_no_secret() -> None:
    steps = channel().steps(URL)
    assert URL in steps.splitlines()[1]
    assert not any(secret in steps for secret in (TOKEN, APP_SECRET, VERIFY))


@pytest.mark.parametrize("name", ["app_secret", "verify_token"])
def test_a_wrong_secret_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: "):
        channel(**{name: Secret("two words")})


def test_sending_needs_none_of_it() -> None:
    bare = channel(app_secret=None, verify_token=None)
    assert bare.verify(Inbound(method="POST", url=URL, body=b"{}")) is False
    assert calls_of(bare, ADA, Text("Hi"))
