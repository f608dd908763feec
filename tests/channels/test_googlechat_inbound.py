"""Google Chat's way back: whose word an event is, what it says, how files are loaded; and setting it up."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import jwt
import msgspec
import orjson
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.apps import chat_v1
from google.auth import exceptions
from google.oauth2 import id_token
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from bridge.channels import (
    Attachment,
    Click,
    Downloads,
    Inbound,
    Keyed,
    Reading,
    Reply,
    SetUp,
    User,
    UserMessage,
)
from bridge.channels.googlechat import GoogleChat, GoogleChatSettings
from bridge.channels.googlechat.account import Account
from bridge.channels.googlechat.inbound import CHAT, CHAT_KEYS, GOOGLE_KEYS
from bridge.content import Option, Text
from bridge.errors import Rejected, Unauthorized, Unavailable
from bridge.secret import Secret
from tests.channels.issuer import Issuer

NOW = 1_700_000_000.0
URL = "https://bridge.example.com/channels/chat"
NUMBER = "123456789012"
ADD_ON = f"service-{NUMBER}@gcp-sa-gsuiteaddons.iam.gserviceaccount.com"
GOOGLE = Issuer("google-1")
TOKEN = "ya29.t0ken"


def app(token: str = TOKEN, **rest: Any) -> GoogleChat:
    return GoogleChat(GoogleChatSettings(token=Secret(token), **rest))


def webhook() -> GoogleChat:
    return app("w-t", key=Secret("k"), space="BBBB")


def posted(body: object = None, token: str | None = None, at: float = NOW, *, keys: Any = None) -> Inbound:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return Inbound(
        method="POST",
        url=URL,
        headers=headers,
        body=body if isinstance(body, bytes) else orjson.dumps(body),
        at=at,
        keys=(GOOGLE.jwk,) if keys is None else keys,
    )


def by_number(at: float = NOW, **changed: Any) -> dict[str, Any]:
    """The claims Chat itself makes, for the audience Project Number."""
    return {"iss": CHAT, "aud": NUMBER, "iat": at - 5, "exp": at + 3595, **changed}


def by_url(at: float = NOW, **changed: Any) -> dict[str, Any]:
    """The claims of an ID token, for the audience HTTP endpoint URL."""
    claims = {
        "iss": "https://accounts.google.com",
        "aud": URL,
        "azp": "108",
        "sub": "108",
        "email": CHAT,
        "email_verified": True,
        "iat": at - 5,
        "exp": at + 3595,
    }
    return {**claims, **changed}


def test_it_is_a_channel_with_all_of_a_way_back() -> None:
    assert isinstance(app(), Keyed)
    assert isinstance(app(), Downloads)
    assert isinstance(app(), SetUp)


# ---- by whose word -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("audience", "urls"),
    [("", ()), (NUMBER, (CHAT_KEYS,)), (URL, (GOOGLE_KEYS,))],
    ids=["none", "number", "url"],
)
def test_the_keys_are_those_of_who_signs(audience: str, urls: tuple[str, ...]) -> None:
    assert app(audience=audience).key_urls == urls


@pytest.mark.parametrize(
    ("settings", "claims"),
    [
        ({"audience": NUMBER}, by_number()),
        ({"audience": URL}, by_url()),
        ({"audience": URL}, by_url(iss="accounts.google.com")),
        ({"audience": URL, "caller": ADD_ON}, by_url(email=ADD_ON)),
    ],
    ids=["project-number", "endpoint-url", "older-issuer", "add-on"],
)
def test_what_google_says_to_this_app_is_taken(settings: dict[str, str], claims: dict[str, Any]) -> None:
    assert app(**settings).verify(posted({}, GOOGLE.token(claims)))


@pytest.mark.parametrize(
    ("settings", "claims"),
    [
        ({}, by_number()),
        ({}, by_number(aud="")),
        ({"audience": NUMBER}, by_number(aud="1")),
        ({"audience": NUMBER}, by_number(iss="https://accounts.google.com")),
        ({"audience": NUMBER}, by_url(aud=NUMBER)),
        ({"audience": NUMBER}, by_number(exp=NOW - 61)),
        ({"audience": NUMBER}, by_number(iat=NOW + 61)),
        ({"audience": URL}, by_url(aud=f"{URL}/")),
        ({"audience": URL}, by_url(iss=CHAT)),
        ({"audience": URL}, by_url(email="somebody@gmail.com")),
        ({"audience": URL}, by_url(email=ADD_ON)),
        ({"audience": URL}, by_url(email=[CHAT])),
        ({"audience": URL}, by_url(email_verified=False)),
        ({"audience": URL}, by_url(email_verified="true")),
        ({"audience": URL}, by_url(exp=NOW - 61)),
        ({"audience": URL, "caller": ADD_ON}, by_url()),
        ({"audience": URL, "caller": ADD_ON}, by_url(email=ADD_ON.replace(NUMBER, "1"))),
        ({"audience": URL, "caller": ""}, by_url(email="")),
    ],
    ids=[
        "no-audience", "no-audience-at-all", "another-project", "another-issuer", "an-id-token", "expired",
        "of-tomorrow", "another-url", "a-self-signed-token", "a-user", "an-add-on-where-there-is-none",
        "emails", "unverified", "verified-in-words", "expired-id-token", "no-add-on", "another-add-on",
        "a-caller-without-a-name",
    ],
)  # fmt: skip
def test_anything_else_is_not(settings: dict[str, str], claims: dict[str, Any]) -> None:
    assert not app(**settings).verify(posted({}, GOOGLE.jws(claims)))


def test_no_other_key_and_no_missing_token_will_do() -> None:
    of, other = app(audience=NUMBER), Issuer("google-1")
    assert not of.verify(posted({}, other.token(by_number())))
    assert not of.verify(posted({}, GOOGLE.token(by_number()), keys=()))
    assert not of.verify(posted({}))
    assert not of.verify(posted({}, "\udcff.e30.é"))


TABLE = {
    "good": {},
    "older issuer": {"iss": "accounts.google.com"},
    "another issuer": {"iss": "https://accounts.example.com"},
    "another audience": {"aud": "https://bridge.example.com"},
    "expired": {"exp": -100},
    "of tomorrow": {"iat": 86_400, "exp": 90_000},
}


@pytest.mark.parametrize("changed", TABLE.values(), ids=TABLE)
@pytest.mark.parametrize("signer", [GOOGLE, Issuer("google-1")], ids=["google", "stranger"])
def test_googles_own_library_judges_an_id_token_alike(signer: Issuer, changed: Mapping[str, Any]) -> None:
    now = time.time()
    shifted = {name: now + value if isinstance(value, int) else value for name, value in changed.items()}
    token = signer.jws(by_url(now, **shifted))
    assert app(audience=URL).verify(posted({}, token, at=now)) == _judged(token)


def _judged(token: str) -> bool:
    """By google.oauth2.id_token, with our keys in place of Google's."""

    class Answer:
        status = 200
        data = orjson.dumps({"keys": [GOOGLE.jwk]})
        headers: Mapping[str, str] = {}

    transport: Any = lambda url, method="GET", **_: Answer()  # noqa: E731

    try:
        claims = id_token.verify_token(token, transport, URL, GOOGLE_KEYS)
    except (exceptions.GoogleAuthError, jwt.PyJWTError, ValueError):
        return False
    return claims["iss"] in ("accounts.google.com", "https://accounts.google.com")


