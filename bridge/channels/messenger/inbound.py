"""What a page or an Instagram account is told: its webhooks, as messages and clicks.

https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks
https://developers.facebook.com/documentation/business-messaging/instagram-messaging/webhooks
The chat is whoever wrote, by the id that page or account knows them by; names are not told. What the account
says itself comes back as an echo, and is nothing here. Nor are: reactions, edits and deletions;
what is for another app that has the conversation (`standby`); what Meta cannot tell (`is_unsupported`).

Files are at public addresses that end by themselves. What people pass on (a post, a reel, a story, a page) is
no file of theirs: its title and its address are what they say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from bridge.channels import Attachment, Click, Incoming, Reading, Seen, User, UserMessage
from bridge.channels.links import place, web_address
from bridge.channels.mime import Kind
from bridge.channels.text import clean
from bridge.channels.tolerant import each, whole

FILES: Final[Mapping[str, Kind]] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "file": "file",
    "sticker": "image",
}
LIKE_A_LINK: Final = re.compile(r"\w\.\w")
HEART: Final = "❤️"
"""What the heart beside Instagram's field for a text says (`like_heart`)."""


class _Who(msgspec.Struct, frozen=True):
    id: str = ""


class _Coordinates(msgspec.Struct, frozen=True):
    lat: float
    long: float


class _Element(msgspec.Struct, frozen=True):
    title: str | None = None


class _Product(msgspec.Struct, frozen=True):
    elements: tuple[_Element, ...] = ()


class _Payload(msgspec.Struct, frozen=True):
    url: str | None = None
    title: str | None = None
    sticker_id: int | str | None = None
    coordinates: _Coordinates | None = None
    product: _Product | None = None


class _Part(msgspec.Struct, frozen=True):
    """An attachment; that of a page has no payload, but its parts."""

    type: str = ""
    payload: _Payload | None = None
    url: str | None = None
    title: str | None = None

    @property
    def address(self) -> str:
        said = (self.payload and self.payload.url) or self.url
        return web_address(said or "") or ""

    @property
    def name(self) -> str:
        return (self.payload and self.payload.title) or self.title or ""


class _QuickReply(msgspec.Struct, frozen=True):
    payload: str | None = None


class _Message(msgspec.Struct, frozen=True):
    mid: str = ""
    text: str | None = None
    attachments: tuple[msgspec.Raw, ...] | None = None
    quick_reply: _QuickReply | None = None
    is_echo: bool = False
    is_deleted: bool = False


class _Postback(msgspec.Struct, frozen=True):
    mid: str = ""
    title: str | None = None
    payload: str | None = None


class _Referral(msgspec.Struct, frozen=True):
    ref: str | None = None


class _Read(msgspec.Struct, frozen=True):
    """Up to when, of a page; of an Instagram account, up to which message."""

    watermark: int = 0
    mid: str = ""


class _Event(msgspec.Struct, frozen=True):
    sender: _Who = _Who()
    recipient: _Who = _Who()
    timestamp: int = 0
    message: _Message | None = None
    postback: _Postback | None = None
    referral: _Referral | None = None
    read: _Read | None = None


class _Change(msgspec.Struct, frozen=True):
    value: msgspec.Raw = msgspec.Raw(b"{}")


class _Entry(msgspec.Struct, frozen=True):
    id: str = ""
    messaging: tuple[msgspec.Raw, ...] = ()
    changes: tuple[msgspec.Raw, ...] = ()
    """Where the events stand in the tests of the dashboard."""


class _Body(msgspec.Struct, frozen=True):
    object: str = ""
    entry: tuple[msgspec.Raw, ...] = ()


_body: Final = msgspec.json.Decoder(_Body)
_entry: Final = msgspec.json.Decoder(_Entry)
_change: Final = msgspec.json.Decoder(_Change)
_event: Final = msgspec.json.Decoder(_Event, strict=False)  # the time of an event may be digits in a string
_part: Final = msgspec.json.Decoder(_Part)


def reading(body: bytes, kind: str, account: str) -> Reading:
    """What was said to accounts of this kind ("page", "instagram"); to one alone, where its id is given."""
    incoming: list[Incoming] = []
    seen: list[Seen] = []
    for event in _events(body, kind, account):
        if event.read:
            upto = event.read.mid or event.read.watermark
            seen.append(Seen(chat=event.sender.id, id=f"{event.sender.id}:{upto}:read"))
        elif made := _incoming(event):
            incoming.append(made)
    return Reading(tuple(incoming), seen=tuple(seen))


def _events(body: bytes, kind: str, account: str) -> Iterator[_Event]:
    envelope = whole(_body, body)
    if envelope is None or envelope.object != kind:
        return
    for entry in each(_entry, envelope.entry):
        raws = (*entry.messaging, *(change.value for change in each(_change, entry.changes)))
        for event in each(_event, raws):
            ours = {entry.id, event.recipient.id}
            if (not account or account in ours) and event.sender.id not in {"", *ours}:
                yield event


def _incoming(event: _Event) -> Incoming | None:
    chat = event.sender.id
    user = User(id=chat)
    # What has no id of its own is known by its time.
    id = f"{chat}:{event.timestamp}" if event.timestamp else ""  # noqa: A001
    match event:
        case _Event(postback=_Postback(mid=mid, title=title, payload=payload)) if payload or title:
            return Click(chat=chat, id=mid or id, payload=payload or "", label=clean(title or ""), user=user)
        case _Event(referral=_Referral(ref=ref), message=None) if ref:
            return Click(chat=chat, id=id, payload=ref, label=clean(ref), user=user)
        case _Event(message=_Message(is_echo=False, is_deleted=False) as message):
            return _said(message, chat, user)
        case _:
            return None


def _said(message: _Message, chat: str, user: User) -> Incoming | None:
    text = clean(message.text or "")
    if message.quick_reply and message.quick_reply.payload:
        payload = message.quick_reply.payload
        return Click(chat=chat, id=message.mid, payload=payload, label=text, user=user)
    parts = _once(list(each(_part, message.attachments or ())))
    text = "\n".join([*filter(None, [text]), *_words(parts, text)])
    files = tuple(_file(part) for part in parts if part.type in FILES and part.address)
    if not text and not files:
        return None
    return UserMessage(chat=chat, id=message.mid, text=text, attachments=files, user=user)


def _once(parts: Sequence[_Part]) -> list[_Part]:
    """Each once: for a while stickers came as pictures as well, and posts as shares."""
    kept: dict[object, _Part] = {}
    for number, part in enumerate(parts):
        sticker = part.payload and part.payload.sticker_id
        kept.setdefault(sticker or part.address or number, part)
    return list(kept.values())


def _file(part: _Part) -> Attachment:
    name = clean(unquote(PurePosixPath(urlsplit(part.address).path).name)) if part.type == "file" else ""
    return Attachment(type=FILES[part.type], url=part.address, filename=name)


def _words(parts: Sequence[_Part], said: str) -> Iterator[str]:
    """What attachments say that are no files. A link in a text is attached to it as well, as a `fallback`."""
    linked = bool(LIKE_A_LINK.search(said))
    for part in parts:
        match part:
            case _Part(type=kind) if kind in FILES or (kind == "fallback" and linked):
                continue
            case _Part(type="like_heart"):
                yield HEART
            case _Part(payload=_Payload(coordinates=_Coordinates(lat=latitude, long=longitude))):
                yield place(latitude, longitude)
            case _Part(payload=_Payload(product=_Product(elements=elements))):
                yield from (clean(element.title) for element in elements if element.title)
            case _ if part.address or part.name:
                yield clean("\n".join(filter(None, (part.name, part.address))))
