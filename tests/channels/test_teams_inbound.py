"""Teams' way back: whose word an activity is, what it says, how files are loaded; and setting a bot up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from microsoft_teams.api.activities import Activity, ActivityTypeAdapter, MessageActivity
from microsoft_teams.api.activities.utils import StripMentionsTextOptions, strip_mentions_text

from bridge.channels import (
    Attachment,
    Click,
    Downloads,
    Grant,
    Inbound,
    Keyed,
    Reading,
    Reply,
    SetUp,
    User,
    UserMessage,
)
from bridge.channels.teams import Teams, TeamsSettings
from bridge.content import Card, Option, Postback, Text
from bridge.errors import Rejected, SendError, Unauthorized, Unavailable, Uncertain
from bridge.secret import Secret
from tests.channels.issuer import Issuer
from tests.channels.talk import calls_of

NOW = 1_700_000_000.0
URL = "https://bridge.example.com/channels/desk"
APP = "c9e8c047-2a74-40a2-b28a-b162d5f5327c"
PASSWORD = "a~client.secret"
ISSUER = "https://api.botframework.com"
SERVED = "https://smba.trafficmanager.net/emea/"
MICROSOFT = Issuer("microsoft-1")
ENDORSED = {**MICROSOFT.jwk, "endorsements": ["msteams", "webchat"]}
CHAT = "a:17I0kl9EkpE1O9PH5TWrzrLNwnWWcfrU7QZjKR0WSfOp"
GROUP = "19:253b1f341670408fb6fe51050b6e5ceb@thread.tacv2;messageid=1485983194839"
MEGAN = {"id": "29:1XJKJMvc5GBtc2JwZq0oj8t", "name": "Megan Bowen", "aadObjectId": "7faf8ab2-3d56"}
BOT = {"id": f"28:{APP}", "name": "Desk"}
MEMO = {"service_url": SERVED}


def channel(**rest: Any) -> Teams:
    return Teams(TeamsSettings(**{"app_id": APP, "app_password": Secret(PASSWORD), **rest}))


def activity(**fields: Any) -> dict[str, Any]:
    """A message as Teams writes it; None takes a field away."""
    made = {
        "type": "message",
        "id": "1485983408511",
        "timestamp": "2023-11-14T22:13:20.437Z",
        "localTimestamp": "2023-11-14T14:13:20.437-08:00",
        "serviceUrl": SERVED,
        "channelId": "msteams",
        "from": MEGAN,
        "conversation": {"conversationType": "personal", "id": CHAT, "tenantId": "72f988bf"},
        "recipient": BOT,
        "textFormat": "plain",
        "text": "Hello",
        "channelData": {"tenant": {"id": "72f988bf"}},
        "locale": "en-US",
        **fields,
    }
    return {name: value for name, value in made.items() if value is not None}


def claims(**changed: Any) -> dict[str, Any]:
    made = {
        "iss": ISSUER,
        "aud": APP,
        "serviceurl": SERVED,
        "nbf": NOW - 5,
        "exp": NOW + 3595,
        **changed,
    }
    return {name: value for name, value in made.items() if value is not None}


def posted(
    body: object = None,
    said: Mapping[str, Any] | None = None,
    *,
    at: float = NOW,
    keys: tuple[Mapping[str, Any], ...] = (ENDORSED,),
    authorization: str | None = None,
) -> Inbound:
    raw = body if isinstance(body, bytes) else json.dumps(activity() if body is None else body).encode()
    bearer = authorization or f"Bearer {MICROSOFT.jws(claims() if said is None else said)}"
    headers = {"authorization": bearer, "content-type": "application/json; charset=utf-8"}
    return Inbound(method="POST", url=URL, headers=headers, body=raw, at=at, keys=keys)


def read(**fields: Any) -> Reading:
    return channel().read(posted(activity(**fields)))


def message(**fields: Any) -> UserMessage:
    [found] = read(**fields).incoming
    assert isinstance(found, UserMessage)
    return found


def test_it_has_a_way_back() -> None:
    of = channel()
    assert isinstance(of, Keyed)
    assert isinstance(of, Downloads)
    assert isinstance(of, SetUp)
    assert of.key_urls == ("https://login.botframework.com/v1/.well-known/openidconfiguration",)
    assert channel(openid_url="https://login.example/keys").key_urls == ("https://login.example/keys",)


# ---- by whose word -----------------------------------------------------------------------------------------


def test_what_the_connector_signed_is_taken() -> None:
    assert channel().verify(posted())


@pytest.mark.parametrize(
    ("changed", "taken"),
    [
        ({"aud": "another-app"}, False),
        ({"iss": "https://sts.windows.net/72f988bf/"}, False),
        ({"exp": NOW - 299}, True),
        ({"exp": NOW - 300}, False),
        ({"nbf": NOW + 300}, True),
        ({"nbf": NOW + 301}, False),
        ({"serviceurl": "https://smba.trafficmanager.net/amer/"}, False),
        ({"serviceurl": "https://smba.trafficmanager.net/emea"}, False),
        ({"serviceurl": None}, False),
        ({"serviceurl": ""}, False),
        ({"serviceurl": [SERVED]}, False),
        ({"serviceurl": None, "serviceUrl": SERVED}, True),
    ],
    ids=json.dumps,
)
def test_every_claim_counts(changed: dict[str, Any], taken: bool) -> None:
    assert channel().verify(posted(said=claims(**changed))) == taken


@pytest.mark.parametrize(
    ("fields", "taken"),
    [
        ({"serviceUrl": "https://evil.example/"}, False),
        ({"serviceUrl": None}, False),
        ({"channelId": "webchat"}, True),
        ({"channelId": "email"}, False),
        ({"channelId": None}, False),
    ],
    ids=json.dumps,
)
def test_the_activity_has_to_be_the_one_that_was_signed_for(fields: dict[str, Any], taken: bool) -> None:
    assert channel().verify(posted(activity(**fields))) == taken


@pytest.mark.parametrize(
    ("key", "taken"),
    [
        (MICROSOFT.jwk, True),
        ({**ENDORSED, "endorsements": []}, True),
        ({**ENDORSED, "endorsements": ["email"]}, False),
        ({**ENDORSED, "endorsements": "msteams"}, False),
        (Issuer("microsoft-1").jwk, False),
        (Issuer("microsoft-2").jwk, False),
    ],
    ids=["no-endorsements", "none", "for-another-channel", "odd", "another-key", "another-name"],
)
def test_the_key_has_to_be_good_for_the_channel(key: dict[str, Any], taken: bool) -> None:
    assert channel().verify(posted(keys=(key,))) == taken


@pytest.mark.parametrize(
    "request_",
    [
        posted(keys=()),
        posted(authorization="Bearer "),
        posted(authorization=f"Basic {MICROSOFT.jws(claims())}"),
        posted(authorization="Bearer \udcff.é.€"),
        posted(b""),
        posted(b"null"),
        posted(b'{"serviceUrl": 5}'),
        posted(b'{"serviceUrl": "\xff"}'),
        posted(b'{"a":' * 100_000),
    ],
    ids=["no-keys", "no-token", "basic", "odd", "empty", "null", "number", "no-utf8", "deep"],
)
def test_what_is_not_the_connectors_is_not_taken(request_: Inbound) -> None:
    assert channel().verify(request_) is False
    assert isinstance(channel().read(request_), Reading)


def test_a_government_clouds_issuer_is_a_setting() -> None:
    of = channel(issuer="https://api.botframework.us/")
    assert of.verify(posted(said=claims(iss="https://api.botframework.us")))
    assert not of.verify(posted())
    grant = of.request(calls_of(of, CHAT, Text("Hi"))[0]).grant
    assert isinstance(grant, Grant)
    assert grant.scope == "https://api.botframework.us/.default"


# ---- what is said ------------------------------------------------------------------------------------------


def test_a_message() -> None:
    assert read() == Reading(
        (
            UserMessage(
                chat=CHAT,
                id=f"{CHAT} 1485983408511",
                text="Hello",
                user=User(id=MEGAN["id"], name="Megan Bowen", language="en-US"),
                memo=MEMO,
            ),
        )
    )


def mention(who: Mapping[str, Any], text: str | None) -> dict[str, Any]:
    return {"type": "mention", "mentioned": who} | ({} if text is None else {"text": text})


@pytest.mark.parametrize(
    ("text", "entities", "said"),
    [
        ("<at>Desk</at> who created you?\r\n", [mention(BOT, "<at>Desk</at>")], "who created you?"),
        ("<at>Desk</at>&nbsp;hi", [mention(BOT, "<at>Desk</at>")], "hi"),
        ("<at>Desk</at>\u00a0hi", [mention(BOT, None)], "hi"),
        ('<at id="0">Desk</at> hi', [mention(BOT, '<at id="0">Desk</at>')], "hi"),
        (
            "<at>Desk</at> ask <at>Ada</at>",
            [mention(BOT, "<at>Desk</at>"), mention({"id": "29:ada", "name": "Ada"}, "<at>Ada</at>")],
            "ask Ada",
        ),
        ("1 < 2 &amp; <b>3</b>", None, "1 < 2 &amp; <b>3</b>"),
        ("one\r\ntwo\n\nthree", None, "one\ntwo\n\nthree"),
        ("<at>Desk", [mention(BOT, "")], "<at>Desk"),
        ("<at>Ann < Bob</at> <AT id='1'>Cy</AT> </at> <atom>", None, "Ann < Bob Cy </at> <atom>"),
        ("<at><at>Desk</at>", None, "<at>Desk"),
        ("hi", [5, {"type": "mention"}, {"type": "mention", "mentioned": "x"}], "hi"),
        ("hi", {"type": "mention"}, "hi"),
        ("/start", None, "/start"),
    ],
)
def test_the_text_of_a_message(text: str, entities: Any, said: str) -> None:
    assert message(text=text, entities=entities).text == said


def test_a_text_that_is_markup_is_undone() -> None:
    assert message(text="1 &lt; 2 &amp; 3&nbsp;", textFormat="xml").text == "1 < 2 & 3"


def test_a_number_too_long_to_be_read_leaves_the_text_as_it_is() -> None:
    """`html.unescape` raises where a character's number has over 4300 digits."""
    said = f"&#{'1' * 5000};"
    assert message(text=said, textFormat="xml").text == said


