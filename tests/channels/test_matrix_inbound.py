"""Matrix: what a homeserver tells the bridge, who may tell it, and what helps to set it up.

The events are what Synapse 1.163 sends; tests/matrix has them from a running one.
"""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.channels import (
    Attachment,
    Call,
    Downloads,
    Errand,
    Inbound,
    Reading,
    Reply,
    Seen,
    SetUp,
    TwoWay,
    User,
    UserMessage,
)
from bridge.channels.matrix import Matrix, MatrixSettings
from bridge.config.models import IngressConfig
from bridge.errors import ConfigError, Forbidden, SendError, Unauthorized, Unavailable, Uncertain
from bridge.secret import Secret
from tests.channels.matrix_rules import EVENT_BYTES, problems
from tests.channels.talk import NOT_THE_PLATFORM, named

HOME = "https://matrix.example.org"
URL = "https://bridge.example.com/channels/support"
TOKEN, HS_TOKEN = "as-token-never-to-be-seen", "hs-token-never-to-be-seen"
BOT, ADA = "@support:example.org", "@ada:example.org"
ROOM, EVENT = "!qKkqAFpFPvo0w2o:example.org", "$CXMt3z_hsF7-qEvlSitM99i4oATyB2IEDa0uzeC44T0"


def channel(**given: Any) -> Matrix:
    settings = {"api_url": HOME, "user_id": BOT, "token": Secret(TOKEN), "hs_token": Secret(HS_TOKEN)}
    return Matrix(MatrixSettings(**{**settings, **given}))


def event(content: object, kind: str = "m.room.message", **fields: Any) -> dict[str, Any]:
    known = {"room_id": ROOM, "event_id": EVENT, "sender": ADA, "origin_server_ts": 1_795_579_299_861}
    aside = {"age": 64, "unsigned": {"age": 64}, "user_id": ADA}
    return {"type": kind, "content": content, **known, **aside, **fields}


def told(*events: object) -> Inbound:
    """A transaction, as it comes."""
    return Inbound(
        method="PUT",
        url=f"{URL}/_matrix/app/v1/transactions/1",
        path="/_matrix/app/v1/transactions/1",
        headers={"authorization": f"Bearer {HS_TOKEN}", "content-type": "application/json"},
        body=json.dumps({"events": events}).encode(),
        at=1_795_579_300.0,
    )


def read(*events: object) -> Reading:
    reading = channel().read(told(*events))
    assert (reading.status, reading.answer, reading.answer_type) == (200, b"{}", "application/json")
    return reading


def said(content: dict[str, Any], kind: str = "m.room.message") -> UserMessage:
    (found,) = read(event(content, kind)).incoming
    assert isinstance(found, UserMessage)
    return found


def test_it_is_a_channel_with_a_way_back_files_and_set_up() -> None:
    for protocol in (TwoWay, Downloads, SetUp):
        assert isinstance(channel(), protocol)


# ---- who tells ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "good"),
    [
        (f"Bearer {HS_TOKEN}", True),
        (f"bearer {HS_TOKEN}", True),
        (HS_TOKEN, False),
        (f"Basic {HS_TOKEN}", False),
        (f"Bearer {TOKEN}", False),
        (f"Bearer {HS_TOKEN}x", False),
        (f"Bearer {HS_TOKEN[:-1]}", False),
        ("Bearer ", False),
        ("Bearer é\udcff", False),
        ("", False),
    ],
    ids=["good", "small", "bare", "basic", "other", "longer", "shorter", "empty", "odd-bytes", "nothing"],
)
def test_the_homeserver_shows_its_token(header: str, good: bool) -> None:
    request = Inbound(method="PUT", url=URL, headers={"authorization": header})
    assert channel().verify(request) is good


def test_a_request_without_a_token_is_refused() -> None:
    assert not channel().verify(Inbound(method="PUT", url=URL, query={"access_token": HS_TOKEN}))


