"""Slack, the way back: what users say and press, their files, and how an app is set up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import Clock, SignatureVerifier

from bridge.channels import (
    Attachment,
    Call,
    Click,
    Downloads,
    Inbound,
    Reading,
    Reply,
    SetUp,
    TwoWay,
    User,
    UserMessage,
)
from bridge.channels.slack import Slack, SlackSettings
from bridge.channels.slack.words import plain
from bridge.channels.text import payload
from bridge.content import Card, Carousel, Media, Option, Postback, Text
from bridge.errors import Rejected, SendError, Unauthorized, Unavailable, Uncertain
from bridge.plan import plan
from bridge.secret import Secret
from tests.channels.slack_rules import problems

TOKEN = "xoxb-a-token-that-must-never-be-seen"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_531_420_618
TIME, SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"
BOT, ADA = "U0BOT", "U0ADA"
DIRECT, ROOM, PUBLIC = "D0ADA", "C0ROOM/1712345678.000100", "C0ROOM"
TS, LATER = "1712345678.000100", "1712345999.000200"


def channel(signing_secret: str | None = SIGNING_SECRET, api_url: str = "https://slack.com/api") -> Slack:
    secret = None if signing_secret is None else Secret(signing_secret)
    return Slack(SlackSettings(token=Secret(TOKEN), api_url=api_url, signing_secret=secret))


def posted(body: bytes, *, at: float = NOW, headers: Mapping[str, str] | None = None) -> Inbound:
    """A request as Slack signs it, by its own package; but for the headers given."""
    signature = SignatureVerifier(SIGNING_SECRET).generate_signature(timestamp=str(NOW), body=body)
    assert signature
    signed = {TIME: str(NOW), SIGNATURE: signature, **(headers or {})}
    return msgspec.structs.replace(unsigned(body), headers=signed, at=at)


def unsigned(body: bytes) -> Inbound:
    return Inbound(method="POST", url="https://bridge.example/channels/support", body=body)


def event(**fields: Any) -> dict[str, Any]:
    """An event as Slack wraps it: a direct message of Ada's, but for the fields."""
    said = {
        "type": "message",
        "channel": DIRECT,
        "channel_type": "im",
        "user": ADA,
        "text": "Hi",
        "ts": TS,
        "event_ts": TS,
        "client_msg_id": "0d1c",
        "blocks": [{"type": "rich_text", "block_id": "x", "elements": []}],
        **fields,
    }
    return {
        "type": "event_callback",
        "team_id": "T0TEAM",
        "api_app_id": "A0APP",
        "event_id": "Ev01",
        "event_time": 1712345678,
        "authorizations": [{"team_id": "T0TEAM", "user_id": BOT, "is_bot": True}],
        "event": {name: value for name, value in said.items() if value is not ...},
    }


def read(body: object) -> Reading:
    return channel().read(unsigned(orjson.dumps(body)))


def said(**fields: Any) -> UserMessage:
    (message,) = read(event(**fields)).incoming
    assert isinstance(message, UserMessage)
    return message


def form(**fields: str) -> Reading:
    return channel().read(unsigned(urlencode(fields).encode()))


def test_it_is_a_channel_with_a_way_back_files_and_set_up() -> None:
    assert isinstance(channel(), TwoWay)
    assert isinstance(channel(), Downloads)
    assert isinstance(channel(), SetUp)


# ---- who sent it -------------------------------------------------------------------------------------------

EXAMPLE = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXa"
    b"IFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
"""The request by which Slack's page explains its signature, and what that is, with the secret above."""
ITS_SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def test_slacks_own_example_is_verified() -> None:
    request = posted(EXAMPLE, headers={SIGNATURE: ITS_SIGNATURE})
    assert channel().verify(request)
    assert channel().read(request).incoming == (
        UserMessage(
            chat="G8PSS9T3V",
            id="398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
            text="/webhook-collect",
            user=User(id="U2CERLKJA", name="roadrunner"),
        ),
    )


