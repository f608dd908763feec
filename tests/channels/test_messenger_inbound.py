"""Messenger and Instagram, the way back: what their webhooks say, and how page and account are set up.

The payloads are in the form of Meta's pages; no published package reads them in current Pythons. The
signature is that of WhatsApp: tests/channels/test_hub.py.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.channels import (
    Attachment,
    Click,
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
from bridge.channels.messenger import Instagram, Messenger, MessengerSettings
from bridge.content import Text
from bridge.errors import ConfigError, Unauthorized
from bridge.secret import Secret
from tests.channels.messenger_rules import Platform
from tests.channels.talk import calls_of
from tests.channels.test_hub import APP_SECRET, asked, posted, signature

TOKEN = "EAAG-token"
VERIFY = "wort"
PAGE = "682498302938465"
ADA = "5678901234567890"
MID = "m_AG5Hz2Uq7tuwNEhXfYYKj8mJEM_QPpz5jdCK48PnKAjSdjfipqxqMvK8ma6AC8fplwlqLP_5cgXIbu7I3rBN0P"
URL = "https://bridge.example/channels/shop"
CDN = "https://scontent.xx.fbcdn.net/v/t1.15752-9/1.jpg?_nc_cat=1&oh=a"
OBJECTS = {"messenger": "page", "instagram": "instagram"}
platforms = pytest.mark.parametrize("platform", ["messenger", "instagram"])


def channel(platform: Platform = "messenger", **others: Any) -> Messenger:
    cls = {"messenger": Messenger, "instagram": Instagram}[platform]
    secrets = {"token": Secret(TOKEN), "app_secret": Secret(APP_SECRET), "verify_token": Secret(VERIFY)}
    return cls(MessengerSettings(**{**secrets, **others}))


def event(**content: Any) -> dict[str, Any]:
    head = {"sender": {"id": ADA}, "recipient": {"id": PAGE}, "timestamp": 1518479195308}
    return {**head, **content}


def message(**content: Any) -> dict[str, Any]:
    return event(message={"mid": MID, **content})


def attached(kind: str, **payload: Any) -> dict[str, Any]:
    return {"type": kind, "payload": payload}


def webhook(*events: Any, platform: Platform = "messenger", account: str = PAGE) -> bytes:
    entry = {"id": account, "time": 1518479195594, "messaging": list(events)}
    return orjson.dumps({"object": OBJECTS[platform], "entry": [entry]})


def read(raw: bytes, platform: Platform = "messenger", **others: Any) -> Reading:
    return channel(platform, **others).read(posted(raw))


def only(event: dict[str, Any], platform: Platform) -> Incoming:
    [incoming] = read(webhook(event, platform=platform), platform).incoming
    return incoming


# ---- messages ----------------------------------------------------------------------------------------------

PICTURE = Attachment(type="image", url=CDN)
MESSAGES = [
    pytest.param(message(text="Hello!"), "Hello!", [], id="text"),
    pytest.param(message(text="/start"), "/start", [], id="command"),
    pytest.param(message(text="a\r\nb\x07 🇬🇷"), "a\nb 🇬🇷", [], id="text-with-controls"),
    pytest.param(message(text="Yes", reply_to={"mid": "m_1"}), "Yes", [], id="an-answer-to-a-message"),
    pytest.param(
        message(text="Nice", reply_to={"story": {"url": CDN, "id": "1"}}), "Nice", [], id="answer-to-a-story"
    ),
    pytest.param(message(attachments=[attached("image", url=CDN)]), "", [PICTURE], id="image"),
    pytest.param(
        message(text="Look", attachments=[attached("image", url=CDN), attached("video", url=f"{CDN}&v")]),
        "Look",
        [PICTURE, Attachment(type="video", url=f"{CDN}&v")],
        id="text-and-files",
    ),
    pytest.param(
        message(attachments=[attached("audio", url="https://cdn.fbsbx.com/v/audioclip.mp4?oh=1")]),
        "",
        [Attachment(type="audio", url="https://cdn.fbsbx.com/v/audioclip.mp4?oh=1")],
        id="voice",
    ),
    pytest.param(
        message(attachments=[attached("file", url="https://cdn.fbsbx.com/v/1_n.pdf/My%20bill.pdf?oh=1")]),
        "",
        [
            Attachment(
                type="file", url="https://cdn.fbsbx.com/v/1_n.pdf/My%20bill.pdf?oh=1", filename="My bill.pdf"
            )
        ],
        id="file",
    ),
    pytest.param(
        message(attachments=[attached("sticker", url=CDN, sticker_id=369239263222822)]),
        "",
        [PICTURE],
        id="sticker",
    ),
    pytest.param(
        message(
            sticker_id=369239263222822,
            attachments=[
                attached("image", url=CDN, sticker_id=369239263222822),
                attached("sticker", url=f"{CDN}&again", sticker_id=369239263222822),
            ],
        ),
        "",
        [PICTURE],
        id="sticker-that-is-a-picture-too",
    ),
    pytest.param(message(attachments=[{"type": "like_heart"}]), "❤️", [], id="heart"),
    pytest.param(
        message(attachments=[attached("location", coordinates={"lat": 1.2, "long": -1.3})]),
        "https://maps.google.com/?q=1.2,-1.3",
        [],
        id="location",
    ),
    pytest.param(
        message(attachments=[attached("ig_post", ig_post_media_id="1", title="Our shop", url=CDN)]),
        f"Our shop\n{CDN}",
        [],
        id="post",
    ),
    pytest.param(
        message(attachments=[attached("share", title="Our shop", url=CDN), attached("ig_post", url=CDN)]),
        f"Our shop\n{CDN}",
        [],
        id="post-that-is-a-share-too",
    ),
    pytest.param(message(attachments=[attached("story_mention", url=CDN)]), CDN, [], id="story"),
    pytest.param(
        message(attachments=[attached("ig_reel", url="/reel/123451234512345/", title="A film")]),
        "A film",
        [],
        id="reel-without-an-address",
    ),
    pytest.param(
        message(
            text="see www.example.com",
            attachments=[attached("fallback", url="https://l.facebook.com/l.php?u=1", title="Example")],
        ),
        "see www.example.com",
        [],
        id="link-in-a-text",
    ),
    pytest.param(
        message(
            text="see", attachments=[{"type": "fallback", "payload": None, "title": "Example", "url": CDN}]
        ),
        f"see\nExample\n{CDN}",
        [],
        id="link-beside-a-text",
    ),
    pytest.param(
        message(
            attachments=[
                attached("template", product={"elements": [{"id": "1", "title": "Shoe"}, {"title": None}]})
            ]
        ),
        "Shoe",
        [],
        id="product",
    ),
]


@platforms
@pytest.mark.parametrize(("told", "text", "files"), MESSAGES)
def test_a_message_is_read(
    told: dict[str, Any], text: str, files: list[Attachment], platform: Platform
) -> None:
    assert only(told, platform) == UserMessage(
        chat=ADA, id=MID, text=text, attachments=tuple(files), user=User(id=ADA)
    )


@platforms
@pytest.mark.parametrize(
    "told",
    [
        pytest.param(message(text="Ours", is_echo=True, app_id=1), id="echo"),
        pytest.param(event(sender={"id": PAGE}, message={"mid": MID, "text": "Ours"}), id="of-the-account"),
        pytest.param(message(is_deleted=True), id="deleted"),
        pytest.param(message(is_unsupported=True), id="unsupported"),
        pytest.param(message(attachments=[{"type": "fallback"}]), id="a-share-that-is-not-told"),
        pytest.param(message(attachments=[{"type": "ephemeral"}]), id="a-picture-to-see-once"),
        pytest.param(message(attachments=[attached("image", url="nope")]), id="a-file-without-an-address"),
        pytest.param(message(attachments=[attached("image", url=f"javascript:{CDN}")]), id="a-script"),
        pytest.param(message(attachments=[attached("image", url=5), 7, None]), id="broken-files"),
        pytest.param(message(text="", attachments=None), id="nothing"),
        pytest.param(message(text=5), id="a-number-for-a-text"),
        pytest.param(event(reaction={"mid": MID, "action": "react", "emoji": "❤"}), id="reaction"),
        pytest.param(event(message_edit={"mid": MID, "text": "Hi", "num_edit": 1}), id="edit"),
        pytest.param(event(delivery={"mids": [MID], "watermark": 1}), id="delivered"),
        pytest.param(event(optin={"ref": "x", "user_ref": "y"}), id="opt-in"),
        pytest.param(event(referral={"source": "ADS", "type": "OPEN_THREAD", "ad_id": "1"}), id="an-ad"),
        pytest.param(event(postback={"mid": MID}), id="a-press-on-nothing"),
        pytest.param(event(sender={"user_ref": "x"}, postback={"payload": "x"}), id="of-nobody"),
        pytest.param(event(), id="no-event"),
    ],
)
def test_what_says_nothing_is_no_message(told: dict[str, Any], platform: Platform) -> None:
    assert read(webhook(told, platform=platform), platform) == Reading()


@pytest.mark.parametrize(
    ("platform", "upto"),
    [("messenger", {"watermark": 17}), ("instagram", {"mid": MID})],
    ids=["page", "account"],
)
def test_what_the_user_has_read_is_told(upto: dict[str, Any], platform: Platform) -> None:
    seen = (Seen(chat=ADA, id=f"{ADA}:{next(iter(upto.values()))}:read"),)
    assert read(webhook(event(read=upto), platform=platform), platform) == Reading(seen=seen)


# ---- clicks ------------------------------------------------------------------------------------------------

BY_TIME = f"{ADA}:1518479195308"


@platforms
@pytest.mark.parametrize(
    ("told", "known_by", "payload", "label"),
    [
        pytest.param(
            message(text="Yes", quick_reply={"payload": "yes please"}),
            MID,
            "yes please",
            "Yes",
            id="quick-reply",
        ),
        pytest.param(message(text="Yes", quick_reply={"payload": "~x"}), MID, "~x", "Yes", id="kept-payload"),
        pytest.param(
            event(postback={"mid": MID, "title": "Buy", "payload": "buy_a"}), MID, "buy_a", "Buy", id="button"
        ),
        pytest.param(
            event(postback={"title": "Buy", "payload": "buy_a"}),
            BY_TIME,
            "buy_a",
            "Buy",
            id="button-without-an-id",
        ),
        pytest.param(
            event(postback={"mid": MID, "title": "Buy"}), MID, "", "Buy", id="button-of-another-app"
        ),
        pytest.param(
            event(postback={"title": "Get Started", "payload": "GET_STARTED", "referral": {"ref": "summer"}}),
            BY_TIME,
            "GET_STARTED",
            "Get Started",
            id="get-started",
        ),
        pytest.param(
            event(referral={"ref": "summer", "source": "SHORTLINK", "type": "OPEN_THREAD"}),
            BY_TIME,
            "summer",
            "summer",
            id="referral",
        ),
        pytest.param(
            event(timestamp="1518479195308", postback={"title": "Buy", "payload": "buy_a"}),
            BY_TIME,
            "buy_a",
            "Buy",
            id="time-in-a-string",
        ),
    ],
)
def test_a_press_is_a_click(
    told: dict[str, Any], known_by: str, payload: str, label: str, platform: Platform
) -> None:
    assert only(told, platform) == Click(
        chat=ADA, id=known_by, payload=payload, label=label, user=User(id=ADA)
    )


def test_a_quick_reply_without_a_payload_is_a_text() -> None:
    for nothing in (None, {}, {"payload": ""}, {"payload": None}):
        told = only(message(text="Yes", quick_reply=nothing), "messenger")
        assert isinstance(told, UserMessage)
        assert told.text == "Yes"


@platforms
def test_who_wrote_can_be_written_to(platform: Platform) -> None:
    incoming = only(message(text="Hi"), platform)
    [call] = calls_of(channel(platform), incoming.chat, Text("Hi"))
    assert orjson.loads(channel(platform).request(call).body)["recipient"] == {"id": ADA}


# ---- whose webhook it is -----------------------------------------------------------------------------------


@platforms
def test_what_is_told_of_another_platform_is_none_of_ours(platform: Platform) -> None:
    other: Platform = "instagram" if platform == "messenger" else "messenger"
    assert read(webhook(message(text="Hi"), platform=other), platform) == Reading()


@platforms
@pytest.mark.parametrize(
    ("account", "taken"), [("", True), (PAGE, True), ("1", False)], ids=["unset", "ours", "another"]
)
def test_what_another_account_of_the_app_is_told_is_left_alone(
    account: str, taken: bool, platform: Platform
) -> None:
    raw = webhook(message(text="Hi"), platform=platform)
    assert bool(read(raw, platform, account_id=account).incoming) == taken


def test_what_is_for_another_app_is_left_alone() -> None:
    entry = {"id": PAGE, "standby": [message(text="Hi")]}
    assert read(orjson.dumps({"object": "page", "entry": [entry]})) == Reading()


def test_the_dashboards_test_is_read_too() -> None:
    """Meta's page on postbacks has the event in this form."""
    change = {"field": "messages", "value": message(text="Hi")}
    raw = orjson.dumps({"object": "page", "entry": [{"id": "0", "time": 1, "changes": [change, 5]}]})
    [incoming] = read(raw).incoming
    assert incoming.id == MID


