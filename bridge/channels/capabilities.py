"""What a channel can show, as one record. Splitting, caps, fallbacks, pacing and typing follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from bridge.content import Card, Content, MediaKind, Text

Unit: TypeAlias = Literal["characters", "utf16", "bytes"]
"""What a platform counts a text in: Unicode code points, UTF-16 code units, or UTF-8 bytes."""


class Pace(msgspec.Struct, frozen=True):
    """At most `per_second` calls in the long run, `burst` of them at once."""

    per_second: float
    burst: int = 1


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