@pytest.mark.parametrize("hs_token", [None, Secret("")], ids=["none", "empty"])
def test_without_an_hs_token_nothing_is_taken(hs_token: Secret | None) -> None:
    if hs_token is None:
        there = channel(hs_token=None)
        for header in ("Bearer ", "Bearer", f"Bearer {HS_TOKEN}", ""):
            assert not there.verify(Inbound(method="PUT", url=URL, headers={"authorization": header}))
    else:
        with pytest.raises(ConfigError, match="hs_token: must be of ASCII letters"):
            channel(hs_token=hs_token)


# ---- what it asks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "answer"),
    [
        ("PUT", "/_matrix/app/v1/transactions/17", 200, {}),
        ("PUT", "/_matrix/app/unstable/transactions/17", 200, {}),
        ("PUT", "/transactions/17", 200, {}),
        ("POST", "/_matrix/app/v1/ping", 200, {}),
        ("GET", "/_matrix/app/v1/users/@nobody:example.org", 404, {"errcode": "M_NOT_FOUND"}),
        ("GET", "/_matrix/app/v1/rooms/#none:example.org", 404, {"errcode": "M_NOT_FOUND"}),
        ("GET", "/users/@nobody:example.org", 404, {"errcode": "M_NOT_FOUND"}),
        ("GET", "/_matrix/app/v1/thirdparty/protocol/irc", 404, {"errcode": "M_UNRECOGNIZED"}),
        ("PUT", "/_matrix/app/v1/ping", 404, {"errcode": "M_UNRECOGNIZED"}),
        ("POST", "/_matrix/app/v1/transactions/17", 404, {"errcode": "M_UNRECOGNIZED"}),
        ("PUT", "/_matrix/app/v1/transactions/", 404, {"errcode": "M_UNRECOGNIZED"}),
        ("POST", "", 404, {"errcode": "M_UNRECOGNIZED"}),
        ("GET", "", 404, {"errcode": "M_UNRECOGNIZED"}),
    ],
)
def test_each_path_has_its_answer(method: Any, path: str, status: int, answer: dict[str, str]) -> None:
    reading = channel().read(Inbound(method=method, url=URL + path, path=path, body=b'{"events":[]}'))
    assert (reading.status, json.loads(reading.answer), reading.incoming) == (status, answer, ())
    assert reading.answer_type == "application/json"


def test_a_message_by_an_older_path_is_read_too() -> None:
    inbound = told(event({"msgtype": "m.text", "body": "Hi"}))
    older = Inbound(method="PUT", url=URL, path="/transactions/5", body=inbound.body)
    assert channel().read(older) == channel().read(inbound)


# ---- what is said ------------------------------------------------------------------------------------------


def test_a_message_comes_from_its_room() -> None:
    assert said({"msgtype": "m.text", "body": "Where is my order?", "m.mentions": {}}) == UserMessage(
        chat=ROOM,
        id=EVENT,
        text="Where is my order?",
        user=User(id=ADA),
        memo={"event": EVENT},
    )


def reply(body: str, **more: Any) -> dict[str, Any]:
    return {
        "msgtype": "m.text",
        "body": body,
        "m.relates_to": {"m.in_reply_to": {"event_id": "$other"}, **more},
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param({"msgtype": "m.text", "body": "/start"}, "/start", id="command"),
        pytest.param({"msgtype": "m.emote", "body": "waves"}, "waves", id="emote"),
        pytest.param({"msgtype": "org.example.poll", "body": "A or B?"}, "A or B?", id="an-unknown-form"),
        pytest.param({"msgtype": "m.text", "body": "a\r\nb\x00\ud83d\ude00"}, "a\nb😀", id="unclean"),
        pytest.param(
            {
                "msgtype": "m.text",
                "body": "<b>Hi</b>",
                "format": "org.matrix.custom.html",
                "formatted_body": "Hi",
            },
            "<b>Hi</b>",
            id="html",
        ),
        pytest.param(reply("> <@support:example.org> One\n> Two\n\nThree"), "Three", id="reply-of-old"),
        pytest.param(
            reply("> <@support:example.org> One\nTwo\n> Three"), "Two\n> Three", id="only-what-is-before"
        ),
        pytest.param(reply("That is fine"), "That is fine", id="reply"),
        pytest.param(
            reply("> Mine", rel_type="m.thread", event_id="$root", is_falling_back=True) | {"body": "Hi"},
            "Hi",
            id="thread",
        ),
        pytest.param({"msgtype": "m.text", "body": "> a quote of mine"}, "> a quote of mine", id="quote"),
        pytest.param(
            {"msgtype": "m.location", "body": "Big Ben", "geo_uri": "geo:51.5008,-0.1247;u=35"},
            "Big Ben\nhttps://maps.google.com/?q=51.5008,-0.1247",
            id="place",
        ),
        pytest.param(
            {
                "msgtype": "m.location",
                "body": "Location geo:51.5008,-0.1247",
                "geo_uri": "geo:51.5008,-0.1247",
            },
            "https://maps.google.com/?q=51.5008,-0.1247",
            id="place-by-numbers",
        ),
        pytest.param(
            {"msgtype": "m.location", "body": "Somewhere", "geo_uri": "geo:here"}, "Somewhere", id="no-place"
        ),
        pytest.param(
            {"msgtype": "m.text", "body": "Hi", "m.relates_to": "odd", "filename": 7, "info": []},
            "Hi",
            id="odd",
        ),
    ],
)
def test_words_are_read(content: dict[str, Any], words: str) -> None:
    assert said(content).text == words
    assert said(content).attachments == ()


