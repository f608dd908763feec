"""What comes back: a platform's request, and the messages and clicks it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from bridge.channels.call import Call


class Inbound(msgspec.Struct, frozen=True, kw_only=True):
    """A request to /channels/<integration>. Header names are lower-case; `at` is Unix time in seconds."""

    method: Literal["GET", "POST", "PUT"]
    url: str
    path: str = ""
    """What follows /channels/<integration>, decoded: "", or "/" and more."""
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""
    at: float = 0.0
    keys: tuple[Mapping[str, Any], ...] = ()
    """The public keys found at the channel's `key_urls`, as JWKs (RFC 7517)."""


class Attachment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file the user sent: at a public address, or where only the channel gets it (`source`)."""

    type: Literal["image", "video", "audio", "file"]
    url: str = ""
    source: str = ""
    """The platform's own word for the file, where it has no public address: bridge.channels.Downloads."""
    mime_type: str = ""
    filename: str = ""


class User(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the platform says of the user; each part only where it says it."""

    id: str = ""
    name: str = ""
    language: str = ""


class UserMessage(msgspec.Struct, frozen=True, kw_only=True, tag="message", omit_defaults=True):
    """What the user wrote or sent. `id` is the platform's event id, by which a repeat is recognised.

    `memo` is what the channel's later calls to this chat need of it (Call.recall): each message's or click's
    takes the place of the one before.
    """

    chat: str
    id: str
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    user: User = User()
    memo: Mapping[str, str] = {}


class Click(msgspec.Struct, frozen=True, kw_only=True, tag="click", omit_defaults=True):
    """A press on a button: `payload` as the channel rendered it, `label` as the user saw it, where known.

    `acknowledge` are the calls that tell the platform, and the user, that the click was seen; `memo` as a
    message's.
    """

    chat: str
    id: str
    payload: str
    label: str = ""
    user: User = User()
    acknowledge: tuple[Call, ...] = ()
    memo: Mapping[str, str] = {}


class Errand(msgspec.Struct, frozen=True, kw_only=True, tag="errand", omit_defaults=True):
    """A call that the platform waits for and that has nothing to tell the agent: to join a room, say."""

    chat: str
    id: str
    call: Call


Incoming: TypeAlias = UserMessage | Click


class Seen(msgspec.Struct, frozen=True, kw_only=True, tag="seen", omit_defaults=True):
    """The user has read what was sent so far: a read receipt for the agent's side."""

    chat: str
    id: str


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """A message of ours that the platform took and could not deliver after all. `reason` quotes no text."""

    chat: str
    reason: str
    message: str = ""
    """The platform's id of it."""


class Reading(msgspec.Struct, frozen=True):
    """What a platform's request holds, and what to answer it with: the body, with status 200 mostly."""

    incoming: tuple[Incoming, ...] = ()
    answer: bytes = b""
    answer_type: str = "text/plain"
    status: int = 200
    failed: tuple[Failed, ...] = ()
    errands: tuple[Errand, ...] = ()
    """In order with a chat's messages, before those of the same request."""
    seen: tuple[Seen, ...] = ()
    """Likewise, after them."""
