"""Contents as calls of chat.postMessage. Whatever Slack may refuse has a plainer form to fall back to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Final

from bridge.channels import Call, text
from bridge.channels.capabilities import Capabilities
from bridge.channels.degrade import fit_all
from bridge.channels.slack.blocks import (
    BLANK,
    IMAGE_TEXT,
    SECTION,
    VALUE,
    button_element,
    escaped,
    joined,
    mrkdwn,
    names_emoji,
    picture,
    plain_text,
    pressable,
    sections,
    size,
)
from bridge.content import Button, Card, Choice, Content, Image, OpenWebview, Postback, Text, Webview

BLOCKS: Final = 50
BLOCKS_TEXT: Final = 12_000
"""Below the 13 200 or so at which Slack says "msg_blocks_too_long", as it does not say what it counts."""
PLAIN: Final = 8000
"""A text of its own may have 40 000 characters, and escaping makes it five times as long at most."""
_PLAIN: Final = Capabilities(text=PLAIN)
CARDS: Final = 10
CARD_TITLE: Final = 150
CARD_BODY: Final = 200
CARD_BUTTONS: Final = 3
"""Of a card in a carousel: Slack does not say, and shows three."""


def text_message(to: str, said: Text) -> Sequence[Call]:
    if not said.options:
        # As the message's own text its addresses are links, and only ":names:" of emoji still mean something.
        blocks = sections(said.text) if names_emoji(said.text) else []
        return (_call(to, said.text, blocks, fallback=_plain(to, said) if blocks else ()),)
    buttons = tuple(Postback(option.label, option.text) for option in said.options)
    blocks = [*sections(said.text), {"type": "actions", "elements": pressable(buttons)}]
    return (_call(to, said.text, blocks, buttons, fallback=_plain(to, said)),)


def image_message(to: str, image: Image) -> Sequence[Call]:
    block = {"type": "image", **picture(image.url, image.name)}
    if image.name:
        block["title"] = plain_text(image.name, IMAGE_TEXT)
    return (_call(to, image.name or image.url, [block], fallback=_plain(to, image)),)


def webview_message(to: str, page: Webview) -> Sequence[Call]:
    buttons = (OpenWebview(page.label, page.url),)
    blocks = [*sections(page.name), {"type": "actions", "elements": pressable(buttons)}]
    return (_call(to, page.name or page.label, blocks, fallback=_plain(to, page)),)


def card_messages(to: str, cards: Sequence[Card]) -> Sequence[Call]:
    """The cards as Slack's own, where nothing of them would be changed or cut; else one under the other."""
    ids = count(1)
    listed = tuple(_listed(to, cards, pictures=True))
    own = [card for card in (_own_card(card, ids) for card in cards) if card is not None]
    if len(own) < len(cards) or size(own) > BLOCKS_TEXT:
        return listed
    block = own[0] if len(own) == 1 else {"type": "carousel", "elements": own}
    return (_call(to, _notified(cards), [block], _buttons(cards), fallback=listed),)


def _own_card(card: Card, ids: Iterator[int]) -> dict[str, Any] | None:
    """A card block; None for a card with more on it than fits, or with words that mrkdwn would change."""
    title = mrkdwn(card.title, CARD_TITLE)
    body = mrkdwn(card.subtitle, CARD_BODY)
    if title is None or body is None or len(card.buttons) > CARD_BUTTONS:
        return None
    block: dict[str, Any] = {"type": "card"}
    if card.media:
        block["hero_image"] = {"type": "image", **picture(card.media.url, card.title)}
    if not text.blank(card.title):
        block["title"] = title
    if not text.blank(card.subtitle):
        block["body"] = body
    if card.buttons:
        block["actions"] = [button_element(button, next(ids)) for button in card.buttons]
    return block


def _listed(to: str, cards: Iterable[Card], *, pictures: bool) -> Iterator[Call]:
    """Messages of ordinary blocks, each with all the cards it holds; pictures may become links."""
    batch: list[Card] = []
    blocks: list[dict[str, Any]] = []
    ids = count(1)
    for card in cards:
        more = _card_blocks(card, ids, pictures=pictures)
        if batch and (len(blocks) + len(more) > BLOCKS or size(blocks) + size(more) > BLOCKS_TEXT):
            yield _list(to, batch, blocks, pictures=pictures)
            batch, blocks = [], []
        batch.append(card)
        blocks += more
    if batch:
        yield _list(to, batch, blocks, pictures=pictures)


def _list(to: str, cards: Sequence[Card], blocks: list[dict[str, Any]], *, pictures: bool) -> Call:
    if pictures and any(card.media for card in cards):
        fallback = tuple(_listed(to, cards, pictures=False))
    else:
        fallback = _plain(to, *cards)
    return _call(to, _notified(cards), blocks, _buttons(cards), fallback=fallback)


def _card_blocks(card: Card, ids: Iterator[int], *, pictures: bool) -> list[dict[str, Any]]:
    blocks = sections(card.subtitle, title=card.title)
    if card.media and pictures and blocks:
        blocks[0]["accessory"] = {"type": "image", **picture(card.media.url, card.title)}
    elif card.media and pictures:
        blocks.append({"type": "image", **picture(card.media.url, "")})
    elif card.media:
        blocks += sections(card.media.url)
    if card.buttons:
        elements = [button_element(button, next(ids)) for button in card.buttons]
        blocks.append({"type": "actions", "elements": elements})
    return blocks


def _buttons(cards: Iterable[Card]) -> tuple[Button, ...]:
    return tuple(button for card in cards for button in card.buttons)


def _notified(cards: Iterable[Card]) -> str:
    return joined(part for card in cards for part in (card.title, card.subtitle))


# ---- calls ------------------------------------------------------------------------------------------------


def _call(
    to: str,
    said: str,
    blocks: Sequence[Mapping[str, Any]] = (),
    buttons: Iterable[Button] = (),
    *,
    numbers: tuple[Choice, ...] = (),
    fallback: Sequence[Call] = (),
) -> Call:
    """A message. Beside blocks, its text is what a notification says."""
    said = text.cut(said, SECTION) if blocks else said
    chat, _, thread = to.partition("/")
    body: dict[str, Any] = {
        "channel": chat,
        "text": escaped(said) if not text.blank(said) else BLANK,
        "mrkdwn": False,
    }
    if thread:
        body["thread_ts"] = thread
    if blocks:
        body["blocks"] = list(blocks)
    keep = {
        token: value
        for button in buttons
        if isinstance(button, Postback)
        for token, value in text.payload(button.value, VALUE)[1].items()
    }
    return Call(op="chat.postMessage", body=body, keep=keep, numbers=numbers, fallback=tuple(fallback))


def _plain(to: str, *contents: Content) -> tuple[Call, ...]:
    """The contents as a channel shows them that has nothing but text."""
    paragraphs: list[str] = []
    numbered: tuple[Choice, ...] = ()
    for shown, _ in fit_all(contents, _PLAIN):
        for said in shown:
            if isinstance(said, Text):
                paragraphs.append(said.text)
                numbered = said.numbered or numbered
    *before, last = text.split("\n\n".join(paragraphs), PLAIN) or [BLANK]
    return (*(_call(to, part) for part in before), _call(to, last, numbers=numbered))