def media(form: str, **fields: Any) -> dict[str, Any]:
    info = {"mimetype": "image/png", "size": 31_037, "w": 398, "h": 394}
    return {
        "msgtype": form,
        "body": "a.png",
        "url": "mxc://example.org/JWEIFJgwEIhweiWJE",
        "info": info,
        **fields,
    }


def file(kind: Any, name: str = "a.png", mime_type: str = "image/png") -> Attachment:
    source = "example.org/JWEIFJgwEIhweiWJE"
    return Attachment(type=kind, source=source, mime_type=mime_type, filename=name)


@pytest.mark.parametrize(
    ("content", "words", "attachment"),
    [
        pytest.param(media("m.image"), "", file("image"), id="image"),
        pytest.param(media("m.image", filename="a.png"), "", file("image"), id="filename-alone"),
        pytest.param(media("m.image", filename="a.png", body="Look"), "Look", file("image"), id="caption"),
        pytest.param(
            media("m.video", info={"mimetype": "video/mp4"}),
            "",
            file("video", mime_type="video/mp4"),
            id="video",
        ),
        pytest.param(
            media("m.audio", info={"mimetype": "audio/ogg; codecs=opus"}, **{"org.matrix.msc3245.voice": {}}),
            "",
            file("audio", mime_type="audio/ogg"),
            id="voice",
        ),
        pytest.param(media("m.file", body="Bill\n7.pdf"), "", file("file", "Bill 7.pdf"), id="file"),
        pytest.param(media("m.file", info="odd"), "", file("file", mime_type=""), id="no-info"),
        pytest.param(
            reply("") | media("m.image", filename="a.png", body="> <@x:y> One\n\nThis"),
            "This",
            file("image"),
            id="caption-of-a-reply",
        ),
        pytest.param(
            media("m.file", url=None, file={"url": "mxc://example.org/x", "key": {}}),
            "[encrypted file: a.png]",
            None,
            id="encrypted",
        ),
        pytest.param(
            media("m.image", url=None, file={}, filename="a.png", body="Look"),
            "Look\n[encrypted image: a.png]",
            None,
            id="encrypted-with-a-caption",
        ),
        pytest.param(
            media("m.image", url="https://elsewhere.example/a.png"), "[image: a.png]", None, id="elsewhere"
        ),
        pytest.param(
            media("m.image", url="mxc://example.org/../../admin"), "[image: a.png]", None, id="way-up"
        ),
        pytest.param(media("m.image", url="mxc://example.org/a?b", body=""), "[image]", None, id="query"),
        pytest.param(media("m.image", url=7, body=7), "[image]", None, id="odd"),
    ],
)
def test_files_are_read(content: dict[str, Any], words: str, attachment: Attachment | None) -> None:
    found = said(content)
    assert found.text == words
    assert found.attachments == ((attachment,) if attachment else ())


