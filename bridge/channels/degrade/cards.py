"""Cards, carousels and webviews: what has buttons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from bridge.channels import guard
from bridge.channels.capabilities import Capabilities
from bridge.channels.degrade.buttons import as_lines, as_options, buttons_of, full_label, labelled, site
from bridge.channels.degrade.media import loads
from bridge.channels.degrade.words import ALONE, Piece, batches, lines, linked, one_line
from bridge.channels.links import web_address
from bridge.channels.text import blank, cut, fits, labels, split
from bridge.content import (
    Card,
    Carousel,
    Image,
    Loss,
    Media,
    OpenWebview,
    Postback,
    Text,
    Video,
    Webview,
    kind,
)

_ALONE: Final[Mapping[str, type[Image | Video]]] = {"image": Image, "video": Video}


def fit_carousel(carousel: Carousel, can: Capabilities) -> Iterator[Piece]:
    if not carousel.cards:
        yield Loss("carousel", "a carousel without cards")
    elif Carousel not in can.shows:
        if len(carousel.cards) > 1:
            yield Loss("carousel", "the carousel", "a message for each card")
        yield from carousel.cards
    else:
        pieces = [piece for card in carousel.cards for piece in _fitted(card, can, "carousel")]
        cards = [piece for piece in pieces if isinstance(piece, Card)]
        rows = batches(cards, can.cards)
        whole = rows == [carousel.cards] == [tuple(pieces)]
        if whole and can.side_by_side and not guard.side_by_side(can.side_by_side, cards):
            yield Loss("carousel", "the carousel", "a message for each card")
            yield from cards
            return
        if len(rows) > 1:
            yield Loss("carousel", "the carousel as one", "several carousels")
        yield from map(Carousel, rows)
        yield from (piece for piece in pieces if not isinstance(piece, Card))


def fit_card(card: Card, can: Capabilities) -> Iterator[Piece]:
    return _fitted(card, can, "card") if Card in can.shows else _spelled(card, can)


def fit_webview(page: Webview, can: Capabilities) -> Iterator[Piece]:
    url = web_address(page.url)
    if url is None:
        named = not blank(page.name)
        yield Loss("webview", "the page: its address cannot be used", "its text" if named else "")
        if named:
            yield Text(page.name)
    elif Webview in can.shows and len(url) <= can.url:
        label = one_line(page.label)
        if len(label) > can.button_label:
            yield Loss("webview", "the end of the button's label", "a shortened label")
        [label] = labels([site(url) if blank(label) else label], can.button_label)
        *before, name = split(page.name, can.text, can.unit) or [""]
        yield from map(Text, before)
        yield replace(page, url=url, label=label, name=name)
    elif Card in can.shows and can.card_buttons and len(url) <= can.url:
        button = OpenWebview(page.label, url, page.height, page.trigger_node_id)
        yield Card(title=page.name, buttons=(button,))
    else:
        yield Loss("webview", "the page inside the chat", "a link to it")
        yield Text(lines([page.name, linked(page.label, url)]))


def _fitted(card: Card, can: Capabilities, content: str) -> Iterator[Piece]:
    """One step towards what the channel can have: the card, or several, and the contents that follow them."""
    says = isinstance(card.default_action, Postback)
    tap = can.card_action and not (says and not can.card_action_says)
    tap = tap and not _empty(replace(card, default_action=None))
    unit = can.card_unit or can.unit
    buttons = buttons_of(card, can, content, tap=tap)
    if _empty(card):
        yield Loss(content, "a card with nothing on it")
    elif (buttons.working, buttons.action) != (card.buttons, card.default_action):
        yield from buttons.losses
        yield from _left(replace(card, buttons=buttons.working, default_action=buttons.action))
        if buttons.lines:
            yield Text(lines([card.title, *buttons.lines]))
    elif card.media and card.media != (media := _usable(card.media, can)):
        yield from _left(replace(card, media=media))
        if media is None:
            yield from _beside(card.media, content)
    elif not (fits(card.title, can.card_title, unit) and fits(card.subtitle, can.card_text, unit)):
        title, subtitle = cut(card.title, can.card_title, unit), cut(card.subtitle, can.card_text, unit)
        yield Loss(content, "the end of a card's text", "a message of its own")
        yield from _left(replace(card, title=title, subtitle=subtitle))
        yield Text(lines([card.title, card.subtitle]))
    elif card.buttons:
        yield from _with_buttons(card, can, content)
    else:
        yield card


def _with_buttons(card: Card, can: Capabilities, content: str) -> Iterator[Piece]:
    ready = labelled(card.buttons, can.button_label)
    if not can.card_buttons:
        yield Loss(content, "the buttons of a card", "a text with them")
        yield from _left(replace(card, buttons=()))
        yield Text(lines([card.title, *as_lines(card.buttons)]), as_options(card.buttons))
    elif card.buttons != ready:
        if any(len(full_label(button)) > can.button_label for button in card.buttons):
            yield Loss(content, "the end of a button's label", "a shortened label")
        yield replace(card, buttons=ready)
    elif _empty(replace(card, buttons=(), default_action=None)) and fits(
        ALONE, can.card_title, can.card_unit or can.unit
    ):
        yield replace(card, title=ALONE)
    else:
        first, *more = batches(card.buttons, can.card_buttons)
        yield replace(card, buttons=first)
        yield from (Card(title=card.title, buttons=buttons) for buttons in more)


def _spelled(card: Card, can: Capabilities) -> Iterator[Piece]:
    """The card as a picture and a text, where the channel has no cards."""
    buttons = buttons_of(card, can, "card", tap=False)
    yield from buttons.losses
    options = as_options(buttons.working)
    text = lines([card.title, card.subtitle, *buttons.lines, *as_lines(buttons.working)])
    picture = None
    if card.media:
        url = web_address(card.media.url)
        alone = _ALONE[card.media.kind]
        if url is None:
            yield Loss("card", f"a card's {card.media.kind}: its address cannot be used")
        elif alone in can.shows and loads(url, card.media.kind, can):
            picture = alone(url)
        else:
            yield Loss("card", f"a card's {card.media.kind}", "a link to it")
            text = lines([text, url])
    if picture and text and not options and fits(text, can.caption, can.unit):
        yield Loss("card", "the card", kind(picture))
        yield replace(picture, name=text)
        return
    said = Text(text, options)
    shown = [content for content in (picture, said) if content and content != Text("")]
    yield Loss("card", "the card" if shown else "a card with nothing on it", " and ".join(map(kind, shown)))
    yield from shown


def _usable(media: Media, can: Capabilities) -> Media | None:
    """The picture as the head of a card; None where it cannot be one."""
    url = web_address(media.url)
    if url is None or media.kind not in can.card_media or not loads(url, media.kind, can):
        return None
    return replace(media, url=url)


def _beside(media: Media, content: str) -> Iterator[Piece]:
    """A picture that cannot be the head of a card, on its own."""
    url = web_address(media.url)
    if url is None:
        yield Loss(content, f"a card's {media.kind}: its address cannot be used")
    else:
        yield Loss(content, f"a card's {media.kind}", "a message of its own")
        yield _ALONE[media.kind](url)


def _empty(card: Card) -> bool:
    return (
        blank(card.title) and blank(card.subtitle) and not (card.media or card.buttons or card.default_action)
    )


def _left(card: Card) -> Iterator[Card]:
    """The card, if there is something on it still."""
    if not _empty(card):
        yield card
