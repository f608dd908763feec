"""What a Viber bot is told: callbacks, as messages and clicks.

https://developers.viber.com/docs/api/rest-bot-api/#callbacks. Of interest are messages, and which of ours
failed or were seen; the webhook's trial, who subscribes or opens the chat, and what was delivered are
answered and left. A press on a button is a message whose text stood behind the button: it is a click where
the button is a silent one, so that nobody wrote it, or where the text is a token (bridge.channels.pressed).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

import msgspec

from bridge.channels import Click, Failed, Inbound, Incoming, Reading, Seen, User, UserMessage
from bridge.channels.links import place, web_address
from bridge.channels.pressed import is_token, pressed
from bridge.channels.text import clean
from bridge.channels.tolerant import whole
from bridge.channels.viber import files
from bridge.secret import Secret

SIGNATURE: Final = "x-viber-content-signature"
REASON: Final = 200


class _User(msgspec.Struct, frozen=True):
    id: str = ""
    name: str | None = None
    language: str | None = None


class _Location(msgspec.Struct, frozen=True):
    lat: float
    lon: float


class _Contact(msgspec.Struct, frozen=True):
    name: str | None = None
    phone_number: str | None = None


class _Message(msgspec.Struct, frozen=True):
    type: str = ""
    text: str | None = None
    media: str | None = None
    file_name: str | None = None
    location: _Location | None = None
    contact: _Contact | None = None


class _Callback(msgspec.Struct, frozen=True):
    event: str = ""
    message_token: int | str | None = None
    """A whole number of up to 64 bits, of which no digit may get lost."""
    sender: _User | None = None
    message: _Message | None = None
    silent: bool | None = None
    user_id: str | None = None
    desc: str | None = None


_callback: Final = msgspec.json.Decoder(_Callback)


def signed(inbound: Inbound, token: Secret) -> bool:
    """https://developers.viber.com/docs/api/rest-bot-api/#callbacks: with the bot's own token."""
    expected = hmac.digest(token.reveal().encode(), inbound.body, hashlib.sha256).hex().encode()
    given = inbound.headers.get(SIGNATURE, "").encode(errors="surrogateescape")
    return hmac.compare_digest(given, expected)


def reading(body: bytes, api_url: str) -> Reading:
    match whole(_callback, body):
        case _Callback(event="message", sender=_User(id=chat)) as told if chat:
            incoming = _incoming(told, api_url)
            return Reading((incoming,) if incoming else ())
        case _Callback(event="failed", user_id=str(chat), desc=desc) as told:
            reason = clean(desc or "")[:REASON] or "Viber names no reason"
            return Reading(failed=(Failed(chat=chat, reason=reason, message=_token(told)),))
        case _Callback(event="seen", user_id=str(chat)) as told if chat:
            return Reading(seen=(Seen(chat=chat, id=f"{_token(told)}:{chat}:seen"),))
        case _:
            return Reading()


def _incoming(told: _Callback, api_url: str) -> Incoming | None:
    if told.message is None or told.sender is None:
        return None
    sender, message, event = told.sender, told.message, _token(told)
    user = User(id=sender.id, name=clean(sender.name or ""), language=clean(sender.language or ""))
    match message:
        case _Message(type="text", text=str(said)) if said and (told.silent or is_token(said)):
            payload, label = pressed(said)
            return Click(chat=sender.id, id=event, payload=payload, label=clean(label), user=user)
    name = clean(message.file_name or "")
    said, attachments = _said(message), files.attached(message.type, message.media or "", name, api_url)
    if not said and not attachments:
        return None
    return UserMessage(chat=sender.id, id=event, text=said, attachments=attachments, user=user)


def _token(told: _Callback) -> str:
    return str(told.message_token or "")


def _said(message: _Message) -> str:
    """The message in words; "" for one that says nothing. Of a file, its caption."""
    match message:
        case _Message(type="text" | "picture" | "video" | "file"):
            return clean(message.text or "")
        case _Message(type="url"):
            return clean(_lines(message.text, message.media))
        case _Message(type="location", location=_Location(lat=latitude, lon=longitude)):
            return clean(_lines(message.text, place(latitude, longitude)))
        case _Message(type="contact", contact=_Contact() as contact):
            return clean(" ".join(part for part in (contact.name, contact.phone_number) if part))
        case _Message(type="sticker", media=media) if not web_address(media or ""):
            return "[sticker]"
        case _:
            return ""


def _lines(*parts: str | None) -> str:
    return "\n".join(dict.fromkeys(part for part in parts if part))
