"""A channel is a chat platform as three pure things: what it can show, how it says it, how it answers.

    content --render--> Calls --request--> Requests ~~sender~~> Replies --check--> message id, or a SendError

and, inbound, how its webhooks are verified and read. A channel does no I/O, reads no clock and keeps no
state, so the same content always gives the same calls. Nothing is inherited: a class with these methods is a
channel, and `Channel` below is only the type that describes it. `bridge.testing` holds the contract as tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol, runtime_checkable

from bridge.channels.call import Call, Grant, Loaded, Reply, Request, Signer, Step, Upload, Uploaded, Wait
from bridge.channels.capabilities import Capabilities
from bridge.channels.incoming import (
    Attachment,
    Click,
    Errand,
    Failed,
    Inbound,
    Incoming,
    Reading,
    Seen,
    User,
    UserMessage,
)
from bridge.content import Content

__all__ = [
    "Attachment",
    "Call",
    "Capabilities",
    "Channel",
    "Click",
    "Downloads",
    "Errand",
    "Failed",
    "Grant",
    "Inbound",
    "Incoming",
    "Keyed",
    "Loaded",
    "Reading",
    "Reply",
    "Request",
    "Seen",
    "SetUp",
    "Signer",
    "Step",
    "TwoWay",
    "Upload",
    "Uploaded",
    "Uploads",
    "User",
    "UserMessage",
    "Wait",
]


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


@runtime_checkable
class Uploads(Channel, Protocol):
    """A channel whose platform takes files only when they are handed over first.

    For a call with `upload` the file is loaded and sent; `Call.uploaded` then has what came of it. What
    cannot be loaded, and what `uploaded` raises as ContentRefused, gives way to the call's fallback.
    """

    def upload(self, file: Loaded) -> Request:
        """The request that hands the file over."""
        ...

    def uploaded(self, reply: Reply) -> str:
        """Where the platform keeps the file, or raises the SendError that fits."""
        ...


@runtime_checkable
class TwoWay(Channel, Protocol):
    """A channel whose users can answer through its webhook."""

    def verify(self, inbound: Inbound) -> bool:
        """Whether the request is the platform's own: on the raw bytes, in constant time."""
        ...

    def read(self, inbound: Inbound) -> Reading:
        """What a verified request holds. Never raises: what it cannot read is no message."""
        ...


@runtime_checkable
class Keyed(TwoWay, Protocol):
    """A channel whose platform signs with keys that it publishes: the ingress gets them (Inbound.keys)."""

    @property
    def key_urls(self) -> Sequence[str]:
        """Where the keys are: JWK sets, or OpenID metadata whose `jwks_uri` says where."""
        ...


@runtime_checkable
class Downloads(TwoWay, Protocol):
    """A channel whose users' files only the account itself may load (Attachment.source)."""

    def locate(self, source: str) -> Request | None:
        """The request that tells where the file is; None where that is known from `source`."""
        ...

    def download(self, source: str, located: Reply | None) -> Request:
        """The request (a GET) for the file. Raises the SendError that fits the reply to `locate`."""
        ...


@runtime_checkable
class SetUp(Channel, Protocol):
    """A channel that helps to set its account up: `moveo-bridge check` and `moveo-bridge connect`."""

    def identify(self) -> Request:
        """The platform's own "who am I" call, which changes nothing."""
        ...

    def identified(self, reply: Reply) -> str:
        """The account's name as the platform knows it, or raises the SendError that fits."""
        ...

    def connect(self, url: str) -> Sequence[Request]:
        """The requests that register the webhook `url`, each read by `check`; none where no API does it."""
        ...

    def steps(self, url: str) -> str:
        """What is to be done by hand, with `url` to paste; after `connect` what is left. A line a step."""
        ...
