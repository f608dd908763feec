"""The user's own webhook: what is posted, how it is signed, what its answers mean, and the way back."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime
from typing import Any, get_args

import msgspec
import orjson
import pytest
import standardwebhooks

from bridge.channels import Attachment, Call, Click, Inbound, Reading, Reply, TwoWay, User, UserMessage
from bridge.channels.webhook import Webhook, WebhookSettings
from bridge.content import (
    Author,
    Card,
    Carousel,
    Content,
    Image,
    Link,
    Media,
    OpenWebview,
    Option,
    Pause,
    Postback,
    Receipt,
    Text,
    Typing,
    kind,
)
from bridge.errors import BridgeError, ConfigError, Rejected, Unauthorized, Unavailable
from bridge.events import decode
from bridge.plan import plan
from bridge.secret import Secret
from bridge.translate import translate
from tests.seed import Payload, payloads

SECRET = "whsec_" + base64.b64encode(b"a key of twenty-four byt").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"the one before this one.").decode()
URL = "https://receiver.example/hook?tenant=7"
CALL_ID = "5f0c" * 8


def channel(secret: str = SECRET, url: str = URL) -> Webhook:
    return Webhook(WebhookSettings(url=url, secret=Secret(secret)))


def stamped(content: Content, at: float, to: str = "chat-1") -> Call:
    """The content's call as the delivery sends it."""
    (call,) = channel().render(content, to)
    return msgspec.structs.replace(call, to=to, id=CALL_ID, at=at)


def test_it_is_a_channel_with_a_way_back() -> None:
    assert isinstance(channel(), TwoWay)


def test_it_shows_every_content_as_it_is_but_a_pause_which_is_waited_for() -> None:
    assert channel().capabilities.shows == set(get_args(Content)) - {Pause}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            Text("Hi", options=(Option("Yes", "yes please"),), author=Author("Sarah", id="a1")),
            {
                "type": "text",
                "chat": "chat-1",
                "data": {
                    "text": "Hi",
                    "options": [{"label": "Yes", "text": "yes please"}],
                    "author": {"name": "Sarah", "id": "a1"},
                },
            },
            id="text",
        ),
        pytest.param(
            Image("https://x.example/a.png"),
            {"type": "image", "chat": "chat-1", "data": {"url": "https://x.example/a.png"}},
            id="image",
        ),
        pytest.param(
            Carousel(
                (
                    Card(
                        "A",
                        media=Media("image", "https://x.example/a.png"),
                        buttons=(
                            Postback("Buy", "buy_a"),
                            Link("More", "https://x.example"),
                            OpenWebview("Form", "https://x.example/f", height="tall"),
                        ),
                    ),
                )
            ),
            {
                "type": "carousel",
                "chat": "chat-1",
                "data": {
                    "cards": [
                        {
                            "type": "card",
                            "title": "A",
                            "media": {"kind": "image", "url": "https://x.example/a.png"},
                            "buttons": [
                                {"type": "postback", "label": "Buy", "value": "buy_a"},
                                {"type": "url", "label": "More", "url": "https://x.example"},
                                {
                                    "type": "webview",
                                    "label": "Form",
                                    "url": "https://x.example/f",
                                    "height": "tall",
                                },
                            ],
                        }
                    ]
                },
            },
            id="carousel",
        ),
        pytest.param(
            Typing(on=False), {"type": "typing", "chat": "chat-1", "data": {"on": False}}, id="typing"
        ),
    ],
)
def test_a_content_is_posted_as_its_type_and_its_fields(content: Content, expected: dict[str, Any]) -> None:
    request = channel().request(stamped(content, at=0))
    assert json.loads(request.body) == expected
    assert (request.method, request.url) == ("POST", URL)
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("payload", payloads(), ids=lambda payload: payload.name)
def test_every_event_of_moveos_page_is_posted_without_a_loss(payload: Payload) -> None:
    contents = translate(decode(payload.raw).event).contents
    planned = plan(contents, channel(), "chat-1", key="k")
    calls = [step for step in planned.steps if isinstance(step, Call)]
    assert planned.losses == ()
    assert [call.op for call in calls] == [kind(content) for content in contents]
    for call in calls:
        assert json.loads(channel().request(call).body).keys() == {"type", "chat", "data"}


