"""What the page posts, read as what the user said: words, or a press on a button or a quick reply."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from bridge.channels import Click, Incoming, User, UserMessage
from bridge.channels.text import clean
from bridge.errors import PayloadError

TEXT: Final = 4_000
"""Longest text, in characters; the page stops the user earlier."""

_CHAT: Final = re.compile(r"[A-Za-z0-9_.:-]{8,128}")
_MESSAGE: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class Posted(msgspec.Struct, frozen=True):
    """The body of a POST: {chat, id, text} or {chat, id, payload, label}."""

    chat: str
    id: str
    text: str = ""
    payload: str = ""
    label: str = ""


_decode: Final = msgspec.json.Decoder(Posted).decode


def is_chat(name: str) -> bool:
    """Whether `name` may be the id of a web chat."""
    return _CHAT.fullmatch(name) is not None


def language(accept: str) -> str:
    """The first language of an Accept-Language header, "" where it names none."""
    found = _LANGUAGE.match(accept)
    return found.group() if found else ""


def read(body: bytes, user: User) -> Incoming:
    """Raises PayloadError, in words for the one who posts, when the body says nothing."""
    try:
        posted = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise PayloadError("a JSON object with chat, id, and text or payload is expected") from None
    if not is_chat(posted.chat):
        raise PayloadError("chat: 8 to 128 of A-Z a-z 0-9 _ . : - are expected")
    if not _MESSAGE.fullmatch(posted.id):
        raise PayloadError("id: 8 to 64 of A-Z a-z 0-9 _ - are expected")
    text, payload = clean(posted.text).strip(), clean(posted.payload)
    if bool(text) == bool(payload):
        raise PayloadError("either text or payload is expected")
    if len(text) > TEXT:
        raise PayloadError(f"text: at most {TEXT} characters are expected")
    if payload:
        return Click(
            chat=posted.chat, id=posted.id, payload=payload, label=clean(posted.label) or payload, user=user
        )
    return UserMessage(chat=posted.chat, id=posted.id, text=text, user=user)
