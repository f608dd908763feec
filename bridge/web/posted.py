"""What the page posts, read as what the user said: words and files, or a press on a button or quick reply."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from bridge.channels import Attachment, Click, Incoming, User, UserMessage
from bridge.channels.text import clean
from bridge.errors import PayloadError

TEXT: Final = 4_000
"""Longest text, in characters; the page stops the user earlier."""
FILES: Final = 5
"""Files one message may bring, as on the page."""
NAME: Final = 120
"""Characters of a file's name that are kept."""

_CHAT: Final = re.compile(r"[A-Za-z0-9_.:-]{8,128}")
_MESSAGE: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_NO_NAME: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Line ends, and the marks by which "exe.gpj" reads as a picture."""
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class PostedFile(msgspec.Struct, frozen=True):
    id: str


class Posted(msgspec.Struct, frozen=True):
    """The body of a POST: {chat, id, text, files: [{id}]} or {chat, id, payload, label}."""

    chat: str
    id: str
    text: str = ""
    payload: str = ""
    label: str = ""
    files: tuple[PostedFile, ...] = ()


_decode: Final = msgspec.json.Decoder(Posted).decode


def is_chat(name: str) -> bool:
    """Whether `name` may be the id of a web chat."""
    return _CHAT.fullmatch(name) is not None


def language(accept: str) -> str:
    """The first language of an Accept-Language header, "" where it names none."""
    found = _LANGUAGE.match(accept)
    return found.group() if found else ""


def file_name(said: str) -> str:
    """The last part of a path or name, without what no name has and of no more than NAME characters."""
    name = _NO_NAME.sub(" ", clean(said)).rpartition("/")[2].rpartition("\\")[2].strip(" .")
    stem, dot, ending = name.rpartition(".")
    return name if len(name) <= NAME else f"{stem[: NAME - len(ending) - 1]}{dot}{ending}"[:NAME]


def read(body: bytes, user: User) -> Incoming:
    """What was said; files are attachments whose `source` is the id they are kept by.

    Raises PayloadError, in words for the one who posts, when the body says nothing.
    """
    try:
        posted = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise PayloadError("a JSON object with chat, id, and text, files or payload is expected") from None
    if not is_chat(posted.chat):
        raise PayloadError("chat: 8 to 128 of A-Z a-z 0-9 _ . : - are expected")
    if not _MESSAGE.fullmatch(posted.id):
        raise PayloadError("id: 8 to 64 of A-Z a-z 0-9 _ - are expected")
    text, payload = clean(posted.text).strip(), clean(posted.payload)
    files = tuple(dict.fromkeys(file.id for file in posted.files))
    if bool(text or files) == bool(payload):
        raise PayloadError("either text and files or payload are expected")
    if len(files) > FILES:
        raise PayloadError(f"files: at most {FILES} are expected")
    if len(text) > TEXT:
        raise PayloadError(f"text: at most {TEXT} characters are expected")
    if payload:
        return Click(
            chat=posted.chat, id=posted.id, payload=payload, label=clean(posted.label) or payload, user=user
        )
    attachments = tuple(Attachment(type="file", source=name) for name in files)
    return UserMessage(chat=posted.chat, id=posted.id, text=text, attachments=attachments, user=user)