# ---- what is said ------------------------------------------------------------------------------------------

ADA = {
    "name": "users/1234",
    "displayName": "Ada Lovelace",
    "avatarUrl": "https://lh3.googleusercontent.com/a",
    "email": "ada@example.com",
    "type": "HUMAN",
    "domainId": "1abc",
}
APP = {"name": "users/99", "displayName": "Support", "type": "BOT"}
USER = User(id="users/1234", name="Ada Lovelace", language="el")
DM = {"name": "spaces/DM1", "type": "DM", "singleUserBotDm": True, "spaceType": "DIRECT_MESSAGE"}
ROOM = {
    "name": "spaces/AAA",
    "type": "ROOM",
    "displayName": "Team",
    "spaceType": "SPACE",
    "spaceThreadingState": "THREADED_MESSAGES",
}
THREAD = "spaces/AAA/threads/TTT-1_x"
AT = "2026-11-20T10:00:00.123456Z"


def message(space: Mapping[str, Any] = DM, **fields: Any) -> dict[str, Any]:
    made = {
        "name": f"{space['name']}/messages/M.1",
        "sender": ADA,
        "createTime": AT,
        "text": "Hello 👋",
        "argumentText": "Hello 👋",
        "thread": {"name": f"{space['name']}/threads/TTT-1_x"},
        "space": space,
        **fields,
    }
    return {name: value for name, value in made.items() if value is not None}