def test_everything_in_a_webhook_is_read_in_order_and_what_is_broken_costs_no_other() -> None:
    def one(number: int) -> dict[str, Any]:
        return event(message={"mid": f"m_{number}", "text": f"{number}"})

    broken = [5, None, message(text=[]), event(sender=None), {"message": {"mid": "m_x", "text": "x"}}]
    entries = [
        7,
        {"id": PAGE, "messaging": "none"},
        {"id": PAGE, "messaging": [*broken, one(1), one(2)]},
        {"id": PAGE, "messaging": [one(3)]},
    ]
    raw = orjson.dumps({"object": "page", "entry": entries})
    assert [incoming.id for incoming in read(raw).incoming] == ["m_1", "m_2", "m_3"]


# ---- strangers and nonsense --------------------------------------------------------------------------------


@platforms
def test_only_what_meta_signed_is_verified(platform: Platform) -> None:
    raw = webhook(message(text="Grüße"), platform=platform)
    assert channel(platform).verify(posted(raw, signature(raw)))
    assert channel(platform).verify(posted(raw, signature(raw, "another"))) is False
    assert channel(platform, app_secret=None).verify(posted(raw, signature(raw))) is False


@platforms
def test_the_handshake_is_answered(platform: Platform) -> None:
    inbound = asked(mode="subscribe", verify_token=VERIFY, challenge="1158201444")
    assert channel(platform).verify(inbound)
    assert channel(platform).read(inbound) == Reading(answer=b"1158201444")
    assert channel(platform, verify_token=None).verify(inbound) is False


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=5), parts, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([told for told, *_ in (param.values for param in MESSAGES)]), st.data())
@settings(max_examples=300)
def test_whatever_stands_in_an_event_is_read_or_left(told: Any, data: st.DataObject) -> None:
    part = broken = orjson.loads(orjson.dumps(told))
    while part and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
        if isinstance(part[key], dict | list) and data.draw(st.booleans()):
            part = part[key]
        else:
            part[key] = data.draw(json)
    good = event(message={"mid": "m_good", "text": "Hi"})
    assert read(webhook(broken, good)).incoming[-1].id == "m_good"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"object": "page"}',
        b'{"object": "page", "entry": {}}',
        b'{"object": "page", "entry": [' + b"[" * 100_000,
        b'{"object": "page", "entry": [' + b"[" * 9_000 + b"]" * 9_000 + b"]}",
        webhook(message(text="Hi"))[:-9],
    ],
    ids=lambda raw: str(raw[:40]),
)
def test_a_body_that_is_none_holds_nothing(raw: bytes) -> None:
    assert read(raw) == Reading()