@given(st.text(max_size=60).map(str.encode), st.text(max_size=3).map(str.encode))
def test_what_slacks_package_takes_is_taken_and_nothing_else(body: bytes, more: bytes) -> None:
    class Then(Clock):
        def now(self) -> float:
            return NOW

    request = posted(body)
    assert channel().verify(request)
    other = msgspec.structs.replace(request, body=body + more)
    verifier = SignatureVerifier(SIGNING_SECRET, Then())
    assert channel().verify(other) == verifier.is_valid_request(other.body, dict(other.headers)) == (not more)


@pytest.mark.parametrize(
    ("later", "good"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)]
)
def test_a_request_is_good_for_five_minutes(later: int, good: bool) -> None:
    assert channel().verify(posted(b"{}", at=NOW + later)) is good


@pytest.mark.parametrize(
    "headers",
    [
        {SIGNATURE: ""},
        {SIGNATURE: "v0="},
        {SIGNATURE: "v0=" + "0" * 64},
        {SIGNATURE: "v1=" + "a" * 64},
        {SIGNATURE: "caf\udce9"},
        {TIME: ""},
        {TIME: str(NOW + 1)},
        {TIME: f"{NOW}.0"},
        {TIME: f"-{NOW}"},
        {TIME: "١٥٣١٤٢٠٦١٨"},
        {TIME: "9" * 5000},
        {TIME: "\udce9"},
    ],
    ids=lambda headers: ascii(next(iter(headers.values())))[:20],
)
def test_another_signature_or_time_is_refused(headers: dict[str, str]) -> None:
    assert not channel().verify(posted(b"{}", headers=headers))


def test_a_request_without_headers_is_refused() -> None:
    assert not channel().verify(msgspec.structs.replace(posted(b"{}"), headers={}))


@pytest.mark.parametrize("secret", [None, "", "another"], ids=["unset", "empty", "other"])
def test_without_the_signing_secret_nothing_is_taken(secret: str | None) -> None:
    assert not channel(secret).verify(posted(b"{}"))


def test_the_address_is_confirmed_by_its_challenge() -> None:
    answer = read({"type": "url_verification", "token": "x", "challenge": "3eZbrw1a"})
    assert answer == Reading(answer=b"3eZbrw1a")


# ---- what is said ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "chat"),
    [
        ({}, DIRECT),
        ({"thread_ts": TS, "ts": LATER}, f"{DIRECT}/{TS}"),
        ({"thread_ts": TS}, DIRECT),
        ({"channel": "C0ROOM", "channel_type": "channel"}, ROOM),
        ({"channel": "C0ROOM", "thread_ts": TS, "ts": LATER}, ROOM),
        ({"channel": "C0ROOM", "type": "app_mention", "channel_type": ...}, ROOM),
        ({"channel": "C0ROOM", "thread_ts": TS, "ts": LATER, "subtype": "thread_broadcast"}, ROOM),
        ({"channel": "G0SOME", "channel_type": "mpim"}, f"G0SOME/{TS}"),
    ],
    ids=[
        "direct", "thread-in-direct", "first-of-a-thread", "channel-begins-a-thread", "thread", "mention",
        "thread-shown-in-channel", "group",
    ],
)  # fmt: skip
def test_a_message_comes_from_where_its_answer_goes(fields: dict[str, Any], chat: str) -> None:
    message = said(**fields)
    assert message == UserMessage(
        chat=chat,
        id=f"{fields.get('channel', DIRECT)}:{fields.get('ts', TS)}",
        text="Hi",
        user=User(id=ADA),
    )
    (call,) = channel().render(Text("Hello"), message.chat)
    assert (call.body["channel"], call.body.get("thread_ts")) == (
        fields.get("channel", DIRECT),
        chat.partition("/")[2] or None,
    )