NAMES = st.sampled_from(["Desk", "Desk Bot", "R&D", "Ω"])


@given(st.lists(st.sampled_from(["<at>{}</at>", " ", "hi", "\n", "<", "you?"]), max_size=8), NAMES)
def test_the_bots_name_is_taken_out_as_microsofts_own_code_does(parts: list[str], name: str) -> None:
    text = "".join(parts).replace("{}", name)
    bot = {**BOT, "name": name}
    body = activity(text=text, recipient=bot, entities=[mention(bot, f"<at>{name}</at>")])
    parsed = ActivityTypeAdapter.validate_python(body)
    assert isinstance(parsed, MessageActivity)
    theirs = strip_mentions_text(parsed, StripMentionsTextOptions(account_id=str(BOT["id"])))
    ours = [each.text for each in channel().read(posted(body)).incoming if isinstance(each, UserMessage)]
    assert ours == ([theirs] if theirs else [])


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "messageUpdate", "channelData": {"eventType": "editMessage"}},
        {"type": "messageDelete"},
        {"type": "messageReaction", "reactionsAdded": [{"type": "like"}]},
        {"type": "typing"},
        {"type": "conversationUpdate", "membersAdded": [MEGAN]},
        {"type": "installationUpdate", "action": "add"},
        {"type": "event", "name": "application/vnd.microsoft.readReceipt", "value": {}},
        {"type": "endOfConversation"},
        {"from": {**BOT}},
        {"from": {"id": "28:another-bot", "name": "Other"}},
        {"from": {"id": "x", "role": "bot"}},
        {"conversation": None},
        {"conversation": {"id": ""}},
        {"text": " \r\n"},
        {"text": None},
        {"type": 5},
        {"from": "Megan"},
    ],
    ids=json.dumps,
)
def test_what_no_person_said_is_no_message(fields: dict[str, Any]) -> None:
    assert read(**fields) == Reading()


