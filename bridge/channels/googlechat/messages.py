"""Contents as messages of Google Chat.

Chat formats a `text` and cannot be told not to. A text with a sign of that markup in it goes out as a card's
paragraph, which is HTML and can be escaped. What Chat may refuse (a card, an address) has a simpler form, in
the end a text with the addresses in it.

`function` is what a button calls: its name comes back with the press, but to an add-on it is the address that
the press is posted to. https://developers.google.com/workspace/add-ons/chat/build
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from bridge.channels import Call, text
from bridge.content import Button, Card, Carousel, Image, Option, Postback, Text, Webview

MESSAGE: Final = 31_000
"""Of the 32 000 bytes; the rest is for the thread's name."""
TEXT: Final = 6_000
CAPTION: Final = 1_500
TITLE: Final = 500
SUBTITLE: Final = 1_500
OPTIONS: Final = 50
BUTTONS: Final = 6
PAYLOAD: Final = 512
PREVIEW: Final = 200
"""What notifications show of a card, in characters."""
VALUE: Final = "value"
"""The parameter of a button that says what was chosen."""
LABEL: Final = "label"
"""Beside a token: the button's label, which is told when the token is not known any more."""


def text_message(content: Text, function: str) -> tuple[Call, ...]:
    return _say(content.text, [_press(option, function) for option in content.options])


def webview_message(page: Webview) -> tuple[Call, ...]:
    return _say(page.name or page.label, [_open(page.label, page.url)])


def picture(image: Image) -> tuple[Call, ...]:
    name = "" if text.blank(image.name) else image.name
    widgets = [_image(image.url, name), *([_paragraph(escape(name))] if name else [])]
    simpler = _plainly(f"{name}\n{image.url}".strip(), [])
    return (_call(_as_cards([widgets], name), fallback=simpler),)


def card_message(card: Card, function: str) -> tuple[Call, ...]:
    return (_card(card, function),)


def carousel_messages(carousel: Carousel, function: str) -> tuple[Call, ...]:
    """One carousel, or as many as their size asks for; a card alone is no carousel."""
    rows: list[list[Card]] = [[]]
    for card in carousel.cards:
        if rows[-1] and _size(_stacked([*rows[-1], card], function).body) > MESSAGE:
            rows.append([])
        rows[-1].append(card)
    return tuple(_carousel(row, function) if len(row) > 1 else _card(row[0], function) for row in rows)


def _call(body: Mapping[str, Any], keys: Iterable[_Key] = (), fallback: tuple[Call, ...] = ()) -> Call:
    keep = {token: value for key in keys for token, value in key.keep.items()}
    return Call(op="messages.create", body=body, keep=keep, fallback=fallback)


# ---- buttons -----------------------------------------------------------------------------------------------


class _Key(msgspec.Struct, frozen=True):
    """A button; `line` is the text that says the same, for one that Chat may refuse."""

    shown: Mapping[str, Any]
    keep: Mapping[str, str] = {}
    line: str = ""


def _press(option: Option | Postback, function: str) -> _Key:
    said = option.text if isinstance(option, Option) else option.value
    value, keep = text.payload(said, PAYLOAD)
    parameters = [{"key": VALUE, "value": value}]
    if keep:
        parameters.append({"key": LABEL, "value": option.label})
    action = {"function": function, "parameters": parameters}
    return _Key({"text": option.label, "onClick": {"action": action}}, keep)


def _open(label: str, url: str) -> _Key:
    return _Key({"text": label, "onClick": {"openLink": {"url": url}}}, line=f"{label}: {url}")


def _button(button: Button, function: str) -> _Key:
    return _press(button, function) if isinstance(button, Postback) else _open(button.label, button.url)


def _list(keys: Iterable[_Key]) -> list[dict[str, Any]]:
    """The buttons as a widget; none for none."""
    buttons = [key.shown for key in keys]
    return [{"buttonList": {"buttons": buttons}}] if buttons else []


# ---- texts -------------------------------------------------------------------------------------------------

_MARKUP: Final = re.compile(
    r"""(?P<address>https?://[^\s<>|]+)            # a link, and formatted by nothing
      | (?P<inside>(?<=[^\W_])[*_~](?=[^\W_]))    # inside of a word
      | `|[*_~<](?=\S) | ^[ \t]*(?:[-*][ \t]|>)""",
    re.VERBOSE | re.MULTILINE,
)


def plain(said: str) -> bool:
    """Whether Chat shows the text as it is: no *bold*, _italic_, ~strike~, `code`, list, quote or <link>."""
    return all(found.lastgroup for found in _MARKUP.finditer(said))


def escape(said: str) -> str:
    """The text as the HTML of a card's paragraph."""
    return html.escape(said, quote=False)