@pytest.mark.parametrize(
    ("content", "ephemeral"),
    [(Typing(on=True), True), (Receipt("read"), True), (Text("Hi"), False)],
    ids=["typing", "receipt", "text"],
)
def test_only_signs_of_the_moment_are_ephemeral(content: Content, ephemeral: bool) -> None:
    (call,) = channel().render(content, "chat-1")
    assert call.ephemeral is ephemeral


# ---- the signature -----------------------------------------------------------------------------------------


def test_the_published_library_accepts_what_is_sent() -> None:
    request = channel().request(stamped(Text("Grüße 👋"), at=time.time()))
    body = standardwebhooks.Webhook(SECRET).verify(request.body, dict(request.headers))
    assert body["data"]["text"] == "Grüße 👋"
    assert request.headers["webhook-id"] == CALL_ID


def test_another_key_or_another_body_is_refused_by_the_published_library() -> None:
    request = channel().request(stamped(Text("Hi"), at=time.time()))
    for secret, body in [(OLD_SECRET, request.body), (SECRET, request.body + b" ")]:
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(secret).verify(body, dict(request.headers))


def test_while_the_secret_changes_a_receiver_with_either_one_accepts() -> None:
    request = channel(f"{SECRET} {OLD_SECRET}").request(stamped(Text("Hi"), at=time.time()))
    for secret in (SECRET, OLD_SECRET):
        standardwebhooks.Webhook(secret).verify(request.body, dict(request.headers))


