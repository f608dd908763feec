"""Every platform as an attacker who has its secret would play it: settings, a way to sign, and what it sends.

That is the hardest case: what is properly signed is read, so all of a channel's reading meets the garbage.
"""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.channels.issuer import Issuer
from tests.channels.telegram_updates import message_update, press_update

Headers = dict[str, str]
SECRET: Final = "canary-platform-secret"
TOKEN: Final = "canary-platform-token"
APP: Final = "c9e8c047-2a74-40a2-b28a-b162d5f5327c"
SERVED: Final = "https://smba.trafficmanager.net/emea/"
MICROSOFT: Final = Issuer("microsoft-1")
KEYS: Final = {"keys": [{**MICROSOFT.jwk, "endorsements": ["msteams", "webchat"]}]}
_ED: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TEXT: Final = "canary-text"
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"


class Signer(msgspec.Struct, frozen=True):
    """`sign` gives the headers that prove a body; `seeds` are things the platform tells."""

    settings: Mapping[str, str]
    sign: Callable[[bytes, str], Headers]
    seeds: tuple[Any, ...]
    method: str = "POST"
    path: str = ""
    content_type: str = JSON
    """A body of FORM has its JSON, if any, in the field `payload`."""


def _mac(body: bytes, digest: str = "sha256") -> Any:
    return hmac.new(SECRET.encode(), body, digest)


def _slack(body: bytes, _: str) -> Headers:
    now = str(int(time.time()))
    signature = _mac(b"v0:%b:%b" % (now.encode(), body)).hexdigest()
    return {"x-slack-request-timestamp": now, "x-slack-signature": f"v0={signature}"}


def _discord(body: bytes, _: str) -> Headers:
    now = str(int(time.time()))
    return {"x-signature-timestamp": now, "x-signature-ed25519": _ED.sign(now.encode() + body).hex()}


def _twilio(body: bytes, url: str) -> Headers:
    text = body.decode(errors="surrogateescape")
    form = parse_qsl(text, keep_blank_values=True, errors="surrogateescape")
    tail = "".join(part for pair in sorted(set(form)) for part in pair)
    signed = _mac((url + tail).encode(errors="surrogateescape"), "sha1").digest()
    return {"x-twilio-signature": base64.b64encode(signed).decode()}


_tokens: dict[str, tuple[float, str]] = {}


def _teams(body: bytes, _: str) -> Headers:
    """Microsoft signs a token for the address to answer to, not the body."""
    try:
        served = str(json.loads(body)["serviceUrl"])[:1000]  # a head holds no more than 8 kB
    except Exception:  # noqa: BLE001 -- whatever garbage it is, it has a token
        served = SERVED
    now = time.time()
    if served not in _tokens or _tokens[served][0] < now:
        claims = {"iss": "https://api.botframework.com", "aud": APP, "serviceurl": served}
        token = MICROSOFT.jws({**claims, "nbf": int(now) - 5, "exp": int(now) + 3600})
        _tokens[served] = now + 1800, token
    return {"authorization": f"Bearer {_tokens[served][1]}"}


def _meta(body: bytes, _: str) -> Headers:
    return {"x-hub-signature-256": f"sha256={_mac(body).hexdigest()}"}


_META: Final = {"token": TOKEN, "app_secret": SECRET, "verify_token": "canary-verify"}


def _messaging(kind: str) -> tuple[Any, ...]:
    who = {"sender": {"id": "5678"}, "recipient": {"id": "6824"}, "timestamp": 1518479195308}
    said = {
        "mid": "m_AG5",
        "text": TEXT,
        "attachments": [{"type": "image", "payload": {"url": "https://a.b/c"}}],
    }
    told = (
        {"message": said},
        {"postback": {"mid": "m_p", "title": "Yes", "payload": "yes"}},
        {"read": {"watermark": 1518479195308}},
    )
    return tuple(
        {"object": kind, "entry": [{"id": "6824", "time": 1, "messaging": [who | each]}]} for each in told
    )


def _whatsapp() -> tuple[Any, ...]:
    def told(**value: Any) -> Any:
        about = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1065"}}
        changes = [{"field": "messages", "value": about | value}]
        return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}

    ada = {"profile": {"name": "Ada"}, "wa_id": "306912345678"}
    said = {"from": "306912345678", "id": "wamid.HBg", "timestamp": "1749416383"}
    return (
        told(contacts=[ada], messages=[said | {"type": "text", "text": {"body": TEXT}}]),
        told(
            contacts=[ada],
            messages=[said | {"type": "image", "image": {"id": "1", "mime_type": "image/png"}}],
        ),
        told(statuses=[{"id": "wamid.HBg", "status": "failed", "errors": [{"code": 1, "title": "no"}]}]),
    )


