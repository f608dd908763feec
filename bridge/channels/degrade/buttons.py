"""The buttons of a card: which can be pressed, and which have to be spelled out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from msgspec.structs import replace

from bridge.channels.capabilities import Capabilities
from bridge.channels.degrade.words import linked, one_line, whole
from bridge.channels.links import web_address
from bridge.channels.text import blank, labels, link
from bridge.content import Button, Card, Link, Loss, OpenWebview, Option, Postback


class Buttons(NamedTuple):
    """What a card's buttons come down to: buttons that work, and lines of text in place of the others."""

    working: tuple[Button, ...]
    action: Button | None
    lines: tuple[str, ...]
    losses: tuple[Loss, ...]


def buttons_of(card: Card, can: Capabilities, content: str, *, tap: bool) -> Buttons:
    """The card's buttons, and its default action where a tap on the card does something (`tap`).

    Where it does nothing, the default action is one more button, unless there is one that does the same.
    """
    action = card.default_action
    made = [_usable(button, can, content) for button in card.buttons]
    tapped = None
    if action and tap:
        tapped = _usable(action, can, content)
    elif action and _does(action) not in map(_does, card.buttons):
        label = card.title if blank(action.label) else action.label
        made.append(_usable(replace(action, label=label), can, content))
    spelled = tuple(piece for piece in (*made, tapped) if isinstance(piece, str))
    losses = [piece for piece in (*made, tapped) if isinstance(piece, Loss)]
    if spelled:
        losses.append(Loss(content, "a button", "a line of text"))
    return Buttons(
        tuple(piece for piece in made if not isinstance(piece, Loss | str)),
        tapped if not isinstance(tapped, Loss | str) else None,
        spelled,
        tuple(losses),
    )


def _usable(button: Button, can: Capabilities, content: str) -> Button | str | Loss:
    """The button with an address that works; a line of text for one the channel cannot have."""
    match button:
        case Postback():
            option = whole(Option(button.label, button.value))
            if option is None:
                return Loss(content, "a button with nothing on it")
            return replace(button, label=option.label, value=option.text)
        case Link() | OpenWebview():
            url = link(button.url) if isinstance(button, Link) else web_address(button.url)
            if url is None:
                return Loss(content, "a button: its address cannot be used")
            if len(url) > can.url or urlsplit(url).scheme not in can.links:
                return linked(button.label, url)
            return replace(button, url=url)


def _does(button: Button) -> str:
    return button.value if isinstance(button, Postback) else button.url


def labelled(buttons: Iterable[Button], limit: int) -> tuple[Button, ...]:
    """The buttons with labels of one line within the limit, no two alike; a bare link says where it leads."""
    buttons = tuple(buttons)
    return tuple(map(_with_label, buttons, labels(map(full_label, buttons), limit)))


def _with_label(button: Button, label: str) -> Button:
    return replace(button, label=label)


def full_label(button: Button) -> str:
    """What ought to stand on the button."""
    label = one_line(button.label)
    return site(button.url) if blank(label) and not isinstance(button, Postback) else label


def site(url: str) -> str:
    """The host of a web address, the mailbox or number of another link."""
    parts = urlsplit(url)
    return parts.hostname or parts.path


def as_options(buttons: Iterable[Button]) -> tuple[Option, ...]:
    """The buttons that say something to the agent, as quick replies."""
    return tuple(Option(button.label, button.value) for button in buttons if isinstance(button, Postback))


def as_lines(buttons: Iterable[Button]) -> list[str]:
    """The buttons that open something, as lines of text."""
    return [linked(button.label, button.url) for button in buttons if not isinstance(button, Postback)]
