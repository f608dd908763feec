"""The vocabulary: what can be said or shown in a chat, as a closed union.

`translate` makes contents from events, `degrade` turns what a channel cannot show into what it can, channels
render them. Every content is a frozen value; lists are tuples; a text that is not there is "", a thing that
is not there is None. URLs are whatever the agent wrote: only `bridge.channels.text.link` decides what may
become a link.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

MediaKind: TypeAlias = Literal["image", "video", "audio", "file"]
WebviewHeight: TypeAlias = Literal["full", "tall", "compact", "new_window"]


class Author(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who speaks or types, when it is worth showing: a human agent."""

    name: str
    id: str = ""
    avatar: str = ""


class Option(msgspec.Struct, frozen=True):
    """A quick reply: the user sees `label`; choosing it says `text` to the agent."""

    label: str
    text: str


class Choice(msgspec.Struct, frozen=True):
    """An option as a line of text: typing `mark` ("2" or "B"), `label` or `text` says `text` to the agent.

    The label is one line, and only as long as an answer that is compared with it (bridge.channels.choices).
    """

    mark: str
    label: str
    text: str


class Postback(msgspec.Struct, frozen=True, tag="postback", omit_defaults=True):
    """A button whose `value` goes to the agent as the user's message."""

    label: str
    value: str
    trigger_node_id: str = ""


class Link(msgspec.Struct, frozen=True, tag="url"):
    """A button that opens `url` in a browser."""

    label: str
    url: str


class OpenWebview(msgspec.Struct, frozen=True, tag="webview", omit_defaults=True):
    """A button that opens `url` inside the chat where the channel can."""

    label: str
    url: str
    height: WebviewHeight = "full"
    trigger_node_id: str = ""


Button: TypeAlias = Postback | Link | OpenWebview


class Media(msgspec.Struct, frozen=True):
    """The picture or video at the head of a card."""

    kind: Literal["image", "video"]
    url: str


class Text(msgspec.Struct, frozen=True, tag="text", omit_defaults=True):
    """A message of text, with quick replies under it.

    `numbered` is set by degradation only: options that already stand as lines "1. label" in the text, or in
    the texts of the same event before it, so that the user's "1" is understood as the first option's text.
    The lines have letters where a number would be ambiguous.
    """

    text: str
    options: tuple[Option, ...] = ()
    author: Author | None = None
    numbered: tuple[Choice, ...] = ()


class Image(msgspec.Struct, frozen=True, tag="image", omit_defaults=True):
    url: str
    name: str = ""
    author: Author | None = None


class Video(msgspec.Struct, frozen=True, tag="video", omit_defaults=True):
    """`size` in bytes, None when unknown."""

    url: str
    name: str = ""
    size: int | None = None
    author: Author | None = None


class Audio(msgspec.Struct, frozen=True, tag="audio", omit_defaults=True):
    """`size` in bytes, None when unknown."""

    url: str
    name: str = ""
    size: int | None = None
    author: Author | None = None


class File(msgspec.Struct, frozen=True, tag="file", omit_defaults=True):
    """`size` in bytes, None when unknown."""

    url: str
    name: str = ""
    size: int | None = None
    author: Author | None = None


class Card(msgspec.Struct, frozen=True, tag="card", omit_defaults=True):
    """One card: of a carousel, or as a message of its own where a channel has no carousel.

    `default_action` is what a tap on the card itself does.
    """

    title: str = ""
    subtitle: str = ""
    media: Media | None = None
    buttons: tuple[Button, ...] = ()
    default_action: Button | None = None


class Carousel(msgspec.Struct, frozen=True, tag="carousel"):
    """Cards side by side."""

    cards: tuple[Card, ...]


class Webview(msgspec.Struct, frozen=True, tag="webview", omit_defaults=True):
    """A button that opens a page inside the chat. `name` is the text beside it, `label` the button's."""

    url: str
    label: str = ""
    height: WebviewHeight = "full"
    name: str = ""
    trigger_node_id: str = ""


class Handover(msgspec.Struct, frozen=True, tag="handover", omit_defaults=True):
    """The agent hands over to a human: `text` is what the user is told."""

    text: str
    name: str = ""
    desk_id: str = ""
    department_id: str = ""


class Pause(msgspec.Struct, frozen=True, tag="pause"):
    """Wait `seconds` before what follows, with a typing sign if `typing`."""

    seconds: float
    typing: bool = False


class Typing(msgspec.Struct, frozen=True, tag="typing", omit_defaults=True):
    """Somebody starts (`on`) or stops typing. Ephemeral: late is worthless, and it never delays a message."""

    on: bool
    author: Author | None = None


class Notice(msgspec.Struct, frozen=True, tag="notice", omit_defaults=True):
    """A line about the conversation itself. `kind` is the event type it came from, or "close"."""

    kind: str
    text: str
    author: Author | None = None


class Receipt(msgspec.Struct, frozen=True, tag="receipt"):
    """The user's messages were delivered to, or read by, the other side. Ephemeral like Typing."""

    kind: Literal["read", "delivered"]
    by: str = ""


Content: TypeAlias = (
    Text
    | Image
    | Video
    | Audio
    | File
    | Card
    | Carousel
    | Webview
    | Handover
    | Pause
    | Typing
    | Notice
    | Receipt
)


class Loss(msgspec.Struct, frozen=True):
    """What could not be shown, and what was shown instead ("" for nothing).

    `content` is the tag of the content or the path in the payload ("text", "output.responses[2]"); neither
    `lost` nor `shown` quotes what a person wrote.
    """

    content: str
    lost: str
    shown: str = ""


def kind(content: Content | type[Content]) -> str:
    """The content's one name in JSON, metrics and documentation: "text", "carousel", ..."""
    cls = content if isinstance(content, type) else type(content)
    tag = cls.__struct_config__.tag
    assert isinstance(tag, str)  # noqa: S101 -- every content above has a tag; a new one without would be a bug here
    return tag
