"""What goes out: a call as a value, its HTTP form, what came back, and the waits in between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import msgspec
import orjson

from bridge.content import Choice
from bridge.secret import Secret


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file that has to be handed over to the platform before its call (see bridge.channels.Uploads)."""

    url: str
    """Where it is loaded from."""
    name: str = ""
    max_bytes: int
    """A larger one is refused, as one that cannot be loaded: the call's fallback goes out."""


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """Where the platform keeps an uploaded file, and what it turned out to be. `size` is in bytes."""

    address: str
    mime_type: str
    size: int


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of a platform's API as a value, without address or secret.

    A renderer fills `op` (the platform's own name of it), `body` (JSON-able) and where needed `keep`,
    `recall`, `upload`, `fallback` and `ephemeral`; `plan` stamps `to`, `id` and `numbers`, the delivery
    stamps `memo`, `uploaded` and `at`.
    """

    op: str
    body: Mapping[str, Any] = {}
    keep: Mapping[str, str] = {}
    """Callback payloads that stand for a longer value (bridge.channels.text.payload): kept before sending."""
    recall: tuple[str, ...] = ()
    """What the call needs of the chat's memo. An ephemeral call that misses some of it is left out, any other
    goes without."""
    upload: Upload | None = None
    """The file that is handed over first."""
    fallback: tuple[Call, ...] = ()
    """What goes out in its place when the platform refuses this form (ContentRefused)."""
    ephemeral: bool = False
    """Typing signs and receipts: a failure is counted and passed over, never retried."""
    to: str = ""
    """The chat's address."""
    id: str = ""
    """The same for every try of this step, different for every other: the idempotency key (32 hex digits)."""
    numbers: tuple[Choice, ...] = ()
    """The options that the user can choose by a typed answer after this call."""
    memo: Mapping[str, str] = {}
    """What the user's last message or click brought along (Incoming.memo), for a call with `recall`."""
    uploaded: Uploaded | None = None
    """Where the file of `upload` is; None when only rendering."""
    at: float = 0.0
    """Unix time in seconds of this try, for platforms that sign a timestamp; 0 when only rendering."""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """Client credentials that the sender trades for a bearer token, which it keeps until it expires.

    https://www.rfc-editor.org/rfc/rfc6749#section-4.4
    """

    url: str
    client_id: str
    client_secret: Secret
    scope: str


class Signer(Protocol):
    """Makes its own bearer tokens, of a key in the settings and the time."""

    def token(self, at: float) -> str:
        """The token for a request at this Unix time."""
        ...


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The HTTP form of a call: address and secret added, body encoded.

    The scheme of `url` chooses the transport: http(s) everywhere but for `chat:` (the web chat's log) and
    `stdout:` (the console).
    """

    method: str = "POST"
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    grant: Grant | Signer | None = None
    """Where the token of the header `authorization` comes from, when the settings do not have it."""


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


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it was loaded. `mime_type` is what its server said, without parameters; "" for nothing."""

    name: str = ""
    mime_type: str = ""
    body: bytes = b""


class Wait(msgspec.Struct, frozen=True):
    """A step that lets time pass: the session is parked for `seconds`, and no slot is held meanwhile.

    `typing` says that a typing sign is shown while it lasts (the calls for it are steps of their own).
    """

    seconds: float
    typing: bool = False


Step: TypeAlias = Call | Wait