def test_a_sticker_is_a_picture() -> None:
    content = {"body": "Landing", "url": "mxc://example.org/Ab", "info": {"mimetype": "image/png"}}
    found = said(content, "m.sticker")
    assert found.text == ""
    assert found.attachments == (
        Attachment(type="image", source="example.org/Ab", mime_type="image/png", filename="Landing"),
    )


@pytest.mark.parametrize(
    "relation", [{}, {"rel_type": "m.thread", "event_id": "$root"}], ids=["plain", "thread"]
)
def test_what_is_encrypted_is_named(relation: dict[str, str]) -> None:
    content = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgA", "m.relates_to": relation}
    assert said(content, "m.room.encrypted").text == "[encrypted message]"


TEXT = {"msgtype": "m.text", "body": "Hi"}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(event(TEXT, sender=BOT), id="its-own"),
        pytest.param(event({"msgtype": "m.notice", "body": "I am a bot"}), id="notice"),
        pytest.param(event({"msgtype": "m.server_notice", "body": "Consent!"}), id="server-notice"),
        pytest.param(
            event({"msgtype": "m.key.verification.request", "body": "Ada wants to verify"}), id="verification"
        ),
        pytest.param(
            event(
                {
                    "msgtype": "m.text",
                    "body": "* Ho",
                    "m.new_content": {**TEXT, "body": "Ho"},
                    "m.relates_to": {"rel_type": "m.replace", "event_id": EVENT},
                }
            ),
            id="edit",
        ),
        pytest.param(
            event({"m.relates_to": {"rel_type": "m.replace"}}, "m.room.encrypted"), id="encrypted-edit"
        ),
        pytest.param(event({}), id="redacted"),
        pytest.param(event({"redacts": EVENT}, "m.room.redaction"), id="redaction"),
        pytest.param(
            event({"m.relates_to": {"rel_type": "m.annotation", "key": "👍"}}, "m.reaction"), id="reaction"
        ),
        pytest.param(event({"msgtype": "m.text", "body": " \n"}), id="blank"),
        pytest.param(event(reply("> <@x:y> only what was quoted")), id="only-a-quote"),
        pytest.param(event({"msgtype": "m.text", "body": 7}), id="body-of-another-type"),
        pytest.param(event({"msgtype": ["m.text"], "body": "Hi"}), id="form-of-another-type"),
        pytest.param(event(TEXT, state_key=""), id="state"),
        pytest.param(event({"membership": "join"}, "m.room.member", state_key=ADA), id="join"),
        pytest.param(
            event({"membership": "invite"}, "m.room.member", state_key="@eve:example.org"), id="invite"
        ),
        pytest.param(event({"membership": "leave"}, "m.room.member", state_key=BOT), id="thrown-out"),
        pytest.param(event({"name": "Orders"}, "m.room.name", state_key=""), id="name"),
        pytest.param(event(TEXT, sender=7), id="sender-of-another-type"),
        pytest.param(event([]), id="content-of-another-type"),
        pytest.param(event(TEXT, room_id=""), id="no-room"),
        pytest.param(event(TEXT, event_id=""), id="no-id"),
        pytest.param({"type": "m.room.message"}, id="nothing-in-it"),
        pytest.param("event", id="a-word"),
        pytest.param(None, id="null"),
    ],
)
def test_what_nobody_says_to_the_bot_is_no_message_and_costs_no_other(other: object) -> None:
    reading = read(other, event(TEXT, event_id="$after"))
    assert [each.id for each in reading.incoming] == ["$after"]
    assert reading.errands == ()


