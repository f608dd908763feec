"""A webhook of the user's own: every content as JSON, signed as Standard Webhooks prescribes.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

What is posted to `url`, one request for each content:

    webhook-id: 5f0c…          the same for every try of this content: drop what you have seen
    webhook-timestamp: 17…     of this try, Unix seconds
    webhook-signature: v1,…    one for each secret, separated by spaces: any that matches will do

    {"type": "text", "chat": "your-session-789",
     "data": {"text": "Hello!", "options": [{"label": "Hi", "text": "Hi there"}]}}

`type` names the content, `data` has its fields as bridge.content declares them (those at their default are
left out). Contents of a chat come one after another, in order. The body says no time of its own: it is the
same, byte for byte, on every try. "typing" and "receipt" are signs of the moment and are not repeated; a
typing sign holds until the next content, until one with `on` false, or for a minute.

The way back takes the same headers and secrets, and one of

    {"type": "message", "chat": "…", "text": "…", "attachments": [{"type": "image", "url": "https://…"}]}
    {"type": "click", "chat": "…", "payload": "…", "label": "…"}

where `payload` is the `text` of a quick reply or the `value` of a button, and an attachment is an "image",
"video", "audio" or "file" at a public address, perhaps with `mime_type` and `filename`. Both may have an
`id`, by which a repeat is recognised (else it is the webhook-id), and a `user` {"id", "name", "language"}.
The answer says what was taken: {"accepted": 1}, or {"accepted": 0, "problem": "…"}; its status is 200 either
way, as a repeat would not help.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import ClassVar, Final, get_args
from urllib.parse import urlsplit

import msgspec
import orjson

from bridge.channels import (
    Attachment,
    Call,
    Click,
    Inbound,
    Incoming,
    Reading,
    Reply,
    Request,
    User,
    UserMessage,
)
from bridge.channels.capabilities import Capabilities
from bridge.channels.later import scope_of
from bridge.channels.links import web_address
from bridge.channels.mime import Kind, mime_type
from bridge.channels.recent import recent
from bridge.channels.retry_after import retry_after
from bridge.channels.text import clean
from bridge.content import Content, Pause, Receipt, Typing
from bridge.errors import ConfigError, Rejected, Unauthorized, Unavailable
from bridge.secret import Secret

KEY_PREFIX: Final = "whsec_"
CHAT: Final = 512
"""Longest address of a chat that the bridge keeps, in characters."""
UNLIMITED: Final = 1_000_000
"""The receiver is the user's own: nothing is cut for it, and nothing split."""


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [integrations.NAME.webhook]."""

    url: str
    secret: Secret
    """whsec_ and Base64. While it is being changed, the new one and the old one, separated by a space."""


class Webhook:
    """The user's own receiver as a channel that shows everything."""

    name: ClassVar[str] = "webhook"
    Settings = WebhookSettings

    capabilities = Capabilities(
        shows=frozenset(get_args(Content)) - {Pause},
        text=UNLIMITED,
        caption=UNLIMITED,
        options=UNLIMITED,
        option_label=UNLIMITED,
        cards=UNLIMITED,
        card_title=UNLIMITED,
        card_text=UNLIMITED,
        card_buttons=UNLIMITED,
        button_label=UNLIMITED,
        payload_bytes=UNLIMITED,
        card_action=True,
        links=frozenset({"http", "https", "mailto", "tel"}),
        url=UNLIMITED,
        typing_seconds=60,
        authors=True,
        idempotent=True,
    )

    def __init__(self, settings: WebhookSettings) -> None:
        address = urlsplit(settings.url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ConfigError("url: must be an address that starts with https:// or http://")
        self._url = settings.url
        self._keys = [_key(secret) for secret in settings.secret.reveal().split()]
        if not self._keys:
            raise ConfigError("secret: is empty; make one with `openssl rand -base64 32`")

    def render(self, content: Content, to: str) -> Sequence[Call]:
        data = msgspec.to_builtins(content)
        op = data.pop("type")
        body = {"type": op, "chat": to, "data": data}
        return (Call(op=op, body=body, ephemeral=isinstance(content, Typing | Receipt)),)

    def request(self, call: Call) -> Request:
        body = orjson.dumps(call.body)
        signed_at = str(int(call.at))
        return Request(
            url=self._url,
            headers={
                "content-type": "application/json",
                "webhook-id": call.id,
                "webhook-timestamp": signed_at,
                "webhook-signature": " ".join(_sign(key, call.id, signed_at, body) for key in self._keys),
            },
            body=body,
        )

    def check(self, reply: Reply) -> str | None:
        """Any 2xx is a yes.

        401 says that the secret is wrong and 410 that nothing is to come any more, for all calls alike. 403
        may be a firewall's word on this one body, so it is not taken for that. Redirects are not followed,
        but leave time to correct the setting.
        """
        status = reply.status
        if 200 <= status < 300:
            return None
        reason = f"HTTP {status}"
        if status in (401, 410):
            raise Unauthorized(reason)
        if 400 <= status < 500 and status not in (408, 425, 429):
            raise Rejected(reason)
        wait = retry_after(reply.headers)
        # There is one receiver for all chats: when it names a time, it means all of them.
        raise Unavailable(reason, retry_after=wait, scope=scope_of(status) if wait is None else "channel")

    def verify(self, inbound: Inbound) -> bool:
        given = inbound.headers.get("webhook-signature", "").encode(errors="surrogateescape")
        message_id = inbound.headers.get("webhook-id", "")
        signed_at = inbound.headers.get("webhook-timestamp", "")
        if not message_id or not recent(signed_at, inbound.at):
            return False
        expected = [_sign(key, message_id, signed_at, inbound.body).encode() for key in self._keys]
        # Every pair is compared, so the time it takes does not tell which one matched.
        matches = [hmac.compare_digest(one, other) for one in given.split() for other in expected]
        return any(matches)

    def read(self, inbound: Inbound) -> Reading:
        try:
            posted = _decoder.decode(inbound.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _answer({"accepted": 0, "problem": str(error)})
        incoming = posted.incoming(inbound.headers.get("webhook-id", ""))
        if isinstance(incoming, str):
            return _answer({"accepted": 0, "problem": incoming})
        return _answer({"accepted": 1}, incoming)


# ---- the way back ------------------------------------------------------------------------------------------


class _Attached(msgspec.Struct, frozen=True):
    type: Kind
    url: str
    mime_type: str = ""
    filename: str = ""


class _Message(msgspec.Struct, frozen=True, tag="message"):
    chat: str
    id: str = ""
    text: str = ""
    attachments: tuple[_Attached, ...] = ()
    user: User = User()

    def incoming(self, webhook_id: str) -> Incoming | str:
        """The message, or what is wrong with it."""
        said = clean(self.text).strip()
        if problem := _misplaced(self.chat):
            return problem
        if not said and not self.attachments:
            return "there is neither text nor an attachment"
        if not all(web_address(attached.url) for attached in self.attachments):
            return "the url of an attachment is no address that starts with https:// or http://"
        return UserMessage(
            chat=self.chat,
            id=self.id or webhook_id,
            text=said,
            attachments=tuple(
                Attachment(
                    type=attached.type,
                    url=web_address(attached.url) or "",
                    mime_type=mime_type(attached.mime_type),
                    filename=clean(attached.filename),
                )
                for attached in self.attachments
            ),
            user=self.user,
        )


class _Click(msgspec.Struct, frozen=True, tag="click"):
    chat: str
    payload: str
    id: str = ""
    label: str = ""
    user: User = User()

    def incoming(self, webhook_id: str) -> Incoming | str:
        """The click, or what is wrong with it."""
        if problem := _misplaced(self.chat):
            return problem
        if not self.payload:
            return "payload is empty"
        return Click(
            chat=self.chat, id=self.id or webhook_id, payload=self.payload, label=self.label, user=self.user
        )


def _misplaced(chat: str) -> str:
    """What is wrong with the chat's address; "" for nothing."""
    if not chat:
        return "chat is empty"
    return f"chat is longer than {CHAT} characters" if len(chat) > CHAT else ""


_decoder = msgspec.json.Decoder(_Message | _Click)


def _answer(answer: dict[str, object], *incoming: Incoming) -> Reading:
    return Reading(incoming, orjson.dumps(answer), "application/json")


# ---- the signature -----------------------------------------------------------------------------------------


def _key(secret: str) -> bytes:
    """The bytes to sign with: Base64 as Standard Webhooks has it, any other string as it is."""
    encoded = secret.removeprefix(KEY_PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):  # no Base64, or not even ASCII
        key = b""
    if not key and encoded != secret:
        raise ConfigError(f"secret: what follows {KEY_PREFIX} is not Base64")
    return key or secret.encode()


def _sign(key: bytes, message_id: str, signed_at: str, body: bytes) -> str:
    head = f"{message_id}.{signed_at}.".encode(errors="surrogateescape")
    return "v1," + base64.b64encode(hmac.digest(key, head + body, hashlib.sha256)).decode()