def test_a_mention_and_its_message_are_one() -> None:
    one = said(channel="C0ROOM", type="app_mention", text=f"<@{BOT}> Hi")
    assert one == said(channel="C0ROOM", text=f"<@{BOT}> Hi")


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        ({"display_name": "ada", "real_name": "Ada Lovelace", "name": "al"}, "ada"),
        ({"display_name": "", "real_name": "Ada Lovelace", "name": "al"}, "Ada Lovelace"),
        ({"name": "al", "real_name": None}, "al"),
        ({}, ""),
    ],
    ids=["display", "real", "account", "none"],
)
def test_the_user_has_a_name_where_slack_says_it(profile: dict[str, Any], name: str) -> None:
    assert said(user_profile=profile).user == User(id=ADA, name=name)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ("&amp;lt;", "&lt;"),
        ("*bold* _it_ `code` :tada:", "*bold* _it_ `code` :tada:"),
        ("<http://example.com|example.com>", "example.com"),
        ("<https://example.com/>", "https://example.com/"),
        ("<https://x.example/?a=1&amp;b=2>", "https://x.example/?a=1&b=2"),
        ("see <https://x.example/a|our page>", "see our page (https://x.example/a)"),
        ("<https://evil.example|https://good.example>", "https://good.example (https://evil.example)"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<tel:+302101234567|+30 210 1234567>", "+30 210 1234567"),
        ("ask <@U0EVE> or <@U0BOB|bob>", "ask @U0EVE or @bob"),
        ("in <#C0ROOM|general> and <#C0X|>", "in #general and #C0X"),
        ("<!here> <!channel|channel> <!subteam^S01|@ops> <!subteam^S02>", "@here @channel @ops @S02"),
        ("<!date^1392734382^{date}|18 Feb 2014>", "18 Feb 2014"),
        (f"<@{BOT}> hi", "hi"),
        (f"<@{BOT}|assistant>: hi", "hi"),
        (f"hi <@{BOT}>", "hi"),
        (f"hi <@{BOT}> there", f"hi @{BOT} there"),
        (f"<@{BOT}>", f"@{BOT}"),
        ("a\r\nb\x00", "a\nb"),
        ("<>", "<>"),
        ("< @U0EVE>", "< @U0EVE>"),
    ],
)
def test_markup_becomes_plain_words(written: str, words: str) -> None:
    assert said(text=written).text == words


@given(st.text(st.sampled_from(f"<>@#!|^&; \n{BOT}amplt:/x"), max_size=60))
def test_whatever_is_written_becomes_words(written: str) -> None:
    words = plain(written, {BOT})
    assert words == words.strip()
    assert len(words) <= 2 * len(written) + 3


@pytest.mark.parametrize("mark", [" ", f"<@{BOT}>", "<", "<@", f"<@{BOT}|", "&amp;"])
def test_a_long_text_takes_no_longer_than_it_is_long(mark: str) -> None:
    for written in (f"x{mark * 20_000}x", f"{mark * 20_000}x", f"x{mark * 20_000}"):
        assert "x" in plain(written, {BOT})


# ---- files -------------------------------------------------------------------------------------------------


def file(name: str, mimetype: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": "F0FILE",
        "name": name,
        "title": "A title",
        "mimetype": mimetype,
        "filetype": "x",
        "mode": "hosted",
        "is_external": False,
        "url_private": f"https://files.slack.com/files-pri/T0-F0FILE/{name}",
        "size": 3,
        **fields,
    }


@pytest.mark.parametrize(
    ("sent", "kind", "mime_type"),
    [
        (file("a.png", "image/png"), "image", "image/png"),
        (file("a.mp4", "video/mp4"), "video", "video/mp4"),
        (file("a.mp3", "audio/mpeg"), "audio", "audio/mpeg"),
        (file("clip.webm", "video/webm", subtype="slack_audio"), "audio", "video/webm"),
        (file("clip.webm", "video/webm", subtype="slack_video"), "video", "video/webm"),
        (file("a.pdf", "application/pdf"), "file", "application/pdf"),
        (file("a.txt", "text/plain", mode="snippet"), "file", "text/plain"),
        (file("a", "\x00"), "file", ""),
    ],
    ids=["image", "video", "audio", "recorded-sound", "recorded-film", "file", "snippet", "no-type"],
)
def test_a_file_is_an_attachment(sent: dict[str, Any], kind: Any, mime_type: str) -> None:
    message = said(subtype="file_share", text="Look", files=[sent])
    attachment = Attachment(type=kind, source="F0FILE", mime_type=mime_type, filename=sent["name"])
    assert (message.text, message.attachments) == ("Look", (attachment,))