def test_a_message_without_an_id_or_a_sender_comes_through() -> None:
    assert message(id=None, **{"from": None}) == UserMessage(
        chat=CHAT, id="", text="Hello", user=User(language="en-US"), memo=MEMO
    )


def test_the_same_moment_in_another_chat_is_another_message() -> None:
    assert message().id != message(conversation={"id": GROUP}).id
    assert message(conversation={"id": GROUP}).chat == GROUP


def test_an_invoke_is_answered_that_nobody_handles_it() -> None:
    assert read(type="invoke", name="task/fetch", value={"data": {}}) == Reading(status=501)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    ),
    st.sampled_from(["from", "conversation", "recipient", "text", "value", "entities", "attachments", "id"]),
)
def test_reading_never_raises(value: Any, name: str) -> None:
    for field in (value, [value], {"id": value}, [{"type": "mention", "mentioned": value, "text": value}]):
        assert isinstance(read(**{name: field}), Reading)
        attachment = {"contentType": value, "contentUrl": value, "content": value, "name": value}
        assert isinstance(read(attachments=[attachment, {**attachment, "contentType": "text/html"}]), Reading)


# ---- what is pressed ---------------------------------------------------------------------------------------


def pressed(shown: Mapping[str, Any]) -> dict[str, Any]:
    """What Teams makes of a press on the button."""
    back = shown["data"]["msteams"]
    return activity(id="f:5261769396935243054", text=back["text"], value=back["value"], replyToId="148")


