"""What a channel can show, as one record. Splitting, caps, fallbacks, pacing and typing follow from it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, Literal, TypeAlias, get_args

import msgspec

from bridge.channels.methods import misuse, type_name
from bridge.content import Card, Carousel, Content, MediaKind, Text

Unit: TypeAlias = Literal["characters", "utf16", "bytes"]
"""What a platform counts a text in: Unicode code points, UTF-16 code units, or UTF-8 bytes."""
SLOWEST: Final = 0.001
FASTEST: Final = 1000
"""Calls a second that a pace can be set to: Redis counts it in milliseconds between calls."""
BURST: Final = 10_000
"""The most calls that a pace lets go at once."""


class Pace(msgspec.Struct, frozen=True):
    """At most `per_second` calls in the long run, `burst` of them at once."""

    per_second: float
    burst: int = 1

    def __post_init__(self) -> None:
        if not _is_number(self.per_second) or not SLOWEST <= self.per_second <= FASTEST:
            raise ValueError(f"Pace.per_second must be a number from {SLOWEST} to {FASTEST}")
        if not _is_whole(self.burst) or not 1 <= self.burst <= BURST:
            raise ValueError(f"Pace.burst must be a whole number from 1 to {BURST}")


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """Lengths are in `unit` unless they say otherwise. A channel names the platform's page beside them."""

    shows: frozenset[type[Content]] = frozenset({Text})
    """The contents `render` takes as they are; every other arrives degraded to these. Text is one of them."""

    unit: Unit = "characters"
    text: int = 4096
    """Longest text of one message; longer ones are split."""
    caption: int = 0
    """Longest text beside an image, video, audio or file; 0: none, and the name becomes a text of its own."""

    options: int = 0
    """Quick replies under one text; 0: none, so they become numbered lines."""
    option_label: int = 64
    """Longest label of a quick reply, in characters."""

    cards: int = 0
    """Cards of one carousel; longer ones are sent as several."""
    side_by_side: Callable[[Sequence[Card]], bool] | None = None
    """Whether these cards, each fit to be shown, can stand in one carousel; where not, each is a message of
    its own. None: any cards can."""
    card_title: int = 256
    card_text: int = 1024
    """Longest subtitle of a card."""
    card_unit: Unit | None = None
    """What the texts of a card are counted in, where it is not `unit`."""
    card_buttons: int = 0
    """Buttons of one card; the rest go out in a further message."""
    button_label: int = 64
    """Longest label of a button, in characters."""
    payload_bytes: int = 1024
    """Longest value behind a quick reply or button, in UTF-8 bytes; longer ones go behind a token."""
    card_media: frozenset[MediaKind] = frozenset({"image", "video"})
    """What a card has at its head; other media become messages of their own."""
    card_action: bool = False
    """Whether a tap on the card itself can do something; where not, its default action becomes a button."""
    card_action_says: bool = True
    """Whether that can be to say something to the agent, and not only to open a page."""
    links: frozenset[str] = frozenset({"http", "https"})
    """The schemes a button may open, of those `text.link` lets through; other links become lines of text."""
    url: int = 2048
    """Longest address of a button or a media file, in characters; longer ones become lines of text."""

    media_bytes: Mapping[MediaKind, int] = {}
    """Largest file of a kind, in bytes, where the platform states one; a larger one becomes a link."""
    media_sized: frozenset[MediaKind] = frozenset()
    """The kinds the platform takes only with their size; one of unknown size becomes a link."""
    media_schemes: frozenset[str] = frozenset({"http", "https"})
    """The schemes of the addresses the platform loads files from; files elsewhere become links."""
    media_endings: Mapping[MediaKind, frozenset[str]] = {}
    """How addresses of a kind may end, where only some formats are shown: ".jpg", or "" for no ending."""
    media_url: int | None = None
    """Longest address of a file, where `url` is that of a button only."""

    typing_seconds: float | None = None
    """How long one typing sign is shown; None: the channel has none."""
    receipts: frozenset[Literal["read", "delivered"]] = frozenset({"read", "delivered"})
    """The receipts there are, where Receipt is shown."""
    authors: bool = False
    """Whether messages carry their author; where not, a human agent's name stands before the text."""
    idempotent: bool = False
    """Whether a repeated call with the same `Call.id` is shown once."""
    chat_is_key: bool = False
    """Whether whoever knows the id of a chat may read it and speak in it: logs show only its beginning."""

    chat_pace: Pace | None = None
    """The platform's rate limit for one chat."""
    channel_pace: Pace | None = None
    """The platform's rate limit for the whole account."""

    def __post_init__(self) -> None:
        """Raise ValueError, with the first problem in one line, for what no platform can mean."""
        if problem := next(_problems(self), ""):
            raise ValueError(f"Capabilities.{problem}")