def classic(kind: str = "MESSAGE", space: Mapping[str, Any] = DM, **fields: Any) -> dict[str, Any]:
    common = {"userLocale": "el", "hostApp": "CHAT"}
    return {"type": kind, "eventTime": AT, "space": space, "user": ADA, "common": common, **fields}


def add_on(payload: str, space: Mapping[str, Any] = DM, **fields: Any) -> dict[str, Any]:
    common = {"userLocale": "el", "hostApp": "CHAT", "platform": "WEB", **fields.pop("common", {})}
    return {
        "commonEventObject": common,
        "authorizationEventObject": {"systemIdToken": "x"},
        "chat": {"user": ADA, "eventTime": AT, payload: {"space": space, **fields}},
    }


def said(body: object) -> Reading:
    reading = app().read(posted(body))
    assert (reading.answer, reading.answer_type, reading.status) == (b"{}", "application/json", 200)
    return reading


def only(body: object) -> Any:
    (incoming,) = said(body).incoming
    return incoming


def both(space: Mapping[str, Any] = DM, **fields: Any) -> tuple[Any, Any]:
    """What a message is read as, in both shapes; the message is one of Google's own model."""
    of = message(space, **fields)
    json_format.ParseDict(of, chat_v1.Message.pb(chat_v1.Message()))
    return only(classic(space=space, message=of)), only(add_on("messagePayload", space, message=of))


def test_a_message_is_read_in_both_shapes() -> None:
    expected = UserMessage(chat="spaces/DM1", id="spaces/DM1/messages/M.1", text="Hello 👋", user=USER)
    assert both() == (expected, expected)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": "@Support where is it?", "argumentText": " where is it?"}, "where is it?"),
        ({"text": "@Support", "argumentText": " "}, "@Support"),
        ({"text": "plain", "argumentText": None}, "plain"),
        ({"text": "a\r\nb\x00", "argumentText": "a\r\nb\x00"}, "a\nb"),
        ({"text": "/help me", "argumentText": " me", "slashCommand": {"commandId": "1"}}, "/help me"),
    ],
    ids=["mention", "mention-alone", "no-argument", "control-characters", "slash-command"],
)
def test_the_words_are_those_meant_for_the_app(fields: dict[str, Any], words: str) -> None:
    assert [incoming.text for incoming in both(ROOM, **fields)] == [words, words]


@pytest.mark.parametrize(
    ("space", "thread", "chat"),
    [
        (DM, "spaces/DM1/threads/T", "spaces/DM1"),
        ({**DM, "spaceThreadingState": "THREADED_MESSAGES"}, "spaces/DM1/threads/T", "spaces/DM1"),
        ({"name": "spaces/DM1", "type": "DM"}, "spaces/DM1/threads/T", "spaces/DM1"),
        (ROOM, THREAD, THREAD),
        ({**ROOM, "spaceThreadingState": "GROUPED_MESSAGES"}, THREAD, THREAD),
        ({**ROOM, "spaceThreadingState": "UNTHREADED_MESSAGES"}, THREAD, "spaces/AAA"),
        ({"name": "spaces/AAA", "type": "ROOM"}, THREAD, THREAD),
        (ROOM, "", "spaces/AAA"),
        (ROOM, "spaces/BBB/threads/T", "spaces/AAA"),
        (ROOM, "spaces/AAA/threads/a/../b", "spaces/AAA"),
    ],
    ids=[
        "direct", "direct-with-threads", "direct-of-old", "threads", "topics", "no-threads", "room-of-old",
        "no-thread", "thread-elsewhere", "no-thread's-name",
    ],
)  # fmt: skip
def test_a_thread_is_a_chat_but_in_a_direct_message(space: dict[str, Any], thread: str, chat: str) -> None:
    incoming = only(classic(space=space, message=message(space, thread={"name": thread})))
    assert incoming.chat == chat
    (call,) = app().render(Text("Hi"), incoming.chat)
    request = app().request(msgspec.structs.replace(call, to=incoming.chat))
    body = orjson.loads(request.body)
    assert urlsplit(request.url).path == f"/v1/{space['name']}/messages"
    assert body.get("thread", {}).get("name", space["name"]) == chat