def test_a_press_comes_back_as_what_was_rendered() -> None:
    [call] = calls_of(channel(), CHAT, Card("Shoes", buttons=(Postback("Buy", "buy 1"),)))
    [button] = call.body["attachments"][0]["content"]["actions"]
    body = pressed(button)
    assert isinstance(ActivityTypeAdapter.validate_python(body), MessageActivity)
    [found] = channel().read(posted(body)).incoming
    assert found == Click(
        chat=CHAT,
        id=f"{CHAT} f:5261769396935243054",
        payload="buy 1",
        label="Buy",
        user=User(id=MEGAN["id"], name="Megan Bowen", language="en-US"),
        memo=MEMO,
    )


def test_a_long_value_comes_back_as_its_token() -> None:
    [call] = calls_of(channel(), CHAT, Text("Pick", (Option("All of it", "v" * 600),)))
    [button] = call.body["attachments"][0]["content"]["body"][1]["actions"]
    [found] = channel().read(posted(pressed(button))).incoming
    assert isinstance(found, Click)
    assert (found.payload, found.label) == (next(iter(call.keep)), "All of it")


def test_a_suggested_action_comes_back_as_a_message() -> None:
    [call] = calls_of(channel(), CHAT, Text("Pick", (Option("Yes", "yes please"),)))
    [action] = call.body["suggestedActions"]["actions"]
    assert message(text=action["value"]).text == "yes please"


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("Buy", {"msteams": {"type": "messageBack", "value": {"value": "buy 1"}}}, ("buy 1", "Buy")),
        ("<at>Desk</at> Buy", {"value": "buy 1"}, ("buy 1", "Buy")),
        (None, {"value": "buy 1"}, ("buy 1", "")),
        ("Buy", {"value": ""}, "Buy"),
        ("Buy", {"name": "Ada"}, "Buy"),
        ("Buy", '{"value": "x"}', "Buy"),
        (None, "buy 1", "buy 1"),
        (None, {"name": "Ada"}, None),
    ],
    ids=["web-chat", "group", "no-text", "empty", "form", "string", "string-alone", "form-alone"],
)
def test_a_value_is_a_press_if_it_is_of_ours(text: str | None, value: Any, said: Any) -> None:
    bot = [mention(BOT, "<at>Desk</at>")]
    match read(text=text, value=value, entities=bot).incoming:
        case [Click() as click]:
            assert (click.payload, click.label) == said
        case [UserMessage() as found]:
            assert found.text == said
        case nothing:
            assert (nothing, said) == ((), None)


# ---- files -------------------------------------------------------------------------------------------------

INLINE = f"{SERVED}v3/attachments/0-weu-d8/views/original"


def download_info(name: str, ending: str | None, url: str = "https://contoso.sharepoint.com/d?t=1") -> Any:
    content = {"downloadUrl": url, "uniqueId": "1150D938"} | ({"fileType": ending} if ending else {})
    return {
        "contentType": "application/vnd.microsoft.teams.file.download.info",
        "contentUrl": "https://contoso.sharepoint.com/personal/file",
        "name": name,
        "content": content,
    }