def test_files_need_no_text() -> None:
    message = said(
        subtype="file_share", text="", files=[file("a.png", "image/png"), file("b.png", "image/png", id="F1")]
    )
    assert [(one.source, one.filename) for one in message.attachments] == [
        ("F0FILE", "a.png"),
        ("F1", "b.png"),
    ]
    assert message.text == ""


def test_a_file_of_another_workspace_is_known_by_its_id_alone() -> None:
    message = said(
        subtype="file_share",
        text="",
        files=[{"id": "F0FILE", "mode": "file_access", "file_access": "check_file_info", "name": None}],
    )
    assert message.attachments == (Attachment(type="file", source="F0FILE"),)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (
            file(
                "Plan", "text/html", is_external=True, mode="external", external_url="https://docs.example/p"
            ),
            "Plan\nhttps://docs.example/p",
        ),
        (
            file("Plan", "text/html", mode="external", url_private="https://docs.example/p"),
            "Plan\nhttps://docs.example/p",
        ),
        (file("Plan", "text/html", is_external=True, external_url="javascript:alert(1)"), "[file: Plan]"),
        (file("a.png", "image/png", mode="tombstone"), "[file: a.png]"),
        ({"id": "F0FILE", "mode": "hidden_by_limit"}, "[file]"),
        (file("a.png", "image/png", id="../auth.test"), "[file: a.png]"),
        (file("a.png", "image/png", id=None), "[file: a.png]"),
    ],
    ids=["elsewhere", "elsewhere-by-mode", "nowhere", "deleted", "hidden", "no-id-of-a-file", "no-id"],
)
def test_a_file_slack_does_not_have_is_named(sent: dict[str, Any], words: str) -> None:
    message = said(subtype="file_share", text="Look", files=[sent])
    assert (message.text, message.attachments) == (f"Look\n{words}", ())


def test_a_message_passed_on_is_what_is_said() -> None:
    shared = {"is_share": True, "text": "My &lt;order&gt;", "fallback": "[May 1st] eve: My order"}
    assert said(text="", attachments=[shared]).text == "My <order>"
    assert said(text="", attachments=[{"fallback": "eve: Hi"}]).text == "eve: Hi"
    assert said(text="See", attachments=[shared]).text == "See"


def test_a_files_place_is_asked_for_and_loaded_with_the_token() -> None:
    asked = channel().locate("F0FILE")
    assert (asked.method, asked.url, asked.body) == (
        "GET",
        "https://slack.com/api/files.info?file=F0FILE",
        b"",
    )
    assert asked.headers == {"authorization": f"Bearer {TOKEN}"}
    where = "https://files.slack.com/files-pri/T0-F0FILE/download/a.png"
    request = channel().download("F0FILE", told(url_private_download=where, url_private="https://x.example"))
    assert (request.method, request.url, request.headers) == ("GET", where, asked.headers)
    again = channel().download("F0FILE", told(url_private=where))
    assert again.url == where


def told(**file: str) -> Reply:
    return Reply(status=200, body=orjson.dumps({"ok": True, "file": {"id": "F0FILE", **file}}))


