"""A channel is a chat platform as three pure things: what it can show, how it says it, how it answers.

    content --render--> Calls --request--> Requests ~~sender~~> Replies --check--> message id, or a SendError

and, inbound, how its webhooks are verified and read. A channel does no I/O, reads no clock and keeps no
state, so the same content always gives the same calls. Nothing is inherited: a class with these methods is a
channel, and `Channel` below is only the type that describes it. `bridge.testing` holds the contract as tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

import msgspec
import orjson

from bridge.channels.capabilities import Capabilities
from bridge.content import Content


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of a platform's API as a value, without address or secret.

    A renderer fills `op` (the platform's own name of it), `body` (JSON-able) and where needed `keep`,
    `fallback` and `ephemeral`; `plan` stamps `to`, `id` and `numbers`, the delivery stamps `at`.
    """

    op: str
    body: Mapping[str, Any] = {}
    keep: Mapping[str, str] = {}
    """Callback payloads that stand for a longer value (bridge.channels.text.payload): kept before sending."""
    fallback: tuple[Call, ...] = ()
    """What goes out in its place when the platform refuses this form (ContentRefused)."""
    ephemeral: bool = False
    """Typing signs and receipts: a failure is counted and passed over, never retried."""
    to: str = ""
    """The chat's address."""
    id: str = ""
    """The same for every try of this step, different for every other: the idempotency key (32 hex digits)."""
    numbers: tuple[str, ...] = ()
    """The texts that the user's typed answers "1", "2", ... stand for after this call."""
    at: float = 0.0
    """Unix time in seconds of this try, for platforms that sign a timestamp; 0 when only rendering."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The HTTP form of a call: address and secret added, body encoded.

    The scheme of `url` chooses the transport: http(s) everywhere but for `chat:` (the web chat's log) and
    `stdout:` (the console).
    """

    method: str = "POST"
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: status, headers (ask for lower-case names), at most the sender's bound of the body."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""

    def json(self) -> Any:
        """The body as JSON, or None where it is none (a proxy's HTML page, an empty body)."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


class Wait(msgspec.Struct, frozen=True):
    """A step that lets time pass: the session is parked for `seconds`, and no slot is held meanwhile.

    `typing` says that a typing sign is shown while it lasts (the calls for it are steps of their own).
    """

    seconds: float
    typing: bool = False


Step: TypeAlias = Call | Wait


@runtime_checkable
class Channel(Protocol):
    """What every channel has. Errors of `check` are those of bridge.errors; it raises nothing else.

    A channel is made as `cls(settings)`, where `settings` is the channel's table of the configuration,
    decoded as the msgspec Struct `cls.Settings` (fields of type bridge.secret.Secret hide themselves); a
    class without `Settings` is made as `cls()`.
    """

    name: ClassVar[str]
    """The kind: its table in the configuration, its label in metrics and `moveo-bridge channels`."""

    @property
    def capabilities(self) -> Capabilities: ...

    def render(self, content: Content, to: str) -> Sequence[Call]:
        """The calls that show `content` in the chat `to`. It is given only what `capabilities` declares."""
        ...

    def request(self, call: Call) -> Request:
        """The call with address and secret."""
        ...

    def check(self, reply: Reply) -> str | None:
        """The platform's id of the message (None where it gives none), or raises the SendError that fits."""
        ...


# ---- the way back ------------------------------------------------------------------------------------------


class Inbound(msgspec.Struct, frozen=True, kw_only=True):
    """A request to /channels/<integration>. Header names are lower-case; `at` is Unix time in seconds."""

    method: Literal["GET", "POST"]
    url: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""
    at: float = 0.0


class Attachment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file the user sent, at a public address (the shape of Moveo's input attachments)."""

    type: Literal["image", "video", "audio", "file"]
    url: str
    mime_type: str = ""
    filename: str = ""


class User(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the platform says of the user; each part only where it says it."""

    id: str = ""
    name: str = ""
    language: str = ""


class UserMessage(msgspec.Struct, frozen=True, kw_only=True, tag="message", omit_defaults=True):
    """What the user wrote or sent. `id` is the platform's event id, by which a repeat is recognised."""

    chat: str
    id: str
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    user: User = User()


class Click(msgspec.Struct, frozen=True, kw_only=True, tag="click", omit_defaults=True):
    """A press on a button: `payload` as the channel rendered it, `label` as the user saw it, where known.

    `acknowledge` is the call that tells the platform the click was seen.
    """

    chat: str
    id: str
    payload: str
    label: str = ""
    user: User = User()
    acknowledge: Call | None = None


Incoming: TypeAlias = UserMessage | Click


class Reading(msgspec.Struct, frozen=True):
    """What a platform's request holds: any number of messages and clicks, and the body to answer 200 with."""

    incoming: tuple[Incoming, ...] = ()
    answer: bytes = b""
    answer_type: str = "text/plain"


@runtime_checkable
class TwoWay(Channel, Protocol):
    """A channel whose users can answer through its webhook."""

    def verify(self, inbound: Inbound) -> bool:
        """Whether the request is the platform's own: on the raw bytes, in constant time."""
        ...

    def read(self, inbound: Inbound) -> Reading:
        """What a verified request holds. Never raises: what it cannot read is no message."""
        ...
