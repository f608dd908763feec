"""Contents as activities of the Bot Framework, and what each falls back to: a text, in the end a plain one.

Up to three options are suggested actions, beside the box that the user types in: Teams shows three, in a
personal chat until there is a newer message, and none under a card. More options, and what cannot be said as
a line of the user's own, are buttons of a card.
https://learn.microsoft.com/en-us/microsoftteams/platform/bots/how-to/conversations/suggested-actions
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from bridge.channels import Call, text
from bridge.channels.capabilities import Capabilities
from bridge.channels.choices import is_mark
from bridge.channels.degrade import fit
from bridge.channels.teams import cards
from bridge.channels.teams.words import as_html
from bridge.content import (
    Card,
    Carousel,
    Choice,
    Content,
    Image,
    OpenWebview,
    Option,
    Postback,
    Text,
    Webview,
)

MESSAGE: Final = 40_000
"""Of the 100 KB as UTF-16 the 80 that are sure to be delivered, in UTF-16 units."""
TEXT: Final = 4_000
"""As HTML a text is ten times as long at its worst."""
CAPTION: Final = 1_000
TITLE: Final = 300
SUBTITLE: Final = 2_000
LABEL: Final = 64
OPTIONS: Final = 3 * cards.ACTIONS
SUGGESTED: Final = 3
SUMMARY: Final = 200
"""What a notification shows of a card, in characters."""
SERVICE_URL: Final = "service_url"

_PLAIN: Final = Capabilities(unit="utf16", text=TEXT)
_SAYABLE: Final = re.compile(r"(?=\S)[^\n\t<>&]{1,200}(?<=\S)")
"""What comes back as it is when it is said in the user's name."""


def text_message(said: Text) -> tuple[Call, ...]:
    if not said.options:
        return (_text(said),)
    if len(said.options) <= SUGGESTED and all(map(_sayable, said.options)):
        actions = [{"type": "imBack", "title": each.label, "value": each.text} for each in said.options]
        body = {**_html(said.text), "suggestedActions": {"to": [], "actions": actions}}
        return (_call(body, fallback=_plainly(said)),)
    keys = [cards.key(Postback(option.label, option.text)) for option in said.options]
    card = cards.attachment([*cards.block(said.text), *cards.sets(keys)])
    return (_with_cards([card], said.text, keys, _plainly(said)),)


def image_message(image: Image) -> tuple[Call, ...]:
    card = cards.attachment([cards.picture(image.url, image.name), *cards.block(image.name)])
    return (_with_cards([card], image.name, (), _plainly(image)),)


def webview_message(page: Webview) -> tuple[Call, ...]:
    said = page.label if text.blank(page.name) else page.name
    keys = [cards.key(OpenWebview(page.label, page.url, page.height))]
    return (_with_cards([cards.attachment(cards.block(said), keys)], said, keys, _plainly(page)),)


def card_message(card: Card) -> tuple[Call, ...]:
    shown, keys = cards.of(card)
    return (_with_cards([shown], card.title, keys, _plainly(card)),)


def carousel_messages(carousel: Carousel) -> tuple[Call, ...]:
    """One carousel, or as many as their size asks for."""
    rows: list[list[Card]] = [[]]
    for card in carousel.cards:
        if rows[-1] and _size(_carousel([*rows[-1], card]).body) > MESSAGE:
            rows.append([])
        rows[-1].append(card)
    return tuple(_carousel(row) if len(row) > 1 else card_message(row[0])[0] for row in rows)


def typing_sign() -> tuple[Call, ...]:
    return (_call({"type": "typing"}, ephemeral=True),)


# ---- parts of a message ------------------------------------------------------------------------------------


def _sayable(option: Option) -> bool:
    """Return True if it can be said as a message: one line, which would not choose from a list before."""
    said = option.text
    return bool(_SAYABLE.fullmatch(said)) and not is_mark(said) and not said.startswith(text.MARK)


def _html(said: str) -> dict[str, Any]:
    return {"type": "message", "textFormat": "xml", "text": as_html(said)}


def _text(said: Text) -> Call:
    plain = _call({"type": "message", "textFormat": "plain", "text": said.text}, numbers=said.numbered)
    return _call(_html(said.text), numbers=said.numbered, fallback=(plain,))


def _plainly(content: Content) -> tuple[Call, ...]:
    """The content as a channel shows it that has nothing but text."""
    return tuple(_text(piece) for piece in fit(content, _PLAIN)[0] if isinstance(piece, Text))


def _carousel(row: Sequence[Card]) -> Call:
    shown = [cards.of(card) for card in row]
    keys = [key for _, some in shown for key in some]
    simpler = _plainly(Carousel(tuple(row)))
    return _with_cards([card for card, _ in shown], row[0].title, keys, simpler)


def _with_cards(
    shown: Sequence[cards.Element], summary: str, keys: Sequence[cards.Key], fallback: tuple[Call, ...]
) -> Call:
    body: dict[str, Any] = {"type": "message", "attachments": list(shown)}
    if len(shown) > 1:
        body["attachmentLayout"] = "carousel"
    if not text.blank(summary):
        body["summary"] = text.cut(" ".join(summary.split()), SUMMARY)
    return _call(body, cards.kept(keys), fallback=fallback)


def _call(
    body: Mapping[str, Any],
    keep: Mapping[str, str] | None = None,
    *,
    numbers: tuple[Choice, ...] = (),
    fallback: tuple[Call, ...] = (),
    ephemeral: bool = False,
) -> Call:
    return Call(
        op="SendToConversation",
        body=body,
        keep=keep or {},
        recall=(SERVICE_URL,),
        numbers=numbers,
        fallback=fallback,
        ephemeral=ephemeral,
    )


def _size(body: Mapping[str, Any]) -> int:
    return text.measure(orjson.dumps(body).decode(), "utf16")
