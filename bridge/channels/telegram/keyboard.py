"""Inline keyboards: what a button does in Telegram, and how buttons stand under a message.

https://core.telegram.org/bots/api#inlinekeyboardbutton
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, TypeAlias, assert_never

import msgspec
import orjson

from bridge.channels import text
from bridge.channels.links import web_address
from bridge.content import Button, Link, OpenWebview, Option, Postback

CALLBACK_BYTES: Final = 64
BUTTONS: Final = 100
KEYBOARD_BYTES: Final = 8_000
"""Below the 10 kB at which Telegram says "reply markup is too long", as it does not say what it counts."""

COLUMNS: Final = 3
ROW_WIDTH: Final = 30
"""Letters a phone shows across one row of buttons; longer labels get a row of their own."""
BLANK: Final = "…"
"""Stands where Telegram wants a text and there is none."""


class Key(msgspec.Struct, frozen=True):
    """An inline button; `does` is its one action as Telegram writes it.

    `line` is a line of text that says the same, for a button that Telegram may refuse.
    """

    label: str
    does: Mapping[str, Any]
    keep: Mapping[str, str] = {}
    line: str = ""

    def shown(self) -> dict[str, Any]:
        return {"text": self.label, **self.does}


KeyOrLine: TypeAlias = Key | str
"""A button, or the line of text that stands for one Telegram does not have."""


def option_key(option: Option) -> Key:
    return _press(option.label, option.text)


def button_key(button: Button, to: str) -> KeyOrLine:
    match button:
        case Postback(label=label, value=value):
            return _press(label, value)
        case Link(label=label, url=url):
            return _link(label, url)
        case OpenWebview(label=label, url=url, height=height):
            key = _link(label, url)
            if isinstance(key, str) or height == "new_window" or not _takes_web_app(key.does["url"], to):
                return key
            return Key(key.label, {"web_app": {"url": key.does["url"]}}, line=key.line)
        case _:
            assert_never(button)


def _press(label: str, value: str) -> Key:
    data, keep = text.payload(value or label or BLANK, CALLBACK_BYTES)
    return Key(_label(label, value), {"callback_data": data}, keep)


def _link(label: str, url: str) -> KeyOrLine:
    line = f"{label}: {url}" if label and label != url else url
    address = web_address(url)
    return Key(_label(label, url), {"url": address}, line=line) if address else line


def _label(label: str, instead: str) -> str:
    """A button needs something to read on it."""
    return next((words for words in (label, instead) if not text.blank(words)), BLANK)


def _takes_web_app(address: str, to: str) -> bool:
    """Pages inside the chat need https and a private chat; the ids of groups and channels are negative."""
    return address.startswith("https://") and to.isdecimal()


def aside(said: str, keys: Iterable[KeyOrLine]) -> tuple[str, list[Key]]:
    """The text with the lines among the buttons put under it, and the buttons that are left."""
    pressable: list[Key] = []
    lines: list[str] = [said]
    for key in keys:
        if isinstance(key, str):
            lines.append(key)
        else:
            pressable.append(key)
    return "\n".join(line for line in lines if line), pressable


def keyboards(keys: Iterable[Key]) -> list[list[Key]]:
    """The buttons in as many keyboards as Telegram's limits ask for: one, as good as always."""
    filled: list[list[Key]] = [[]]
    room = KEYBOARD_BYTES
    for key in keys:
        size = len(orjson.dumps(key.shown())) + len(",[]")
        if filled[-1] and (size > room or len(filled[-1]) == BUTTONS):
            filled.append([])
            room = KEYBOARD_BYTES
        filled[-1].append(key)
        room -= size
    return filled


def rows(keys: Sequence[Key]) -> list[list[dict[str, Any]]]:
    """Up to three in a row where the labels are short enough, else one a row; evenly filled (4 as 2 + 2)."""
    widest = max(_width(key.label) for key in keys)
    columns = max(1, min(COLUMNS, ROW_WIDTH // widest))
    count = -(-len(keys) // columns)
    ends = [index * len(keys) // count for index in range(count + 1)]
    return [[key.shown() for key in keys[start:end]] for start, end in pairwise(ends)]


def _width(label: str) -> int:
    """How many columns a label takes, about: wide letters and emoji count twice."""
    return max(1, sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in label))