def file(**fields: Any) -> dict[str, Any]:
    name = "spaces/DM1/messages/M.1/attachments/A"
    return {"name": name, "contentName": "a.png", "contentType": "image/png", **fields}


STORED = "ClxzcGFjZXMvQUFB/TT-x_y+z=="


@pytest.mark.parametrize(
    ("fields", "text", "attachments"),
    [
        (
            {"attachment": [file(attachmentDataRef={"resourceName": STORED}, source="UPLOADED_CONTENT")]},
            "Hello 👋",
            [Attachment(type="image", source=STORED, mime_type="image/png", filename="a.png")],
        ),
        (
            {
                "text": "@Support",
                "argumentText": None,
                "attachment": [
                    file(
                        contentName="r.ogg",
                        contentType="audio/ogg",
                        attachmentDataRef={"resourceName": STORED},
                    ),
                    file(contentName="", contentType="", attachmentDataRef={"resourceName": "b"}),
                ],
            },
            "",
            [
                Attachment(type="audio", source=STORED, mime_type="audio/ogg", filename="r.ogg"),
                Attachment(type="file", source="b"),
            ],
        ),
        (
            {
                "attachment": [
                    file(contentName="Plan", driveDataRef={"driveFileId": "1Ab-c_D"}, source="DRIVE_FILE")
                ]
            },
            "Hello 👋\nPlan: https://drive.google.com/open?id=1Ab-c_D",
            [],
        ),
        (
            {"attachedGifs": [{"uri": "https://media.tenor.com/x.gif"}, {"uri": "javascript:alert(1)"}]},
            "Hello 👋",
            [Attachment(type="image", url="https://media.tenor.com/x.gif", mime_type="image/gif")],
        ),
        (
            {
                "attachment": [
                    file(attachmentDataRef={"resourceName": "a/../../spaces"}),
                    file(contentName=""),
                ]
            },
            "Hello 👋\n[file: a.png]\n[file]",
            [],
        ),
    ],
    ids=["upload", "files-alone", "drive", "gif", "not-to-be-had"],
)
def test_files_come_along(fields: dict[str, Any], text: str, attachments: list[Attachment]) -> None:
    for incoming in both(**fields):
        assert (incoming.text, list(incoming.attachments)) == (text, attachments)


def test_whoever_adds_the_app_by_mentioning_it_has_said_something() -> None:
    added = only(classic("ADDED_TO_SPACE", ROOM, message=message(ROOM, argumentText=" hello")))
    assert (added.chat, added.text) == (THREAD, "hello")


COMMAND: dict[str, Any] = {"slashCommand": {"commandId": "7"}, "text": "/status 12", "argumentText": " 12"}


def test_a_slash_command_comes_through_as_its_text() -> None:
    metadata = {"appCommandId": 7, "appCommandType": "SLASH_COMMAND"}
    payload = {"message": message(**COMMAND), "appCommandMetadata": metadata}
    assert only(add_on("appCommandPayload", **payload)).text == "/status 12"
    assert only(classic("APP_COMMAND", **payload)).text == "/status 12"


# ---- clicks ------------------------------------------------------------------------------------------------

CARD = {"name": "spaces/AAA/messages/client-1", "sender": APP, "thread": {"name": THREAD}, "text": "Pick"}