@pytest.mark.parametrize(
    ("where", "api_url", "allowed"),
    [
        ("https://files.slack.com/a", "https://slack.com/api", True),
        ("https://team.slack.com/a", "https://slack.com/api", True),
        ("https://slack.com/files-pri/a", "https://slack.com/api", True),
        ("https://files.slack.com/a", "https://proxy.example/slack", True),
        ("https://files.slack-gov.com/a", "https://slack-gov.com/api", True),
        ("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/api", True),
        ("http://127.0.0.1:8081/a", "http://127.0.0.1:8080/api", False),
        ("http://files.slack.com/a", "https://slack.com/api", False),
        ("https://files.slack.com:8443/a", "https://slack.com/api", False),
        ("https://files.slack-gov.com/a", "https://slack.com/api", False),
        ("https://evilslack.com/a", "https://slack.com/api", False),
        ("https://slack.com.evil.example/a", "https://slack.com/api", False),
        ("https://evil.example\\.slack.com/a", "https://slack.com/api", False),
        ("https://evil.example/.slack.com", "https://slack.com/api", False),
        ("https://files.slack.com@evil.example/a", "https://slack.com/api", False),
        ("ftp://files.slack.com/a", "https://slack.com/api", False),
        ("", "https://slack.com/api", False),
    ],
)
def test_the_token_is_shown_to_slack_alone(where: str, api_url: str, allowed: bool) -> None:
    slack = channel(api_url=api_url)
    if allowed:
        assert slack.download("F0FILE", told(url_private=where)).url == where
    else:
        with pytest.raises(Rejected) as caught:
            slack.download("F0FILE", told(url_private=where))
        assert "evil" not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=200, body=b'{"ok":false,"error":"file_not_found"}'), Rejected),
        (Reply(status=200, body=b'{"ok":false,"error":"missing_scope","needed":"files:read"}'), Rejected),
        (Reply(status=200, body=b'{"ok":false,"error":"invalid_auth"}'), Unauthorized),
        (Reply(status=200, body=b'{"ok":false,"error":"fatal_error"}'), Unavailable),
        (Reply(status=429, headers={"retry-after": "3"}, body=b""), Unavailable),
        (Reply(status=200, body=b"<html>"), Unavailable),
        (Reply(status=200, body=b'{"ok":true,"file":7}'), Rejected),
        (Reply(status=200, body=b'{"ok":true}'), Rejected),
        (None, Rejected),
    ],
    ids=["gone", "no-scope", "token", "fatal", "429", "no-json", "wrong-type", "no-file", "not-asked"],
)
def test_a_file_that_is_not_to_be_had_says_what_to_do(reply: Reply | None, error: type[SendError]) -> None:
    with pytest.raises(SendError) as caught:
        channel().download("F0FILE", reply)
    assert isinstance(caught.value, error)


# ---- what is none of it ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"bot_id": "B0BOT"},
        {"bot_profile": {"id": "B0BOT"}},
        {"user": BOT},
        {"user": "USLACKBOT"},
        {"user": ...},
        {"subtype": "bot_message"},
        {"subtype": "message_changed", "message": {"text": "Hi", "user": ADA}, "user": ...},
        {"subtype": "message_deleted", "hidden": True, "user": ...},
        {"subtype": "message_replied"},
        {"subtype": "channel_join"},
        {"subtype": "assistant_app_thread"},
        {"hidden": True},
        {"text": ""},
        {"text": None, "files": None, "attachments": None},
        {"type": "reaction_added"},
        {"type": "message", "channel": ...},
        {"channel": ""},
        {"channel": 7},
        {"user": ["U0ADA"]},
        {"ts": ...},
        {"ts": 1712345678.0001},
        {"text": {"type": "mrkdwn"}},
        {"files": "a.png"},
        {"files": [7]},
    ],
    ids=lambda fields: json.dumps(fields, default=str)[:50],
)
def test_what_nobody_says_to_the_bot_is_no_message(fields: dict[str, Any]) -> None:
    assert read(event(**fields)) == Reading()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "event_callback"},
        {"type": "event_callback", "event": None},
        {"type": "event_callback", "event": []},
        {"type": "app_rate_limited", "minute_rate_limited": 1},
        {"type": "url_verification", "challenge": 7},
        {"type": ["event_callback"]},
        {**event(), "authorizations": 7},
        {**event(), "authorizations": [7]},
    ],
    ids=lambda body: json.dumps(body)[:50],
)
def test_any_other_json_is_no_message(body: object) -> None:
    assert read(body) == Reading()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"{",
        b"[" * 5000,
        b'{"type":"event_callback","event":{"type":"message","text":"\xff"}}',
        b"payload=",
        b"payload=%7B",
        b"payload=%5B%5D",
        b"payload=%FF",
        b"payload=7",
        b"\xff=\xff",
        b"command=webhook&channel_id=C1",
        b"command=%2Fask&channel_id=",
        b"command=%2Fask",
        b"ssl_check=1&token=x",
        b"&" * 5000,
        b"a=1&" * 51,
        b"payload=" + quote('{"type":"view_submission","user":{"id":"U1"},"view":{}}').encode(),
    ],
    ids=lambda body: repr(body)[:40],
)
def test_what_slack_never_sends_is_no_message(body: bytes) -> None:
    assert channel().read(unsigned(body)) == Reading()


