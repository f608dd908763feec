"""Cards as rich media: blocks of six columns and up to seven rows, side by side, all of one height.

https://developers.viber.com/docs/api/rest-bot-api/#rich-media-message--carousel-content-message
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, Final, assert_never
from urllib.parse import urlsplit

from bridge.channels import Call, text
from bridge.channels.viber import markup
from bridge.channels.viber.messages import (
    BLANK,
    COLUMNS,
    KEYS,
    LABEL,
    Press,
    postback_press,
    say,
    send,
)
from bridge.content import Button, Card, Link, Media, OpenWebview, Postback

CARDS: Final = 6
TITLE: Final = 60
SUBTITLE: Final = 150
BUTTONS: Final = 3
ROWS: Final = 7
PICTURE_ROWS: Final = 3
TEXT_ROWS: Final = 2
TEXT_HTML: Final = 250
TITLE_HTML: Final = 90
ALT_TEXT: Final = 500
VERSION: Final = 7
"""The least version of the API on whose phones rich media looks as it should."""
WHITE: Final = "#FFFFFF"
VIOLET: Final = "#7360F2"
"""Viber's own colour."""


def card_messages(cards: Sequence[Card]) -> Iterator[Call]:
    """The cards side by side, in as many messages as their JSON needs; then what had no room in a card."""
    row: list[Card] = []
    for card in cards:
        if row and markup.json_size(_message([*row, card])) > markup.REQUEST_BYTES:
            yield _rich(row)
            row = []
        row.append(card)
    yield _rich(row)
    for card in cards:
        if not _text(card)[1]:
            yield from say("\n".join(filter(None, [card.title, card.subtitle])))


def _rich(cards: Sequence[Card]) -> Call:
    buttons = [button for card in cards for button in _buttons(card)]
    presses = [postback_press(button) for button in buttons if isinstance(button, Postback)]
    return send(_message(cards), presses, *_plain(cards))


def _message(cards: Sequence[Card]) -> dict[str, Any]:
    pictures = PICTURE_ROWS if any(card.media for card in cards) else 0
    rows = min(pictures + TEXT_ROWS + max(len(card.buttons) for card in cards), ROWS)
    words = "\n".join(text for card in cards for text in (card.title, card.subtitle) if text)
    return {
        "type": "rich_media",
        "min_api_version": VERSION,
        "alt_text": markup.plain(text.cut(words or BLANK, ALT_TEXT)),
        "rich_media": {
            "Type": "rich_media",
            "ButtonsGroupColumns": COLUMNS,
            "ButtonsGroupRows": rows,
            "BgColor": WHITE,
            "Buttons": [part for card in cards for part in _block(card, rows)],
        },
    }


def _block(card: Card, rows: int) -> Iterator[dict[str, Any]]:
    """One card; what it has of picture and text takes the rows that its buttons leave."""
    tap = _does(card.default_action) if card.default_action else {"ActionType": "none", "ActionBody": "none"}
    words, _ = _text(card)
    free = rows - len(card.buttons)
    if card.media:
        high = free - TEXT_ROWS if words else free
        yield {"Columns": COLUMNS, "Rows": high, **_picture(card.media), **tap}
        free -= high
    if free:
        style = {"TextSize": "regular", "TextHAlign": "left", "TextVAlign": "middle"}
        yield {"Columns": COLUMNS, "Rows": free, "BgColor": WHITE, "Text": words or BLANK, **style, **tap}
    for button in card.buttons:
        label = f'<font color="{WHITE}">{markup.html(button.label)}</font>'
        yield {"Columns": COLUMNS, "Rows": 1, "BgColor": VIOLET, "Text": label, **_does(button)}


def _text(card: Card) -> tuple[str, bool]:
    """The card's text as HTML, and whether all of it is there: what has to be escaped takes more room."""
    title = markup.html_within(card.title, TITLE_HTML)
    bold = "" if text.blank(card.title) else f"<b>{title}</b>"
    between = "<br>" if bold and card.subtitle else ""
    subtitle = markup.html_within(card.subtitle, TEXT_HTML - len(bold) - len(between))
    whole = title == markup.html(card.title) and subtitle == markup.html(card.subtitle)
    shown = f"{bold}{between}{subtitle}"
    return ("" if text.blank(f"{card.title}{card.subtitle}") else shown), whole


def _picture(media: Media) -> dict[str, Any]:
    """A GIF is the background of a button: only there it may move."""
    if PurePosixPath(urlsplit(media.url).path).suffix.lower() == ".gif":
        return {"BgMedia": media.url, "BgMediaType": "gif", "BgLoop": True}
    return {"Image": media.url}


def _does(button: Button) -> dict[str, Any]:
    match button:
        case Postback():
            return dict(postback_press(button).does)
        case Link(url=url):
            return {"ActionType": "open-url", "ActionBody": url, "OpenURLType": "external"}
        case OpenWebview(url=url, height=height):
            where = "external" if height == "new_window" else "internal"
            return {"ActionType": "open-url", "ActionBody": url, "OpenURLType": where}
        case _:
            assert_never(button)


def _buttons(card: Card) -> list[Button]:
    return [*card.buttons, *([card.default_action] if card.default_action else [])]


def _plain(cards: Sequence[Card]) -> tuple[Call, ...]:
    """What stands in for cards that Viber refuses: texts with the addresses, and a keyboard at the end."""
    paragraphs: list[str] = []
    presses: list[Postback] = []
    for card in cards:
        lines = [card.title, card.subtitle, card.media.url if card.media else ""]
        for button in _buttons(card):
            if isinstance(button, Postback):
                presses.append(button)
                lines.append(button.label)
            else:
                lines.append(f"{button.label}: {button.url}" if button.label else button.url)
        paragraphs.append("\n".join(line for line in lines if not text.blank(line)))
    labels = text.labels((press.label or press.value for press in presses), LABEL)
    keys: list[Press] = [postback_press(press, label) for press, label in zip(presses, labels, strict=True)]
    return say("\n\n".join(filter(None, paragraphs)), keys[:KEYS])