@pytest.mark.parametrize(
    ("attachment", "expected"),
    [
        pytest.param(
            download_info("Bill.pdf", "pdf"),
            Attachment(
                type="file",
                url="https://contoso.sharepoint.com/d?t=1",
                mime_type="application/pdf",
                filename="Bill.pdf",
            ),
            id="file",
        ),
        pytest.param(
            download_info("Film.MP4", None),
            Attachment(
                type="video",
                url="https://contoso.sharepoint.com/d?t=1",
                mime_type="video/mp4",
                filename="Film.MP4",
            ),
            id="video-by-its-name",
        ),
        pytest.param(
            download_info("plan", "vsdx"),
            Attachment(type="file", url="https://contoso.sharepoint.com/d?t=1", filename="plan"),
            id="file-of-an-unknown-form",
        ),
        pytest.param(download_info("x", "pdf", "file:///etc/passwd"), None, id="file-nowhere"),
        pytest.param(
            {"contentType": "image/*", "contentUrl": INLINE},
            Attachment(type="image", source=INLINE),
            id="inline",
        ),
        pytest.param(
            {"contentType": "image/png", "contentUrl": INLINE, "name": "shot.png"},
            Attachment(type="image", source=INLINE, mime_type="image/png", filename="shot.png"),
            id="inline-with-a-name",
        ),
        pytest.param(
            {"contentType": "audio/mp4", "contentUrl": INLINE},
            Attachment(type="audio", source=INLINE, mime_type="audio/mp4"),
            id="voice",
        ),
        pytest.param(
            {"contentType": "image/gif", "contentUrl": "https://media.example/a.gif"},
            Attachment(type="image", url="https://media.example/a.gif", mime_type="image/gif"),
            id="picture-elsewhere",
        ),
        pytest.param(
            {"contentType": "image/png", "contentUrl": "http://smba.trafficmanager.net/emea/x"},
            Attachment(type="image", url="http://smba.trafficmanager.net/emea/x", mime_type="image/png"),
            id="no-token-without-https",
        ),
        pytest.param(
            {"contentType": "image/png", "contentUrl": "https://smba.trafficmanager.net.evil.example/x"},
            Attachment(
                type="image",
                url="https://smba.trafficmanager.net.evil.example/x",
                mime_type="image/png",
            ),
            id="no-token-elsewhere",
        ),
        pytest.param({"contentType": "image/png", "contentUrl": "data:image/png;base64,AA"}, None, id="data"),
        pytest.param({"contentType": "text/html", "content": "<p>Hello</p>"}, None, id="rich-text"),
        pytest.param(
            {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": INLINE}, None, id="card"
        ),
        pytest.param({"contentType": "messageReference", "contentUrl": INLINE}, None, id="quotation"),
    ],
)
def test_a_file_is_attached(attachment: dict[str, Any], expected: Attachment | None) -> None:
    found = message(text="Look", attachments=[attachment])
    assert found.attachments == (() if expected is None else (expected,))
    assert found.text == "Look"


def test_a_file_needs_no_words() -> None:
    assert message(text=None, attachments=[download_info("Bill.pdf", "pdf")]).text == ""


@pytest.mark.parametrize(
    ("markup", "text", "urls"),
    [
        ('<p><img itemtype="http://schema.skype.com/Emoji" alt="😀" src="https://x/e.png"></p>', "😀", []),
        ('<p><emoji id="smile" alt="🙂" title="Smile"></emoji></p>', "🙂", []),
        (
            '<p><img alt="Scared" src="https://media.giphy.com/g.gif?a=1&amp;b=2"></p>',
            "",
            ["https://media.giphy.com/g.gif?a=1&b=2"],
        ),
        ('<img itemtype="http://schema.skype.com/AMSImage" src="https://eu-api.asm.skype.com/v1">', None, []),
        ('<img src="javascript:alert(1)"><p>&nbsp;</p>', None, []),
        ("<IMG alt='a > b' SRC='https://x.example/a.gif'/>", "", ["https://x.example/a.gif"]),
        ("<emoji alt='🙂'></emoji><![<img <p>", "🙂", []),
    ],
    ids=["emoji", "emoji-element", "gif", "kept-by-skype", "script", "other-quotes", "broken"],
)
def test_a_message_of_nothing_but_a_picture(markup: str, text: str | None, urls: list[str]) -> None:
    found = read(text="", attachments=[{"contentType": "text/html", "content": markup}]).incoming
    if text is None:
        assert found == ()
    else:
        [said] = found
        assert isinstance(said, UserMessage)
        assert said.text == text
        assert said.attachments == tuple(Attachment(type="image", url=url) for url in urls)


def test_a_picture_is_loaded_with_the_bots_token() -> None:
    of = channel()
    assert of.locate(INLINE) is None
    request = of.download(INLINE, None)
    assert (request.method, request.url, request.body) == ("GET", INLINE, b"")
    assert isinstance(request.grant, Grant)
    assert request.grant.client_id == APP


@pytest.mark.parametrize("source", ["", "http://smba.trafficmanager.net/x", "file:///etc/passwd", "../x"])
def test_the_token_goes_nowhere_without_https(source: str) -> None:
    with pytest.raises(Rejected):
        channel().download(source, None)


# ---- Microsoft's own models --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        activity(),
        activity(
            conversation={"conversationType": "channel", "id": GROUP, "isGroup": True},
            text="<at>Desk</at> hi",
            entities=[mention(BOT, "<at>Desk</at>")],
        ),
        activity(attachments=[download_info("Bill.pdf", "pdf")]),
        activity(attachments=[{"contentType": "image/*", "contentUrl": INLINE}]),
    ],
    ids=["personal", "channel", "file", "picture"],
)
def test_these_activities_are_what_microsoft_says_they_are(body: dict[str, Any]) -> None:
    parsed: Activity = ActivityTypeAdapter.validate_python(body)
    assert isinstance(parsed, MessageActivity)
    [found] = channel().read(posted(body)).incoming
    assert (found.chat, found.user.id) == (parsed.conversation.id, parsed.from_.id)
    assert found.memo == {"service_url": parsed.service_url}


