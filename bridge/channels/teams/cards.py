"""Adaptive Cards: https://adaptivecards.io/explorer/, in the version that has all that is used here.

They are cards in place of Teams' hero cards because these cut titles and subtitles at two lines and format
their texts. A press posts the button's label in the user's name and gives the bot its value, which nobody
sees ("messageBack"): a choice stays visible in the chat.
https://learn.microsoft.com/en-us/microsoftteams/platform/task-modules-and-cards/cards/cards-actions
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias, assert_never

import msgspec

from bridge.channels import text
from bridge.channels.teams.words import as_runs
from bridge.content import Button, Card, Link, OpenWebview, Postback

VERSION: Final = "1.2"
TYPE: Final = "application/vnd.microsoft.card.adaptive"
ACTIONS: Final = 6
"""Buttons of a card, or of one set on it; Teams hides the seventh in a menu, or shows it nowhere."""
PAYLOAD: Final = 512
VALUE: Final = "value"
"""The name of a button's value in what comes back."""

Element: TypeAlias = dict[str, Any]


class Key(msgspec.Struct, frozen=True):
    """A button as an action of a card, and what has to be kept for it."""

    shown: Element
    keep: dict[str, str] = {}


def key(button: Button) -> Key:
    match button:
        case Postback(label=label, value=said):
            value, keep = text.payload(said, PAYLOAD)
            back = {"type": "messageBack", "displayText": label, "text": label, "value": {VALUE: value}}
            return Key({"type": "Action.Submit", "title": label, "data": {"msteams": back}}, keep)
        case Link(label=label, url=url) | OpenWebview(label=label, url=url):
            return Key({"type": "Action.OpenUrl", "title": label, "url": url})
        case _:
            assert_never(button)


def kept(keys: Iterable[Key]) -> dict[str, str]:
    return {token: value for each in keys for token, value in each.keep.items()}


def block(words: str, **style: str) -> list[Element]:
    """The words as an element of a card; none for nothing."""
    return [] if text.blank(words) else [{"type": "RichTextBlock", "inlines": as_runs(words, **style)}]


def picture(url: str, name: str) -> Element:
    return {"type": "Image", "url": url} | ({} if text.blank(name) else {"altText": name})


def sets(keys: Sequence[Key]) -> list[Element]:
    """The buttons as elements of a card."""
    shown = [each.shown for each in keys]
    rows = [shown[start : start + ACTIONS] for start in range(0, len(shown), ACTIONS)]
    return [{"type": "ActionSet", "actions": row} for row in rows]


def attachment(body: Sequence[Element], keys: Iterable[Key] = ()) -> Element:
    """The card as an attachment of a message."""
    content: Element = {"type": "AdaptiveCard", "version": VERSION, "body": list(body)}
    if actions := [each.shown for each in keys]:
        content["actions"] = actions
    return {"contentType": TYPE, "content": content}


def of(card: Card) -> tuple[Element, list[Key]]:
    """A card of the agent's, and its buttons."""
    keys = [key(button) for button in card.buttons]
    body = [picture(card.media.url, card.title)] if card.media else []
    body += block(card.title, weight="Bolder", size="Medium")
    body += block(card.subtitle)
    return attachment(body, keys), keys