def test_messages_come_in_the_order_of_the_rooms() -> None:
    ids = [f"${number}" for number in range(100)]
    reading = read(*(event(TEXT, event_id=each) for each in ids))
    assert [each.id for each in reading.incoming] == ids


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b'{"events":7}', b'{"events":{}}', b"\xff", b'{"events":[' + b"[" * 10_000],
    ids=["empty", "null", "list", "object", "number", "no-list", "bytes", "deep"],
)
def test_what_no_homeserver_sends_is_no_message(body: bytes) -> None:
    reading = channel().read(Inbound(method="PUT", url=URL, path="/transactions/1", body=body))
    assert reading == Reading(answer=b"{}", answer_type="application/json")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["msgtype", "body", "m.relates_to", "rel_type", "url", "file", "info", "geo_uri"]
                )
                | st.text(),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    ),
    st.sampled_from(["m.text", "m.image", "m.location", "m.notice", "x"]),
    st.sampled_from(["m.room.message", "m.sticker", "m.room.encrypted", "m.room.member"]),
)
def test_whatever_is_in_an_event_is_no_failure(content: Any, form: str, kind: str) -> None:
    if isinstance(content, dict):
        content = {"msgtype": form, **content}
    for found in read(event(content, kind)).incoming:
        assert isinstance(found, UserMessage)
        assert found.text or found.attachments


# ---- invitations -------------------------------------------------------------------------------------------


def test_the_bot_joins_the_room_it_is_invited_to() -> None:
    invitation = event({"is_direct": True, "membership": "invite"}, "m.room.member", state_key=BOT)
    reading = read(invitation, event(TEXT, event_id="$after"))
    assert reading.errands == (Errand(chat=ROOM, id=EVENT, call=Call(op="join", to=ROOM)),)
    assert [each.id for each in reading.incoming] == ["$after"]


def test_it_joins_by_a_call_that_a_homeserver_accepts() -> None:
    request = channel().request(Call(op="join", to=ROOM))
    assert (request.method, request.url) == ("POST", f"{HOME}/_matrix/client/v3/rooms/{ROOM}/join")
    assert problems(request, ROOM) == []


# ---- what was read -----------------------------------------------------------------------------------------


def receipt(content: object, **fields: Any) -> dict[str, Any]:
    return {"type": "m.receipt", "room_id": ROOM, "content": content, **fields}


def with_signs(*signs: object) -> Reading:
    body = orjson.dumps({"events": [event(TEXT)], "ephemeral": signs})
    reading = channel().read(Inbound(method="PUT", url=URL, path="/transactions/1", body=body))
    assert [each.id for each in reading.incoming] == [EVENT]
    return reading


def test_who_has_read_up_to_an_event_is_told_once() -> None:
    readers = {ADA: {"ts": 1_795_579_300_125, "thread_id": "main"}, "@eve:example.org": {}, BOT: {"ts": 1}}
    assert with_signs(receipt({"$ours": {"m.read": readers}})).seen == (
        Seen(chat=ROOM, id=f"$ours:{ADA}"),
        Seen(chat=ROOM, id="$ours:@eve:example.org"),
    )


@pytest.mark.parametrize(
    "sign",
    [
        {"type": "m.typing", "room_id": ROOM, "content": {"user_ids": [ADA]}},
        {"type": "m.presence", "sender": ADA, "content": {"presence": "online"}},
        receipt({"$ours": {"m.read.private": {ADA: {}}}}),
        receipt({"$ours": {"m.read": [ADA]}}),
        receipt({"$ours": "read"}),
        receipt([]),
        receipt({"$ours": {"m.read": {ADA: {}}}}, room_id=""),
        receipt({"$ours": {"m.read": {ADA: {}}}}, room_id=7),
        None,
    ],
    ids=["typing", "presence", "private", "list", "word", "no-content", "no-room", "odd-room", "null"],
)
def test_no_other_sign_is_a_receipt(sign: object) -> None:
    after = receipt({"$ours": {"m.read": {ADA: {}}}})
    assert with_signs(sign, after).seen == (Seen(chat=ROOM, id=f"$ours:{ADA}"),)


@pytest.mark.parametrize("signs", [7, {}, "read", None], ids=str)
def test_signs_of_another_type_cost_no_message(signs: object) -> None:
    body = orjson.dumps({"events": [event(TEXT)], "ephemeral": signs})
    reading = channel().read(Inbound(method="PUT", url=URL, path="/transactions/1", body=body))
    assert [each.id for each in reading.incoming] == [EVENT]
    assert reading.seen == ()


# ---- files -------------------------------------------------------------------------------------------------


