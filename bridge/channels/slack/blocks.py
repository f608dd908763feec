"""Blocks of Block Kit, and words in them that show as they were written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, assert_never

from bridge.channels import text
from bridge.content import Button, Link, OpenWebview, Postback

SECTION: Final = 3000
IMAGE_TEXT: Final = 2000
URL: Final = 3000
BUTTONS: Final = 25
LABEL: Final = 75
MENU: Final = 100
VALUE: Final = 150
"""A menu's; a button's may be 2000, but with one limit the choice between them is a matter of count alone."""
SUBTITLE: Final = SECTION - 200
"""A title, a line end and the subtitle fit one section."""
BLANK: Final = "…"
"""Stands where Slack wants a text and there is none."""


def sections(words: str, *, title: str = "") -> list[dict[str, Any]]:
    """A section with the words under their title, if there are any."""
    said = joined([title, words])
    if text.blank(said):
        return []
    heading, body = mrkdwn(title.strip(), SECTION), mrkdwn(words, SECTION)
    if not text.blank(title) and "\n" not in title.strip() and heading and body:
        bold = joined([f"*{heading['text']}*", body["text"]])
        if len(bold) <= SECTION:
            return [_section({**heading, "text": bold})]
    return [_section(mrkdwn(part, SECTION) or plain_text(part, SECTION)) for part in _parts(said)]


def _section(said: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "section", "text": said, "expand": True}


def _parts(words: str) -> list[str]:
    """The words in parts that fit a section escaped: nearly always one."""
    if len(_ENTITY.sub("&amp;", words)) <= SECTION:
        return [words]
    return [part for half in text.split(words, (len(words) + 1) // 2) for part in _parts(half)]


def picture(url: str, name: str) -> dict[str, Any]:
    return {"image_url": url, "alt_text": text.cut(name, IMAGE_TEXT) if not text.blank(name) else "Image"}


def pressable(buttons: Sequence[Button]) -> list[dict[str, Any]]:
    """The buttons as they are, or as one menu where they are too many."""
    if len(buttons) <= BUTTONS:
        return [button_element(button, number) for number, button in enumerate(buttons, 1)]
    options = [
        {"text": plain_text(button.label, LABEL), "value": text.payload(button.value, VALUE)[0]}
        for button in buttons
        if isinstance(button, Postback)
    ]
    placeholder = plain_text(BLANK, LABEL)
    return [{"type": "static_select", "action_id": "1", "placeholder": placeholder, "options": options}]


def button_element(button: Button, number: int) -> dict[str, Any]:
    shown = {"type": "button", "action_id": str(number), "text": plain_text(button.label, LABEL)}
    match button:
        case Postback(value=value):
            return {**shown, "value": text.payload(value, VALUE)[0]}
        case Link(url=url) | OpenWebview(url=url):
            return {**shown, "url": url}
        case _:
            assert_never(button)


def size(value: Any) -> int:
    """How many characters the texts in it have."""
    match value:
        case str():
            return len(value)
        case Mapping():
            return sum(map(size, value.values()))
        case list():
            return sum(map(size, value))
        case _:
            return 0


# ---- words ------------------------------------------------------------------------------------------------

_ADDRESS: Final = re.compile(r"https?://[^\s<>|]*[^\s<>|.,;:!?)\]}'\"…*_~`]")
_EMOJI: Final = re.compile(r":[\w+'-]+:")
_MARKUP: Final = re.compile(rf"[*_~`]|^[^\S\n]*>|{_EMOJI.pattern}", re.MULTILINE)
_ENTITY: Final = re.compile("&(?=(?:amp|lt|gt);)")


def names_emoji(words: str) -> bool:
    """Whether ":tada:" or the like is in it, which Slack shows as an emoji wherever it is not told not to."""
    return bool(_EMOJI.search(_ADDRESS.sub(" ", words)))


def escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mrkdwn(words: str, limit: int) -> dict[str, Any] | None:
    """The words as a mrkdwn object that shows them as they are; None where there is none within the limit.

    Slack has no way to escape its markup: only words without any will do.
    """
    if _MARKUP.search(_ADDRESS.sub(" ", words)):
        return None
    parts: list[str] = []
    end = 0
    for found in _ADDRESS.finditer(words):
        parts += [escaped(words[end : found.start()]), f"<{escaped(found[0])}>"]
        end = found.end()
    written = "".join(parts) + escaped(words[end:])
    return {"type": "mrkdwn", "text": written, "verbatim": True} if len(written) <= limit else None


def plain_text(words: str, limit: int) -> dict[str, Any]:
    """The words as a plain_text object. Slack escapes them itself, and leaves what is escaped already."""
    escaped = _ENTITY.sub("&amp;", words)
    return {"type": "plain_text", "text": escaped if len(escaped) <= limit else words, "emoji": False}


def joined(parts: Iterable[str]) -> str:
    return "\n".join(part for part in parts if not text.blank(part))