def test_half_a_surrogate_pair_costs_nobody_elses_message() -> None:
    raw = webhook(message(text="X"), event(message={"mid": "m_2", "text": "Hi"})).replace(
        b'"X"', b'"\\ud83d"'
    )
    assert [incoming.id for incoming in read(raw).incoming] == [MID, "m_2"]


# ---- setting up --------------------------------------------------------------------------------------------


@platforms
def test_it_can_do_what_its_kind_can(platform: Platform) -> None:
    assert isinstance(channel(platform), TwoWay)
    assert isinstance(channel(platform), SetUp)


@pytest.mark.parametrize(
    ("api_url", "field", "told"),
    [
        ("https://graph.facebook.com/v25.0", "name", {"name": "Lucky Shrub", "id": PAGE}),
        ("https://graph.instagram.com/v25.0", "username", {"username": "Lucky Shrub", "id": "1"}),
    ],
    ids=["page", "own-login"],
)
def test_the_account_says_who_it_is(api_url: str, field: str, told: dict[str, str]) -> None:
    instagram = channel("instagram", api_url=api_url)
    request = instagram.identify()
    assert (request.method, request.url) == ("GET", f"{api_url}/me?fields={field}")
    assert request.headers == {"authorization": f"Bearer {TOKEN}"}
    assert instagram.identified(Reply(status=200, body=orjson.dumps(told))) == "Lucky Shrub"
    assert instagram.identified(Reply(status=200, body=b'{"id":"7"}')) == "account 7"