@given(
    st.recursive(st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=3), st.lists, max_leaves=4)
)
def test_a_field_of_another_type_is_no_failure(value: Any) -> None:
    for name in event()["event"].keys() | {"thread_ts", "files", "subtype", "bot_id", "user_profile"}:
        assert channel().read(unsigned(orjson.dumps(event(**{name: value})))).status == 200
    for name in press(Text("Pick", (Option("A", "a"),))):
        changed = {**press(Text("Pick", (Option("A", "a"),))), name: value}
        assert form(payload=json.dumps(changed)).status == 200


# ---- slash commands ----------------------------------------------------------------------------------------


def test_a_command_is_a_message_that_all_may_see() -> None:
    answer = form(
        command="/ask",
        text="where is <@U0EVE|eve>'s order &amp; mine",
        channel_id="C0ROOM",
        user_id=ADA,
        user_name="ada",
        trigger_id="1.2.3",
        response_url="https://hooks.slack.com/commands/x",
    )
    assert answer == Reading(
        (
            UserMessage(
                chat="C0ROOM",
                id="1.2.3",
                text="/ask where is @eve's order & mine",
                user=User(id=ADA, name="ada"),
            ),
        ),
        b'{"response_type":"in_channel"}',
        "application/json",
    )


def test_a_command_alone_is_its_name() -> None:
    (message,) = form(command="/start", text="", channel_id="D0ADA", trigger_id="1").incoming
    assert message == UserMessage(chat="D0ADA", id="1", text="/start")


# ---- presses -----------------------------------------------------------------------------------------------


def shown(block: dict[str, Any], number: int) -> dict[str, Any]:
    """A block as Slack gives it back: with an id, and with what it has found out about a picture."""
    found = {"image_width": 2, "image_height": 2, "image_bytes": 9, "is_animated": False, "fallback": "2x2px"}
    block = {**block, "block_id": f"b{number}"}
    if block["type"] == "image":
        return {**block, **found}
    if "accessory" in block:
        return {**block, "accessory": {**block["accessory"], **found}}
    return block


def press(
    content: Text | Card | Carousel, number: int = 0, *, chat: str = DIRECT, menu: int | None = None
) -> dict[str, Any]:
    """The press on a button of what the channel shows, or the choice of an option of its menu."""
    (call,) = [step for step in plan((content,), channel(), chat, key="k").steps if isinstance(step, Call)]
    blocks = [shown(block, count) for count, block in enumerate(call.body["blocks"])]
    found = [
        (block["block_id"], element)
        for block in blocks
        for element in _elements(block)
        if element["type"] in ("button", "static_select")
    ]
    block_id, element = found[number]
    action = {**element, "block_id": block_id, "action_ts": "1712346000.1"}
    if menu is not None:
        action = {
            "type": "static_select",
            "action_id": element["action_id"],
            "block_id": block_id,
            "selected_option": element["options"][menu],
            "placeholder": element["placeholder"],
        }
    room, _, thread = chat.partition("/")
    message = {"type": "message", "bot_id": "B0BOT", "ts": LATER, "text": call.body["text"], "blocks": blocks}
    if thread:
        message["thread_ts"] = thread
    return {
        "type": "block_actions",
        "user": {"id": ADA, "username": "ada", "name": "ada", "team_id": "T0TEAM"},
        "api_app_id": "A0APP",
        "token": "x",
        "container": {"type": "message", "message_ts": LATER, "channel_id": room, "is_ephemeral": False},
        "trigger_id": "12.34.ab",
        "team": {"id": "T0TEAM", "domain": "team"},
        "channel": {"id": room, "name": "directmessage"},
        "message": message,
        "response_url": "https://hooks.slack.com/actions/T0TEAM/1/x",
        "actions": [action],
    }