def test_every_try_has_the_same_id_and_body_and_a_time_of_its_own() -> None:
    first, second = (
        channel().request(stamped(Text("Hi"), at=at)) for at in (1_700_000_000.9, 1_700_000_060.0)
    )
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert [request.headers["webhook-timestamp"] for request in (first, second)] == [
        "1700000000",
        "1700000060",
    ]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_a_secret_that_is_no_base64_signs_with_its_own_bytes() -> None:
    secret = "not-base64!"
    request = channel(secret).request(stamped(Text("Hi"), at=time.time()))
    standardwebhooks.Webhook(secret.encode()).verify(request.body, dict(request.headers))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"secret": "  "}, "secret: is empty"),
        ({"secret": "whsec_%%%"}, "secret: what follows whsec_ is not Base64"),
        ({"secret": f"{SECRET} whsec_"}, "secret: what follows whsec_ is not Base64"),
        ({"url": "receiver.example"}, "url: must be an address"),
        ({"url": "ftp://receiver.example"}, "url: must be an address"),
    ],
    ids=["empty", "not-base64", "second-empty", "no-scheme", "ftp"],
)
def test_a_wrong_setting_is_named_and_not_quoted(settings: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        channel(**settings)
    assert str(caught.value).startswith(problem)
    assert "%%%" not in str(caught.value)


# ---- the answer --------------------------------------------------------------------------------------------

DATE = "Wed, 21 Oct 2015 07:28:00 GMT"
LATER = "Wed, 21 Oct 2015 07:28:30 GMT"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_yes(status: int) -> None:
    assert channel().check(Reply(status=status, body=b"whatever")) is None


@pytest.mark.parametrize(
    ("status", "headers", "error", "retry_after", "scope"),
    [
        pytest.param(400, {}, Rejected, None, None, id="400"),
        pytest.param(401, {}, Unauthorized, None, None, id="401"),
        pytest.param(403, {}, Rejected, None, None, id="403"),
        pytest.param(404, {}, Rejected, None, None, id="404"),
        pytest.param(410, {}, Unauthorized, None, None, id="410"),
        pytest.param(301, {}, Unavailable, None, None, id="redirect"),
        pytest.param(408, {}, Unavailable, None, "chat", id="408"),
        pytest.param(425, {}, Unavailable, None, "chat", id="425"),
        pytest.param(429, {}, Unavailable, None, "chat", id="429"),
        pytest.param(429, {"retry-after": "7"}, Unavailable, 7.0, "channel", id="429-seconds"),
        pytest.param(429, {"retry-after": "0.5"}, Unavailable, 0.5, "channel", id="429-fraction"),
        pytest.param(503, {"retry-after": LATER, "date": DATE}, Unavailable, 30.0, "channel", id="503-date"),
        pytest.param(503, {"retry-after": DATE, "date": LATER}, Unavailable, 0.0, "channel", id="503-past"),
        pytest.param(503, {"retry-after": LATER}, Unavailable, None, None, id="503-date-without-clock"),
        pytest.param(500, {"retry-after": "soon"}, Unavailable, None, None, id="500-nonsense"),
        pytest.param(500, {"retry-after": "-5"}, Unavailable, None, None, id="500-negative"),
        pytest.param(500, {"retry-after": "9" * 400}, Unavailable, None, None, id="500-endless"),
        pytest.param(502, {}, Unavailable, None, None, id="502"),
    ],
)
def test_any_other_status_says_what_to_do_next(
    status: int,
    headers: dict[str, str],
    error: type[BridgeError],
    retry_after: float | None,
    scope: str | None,
) -> None:
    with pytest.raises(error) as caught:
        channel().check(Reply(status=status, headers=headers, body=b"reason"))
    assert type(caught.value) is error
    assert str(caught.value) == f"HTTP {status}"
    assert getattr(caught.value, "retry_after", None) == retry_after
    assert getattr(caught.value, "scope", None) == scope


# ---- the way back ------------------------------------------------------------------------------------------

NOW = 1_700_000_000.0


def posted(
    body: bytes, *, secret: str = SECRET, signed_at: float = NOW, at: float = NOW, **changes: str
) -> Inbound:
    """A post signed by the published library, received at `at`."""
    moment = datetime.fromtimestamp(signed_at, UTC)
    signature = standardwebhooks.Webhook(secret).sign("in-1", moment, body.decode())
    headers = {
        "webhook-id": "in-1",
        "webhook-timestamp": str(int(signed_at)),
        "webhook-signature": signature,
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return Inbound(method="POST", url="https://bridge.example/channels/x", headers=headers, body=body, at=at)


@pytest.mark.parametrize(
    "inbound",
    [
        pytest.param(posted(b"{}"), id="now"),
        pytest.param(posted(b"{}", at=NOW + 300), id="late"),
        pytest.param(posted(b"{}", at=NOW - 300), id="early"),
        pytest.param(
            posted(b"{}", webhook_signature="v1a,AAAA " + posted(b"{}").headers["webhook-signature"]),
            id="one-of-several",
        ),
    ],
)
def test_what_the_published_library_signed_is_accepted(inbound: Inbound) -> None:
    assert channel().verify(inbound)


def test_both_secrets_are_accepted_while_they_change() -> None:
    both = channel(f"{SECRET} {OLD_SECRET}")
    assert both.verify(posted(b"{}", secret=SECRET))
    assert both.verify(posted(b"{}", secret=OLD_SECRET))


@pytest.mark.parametrize(
    "inbound",
    [
        pytest.param(posted(b"{}", secret=OLD_SECRET), id="other-secret"),
        pytest.param(posted(b"{}", at=NOW + 301), id="too-late"),
        pytest.param(posted(b"{}", at=NOW - 301), id="too-early"),
        pytest.param(posted(b"{}", webhook_id="in-2"), id="other-id"),
        pytest.param(posted(b"{}", webhook_id=""), id="no-id"),
        pytest.param(posted(b"{}", webhook_timestamp=str(int(NOW) + 1)), id="other-time"),
        pytest.param(posted(b"{}", webhook_timestamp=""), id="no-time"),
        pytest.param(posted(b"{}", webhook_timestamp="1e9"), id="odd-time"),
        pytest.param(posted(b"{}", webhook_timestamp="²"), id="non-ascii-time"),
        pytest.param(posted(b"{}", webhook_timestamp="9" * 5000), id="huge-time"),
        pytest.param(posted(b"{}", webhook_signature=""), id="no-signature"),
        pytest.param(posted(b"{}", webhook_signature="v1,"), id="empty-signature"),
        pytest.param(posted(b"{}", webhook_signature="v1,\udcff\u20ac"), id="raw-bytes"),
        pytest.param(msgspec.structs.replace(posted(b"{}"), body=b"{} "), id="other-body"),
        pytest.param(Inbound(method="POST", url="", at=NOW), id="nothing"),
    ],
)
def test_anything_else_is_not_the_users_own(inbound: Inbound) -> None:
    assert not channel().verify(inbound)


@pytest.mark.parametrize(
    ("body", "incoming"),
    [
        pytest.param(
            {
                "type": "message",
                "chat": "c1",
                "id": "m1",
                "text": "Hello",
                "attachments": [{"type": "image", "url": "https://x.example/a.png"}],
                "user": {"id": "u1", "name": "Ada", "language": "el"},
                "more": 1,
            },
            UserMessage(
                chat="c1",
                id="m1",
                text="Hello",
                attachments=(Attachment(type="image", url="https://x.example/a.png"),),
                user=User(id="u1", name="Ada", language="el"),
            ),
            id="message",
        ),
        pytest.param(
            {"type": "message", "chat": "c1", "text": " Hello\r\nyou\u0000 "},
            UserMessage(chat="c1", id="in-1", text="Hello\nyou"),
            id="message-without-id",
        ),
        pytest.param(
            {
                "type": "message",
                "chat": "c1",
                "attachments": [
                    {"type": "audio", "url": "https://x.example/a b", "mime_type": "Audio/OGG; codecs=opus"},
                    {"type": "file", "url": "http://x.example/b", "mime_type": "?", "filename": "b.\npdf"},
                ],
            },
            UserMessage(
                chat="c1",
                id="in-1",
                attachments=(
                    Attachment(type="audio", url="https://x.example/a%20b", mime_type="audio/ogg"),
                    Attachment(type="file", url="http://x.example/b", filename="b.\npdf"),
                ),
            ),
            id="files-alone",
        ),
        pytest.param(
            {
                "type": "message",
                "chat": "c1",
                "attachments": [{"type": "image", "url": "https://x.example/a", "source": "../secret"}],
            },
            UserMessage(
                chat="c1",
                id="in-1",
                attachments=(Attachment(type="image", url="https://x.example/a"),),
            ),
            id="an-attachment-has-no-source",
        ),
        pytest.param(
            {"type": "click", "chat": "c1", "id": "k1", "payload": "buy_a", "label": "Buy"},
            Click(chat="c1", id="k1", payload="buy_a", label="Buy"),
            id="click",
        ),
        pytest.param(
            {"type": "click", "chat": "c1", "payload": "buy_a", "acknowledge": {"op": "text"}},
            Click(chat="c1", id="in-1", payload="buy_a"),
            id="click-cannot-order-a-call",
        ),
    ],
)
def test_messages_and_clicks_are_read(body: dict[str, Any], incoming: UserMessage | Click) -> None:
    assert channel().read(posted(orjson.dumps(body))) == Reading(
        (incoming,), b'{"accepted":1}', "application/json"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'"message"',
        b"{}",
        b'{"type":"text","chat":"c1","data":{"text":"what was sent to the user"}}',
        b'{"type":"message","text":"no chat"}',
        b'{"type":"message","chat":"","text":"x"}',
        b'{"type":"message","chat":"c1","text":"  "}',
        b'{"type":"message","chat":7,"text":"x"}',
        b'{"type":"message","chat":"c1","attachments":[{"type":"dance","url":"x"}]}',
        b'{"type":"message","chat":"c1","attachments":[{"type":"image"}]}',
        b'{"type":"message","chat":"c1","attachments":[{"type":"image","url":""}]}',
        b'{"type":"message","chat":"c1","attachments":[{"type":"image","url":"data:image/png;base64,AA"}]}',
        b'{"type":"message","chat":"c1","text":"x","attachments":[{"type":"image","url":"file:///etc"}]}',
        b'{"type":"message","chat":"' + b"c" * 513 + b'","text":"x"}',
        b'{"type":"click","chat":"' + b"c" * 513 + b'","payload":"x"}',
        b'{"type":"click","chat":"c1","payload":""}',
        b'{"type":"click","chat":"","payload":"x"}',
        b"[" * 5000,
    ],
)
def test_what_cannot_be_read_is_no_message_and_the_answer_says_why(body: bytes) -> None:
    inbound = Inbound(method="POST", url="", headers={"webhook-id": "in-1"}, body=body, at=NOW)
    reading = channel().read(inbound)
    assert reading.incoming == ()
    answer = json.loads(reading.answer)
    assert answer["accepted"] == 0
    assert answer["problem"]