def pressed(**parameters: str) -> tuple[Any, Any, Any]:
    """A press in the classic shape, old and new, and in an add-on's."""
    pairs = [{"key": key, "value": value} for key, value in parameters.items()]
    action = {"actionMethodName": "reply", "parameters": pairs}
    common = {"userLocale": "el", "hostApp": "CHAT", "invokedFunction": "reply", "parameters": parameters}
    return (
        classic("CARD_CLICKED", ROOM, message=CARD, action=action),
        classic("CARD_CLICKED", ROOM, message=CARD, common=common),
        add_on("buttonClickedPayload", ROOM, message=CARD, common={"parameters": parameters}),
    )


def test_a_press_is_read_as_a_click_in_every_shape() -> None:
    expected = Click(
        chat=THREAD,
        id=f"{AT} spaces/AAA/messages/client-1",
        payload="~abc",
        label="Buy the shoes",
        user=USER,
    )
    assert [only(body) for body in pressed(value="~abc", label="Buy the shoes")] == [expected] * 3


def test_a_press_gives_back_what_was_rendered() -> None:
    of = app(audience=URL)
    content = Text("Pick", options=(Option("Short", "s"), Option("Long", "v" * 600)))
    (call,) = of.render(content, THREAD)
    buttons = call.body["accessoryWidgets"][0]["buttonList"]["buttons"]
    for button, payload, label in zip(buttons, ["s", *call.keep], ["", "Long"], strict=True):
        action = button["onClick"]["action"]
        parameters = {each["key"]: each["value"] for each in action["parameters"]}
        click = only(pressed(**parameters)[2])
        assert (click.payload, click.label, action["function"]) == (payload, label, URL)


@pytest.mark.parametrize("body", pressed(other="x"), ids=["action", "common", "add-on"])
def test_a_press_on_somebody_elses_button_is_none(body: object) -> None:
    assert said(body).incoming == ()


# ---- what is no message ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(classic("ADDED_TO_SPACE"), id="added"),
        pytest.param(classic("REMOVED_FROM_SPACE"), id="removed"),
        pytest.param(classic("WIDGET_UPDATED"), id="widget"),
        pytest.param(classic(message=message(sender=APP)), id="a-bot's"),
        pytest.param(classic(message=message(sender=None)), id="nobody's"),
        pytest.param(classic(message=message(text="", argumentText="")), id="nothing"),
        pytest.param(classic("APP_COMMAND", message=message()), id="a-command-on-a-message"),
        pytest.param(classic(space={}, message=message()), id="nowhere"),
        pytest.param(classic(space={"name": "spaces/../x"}, message=message()), id="no-space"),
        pytest.param(classic(message="Hello"), id="wrong-type"),
        pytest.param({**classic(message=message()), "space": None}, id="null"),
        pytest.param(add_on("addedToSpacePayload", interactionAdd=True), id="add-on-added"),
        pytest.param(add_on("removedFromSpacePayload"), id="add-on-removed"),
        pytest.param(add_on("widgetUpdatedPayload"), id="add-on-widget"),
        pytest.param(add_on("appCommandPayload"), id="quick-command"),
        pytest.param(add_on("messagePayload", message=message(sender=APP)), id="add-on-bot"),
        pytest.param({"chat": {}}, id="add-on-nothing"),
        pytest.param({}, id="empty"),
        pytest.param([], id="list"),
        pytest.param(b"", id="no-body"),
        pytest.param(b"\xff\xfe", id="no-text"),
        pytest.param(b"[" * 5000, id="deep"),
        pytest.param(b'{"type": "MESSAGE", "space": ', id="cut-off"),
    ],
)
def test_anything_else_is_no_message(body: object) -> None:
    assert said(body).incoming == ()


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
    lambda inside: st.lists(inside, max_size=2) | st.dictionaries(st.text(max_size=5), inside, max_size=2),
    max_leaves=4,
)
KEYS = ["type", "space", "message", "user", "common", "action", "chat", "commonEventObject", "eventTime"]