# ---- setting it up -----------------------------------------------------------------------------------------


def test_a_token_is_asked_for_to_see_whether_the_secret_is_good() -> None:
    request = channel(tenant="72f988bf", login_url="https://login.example/").identify()
    assert request.url == "https://login.example/72f988bf/oauth2/v2.0/token"
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": [APP],
        "client_secret": [PASSWORD],
        "scope": ["https://api.botframework.com/.default"],
    }
    assert request.grant is None


def test_who_gets_a_token_is_the_bot() -> None:
    body = b'{"token_type": "Bearer", "expires_in": 3599, "access_token": "t0ken"}'
    assert channel().identified(Reply(status=200, body=body)) == APP


def refused(status: int, **said: Any) -> Reply:
    return Reply(status=status, body=orjson.dumps(said))


@pytest.mark.parametrize(
    ("reply", "error", "reason"),
    [
        (
            refused(401, error="invalid_client", error_description="of tenant x", error_codes=[7000215]),
            Unauthorized,
            "HTTP 401 invalid_client AADSTS7000215",
        ),
        (refused(400, error="unauthorized_client"), Unauthorized, "HTTP 400 unauthorized_client"),
        (refused(400, error="Ada's <b>", error_codes=["x"]), Unauthorized, "HTTP 400"),
        (refused(429, error="temporarily_unavailable"), Unavailable, "HTTP 429 temporarily_unavailable"),
        (refused(503, error="server_error"), Unavailable, "HTTP 503 server_error"),
        (Reply(status=403, body=b"<html>"), Unavailable, "HTTP 403 without a token"),
        (Reply(status=200, body=b"{}"), Uncertain, "HTTP 200 without a token"),
    ],
    ids=["wrong-secret", "wrong-app", "odd", "too-many", "away", "proxy", "empty"],
)
def test_a_refusal_says_why(reply: Reply, error: type[SendError], reason: str) -> None:
    with pytest.raises(error) as caught:
        channel().identified(reply)
    assert str(caught.value) == reason


def test_all_is_connected_by_hand() -> None:
    of = channel()
    assert of.connect(URL) == ()
    steps = of.steps(URL).splitlines()
    assert any(f"Messaging endpoint {URL} " in step for step in steps)
    assert sum(APP in step for step in steps) == 2
    assert "a multi-tenant one" in steps[0]
    assert "a single-tenant one of 72f988bf" in channel(tenant="72f988bf").steps(URL)
    assert PASSWORD not in of.steps(URL)
