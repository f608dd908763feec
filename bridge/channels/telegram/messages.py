"""Contents as calls of the Bot API.

Text goes out without a parse mode, so an agent's text is shown exactly as it was written; only a card's title
is set in bold, which is an entity beside the text. Whatever Telegram may refuse at run time (a file it cannot
fetch, an address it takes for no link) has a fallback that cannot fail in the same way: in the end plain text
with the addresses in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from bridge.channels import Call, text
from bridge.channels.links import web_address
from bridge.channels.telegram.keyboard import (
    BLANK,
    Key,
    KeyOrLine,
    aside,
    button_key,
    keyboards,
    option_key,
    rows,
)
from bridge.content import Audio, Card, File, Image, OpenWebview, Text, Video, Webview

TEXT: Final = 4096
CAPTION: Final = 1024
TITLE: Final = 1024
SUBTITLE: Final = TEXT - TITLE - 1
"""A card's title, a line end and its subtitle fit one message."""


def text_message(to: str, content: Text) -> tuple[Call, ...]:
    return _say(to, content.text, map(option_key, content.options))


def file_message(to: str, content: Image | Video | Audio | File) -> tuple[Call, ...]:
    match content:
        case Image(url=url, name=name):
            return _show(to, _picture(url), url, name)
        case Video(url=url, name=name):
            return _show(to, VIDEO, url, name)
        case Audio(url=url, name=name):
            return _show(to, _sound(url), url, name)
        case File(url=url, name=name):
            # By URL Telegram is sure to take only PDF, ZIP and GIF. Others are tried all the same: it takes
            # some of them, and a refusal costs one call.
            return _show(to, DOCUMENT, url, name)


def card_message(to: str, card: Card) -> tuple[Call, ...]:
    title = card.title.strip()
    said = "\n".join(part for part in (title, card.subtitle) if part)
    keys = [button_key(button, to) for button in card.buttons]
    bold = text.measure(title, "utf16")
    if card.media is None:
        return _say(to, said, keys, bold=bold)
    form = VIDEO if card.media.kind == "video" else _picture(card.media.url)
    return _show(to, form, card.media.url, said, keys, bold=bold)


def webview_message(to: str, webview: Webview) -> tuple[Call, ...]:
    label = webview.label or webview.name
    key = button_key(OpenWebview(label=label, url=webview.url, height=webview.height), to)
    beside = webview.name or webview.label
    return _say(to, "" if isinstance(key, str) and beside == label else beside, [key])


def typing_sign(to: str) -> tuple[Call, ...]:
    return (_call("sendChatAction", to, {"action": "typing"}, ephemeral=True),)


# ---- files -------------------------------------------------------------------------------------------------


class _Form(msgspec.Struct, frozen=True):
    """A method that sends a file, and the field that takes its address."""

    op: str
    field: str


PHOTO: Final = _Form("sendPhoto", "photo")
ANIMATION: Final = _Form("sendAnimation", "animation")
VIDEO: Final = _Form("sendVideo", "video")
AUDIO: Final = _Form("sendAudio", "audio")
VOICE: Final = _Form("sendVoice", "voice")
DOCUMENT: Final = _Form("sendDocument", "document")


def _picture(url: str) -> _Form:
    """A GIF moves only as an animation."""
    return ANIMATION if _ends(url, ".gif") else PHOTO


def _sound(url: str) -> _Form:
    """OGG is Telegram's voice message; sendAudio takes MP3 and M4A, and leaves the rest to the fallback."""
    return VOICE if _ends(url, ".ogg", ".oga", ".opus") else AUDIO


def _ends(url: str, *endings: str) -> bool:
    return urlsplit(url).path.lower().endswith(endings)


# ---- messages ----------------------------------------------------------------------------------------------


def _say(to: str, said: str, keys: Iterable[KeyOrLine] = (), *, bold: int = 0) -> tuple[Call, ...]:
    """Messages of text, as many as its length and its buttons need; none for nothing."""
    said, pressable = aside(said, keys)
    if text.blank(said):
        if not pressable:
            return ()
        said = BLANK
    *before, last = text.split(said, TEXT, "utf16")
    first, *more = keyboards(pressable)
    parts: list[tuple[str, list[Key]]] = [(part, []) for part in before]
    parts += [(last, first), *((BLANK, keyboard) for keyboard in more)]
    return tuple(
        _message(to, part, keyboard, bold=0 if index else bold)
        for index, (part, keyboard) in enumerate(parts)
    )


def _message(to: str, said: str, keyboard: Sequence[Key], *, bold: int) -> Call:
    """One message. Its fallback has no links under it, for when Telegram takes one of them for none."""
    has_links = any(key.line for key in keyboard)
    without = _say(to, said, [key.line or key for key in keyboard], bold=bold) if has_links else ()
    fields = {"text": said, "entities": _bold(bold)}
    return _call("sendMessage", to, fields, keyboard, fallback=without)


def _show(
    to: str, form: _Form, url: str, said: str, keys: Iterable[KeyOrLine] = (), *, bold: int = 0
) -> tuple[Call, ...]:
    """The file with its caption and buttons; or the file, then what does not fit it; or only its address."""
    said, pressable = aside(said, keys)
    address = web_address(url)
    if address is None:
        return _say(to, said, [url, *pressable], bold=bold)
    keyboard, *more = keyboards(pressable)
    if more or not text.fits(said, CAPTION, "utf16"):
        return (*_show(to, form, url, ""), *_say(to, said, pressable, bold=bold))
    as_text = _say(to, said, [address, *keyboard], bold=bold)
    caption = {"caption": said, "caption_entities": _bold(bold)} if not text.blank(said) else {}
    return (_call(form.op, to, {form.field: address, **caption}, keyboard, fallback=as_text),)


def _bold(length: int) -> list[dict[str, Any]]:
    return [{"type": "bold", "offset": 0, "length": length}] if length else []


def _call(
    op: str,
    to: str,
    fields: dict[str, Any],
    keyboard: Sequence[Key] = (),
    *,
    fallback: tuple[Call, ...] = (),
    ephemeral: bool = False,
) -> Call:
    body = {"chat_id": _chat_id(to), **{name: value for name, value in fields.items() if value}}
    if keyboard:
        body["reply_markup"] = {"inline_keyboard": rows(keyboard)}
    keep = {data: value for key in keyboard for data, value in key.keep.items()}
    return Call(op=op, body=body, keep=keep, fallback=fallback, ephemeral=ephemeral)


def _chat_id(to: str) -> int | str:
    """Ids are numbers; only public groups and channels may be named instead, as @name."""
    digits = to.removeprefix("-")
    return int(to) if digits.isascii() and digits.isdecimal() and len(digits) < 19 else to
