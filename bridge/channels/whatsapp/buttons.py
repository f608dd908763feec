"""What stands below the body of an interactive message: replies, a list, or a button that opens a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from bridge.channels import text
from bridge.channels.choices import mark
from bridge.channels.whatsapp import markup
from bridge.content import Button, Choice, Link, OpenWebview, Option, Postback

REPLIES: Final = 3
TITLE: Final = 20
"""Of a reply button, and of the button that opens a list or a page."""
ROWS: Final = 10
ROW: Final = 24
DESCRIPTION: Final = 72
ID: Final = 200
"""Of a list's row; a reply button's may have 256."""


class Ask(msgspec.Struct, frozen=True):
    """What stands below the body of an interactive message, and the lines that say the same."""

    type: str
    action: Mapping[str, Any]
    lines: tuple[str, ...]
    numbers: tuple[Choice, ...] = ()
    keep: Mapping[str, str] = {}


def choice(options: Sequence[Option], list_button: str) -> Ask:
    """Reply buttons where they can say it all, else a list, whose rows have room for more below the title."""
    if len(options) <= REPLIES and all(len(option.label) <= TITLE for option in options):
        return reply_buttons(options)
    rows: list[dict[str, str]] = []
    keep: dict[str, str] = {}
    titles = text.labels((option.label for option in options), ROW)
    ids = payloads([option.text for option in options])
    for option, title, (payload, kept) in zip(options, titles, ids, strict=True):
        rows.append({"id": payload, "title": title})
        if title != option.label:
            rows[-1]["description"] = text.cut(option.label, DESCRIPTION)
        keep |= kept
    action = {"button": list_button, "sections": [{"rows": rows}]}
    return Ask("list", action, *_numbered(options), keep)


def reply_buttons(options: Sequence[Option]) -> Ask:
    ids = payloads([option.text for option in options])
    buttons = [
        {"type": "reply", "reply": {"id": payload, "title": option.label}}
        for option, (payload, _) in zip(options, ids, strict=True)
    ]
    keep = {token: value for _, kept in ids for token, value in kept.items()}
    return Ask("button", {"buttons": buttons}, *_numbered(options), keep)


def page_button(button: Button) -> Ask:
    assert not isinstance(button, Postback)  # noqa: S101
    address = text.link(button.url) or button.url
    parameters = {"display_text": button.label, "url": address}
    line = markup.escape(button.label) + f": {address}" if button.label != address else address
    return Ask("cta_url", {"name": "cta_url", "parameters": parameters}, (line,))


def asks_of(buttons: Sequence[Button]) -> list[Ask]:
    """The replies together, then each page: one message has either."""
    options = [Option(button.label, button.value) for button in buttons if isinstance(button, Postback)]
    batches = [options[start : start + REPLIES] for start in range(0, len(options), REPLIES)]
    pages = [button for button in buttons if isinstance(button, Link | OpenWebview)]
    return [*map(reply_buttons, batches), *map(page_button, pages)]


def _numbered(options: Sequence[Option]) -> tuple[tuple[str, ...], tuple[Choice, ...]]:
    """The options as lines, and what the lines stand for."""
    choices = mark(options)
    lines = (
        f"{choice.mark}. {markup.escape(option.label)}"
        for choice, option in zip(choices, options, strict=True)
    )
    return tuple(lines), choices


def payloads(values: Sequence[str]) -> list[tuple[str, Mapping[str, str]]]:
    """What stands behind each button: no two alike, and without white space around it."""
    made: dict[str, Mapping[str, str]] = {}
    for number, value in enumerate(values):
        payload, keep = text.payload(value, ID)
        if payload in made or payload != payload.strip():
            payload, _ = text.payload(f"{text.MARK}{number} {value}", ID)
            keep = {payload: value}
        made[payload] = keep
    return list(made.items())