def test_a_wrong_token_is_told() -> None:
    error = {"message": "Invalid OAuth access token.", "type": "OAuthException", "code": 190}
    with pytest.raises(Unauthorized):
        channel().identified(Reply(status=401, body=orjson.dumps({"error": error})))


@pytest.mark.parametrize(
    ("platform", "fields"),
    [
        ("messenger", "messages,messaging_postbacks,messaging_referrals,message_reads"),
        ("instagram", "messages,messaging_postbacks,messaging_seen"),
    ],
)
def test_connecting_lets_the_app_hear_of_the_account(platform: Platform, fields: str) -> None:
    [request] = channel(platform).connect(URL)
    assert request.method == "POST"
    assert request.url == f"https://graph.facebook.com/v25.0/me/subscribed_apps?subscribed_fields={fields}"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert channel(platform).check(Reply(status=200, body=b'{"success":true}')) is None


@platforms
@pytest.mark.parametrize("missing", ["app_secret", "verify_token"])
def test_meta_is_told_nothing_while_it_would_not_be_believed(missing: str, platform: Platform) -> None:
    incomplete = channel(platform, **{missing: None})
    assert incomplete.connect(URL) == ()
    assert incomplete.steps(URL).startswith("Set app_secret")


@platforms
def test_the_steps_have_the_address_and_no_secret(platform: Platform) -> None:
    steps = channel(platform).steps(URL)
    assert steps.splitlines()[1] == f"Callback URL: {URL}"
    assert "messaging_postbacks" in steps
    assert not any(secret in steps for secret in (TOKEN, APP_SECRET, VERIFY))


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"app_secret": Secret("two words")}, "app_secret: "),
        ({"verify_token": Secret("")}, "verify_token: "),
        ({"account_id": "my.page"}, "account_id: "),
    ],
    ids=str,
)
@platforms
def test_a_wrong_setting_is_named(changed: dict[str, Any], problem: str, platform: Platform) -> None:
    with pytest.raises(ConfigError, match=f"^{problem}"):
        channel(platform, **changed)


@platforms
def test_sending_needs_none_of_it(platform: Platform) -> None:
    bare = channel(platform, app_secret=None, verify_token=None)
    assert bare.verify(Inbound(method="POST", url=URL, body=b"{}")) is False
    assert calls_of(bare, ADA, Text("Hi"))