def _elements(block: dict[str, Any]) -> list[dict[str, Any]]:
    cards = block["elements"] if block["type"] == "carousel" else [block]
    return [element for card in cards for element in card.get("actions", card.get("elements", []))]


def clicked(pressed: dict[str, Any]) -> Click:
    (click,) = form(payload=json.dumps(pressed)).incoming
    assert isinstance(click, Click)
    return click


PICK = Text("Pick & *choose*", (Option("Yes", "yes please"), Option("No", "no thanks")))


@pytest.mark.parametrize("chat", [DIRECT, ROOM, PUBLIC])
def test_a_press_comes_from_the_chat_the_button_was_shown_in(chat: str) -> None:
    click = clicked(press(PICK, 1, chat=chat))
    assert msgspec.structs.replace(click, acknowledge=()) == Click(
        chat=chat, id="12.34.ab", payload="no thanks", label="No", user=User(id=ADA, name="ada")
    )


def test_a_press_on_the_first_message_of_a_thread_is_outside_of_it() -> None:
    pressed = press(PICK, chat=PUBLIC)
    pressed["message"]["thread_ts"] = LATER
    assert clicked(pressed).chat == PUBLIC


def test_the_pressed_button_stands_out_and_no_other() -> None:
    pressed = press(PICK, 1, chat=ROOM)
    pressed["message"]["blocks"][1]["elements"][0]["style"] = "primary"
    (call,) = clicked(pressed).acknowledge
    blocks = [
        shown(block, number) for number, block in enumerate(channel().render(PICK, ROOM)[0].body["blocks"])
    ]
    blocks[1]["elements"][1] = {**blocks[1]["elements"][1], "style": "primary"}
    assert call == Call(
        op="chat.update",
        body={"channel": PUBLIC, "ts": LATER, "text": "Pick &amp; *choose*", "blocks": blocks},
        to=ROOM,
        ephemeral=True,
    )
    request = channel().request(call)
    assert (request.url, json.loads(request.body)) == ("https://slack.com/api/chat.update", call.body)


def test_slack_takes_back_what_it_has_shown() -> None:
    """Also of cards, with pictures about which it has told more than it takes."""
    cards = Carousel(
        (Card("*A*", "_b_", Media("image", "https://x.example/a.png"), (Postback("Buy", "a"),)),) * 2
    )
    (call,) = clicked(press(cards, 1)).acknowledge
    body = {"channel": "D0ADA", "text": call.body["text"], "mrkdwn": False, "blocks": call.body["blocks"]}
    assert problems("chat.postMessage", body) == []
    styles = [element.get("style") for block in call.body["blocks"] for element in block.get("elements", ())]
    assert styles == [None, "primary"]


def test_a_message_of_blocks_that_may_not_go_back_is_left_alone() -> None:
    card = Card("A", "b", buttons=(Postback("Buy", "buy_a"),))
    click = clicked(press(card))
    assert (click.payload, click.label, click.acknowledge) == ("buy_a", "Buy", ())


def test_an_option_of_a_menu_is_a_press() -> None:
    many = Text("Pick", tuple(Option(f"L{n}", f"V{n}") for n in range(30)))
    click = clicked(press(many, menu=7))
    assert (click.payload, click.label, click.acknowledge) == ("V7", "L7", ())