# ---- what is valid -----------------------------------------------------------------------------------------

_LEAST: Final = {
    "text": 1, "caption": 0, "options": 0, "option_label": 1, "cards": 0, "card_title": 1, "card_text": 0,
    "card_buttons": 0, "button_label": 1, "payload_bytes": 2, "url": 1,
}  # fmt: skip
"""The smallest limits. A payload that is too long becomes a token: "~" and at least one character."""
_YES_OR_NO: Final = ("card_action", "card_action_says", "authors", "idempotent", "chat_is_key")
_KINDS: Final = frozenset(get_args(MediaKind))
_SCHEME: Final = re.compile("[a-z][a-z0-9+.-]*")
_ENDING: Final = re.compile(r"(\.[^./A-Z\s]+)?")


def _problems(can: Capabilities) -> Iterator[str]:
    """Each problem, beginning with the name of its field."""
    if not _is_set(can.shows, frozenset(get_args(Content))):
        yield "shows must be a frozenset of the classes in bridge.content.Content"
    elif Text not in can.shows:
        yield "shows must have Text in it"
    if can.unit not in get_args(Unit):
        yield f"unit must be one of {', '.join(get_args(Unit))}"
    if can.card_unit is not None and can.card_unit not in get_args(Unit):
        yield f"card_unit must be None or one of {', '.join(get_args(Unit))}"
    for name, least in _LEAST.items():
        if not _is_limit(getattr(can, name), least):
            yield f"{name} must be a whole number of at least {least}"
    if can.media_url is not None and not _is_limit(can.media_url, 1):
        yield "media_url must be None or a whole number of at least 1"
    if Carousel in can.shows and can.cards == 0:
        yield "cards must be at least 1 for a channel that shows a Carousel"
    for name in _YES_OR_NO:
        if not isinstance(getattr(can, name), bool):
            yield f"{name} must be True or False"
    if can.side_by_side is not None and (problem := misuse(can.side_by_side, ("cards",))):
        yield f"side_by_side {problem}"
    yield from _files(can)
    if can.typing_seconds is not None and not (
        _is_number(can.typing_seconds) and 0 < can.typing_seconds <= sys.maxsize
    ):
        yield "typing_seconds must be None or a number over 0"
    if not _is_set(can.receipts, frozenset({"read", "delivered"})):
        yield 'receipts must be a frozenset of "read" and "delivered"'
    for name in ("chat_pace", "channel_pace"):
        if not isinstance(getattr(can, name), Pace | None):
            yield f"{name} must be None or a Pace, not {type_name(getattr(can, name))}"


def _files(can: Capabilities) -> Iterator[str]:
    kinds = ", ".join(sorted(_KINDS))
    for name in ("card_media", "media_sized"):
        if not _is_set(getattr(can, name), _KINDS):
            yield f"{name} must be a frozenset of {kinds}"
    for name in ("links", "media_schemes"):
        if not _is_set_like(getattr(can, name), _SCHEME):
            yield f'{name} must be a frozenset of schemes in small letters, as "https"'
    if not _is_map(can.media_bytes) or not all(_is_limit(size, 1) for size in can.media_bytes.values()):
        yield f"media_bytes must give a whole number of at least 1 to some of {kinds}"
    if not _is_map(can.media_endings) or not all(
        _is_set_like(endings, _ENDING) for endings in can.media_endings.values()
    ):
        yield f'media_endings must give a frozenset of endings, as ".jpg" or "", to some of {kinds}'


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_whole(value) or isinstance(value, float)


def _is_limit(value: Any, least: int) -> bool:
    return _is_whole(value) and least <= value <= sys.maxsize


def _is_set(value: Any, allowed: AbstractSet[Any]) -> bool:
    return isinstance(value, AbstractSet) and value <= allowed


def _is_set_like(value: Any, pattern: re.Pattern[str]) -> bool:
    """Whether it is a set of texts of this form; not a text, in which `in` would find each part of it."""
    return isinstance(value, AbstractSet) and all(
        isinstance(each, str) and pattern.fullmatch(each) for each in value
    )


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() <= _KINDS
