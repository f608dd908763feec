"""How much of one event is shown, so that no event keeps a worker busy for long or a chat for hours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from bridge.content import Card, Carousel, Content, Loss, Text

PARTS: Final = 1_000
"""Parts of one event that are shown: its contents, and the options, cards and buttons in them. Moveo's
authoring page allows 6 cards of 3 buttons, and platforms allow a chat about one message a second."""


def bounded(found: Iterable[Content | Loss]) -> Iterator[Content | Loss]:
    """Give the first PARTS parts, and one Loss in place of the rest."""
    left = PARTS
    for item in found:
        if isinstance(item, Loss):
            yield item
            continue
        shown = _first(item, left)
        if shown is not None:
            yield shown
            left -= _parts(shown)
        if shown != item:
            yield Loss("event", f"more than {PARTS} parts", f"the first {PARTS}")
            return


def _first(content: Content, most: int) -> Content | None:
    """The content with at most so many parts; None if not even its own is left."""
    if _parts(content) <= most:
        return content
    match content:
        case Text(options=options) if most > 0:
            return replace(content, options=options[: most - 1])
        case Carousel(cards=cards) if most > 1:
            return replace(content, cards=tuple(_first_cards(cards, most - 1)))
        case _:
            return None


def _first_cards(cards: Iterable[Card], most: int) -> Iterator[Card]:
    for card in cards:
        if most <= 0:
            return
        yield replace(card, buttons=card.buttons[: most - 1])
        most -= 1 + len(card.buttons)


def _parts(content: Content) -> int:
    match content:
        case Text(options=options):
            return 1 + len(options)
        case Carousel(cards=cards):
            return 1 + sum(1 + len(card.buttons) for card in cards)
        case _:
            return 1