_LINE: Final = {
    "type": "message",
    "mode": "active",
    "timestamp": 1462629479859,
    "source": {"type": "user", "userId": "U" + "a" * 32},
    "webhookEventId": "01FZ74A0TDDPYRVKNK77XKC3ZR",
    "message": {
        "id": "444",
        "type": "text",
        "text": TEXT,
        "mention": {"mentionees": [{"index": 0, "length": 1}]},
    },
}
_SLACK: Final = {
    "type": "event_callback",
    "team_id": "T0TEAM",
    "event_id": "Ev01",
    "authorizations": [{"user_id": "U0BOT", "is_bot": True}],
    "event": {
        "type": "message",
        "channel": "D0ADA",
        "channel_type": "im",
        "user": "U0ADA",
        "text": f"<@U1> {TEXT} <https://a.b|c>",
        "ts": "1712345678.000100",
        "files": [
            {"id": "F1", "name": "a.png", "mimetype": "image/png", "url_private_download": "https://a.b/c"}
        ],
    },
}
_PRESSED: Final = {
    "type": "block_actions",
    "user": {"id": "U0ADA"},
    "channel": {"id": "D0ADA"},
    "message": {"ts": "1712345678.000100"},
    "actions": [
        {"action_id": "a", "type": "button", "value": "yes", "text": {"type": "plain_text", "text": "Y"}}
    ],
}
_DISCORD: Final = {
    "id": "786008729715212338",
    "application_id": "845027738276462632",
    "type": 2,
    "token": "A_UNIQUE_TOKEN",
    "channel": {"id": "1234", "type": 1},
    "channel_id": "1234",
    "user": {"id": "99", "username": "ada99", "global_name": "Ada"},
    "locale": "de",
    "data": {"id": "7", "name": "ask", "type": 1, "options": [{"type": 3, "name": "message", "value": TEXT}]},
}
_TEAMS: Final = {
    "type": "message",
    "id": "1485983408511",
    "serviceUrl": SERVED,
    "channelId": "msteams",
    "from": {"id": "29:1XJ", "name": "Megan Bowen"},
    "conversation": {"conversationType": "personal", "id": "a:17I0"},
    "recipient": {"id": f"28:{APP}", "name": "Desk"},
    "text": f"<at>Desk</at> {TEXT}",
    "entities": [{"type": "mention", "text": "<at>Desk</at>", "mentioned": {"id": f"28:{APP}"}}],
    "attachments": [{"contentType": "image/png", "contentUrl": "https://a.b/c", "name": "a.png"}],
}
_VIBER: Final = {
    "event": "message",
    "timestamp": 1457764197627,
    "message_token": 4912661846655238145,
    "sender": {"id": "01234567890A=", "name": "John McClane", "language": "el"},
    "message": {"type": "text", "text": TEXT},
    "silent": False,
}
_MATRIX: Final = {
    "events": [
        {
            "type": "m.room.message",
            "room_id": "!abc:x.example",
            "event_id": "$1",
            "sender": "@ada:x.example",
            "origin_server_ts": 1,
            "content": {"msgtype": "m.text", "body": TEXT},
        },
        {"type": "m.room.member", "room_id": "!abc:x.example", "state_key": "@bot:x.example",
         "sender": "@ada:x", "event_id": "$2", "content": {"membership": "invite"}},
    ]
}  # fmt: skip
_SMS: Final = {
    "MessageSid": "SM" + "2" * 32,
    "From": "+306900000000",
    "To": "+15550001111",
    "Body": TEXT,
    "NumMedia": "1",
    "MediaUrl0": "https://api.twilio.com/a",
    "MediaContentType0": "image/png",
}

SIGNERS: Final[Mapping[str, Signer]] = {
    "telegram": Signer(
        {"token": f"123456:{TOKEN}{'A' * 14}", "secret_token": SECRET},
        lambda *_: {"x-telegram-bot-api-secret-token": SECRET},
        (
            message_update(1, 42, TEXT),
            message_update(2, 42, "", photo=[{"file_id": "f", "width": 1, "height": 1}], caption=TEXT),
            press_update(3, 42, {"text": "Yes", "callback_data": "yes"}),
        ),
    ),
    "twilio": Signer(
        {"account_sid": "AC" + "0" * 32, "auth_token": SECRET, "sender": "+15550001111"},
        _twilio,
        (_SMS, {"MessageSid": "SM" + "3" * 32, "MessageStatus": "failed", "To": "+3069", "ErrorCode": "1"}),
        content_type=FORM,
    ),
    "line": Signer(
        {"token": TOKEN, "channel_secret": SECRET},
        lambda body, _: {"x-line-signature": base64.b64encode(_mac(body).digest()).decode()},
        (
            {
                "destination": "U0",
                "events": [_LINE, _LINE | {"type": "postback", "postback": {"data": "yes"}}],
            },
        ),
    ),
    "slack": Signer({"token": f"xoxb-{TOKEN}", "signing_secret": SECRET}, _slack, (_SLACK, _PRESSED)),
    "whatsapp": Signer(_META | {"phone_number_id": "1065"}, _meta, _whatsapp()),
    "messenger": Signer(_META, _meta, _messaging("page")),
    "instagram": Signer(_META, _meta, _messaging("instagram")),
    "discord": Signer(
        {"token": TOKEN, "public_key": _ED.public_key().public_bytes_raw().hex(), "application_id": "8450"},
        _discord,
        (
            _DISCORD,
            _DISCORD | {"type": 3, "data": {"custom_id": "a", "component_type": 2}, "message": {"id": "1"}},
        ),
    ),
    "teams": Signer({"app_id": APP, "app_password": SECRET}, _teams, (_TEAMS,)),
    "viber": Signer(
        {"token": SECRET, "sender": "Bot"},
        lambda body, _: {"x-viber-content-signature": _mac(body).hexdigest()},
        (_VIBER, {"event": "seen", "timestamp": 1, "message_token": 1, "user_id": "01234567890A="}),
    ),
    "matrix": Signer(
        {
            "api_url": "https://matrix.example.org",
            "user_id": "@bot:x.example",
            "token": TOKEN,
            "hs_token": SECRET,
        },
        lambda *_: {"authorization": f"Bearer {SECRET}"},
        (_MATRIX,),
        method="PUT",
        path="/_matrix/app/v1/transactions/1",
    ),
}


def written(signer: Signer, told: Any) -> bytes:
    """What the platform tells as the body of a request."""
    if signer.content_type != FORM:
        return json.dumps(told).encode("utf-8", "surrogatepass")
    if not isinstance(told, dict):
        return urlencode({"payload": json.dumps(told)}).encode()
    flat = {str(name): value if isinstance(value, str) else json.dumps(value) for name, value in told.items()}
    return urlencode(flat, errors="surrogatepass").encode()