@given(st.dictionaries(st.sampled_from(KEYS), values), st.dictionaries(st.sampled_from(KEYS), values))
def test_no_body_breaks_it(changed: dict[str, Any], inside: dict[str, Any]) -> None:
    for body in (classic(message=message()) | changed, {**classic(), "message": message() | inside}):
        assert isinstance(said(orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)), Reading)


# ---- loading a file ----------------------------------------------------------------------------------------


def key_file(signer: Issuer = GOOGLE) -> str:
    pem = signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return orjson.dumps({"client_email": "bot@p.iam.gserviceaccount.com", "private_key": pem}).decode()


def test_a_file_is_loaded_with_the_apps_token() -> None:
    of = app(api_url="https://chat.example/")
    assert of.locate(STORED) is None
    request = of.download(STORED, None)
    assert (request.method, request.url) == ("GET", f"https://chat.example/v1/media/{STORED}?alt=media")
    assert request.headers == {"authorization": f"Bearer {TOKEN}"}


def test_an_account_signs_for_a_file_when_it_is_asked_for() -> None:
    request = app(key_file()).download(STORED, None)
    assert isinstance(request.grant, Account)
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    "source", ["", "../spaces", "/v1", "a b", "a?alt=json", "a#", "a\n", "é", "x" * 2001]
)
def test_no_other_address_gets_the_token(source: str) -> None:
    with pytest.raises(Rejected):
        app().download(source, None)


# ---- setting it up -----------------------------------------------------------------------------------------


def test_an_account_lists_its_spaces_and_is_named() -> None:
    request = app(key_file()).identify()
    assert (request.method, request.url) == ("GET", "https://chat.googleapis.com/v1/spaces?pageSize=1")
    assert isinstance(request.grant, Account)
    assert app(key_file()).identified(Reply(status=200, body=b"{}")) == "bot@p.iam.gserviceaccount.com"


def test_an_app_with_a_token_lists_its_spaces() -> None:
    request = app().identify()
    assert (request.method, request.url) == ("GET", "https://chat.googleapis.com/v1/spaces?pageSize=1")
    assert app().identified(Reply(status=200, body=b'{"spaces":[]}')) == "a Chat app"
    with pytest.raises(Unauthorized):
        app().identified(Reply(status=401, body=b'{"error":{"code":401,"status":"UNAUTHENTICATED"}}'))
    with pytest.raises(Unavailable):
        app().identified(Reply(status=302))


def refused(status: int, named: str, *details: object) -> Reply:
    error = {"code": status, "status": named, "message": "No.", "details": details}
    return Reply(status=status, body=orjson.dumps({"error": error}))


def test_a_webhook_is_known_by_its_refusal_of_an_empty_message() -> None:
    request = webhook().identify()
    assert urlsplit(request.url).path == "/v1/spaces/BBBB/messages"
    assert orjson.loads(request.body) == {"thread": {"threadKey": "moveo-bridge"}}
    assert webhook().identified(refused(400, "INVALID_ARGUMENT")) == "an incoming webhook"
    with pytest.raises(Unauthorized):
        webhook().identified(refused(400, "INVALID_ARGUMENT", {"reason": "API_KEY_INVALID"}))
    with pytest.raises(Unauthorized):
        webhook().identified(refused(401, "UNAUTHENTICATED"))


@pytest.mark.parametrize(
    ("audience", "words"),
    [
        ("", "audience is missing"),
        (NUMBER, f"Project Number: in the settings it is {NUMBER}"),
        (URL, "HTTP endpoint URL; for an add-on"),
        ("https://bridge.example.com/", "it must be the URL above"),
    ],
    ids=["none", "number", "url", "another-url"],
)
def test_the_steps_have_the_address_and_what_is_missing(audience: str, words: str) -> None:
    of = app(audience=audience)
    assert of.connect(URL) == ()
    assert f"enter {URL} (" in of.steps(URL)
    assert words in of.steps(URL)


def test_there_is_nothing_to_be_done_for_a_webhook() -> None:
    assert (webhook().connect(URL), webhook().steps(URL)) == ((), "")