def test_a_long_value_comes_back_as_its_token() -> None:
    long = "v" * 500
    click = clicked(press(Text("Pick", (Option("A", long),))))
    assert (click.payload, click.label) == (payload(long, 150)[0], "A")


def test_words_that_slack_has_escaped_are_read_as_they_were() -> None:
    pressed = press(Text("Pick", (Option("Q & A", "Q & A <1>"),)))
    pressed["actions"][0] |= {"value": "Q &amp; A &lt;1&gt;"}
    pressed["actions"][0]["text"] |= {"text": "Q &amp; A"}
    click = clicked(pressed)
    assert (click.payload, click.label) == ("Q & A <1>", "Q & A")


@pytest.mark.parametrize(
    "changed",
    [
        {"actions": []},
        {
            "actions": [
                {"type": "button", "action_id": "1", "url": "https://x.example", "text": {"text": "Open"}}
            ]
        },
        {"actions": [{"type": "datepicker", "action_id": "1", "selected_date": "2026-01-01"}]},
        {"actions": [{"type": "static_select", "action_id": "1", "selected_option": None}]},
        {"type": "block_suggestion"},
        {"type": "message_action"},
        {"message": {}, "container": {"type": "view", "view_id": "V1"}},
        {"channel": None, "container": {"type": "view", "view_id": "V1"}},
        {"message": None},
    ],
    ids=[
        "nothing",
        "link",
        "date",
        "deselected",
        "suggestion",
        "shortcut",
        "in-a-view",
        "nowhere",
        "no-type",
    ],
)
def test_a_press_that_says_nothing_is_answered_and_no_click(changed: dict[str, Any]) -> None:
    assert form(payload=json.dumps({**press(PICK), **changed})) == Reading()


@pytest.mark.parametrize(
    "blocks", [None, 7, [], [{"type": "divider"}], [{"type": "actions", "elements": [7]}]]
)
def test_blocks_that_cannot_be_read_cost_no_click(blocks: Any) -> None:
    pressed = press(PICK)
    pressed["message"]["blocks"] = blocks
    click = clicked(pressed)
    assert (click.payload, click.acknowledge) == ("yes please", ())


# ---- setting it up -----------------------------------------------------------------------------------------


def test_the_token_says_whose_it_is() -> None:
    asked = channel().identify()
    assert (asked.method, asked.url, asked.body) == ("POST", "https://slack.com/api/auth.test", b"{}")
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    answer = {"ok": True, "url": "https://t.slack.com/", "team": "The Team", "user": "helper", "bot_id": "B0"}
    assert channel().identified(Reply(status=200, body=orjson.dumps(answer))) == "helper in The Team"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"ok":false,"error":"invalid_auth"}', Unauthorized),
        (b'{"ok":true}', Uncertain),
        (b'{"ok":true,"user":1,"team":[]}', Uncertain),
        (b"<html>", Uncertain),
    ],
    ids=["refused", "nobody", "wrong-types", "no-json"],
)
def test_a_token_that_is_nobodys_is_named(body: bytes, error: type[SendError]) -> None:
    with pytest.raises(error):
        channel().identified(Reply(status=200, body=body))


URL = "https://bridge.example/channels/support"


def test_the_steps_have_the_address_and_all_that_the_manifest_has() -> None:
    assert channel().connect(URL) == ()
    lines = channel(None).steps(URL).splitlines()
    manifest = json.loads(lines[1])
    settings = manifest["settings"]
    assert settings["event_subscriptions"]["request_url"] == settings["interactivity"]["request_url"] == URL
    by_hand = "\n".join(lines[2:])
    assert by_hand.count(URL) == 2
    for word in (*manifest["oauth_config"]["scopes"]["bot"], *settings["event_subscriptions"]["bot_events"]):
        assert word in by_hand
    assert "signing_secret" in by_hand
    assert "signing_secret" not in channel().steps(URL)


def test_no_step_has_a_secret_in_it() -> None:
    assert TOKEN not in channel().steps(URL)
    assert SIGNING_SECRET not in channel().steps(URL) + repr(channel().__dict__)
