"""What somebody says by an event: its words and its file.

https://spec.matrix.org/latest/client-server-api/#mroommessage-msgtypes
The content of an event is whatever its sender's client has put there, so each part of it is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

from bridge.channels import Attachment
from bridge.channels.links import place
from bridge.channels.mime import mime_type
from bridge.channels.text import blank, clean

Content: TypeAlias = Mapping[str, Any]
Kind: TypeAlias = Literal["image", "video", "audio", "file"]

KINDS: Final[Mapping[str, Kind]] = {
    "m.image": "image",
    "m.video": "video",
    "m.audio": "audio",
    "m.file": "file",
}
MEDIA: Final = re.compile(r"mxc://([A-Za-z0-9.:\[\]-]+/[A-Za-z0-9_-]+)")
"""https://spec.matrix.org/latest/client-server-api/#matrix-content-mxc-uris"""
NOT_SAID: Final = re.compile(r"m\.notice|m\.server_notice|m\.key\.verification\..*|")
"""What bots say, which must not be answered; what servers say; what clients say to each other; nothing."""
GEO: Final = re.compile(r"geo:(-?\d{1,3}(?:\.\d{1,20})?),(-?\d{1,3}(?:\.\d{1,20})?)(?![\d.])")
"""https://www.rfc-editor.org/rfc/rfc5870"""
QUOTED: Final = "> "
NAME_MAX: Final = 255


class Said(msgspec.Struct, frozen=True):
    text: str = ""
    attachments: tuple[Attachment, ...] = ()


def message(content: Content) -> Said | None:
    """What an m.room.message says; None for nothing, and for what is not said to the bot.

    A redacted event has nothing left in it, and an edit says again what was said before.
    """
    form = _word(content, "msgtype")
    if NOT_SAID.fullmatch(form) or relation(content) == "m.replace":
        return None
    if form in KINDS:
        return _file(KINDS[form], content)
    if form == "m.location":
        return _said(_location(content))
    return _said(_body(content))  # an unknown form has in its body what to show instead


def sticker(content: Content) -> Said:
    """A sticker is a picture whose body says what it shows."""
    return _file("image", {**content, "filename": ""})


def relation(content: Content) -> str:
    """How the event is related to another one: "m.replace", "m.thread", ...; "" for a reply, and for none."""
    match content.get("m.relates_to"):
        case {"rel_type": str(kind)}:
            return kind
        case _:
            return ""


def _said(words: str) -> Said | None:
    return None if blank(words) else Said(words)


def _word(content: Content, name: str) -> str:
    value = content.get(name)
    return value if isinstance(value, str) else ""


def _body(content: Content) -> str:
    """The words; of a reply without what older clients quote before it."""
    body = clean(_word(content, "body"))
    match content.get("m.relates_to"):
        case {"m.in_reply_to": _} if body.startswith(QUOTED):
            return "\n".join(_unquoted(body)).removeprefix("\n")
        case _:
            return body


def _unquoted(body: str) -> Iterator[str]:
    lines = iter(body.split("\n"))
    for line in lines:
        if not line.startswith(QUOTED):
            yield line
            yield from lines


def _location(content: Content) -> str:
    """A link to the place, below its description where there is one; clients describe it by its numbers."""
    described = _body(content)
    if found := GEO.match(_word(content, "geo_uri")):
        link = place(float(found[1]), float(found[2]))
        return link if blank(described) or "geo:" in described else f"{described}\n{link}"
    return described


def _file(kind: Kind, content: Content) -> Said:
    """A file with its caption, which is a body beside a filename; without one the body is the filename."""
    body, filename = _body(content), clean(_word(content, "filename"))
    caption = body if not blank(filename) and body != filename else ""
    name = " ".join((filename if not blank(filename) else body).split())[:NAME_MAX]
    found = MEDIA.fullmatch(_word(content, "url"))
    if not found:
        secret = "encrypted " if isinstance(content.get("file"), dict) else ""
        words = f"[{secret}{kind}: {name}]" if name else f"[{secret}{kind}]"
        return Said("\n".join(part for part in (caption, words) if not blank(part)))
    info = content.get("info")
    told = _word(info, "mimetype") if isinstance(info, dict) else ""
    file = Attachment(type=kind, source=found[1], mime_type=mime_type(told), filename=name)
    return Said("" if blank(caption) else caption, (file,))