def test_a_file_is_loaded_from_the_homeserver_alone_with_the_token() -> None:
    assert channel().locate("matrix.org:8448/Ab_c-1") is None
    request = channel().download("matrix.org:8448/Ab_c-1", None)
    assert request.method == "GET"
    assert request.url == f"{HOME}/_matrix/client/v1/media/download/matrix.org:8448/Ab_c-1"
    assert request.headers == {"authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize("source", ["", "..", "../../admin", "a/../b?c#d", "a"], ids=repr)
def test_a_source_leads_to_files_only(source: str) -> None:
    url = channel().download(source, None).url
    place = url.removeprefix(f"{HOME}/_matrix/client/v1/media/download/")
    assert place != url
    assert place.count("/") == 1
    assert not {"..", "?", "#"} & {*place.split("/"), *place}


# ---- setting it up -----------------------------------------------------------------------------------------


def test_the_token_says_whose_it_is() -> None:
    request = channel().identify()
    assert (request.method, request.url) == ("GET", f"{HOME}/_matrix/client/v3/account/whoami")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    answer = Reply(status=200, body=orjson.dumps({"user_id": BOT, "is_guest": False}))
    assert channel().identified(answer) == BOT


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Reply(status=200, body=b'{"user_id":"@other:example.org"}'), Unauthorized),
        (Reply(status=401, body=b'{"errcode":"M_UNKNOWN_TOKEN","error":"x"}'), Unauthorized),
        (Reply(status=404, body=b'{"errcode":"M_UNRECOGNIZED","error":"x"}'), Forbidden),
        (Reply(status=200, body=b"{}"), Uncertain),
        *NOT_THE_PLATFORM,
    ],
    ids=named,
)
def test_a_token_that_is_nobodys_is_named(answer: Reply, error: type[SendError]) -> None:
    with pytest.raises(SendError) as caught:
        channel().identified(answer)
    assert type(caught.value) is error


def test_connecting_makes_the_account_and_has_the_bridge_pinged() -> None:
    account, ping = channel().connect(URL)
    assert (account.method, account.url) == ("POST", f"{HOME}/_matrix/client/v3/register")
    assert orjson.loads(account.body) == {
        "type": "m.login.application_service",
        "username": "support",
        "inhibit_login": True,
    }
    assert (ping.method, ping.body) == ("POST", b"{}")
    assert ping.url == f"{HOME}/_matrix/client/v1/appservice/moveo-bridge-support/ping"


@pytest.mark.parametrize(
    "answer",
    [
        Reply(status=200, body=b'{"user_id":"@support:example.org","home_server":"example.org"}'),
        Reply(status=400, body=b'{"errcode":"M_USER_IN_USE","error":"User ID already taken."}'),
        Reply(status=200, body=b'{"duration_ms":123}'),
    ],
    ids=["account", "account-before", "ping"],
)
def test_connecting_succeeds(answer: Reply) -> None:
    assert channel().check(answer) is None


def test_a_bridge_that_is_not_reached_is_said_so() -> None:
    answer = Reply(status=502, body=b'{"errcode":"M_CONNECTION_FAILED","error":"x"}')
    with pytest.raises(Unavailable, match="HTTP 502 M_CONNECTION_FAILED"):
        channel().check(answer)


def test_nothing_is_connected_without_an_hs_token() -> None:
    there = channel(hs_token=None)
    assert there.connect(URL) == ()
    assert "hs_token" in there.steps(URL).splitlines()[0]


def test_the_steps_have_a_registration_to_paste() -> None:
    steps = channel().steps(URL)
    (line,) = (line for line in steps.splitlines() if line.startswith("{"))
    assert json.loads(line) == {
        "id": "moveo-bridge-support",
        "url": URL,
        "as_token": "<token>",
        "hs_token": "<hs_token>",
        "sender_localpart": "support",
        "rate_limited": False,
        "receive_ephemeral": True,
        "namespaces": {"users": [], "aliases": [], "rooms": []},
    }
    assert not {TOKEN, HS_TOKEN} & set(steps.replace('"', " ").split())
    assert BOT in steps


def test_the_largest_transaction_fits_the_ingress_as_it_is() -> None:
    assert IngressConfig().max_body_bytes > 100 * (EVENT_BYTES + 2_000)