def _say(said: str, keys: Iterable[_Key] = ()) -> tuple[Call, ...]:
    """Messages of text with buttons under the last, or more where one has no room for all buttons."""
    waiting = list(keys)
    if text.blank(said) and not waiting:
        return ()
    *before, last = text.split(said, TEXT, "bytes") or [text.ELLIPSIS]
    calls = [_message(part, []) for part in before]
    under: list[_Key] = []
    for key in waiting:
        if _size(_body(last, [*under, key])) > MESSAGE:
            calls.append(_message(last, under))
            last, under = text.ELLIPSIS, []
        under.append(key)
    return (*calls, _message(last, under))


def _message(said: str, keys: Sequence[_Key]) -> Call:
    body = _body(said, keys)
    lines = [key.line for key in keys if key.line]
    if "text" in body and not lines:
        return _call(body, keys)
    return _call(body, keys, _plainly("\n".join([said, *lines]), _without_links(keys)))


def _body(said: str, keys: Sequence[_Key]) -> dict[str, Any]:
    if plain(said):
        return _as_text(said, keys)
    return _as_cards([[_paragraph(escape(said)), *_list(keys)]], said)


def _as_text(said: str, keys: Iterable[_Key]) -> dict[str, Any]:
    widgets = _list(keys)
    return {"text": said, "accessoryWidgets": widgets} if widgets else {"text": said}


def _plainly(said: str, keys: Sequence[_Key]) -> tuple[Call, ...]:
    """Text without cards or links among the buttons, whatever its signs come out as."""
    *before, last = text.split(said, TEXT, "bytes") or [text.ELLIPSIS]
    return (*(_call({"text": part}) for part in before), _call(_as_text(last, keys), keys))


def _without_links(keys: Iterable[_Key]) -> list[_Key]:
    return [key for key in keys if not key.line]


def _size(body: Mapping[str, Any]) -> int:
    """In bytes, at their most: with every character beyond ASCII written as an escape."""
    return len(json.dumps(body))


# ---- cards -------------------------------------------------------------------------------------------------


def _paragraph(markup: str) -> dict[str, Any]:
    return {"textParagraph": {"text": markup}}


def _image(url: str, alt: str) -> dict[str, Any]:
    return {"image": {"imageUrl": url, "altText": text.cut(alt, PREVIEW)} if alt else {"imageUrl": url}}


def _as_cards(cards: Sequence[Sequence[Mapping[str, Any]]], preview: str) -> dict[str, Any]:
    """A message of cards, each a row of widgets; ids are unique within it."""
    made = [
        {"cardId": f"card-{number}", "card": {"sections": [{"widgets": list(widgets)}]}}
        for number, widgets in enumerate(cards, 1)
    ]
    body: dict[str, Any] = {"cardsV2": made}
    if not text.blank(preview):
        body["fallbackText"] = text.cut(preview, PREVIEW)
    return body


def _top(card: Card) -> list[dict[str, Any]]:
    """The picture and the words of a card."""
    parts = [f"<b>{escape(card.title)}</b>"] if not text.blank(card.title) else []
    parts += [escape(card.subtitle)] if not text.blank(card.subtitle) else []
    picture = [_image(card.media.url, card.title)] if card.media else []
    return [*picture, *([_paragraph("\n".join(parts))] if parts else [])]


def _card(card: Card, function: str) -> Call:
    keys = [_button(button, function) for button in card.buttons]
    url = card.media.url if card.media else ""
    said = "\n".join(filter(None, [card.title, card.subtitle, url, *(key.line for key in keys)]))
    body = _as_cards([[*_top(card), *_list(keys)]], card.title)
    return _call(body, keys, _plainly(said, _without_links(keys)))


def _carousel(cards: Sequence[Card], function: str) -> Call:
    """Side by side; where Chat refuses that, one below the other, and then as texts."""
    slides = [
        {"widgets": _top(card), **({"footerWidgets": footer} if (footer := _footer(card, function)) else {})}
        for card in cards
    ]
    stacked = _stacked(cards, function)
    body = _as_cards([[{"carousel": {"carouselCards": slides}}]], cards[0].title)
    return msgspec.structs.replace(stacked, body=body, fallback=(stacked,))


def _stacked(cards: Sequence[Card], function: str) -> Call:
    keys = [_button(button, function) for card in cards for button in card.buttons]
    body = _as_cards([[*_top(card), *_footer(card, function)] for card in cards], cards[0].title)
    return _call(body, keys, tuple(other for card in cards for other in _card(card, function).fallback))


def _footer(card: Card, function: str) -> list[dict[str, Any]]:
    return _list(_button(button, function) for button in card.buttons)
