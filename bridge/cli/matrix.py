"""How a channel shows every content, in words: computed by degrading samples of everything Moveo sends.

The words are "native", with the most that one message holds and the formats it may have where these are
limited; else what the user sees instead, as "a link"; or "-" for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from bridge.channels.capabilities import Capabilities
from bridge.channels.degrade import fit
from bridge.content import (
    Audio,
    Author,
    Card,
    Carousel,
    Content,
    File,
    Handover,
    Image,
    Notice,
    Pause,
    Text,
    Typing,
    Video,
    Webview,
    kind,
)
from bridge.events import EVENT_TYPES, decode
from bridge.events.responses import RESPONSE_TYPES
from bridge.samples import BRAIN_SEND, sample
from bridge.translate import translate

NATIVE: Final = "native"
NOT_SHOWN: Final = "-"
PLENTY: Final = 1000
"""A limit like this is none."""
FEW: Final = 4
"""More formats than this are counted, not named."""

OPTIONS: Final = "options"
"""The quick replies under a text."""
AGENT: Final = "agent's name"
"""That of the human agent who wrote a text."""
ONCE: Final = "shown once"
"""Whether a call that has to be repeated is shown once: whether the platform takes an idempotency key."""


def matrix(can: Capabilities) -> dict[str, str]:
    """How a channel with these capabilities shows every kind of content there is in Moveo's events."""
    how = {name: _how(content, can) for name, content in _contents().items()}
    return how | {ONCE: NATIVE if can.idempotent else NOT_SHOWN}


def _how(content: Content, can: Capabilities) -> str:
    endings = _endings(content, can)
    shown, losses = fit(_ending(content, endings), can)
    if not shown:
        return NOT_SHOWN
    match content:
        case Text(author=Author()):
            return NATIVE if can.authors else "before the text"
        case Text(options=(_, *_)):
            offered = any(isinstance(each, Text) and each.options for each in shown)
            return _up_to(can.options) if offered else "numbered lines"
        case Pause(typing=True) if Typing not in can.shows:
            return "without typing"
        case Carousel() if not _has(Carousel, shown):
            one_by_one = f"{' and '.join(_words(shown))} for each card"
            return f"{_up_to(can.cards)} alike, else {one_by_one}" if Carousel in can.shows else one_by_one
        case Webview() if _has(Card, shown):
            return "a card with a button"
    if _has(type(content), shown):
        rest = ", ".join(f"{loss.lost} as {loss.shown}" for loss in losses)
        native = _up_to(can.cards) if isinstance(content, Carousel) else NATIVE + _formats(endings)
        return f"{native}, but {rest}" if rest else native
    return "a text" if isinstance(content, Handover | Notice) else "a link"


def _up_to(count: int) -> str:
    return NATIVE if count >= PLENTY else f"{NATIVE} up to {count}"


def _endings(content: Content, can: Capabilities) -> list[str]:
    """The formats of this kind of file that are shown, where not all are."""
    limited = [ending for what, some in can.media_endings.items() if what == kind(content) for ending in some]
    return sorted(filter(None, limited))


def _ending(content: Content, endings: Sequence[str]) -> Content:
    """The content in a format that is shown."""
    if not isinstance(content, Image | Video | Audio | File) or not endings:
        return content
    return replace(content, url=content.url.rpartition(".")[0] + endings[0])


def _formats(endings: Sequence[str]) -> str:
    if not endings:
        return ""
    return f" as {', '.join(endings)}" if len(endings) <= FEW else f" in {len(endings)} formats"


def _has(wanted: type[Content], shown: Iterable[Content]) -> bool:
    return any(isinstance(each, wanted) for each in shown)


def _words(shown: Iterable[Content]) -> dict[str, None]:
    """The messages there are, each named once."""
    names = {"card": "a message", "image": "a picture", "text": "a text"}
    return dict.fromkeys(names[kind(each)] for each in shown)


def _contents() -> dict[str, Content]:
    """The first content of each kind in samples of everything Moveo sends; of texts one of each sort."""
    asked: list[tuple[str, str | None]] = [(BRAIN_SEND, response_type) for response_type in RESPONSE_TYPES]
    asked += [(event_type, None) for event_type in EVENT_TYPES]
    found: dict[str, Content] = {}
    for event_type, response_type in asked:
        event = sample(event_type, response_type=response_type, session="sample", number=1, now_ms=1)
        for content in translate(decode(json.dumps(event).encode()).event).contents:
            found |= {name: each for name, each in _sorts(content).items() if name not in found}
    return found


def _sorts(content: Content) -> dict[str, Content]:
    match content:
        case Text(author=Author()):
            return {AGENT: content}
        case Text(options=(_, *_)):
            return {kind(content): replace(content, options=()), OPTIONS: content}
    return {kind(content): content}
