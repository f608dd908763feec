"""Contents as events of a room (m.room.message), and the signs beside them.

A body without a formatted_body is shown as it was written, its addresses as links: so HTML is never needed.
What an agent says is m.text, since clients tell nobody of an m.notice: that is for what is said of the
conversation itself. An empty m.mentions says that nobody is meant, whatever names stand in the text.
https://spec.matrix.org/latest/client-server-api/#mroommessage-msgtypes
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from bridge.channels import Call, Upload, text
from bridge.channels.capabilities import Capabilities
from bridge.channels.degrade import fit
from bridge.content import Audio, Choice, Content, File, Image, Notice, Text, Video

TEXT: Final = 16_384
"""In bytes. JSON makes two of a quotation mark, a backslash, a line end and a tab, and of no other character
that is left: so it is half of an event at most, and there is room for what homeservers put around it."""
CAPTION: Final = 4_096
FILENAME: Final = 120
"""In characters, of a name that only the address gives."""
TYPING_SECONDS: Final = 5.0
"""A message does not end the sign on every homeserver and client, so it is a short one."""

SEND: Final = "send/m.room.message"
TYPING: Final = "typing"
READ: Final = "receipt/m.read"
JOIN: Final = "join"
EVENT: Final = "event"
"""The name, in a chat's memo, of the id of the user's last event."""

NOT_YET: Final = "mxc://{uploaded}"
"""Stands for a file's address until the homeserver has said where it is."""
UNKNOWN_TYPE: Final = "application/octet-stream"
_A_FILENAME: Final = re.compile(r"[^\n/\\:]{1,180}\.\w{1,8}")
_NOBODY: Final[Mapping[str, Any]] = {"m.mentions": {}}
_PLAIN: Final = Capabilities(unit="bytes", text=TEXT)


def text_message(said: Text) -> tuple[Call, ...]:
    return (_message({"msgtype": "m.text", "body": said.text}),)


def notice(said: Notice) -> tuple[Call, ...]:
    return (_message({"msgtype": "m.notice", "body": said.text}),)


def file_message(file: Image | Video | Audio | File, max_bytes: int) -> tuple[Call, ...]:
    """The file with its name as the caption, or where that is a file's name as the name of the file."""
    match file:
        case Image():
            form, name = "image", ""
        case Video():
            form, name = "video", ""
        case Audio():
            form, name = "audio", ""
        case File():
            form, name = "file", file.name if _A_FILENAME.fullmatch(file.name) else ""
    filename = name or _name(file.url) or form
    caption = filename if name or text.blank(file.name) else file.name
    body = {"msgtype": f"m.{form}", "body": caption, "filename": filename, "url": NOT_YET}
    upload = Upload(url=file.url, name=filename, max_bytes=max_bytes)
    return (_message(body, upload=upload, fallback=_plain(file)),)


def typing_sign(*, on: bool) -> tuple[Call, ...]:
    body = {"typing": True, "timeout": round(1000 * TYPING_SECONDS)} if on else {"typing": False}
    return (Call(op=TYPING, body=body, ephemeral=True),)


def receipt() -> tuple[Call, ...]:
    return (Call(op=READ, recall=(EVENT,), ephemeral=True),)


def body(call: Call) -> Mapping[str, Any]:
    """What is sent of it: with the file's address, type and size, once it has been handed over."""
    if call.uploaded is None:
        return call.body
    file = call.uploaded
    info = {"mimetype": file.mime_type or UNKNOWN_TYPE, "size": file.size}
    return {**call.body, "url": file.address, "info": info}


# ---- messages ----------------------------------------------------------------------------------------------


def _message(
    content: Mapping[str, Any],
    *,
    upload: Upload | None = None,
    numbers: tuple[Choice, ...] = (),
    fallback: tuple[Call, ...] = (),
) -> Call:
    return Call(op=SEND, body={**content, **_NOBODY}, upload=upload, numbers=numbers, fallback=fallback)


def _plain(content: Content) -> tuple[Call, ...]:
    """The content as a channel shows it that has nothing but text."""
    return tuple(
        call for said in fit(content, _PLAIN)[0] if isinstance(said, Text) for call in text_message(said)
    )


def _name(url: str) -> str:
    """What the file is called at its address; "" where that says nothing."""
    name = text.clean(PurePosixPath(unquote(urlsplit(url).path)).name)[-FILENAME:]
    return "" if text.blank(name) else " ".join(name.split())
