"""What a channel cannot show becomes what it can, step by step, and nothing is lost silently.

Each rule takes one content one step down its ladder, and gives a content back as it is when it fits:

    carousel  -> carousels of fewer cards -> a card a message
    card      -> shorter texts, fewer buttons -> picture + text with quick replies and links
    webview   -> card with one button -> text with a link
    image, video, audio, file -> with its name as a text -> text with a link
    handover, notice -> text
    text      -> shorter labels -> numbered or lettered lines the user can answer -> several texts
    typing, receipt -> nothing

`fit_all` applies the rules until all that is left fits. Whatever a step does not keep, it names in a Loss.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import is_
from typing import Any, TypeAlias, assert_never

import msgspec

from bridge.channels.capabilities import Capabilities
from bridge.channels.choices import unambiguous
from bridge.channels.degrade.cards import fit_card, fit_carousel, fit_webview
from bridge.channels.degrade.media import fit_media
from bridge.channels.degrade.words import Piece, fit_ephemeral, fit_handover, fit_notice, fit_text
from bridge.channels.text import clean
from bridge.content import (
    Audio,
    Card,
    Carousel,
    Choice,
    Content,
    File,
    Handover,
    Image,
    Loss,
    Notice,
    Pause,
    Receipt,
    Text,
    Typing,
    Video,
    Webview,
)

Fitted: TypeAlias = tuple[tuple[Content, ...], tuple[Loss, ...]]
"""What the channel shows for one content, in the order to be sent, and what of it is lost."""


def fit(content: Content, capabilities: Capabilities) -> Fitted:
    """The content as contents the channel can show, and what of it is lost."""
    [fitted] = fit_all((content,), capabilities)
    return fitted


def fit_all(contents: Iterable[Content], capabilities: Capabilities) -> list[Fitted]:
    """Fit each content of an event. The numbers of their lines go on, so that each means one thing only."""
    contents = tuple(map(_cleaned, contents))
    fitted, numbered = _fit_all(contents, capabilities, ())
    if not numbered:
        return fitted
    marked = unambiguous(numbered)
    if marked != numbered:  # a label of a later line can decide about the lines before it
        fitted, _ = _fit_all(contents, capabilities, marked)
    return fitted


def _fit_all(
    contents: Iterable[Content], capabilities: Capabilities, marked: tuple[Choice, ...]
) -> tuple[list[Fitted], tuple[Choice, ...]]:
    """Fit each content; and all lines of them that have numbers, or the marks of `marked`."""
    fitted: list[Fitted] = []
    numbered: tuple[Choice, ...] = ()
    for content in contents:
        shown, losses, numbered = _fit(content, capabilities, numbered, marked)
        fitted.append((shown, losses))
    return fitted, numbered


def _fit(
    content: Content, capabilities: Capabilities, numbered: tuple[Choice, ...], marked: tuple[Choice, ...]
) -> tuple[tuple[Content, ...], tuple[Loss, ...], tuple[Choice, ...]]:
    """Fit one content; `numbered` are the lines before it in the event, and with its own those after it."""
    fitting: list[Content] = []
    losses: dict[Loss, None] = {}
    pending: list[Content] = [content]
    while pending:
        content = pending.pop()
        pieces = list(_step(content, capabilities, numbered, marked))
        losses.update((piece, None) for piece in pieces if isinstance(piece, Loss))
        simpler = [piece for piece in pieces if not isinstance(piece, Loss)]
        if simpler != [content]:
            pending.extend(reversed(simpler))
            continue
        fitting.append(content)
        if isinstance(content, Text) and content.numbered:
            numbered = content.numbered
    return tuple(fitting), tuple(losses), numbered


def _step(
    content: Content, can: Capabilities, numbered: tuple[Choice, ...], marked: tuple[Choice, ...]
) -> Iterable[Piece]:
    match content:
        case Text():
            return fit_text(content, can, numbered, marked)
        case Image() | Video() | Audio() | File():
            return fit_media(content, can)
        case Card():
            return fit_card(content, can)
        case Carousel():
            return fit_carousel(content, can)
        case Webview():
            return fit_webview(content, can)
        case Handover():
            return fit_handover(content, can)
        case Notice():
            return fit_notice(content, can)
        case Typing() | Receipt():
            return fit_ephemeral(content, can)
        case Pause():
            return (content,)  # every channel can wait: bridge.plan does it
        case _:
            assert_never(content)


def _cleaned(value: Any) -> Any:
    """The value with every text in it made valid (see bridge.channels.text.clean); itself where all are."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, tuple):
        parts = tuple(map(_cleaned, value))
        return value if all(map(is_, parts, value)) else parts
    if isinstance(value, msgspec.Struct):
        made = {}
        for name in value.__struct_fields__:
            was = getattr(value, name)
            if was and (part := _cleaned(was)) is not was:
                made[name] = part
        return msgspec.structs.replace(value, **made) if made else value
    return value
