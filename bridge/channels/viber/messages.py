"""Texts and files as messages of Viber, and the keyboard under them.

https://developers.viber.com/docs/api/rest-bot-api/#message-types
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from bridge.channels import Call, text
from bridge.channels.pressed import behind
from bridge.channels.viber import markup
from bridge.content import Audio, File, Image, Option, Postback, Text, Video

TEXT: Final = 7000
CAPTION: Final = 512
FILE_NAME: Final = 256
KEYS: Final = 12
LABEL: Final = 40
"""A button's HTML has 250 characters, and an escaped letter up to five."""
PAYLOAD_BYTES: Final = 250
COLUMNS: Final = 6
NARROW: Final = 14
"""Letters in a button of half the width; when all labels are as short, two stand in a row."""
SILENT_VERSION: Final = 6
"""The least version of the API that knows silent buttons, whose value does not appear as a message."""

SEND: Final = "send_message"
BLANK: Final = "…"


class Press(msgspec.Struct, frozen=True):
    """A button that says something: what it does as Viber writes it, and what has to be kept for it."""

    label: str
    does: Mapping[str, Any]
    keep: Mapping[str, str] = {}


def option_press(option: Option) -> Press:
    """What the user says appears in the chat; a token in its place would be no use there."""
    body, keep = behind(option.text or option.label, option.label, PAYLOAD_BYTES)
    return Press(option.label, _reply(body, silent=bool(keep)), keep)


def postback_press(button: Postback, label: str = "") -> Press:
    """The value of a postback is for the agent's eyes only."""
    shown = label or button.label
    body, keep = behind(button.value or button.label or BLANK, shown, PAYLOAD_BYTES)
    return Press(shown, _reply(body, silent=True), keep)


def _reply(body: str, *, silent: bool) -> dict[str, Any]:
    return {"ActionType": "reply", "ActionBody": body, **({"Silent": True} if silent else {})}


def text_message(content: Text) -> tuple[Call, ...]:
    return say(content.text, [option_press(option) for option in content.options])


def file_message(content: Image | Video | Audio | File) -> tuple[Call, ...]:
    url, name = content.url, content.name
    if isinstance(content, Image):
        caption = markup.plain(name)
        if not text.fits(caption, CAPTION, "utf16"):
            return (*_file({"type": "picture", "text": "", "media": url}), *say(name))
        return _file({"type": "picture", "text": caption, "media": url}, name)
    if isinstance(content, Video):
        sent = _file({"type": "video", "media": url, "size": content.size})
        return (*sent, *say(name)) if name else sent
    shown = _file_name(url, name)
    sent = _file({"type": "file", "media": url, "size": content.size, "file_name": shown}, name)
    return (*sent, *say(name)) if name and name != shown else sent


def _file(message: Mapping[str, Any], name: str = "") -> tuple[Call, ...]:
    return (send(message, (), *say("\n".join(filter(None, [name, message["media"]])))),)


def _file_name(url: str, name: str) -> str:
    """A name with the address's ending, which tells phones what the file is: the file's own, if it has it."""
    path = PurePosixPath(unquote(urlsplit(url).path))
    if path.suffix and name.lower().endswith(path.suffix.lower()) and len(name) <= FILE_NAME:
        return name
    return text.clean(path.name)[-FILE_NAME:] or "file"


def say(said: str, presses: Sequence[Press] = ()) -> tuple[Call, ...]:
    """Messages of text, as many as its length needs, with the keyboard under the last."""
    *before, last = markup.split(said, TEXT) or [BLANK]
    calls = [send({"type": "text", "text": part}) for part in before]
    message = {"type": "text", "text": last, **_keyboard(presses)}
    if markup.json_size(message) > markup.REQUEST_BYTES:
        calls.append(send({"type": "text", "text": last}))
        message["text"] = BLANK
    return (*calls, send(message, presses))


def _keyboard(presses: Sequence[Press]) -> dict[str, Any]:
    if not presses:
        return {}
    narrow = len(presses) > 2 and all(len(press.label) <= NARROW for press in presses)
    widths = [COLUMNS // 2 if narrow else COLUMNS] * len(presses)
    if narrow and len(presses) % 2:
        widths[-1] = COLUMNS
    buttons = [
        {"Columns": width, "Rows": 1, "Text": markup.html(press.label), **press.does}
        for press, width in zip(presses, widths, strict=True)
    ]
    silent = any("Silent" in press.does for press in presses)
    version = {"min_api_version": SILENT_VERSION} if silent else {}
    return {"keyboard": {"Type": "keyboard", "DefaultHeight": False, "Buttons": buttons}, **version}


def send(message: Mapping[str, Any], presses: Sequence[Press] = (), *fallback: Call) -> Call:
    keep = {body: value for press in presses for body, value in press.keep.items()}
    return Call(op=SEND, body=message, keep=keep, fallback=fallback)
