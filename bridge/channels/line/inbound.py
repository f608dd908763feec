"""What a LINE Official Account is told: webhook events, as messages and clicks.

https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects. One request may hold the events
of several users, or none at all: so LINE tries the address. Of interest are messages and presses on buttons;
who follows, joins or leaves says nothing, nor do edits and unsent messages, and in "standby" another system
has the chat. A group or room is one chat, whoever writes in it.

LINE tells neither the user's name nor the label of a button, and gives no file of a sticker: words stand for
it. A person's files are loaded with the token (bridge.channels.line.files).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

import msgspec

from bridge.channels import Attachment, Click, Inbound, Incoming, Reading, User, UserMessage
from bridge.channels.line import files
from bridge.channels.line.messages import READ
from bridge.channels.links import place
from bridge.channels.pressed import pressed
from bridge.channels.text import clean
from bridge.channels.tolerant import each, whole
from bridge.secret import Secret

SIGNATURE: Final = "x-line-signature"
AT: Final = "@".encode("utf-16-le")
KEYWORDS: Final = 3
"""So many of a sticker's (up to fifteen) keywords tell what it shows."""


class _Source(msgspec.Struct, frozen=True, rename="camel"):
    type: str = ""
    user_id: str | None = None
    group_id: str | None = None
    room_id: str | None = None


class _Mentionee(msgspec.Struct, frozen=True, rename="camel"):
    index: int = 0
    length: int = 0
    is_self: bool | None = None


class _Mention(msgspec.Struct, frozen=True):
    mentionees: tuple[_Mentionee, ...] = ()


class _Message(msgspec.Struct, frozen=True, rename="camel"):
    id: str = ""
    type: str = ""
    mark_as_read_token: str | None = None
    text: str | None = None
    mention: _Mention | None = None
    content_provider: files.Provider = files.Provider()
    file_name: str | None = None
    title: str | None = None
    address: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    keywords: tuple[str, ...] | None = None


class _Postback(msgspec.Struct, frozen=True):
    data: str = ""


class _Event(msgspec.Struct, frozen=True, rename="camel"):
    type: str = ""
    mode: str = "active"
    webhook_event_id: str = ""
    source: _Source = _Source()
    message: _Message | None = None
    postback: _Postback | None = None


class _Body(msgspec.Struct, frozen=True):
    events: tuple[msgspec.Raw, ...] = ()


_body: Final = msgspec.json.Decoder(_Body)
_event: Final = msgspec.json.Decoder(_Event)


def signed(inbound: Inbound, secret: Secret | None) -> bool:
    """https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/"""
    if not secret:
        return False
    digest = hmac.digest(secret.reveal().encode(), inbound.body, hashlib.sha256)
    given = inbound.headers.get(SIGNATURE, "").encode(errors="surrogateescape")
    return hmac.compare_digest(given, base64.b64encode(digest))


def reading(body: bytes) -> Reading:
    told = whole(_body, body) or _Body()
    found = (_incoming(event) for event in each(_event, told.events) if event.mode == "active")
    return Reading(tuple(incoming for incoming in found if incoming))


def _incoming(event: _Event) -> Incoming | None:
    chat = _chat(event.source)
    if not chat:
        return None
    user = User(id=event.source.user_id or "")
    match event:
        case _Event(type="message", message=_Message() as message):
            said, attachments = _said(message), _files(message)
            if not said and not attachments:
                return None
            token = message.mark_as_read_token
            return UserMessage(
                chat=chat,
                id=event.webhook_event_id or message.id,
                text=said,
                attachments=attachments,
                user=user,
                memo={READ: token} if token else {},
            )
        case _Event(type="postback", postback=_Postback(data=data)) if data:
            payload, label = pressed(data)
            return Click(chat=chat, id=event.webhook_event_id, payload=payload, label=clean(label), user=user)
        case _:
            return None


def _chat(source: _Source) -> str:
    match source:
        case _Source(type="group", group_id=str(chat)) | _Source(type="room", room_id=str(chat)):
            return chat
        case _Source(type="user", user_id=str(chat)):
            return chat
        case _:
            return ""


def _files(message: _Message) -> tuple[Attachment, ...]:
    name = clean(message.file_name or "")
    return files.attached(message.type, message.id, message.content_provider, name)


def _said(message: _Message) -> str:
    """The message in words; "" for one that says nothing. An emoji of LINE's own is its name, "(love)"."""
    match message:
        case _Message(type="text", text=str(said)):
            return clean(_unaddressed(said, message.mention))
        case _Message(type="sticker", text=str(said)) if said:
            return clean(said)
        case _Message(type="sticker"):
            words = ", ".join((message.keywords or ())[:KEYWORDS])
            return clean(f"[sticker: {words}]" if words else "[sticker]")
        case _Message(type="location", latitude=float(latitude), longitude=float(longitude)):
            parts = (message.title, message.address, place(latitude, longitude))
            return clean("\n".join(part for part in parts if part))
        case _:
            return ""


def _unaddressed(said: str, mention: _Mention | None) -> str:
    """The text without "@…" for the account itself, which in a group only says whom it is for.

    Places are counted in UTF-16 units: docs/messaging-api/text-character-count/.
    """
    mine = [who for who in mention.mentionees if who.is_self] if mention else []
    units = said.encode("utf-16-le", "surrogatepass")
    for who in sorted(mine, key=lambda who: who.index, reverse=True):
        start, end = 2 * who.index, 2 * (who.index + who.length)
        if 0 <= start < end <= len(units) and units[start : start + 2] == AT:
            units = units[:start] + units[end:]
    return units.decode("utf-16-le", "replace").strip() or said if mine else said
