"""The events of Moveo's webhook as types, and their tolerant decoding.

One Struct for each of the 11 event types, after Moveo's page "webhook event payloads" (docs.moveo.ai); what
an answer is made of is in `bridge.events.responses`. Every field has a default, because their own samples
leave fields out: "" for a text that is not there, None for anything else.

Decoding has a fast path of a microsecond for what is as documented, and `bridge.events.salvage` for the rest.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias, get_args

import msgspec
from msgspec import Meta, Struct, field

from bridge.content import Loss
from bridge.errors import PayloadError
from bridge.events.responses import Response
from bridge.events.salvage import fit, parse

Timestamp: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]
"""Milliseconds since 1970."""


class Output(Struct, frozen=True):
    responses: tuple[Response, ...] = ()


class AgentIn(Struct, frozen=True):
    agent_id: str = ""
    agent_name: str = ""
    agent_avatar: str = ""
    team_id: str = ""


class Addressee(Struct, frozen=True):
    user_id: str = ""


class AttachmentIn(Struct, frozen=True):
    """`type` is "audio", "image", "video" or "file"; `id` names a file uploaded to Moveo."""

    type: str = "file"
    mime_type: str = ""
    url: str = ""
    id: str = ""
    title: str = ""
    filename: str = ""


class Body(Struct, frozen=True):
    text: str = ""
    attachments: tuple[AttachmentIn, ...] = ()


class Base(Struct, frozen=True, kw_only=True):
    """What every event carries. `timestamp` is its creation, in ms since 1970."""

    request_id: str = ""
    session_id: str = ""
    external_session_id: str = ""
    integration_id: str = ""
    desk_id: str = ""
    context: dict[str, Any] = {}
    timestamp: Timestamp | None = None


class BrainSend(Base, frozen=True, kw_only=True, tag_field="event_type", tag="message:brain_send"):
    """The AI agent answers."""

    output: Output = Output()


class AgentSend(Base, frozen=True, kw_only=True, tag_field="event_type", tag="message:send"):
    """A human agent writes."""

    sender: AgentIn = field(default=AgentIn(), name="from")
    addressee: Addressee = field(default=Addressee(), name="to")
    body: Body = Body()


class Compose(Base, frozen=True, kw_only=True, tag_field="event_type", tag="message:compose"):
    """Somebody starts or stops typing: `action` is "start" or "stop", `author_type` "agent" or "brain"."""

    author_id: str = ""
    author_name: str = ""
    author_type: str = ""
    action: str = ""


class Read(Base, frozen=True, kw_only=True, tag_field="event_type", tag="message:read"):
    """`author_type` ("agent", "brain" or "visitor") says who read."""

    author_type: str = ""


class Delivered(Base, frozen=True, kw_only=True, tag_field="event_type", tag="message:delivered"):
    author_type: str = ""


class MemberJoin(Base, frozen=True, kw_only=True, tag_field="event_type", tag="conversation:member_join"):
    author_id: str = ""
    author_name: str = ""
    author_type: str = ""


class MemberLeave(Base, frozen=True, kw_only=True, tag_field="event_type", tag="conversation:member_leave"):
    author_id: str = ""
    author_name: str = ""
    author_type: str = ""


class ConversationClosed(Base, frozen=True, kw_only=True, tag_field="event_type", tag="conversation:closed"):
    """Marked as resolved, by the agent if one is named."""

    status: str = ""
    agent_id: str = ""
    agent_name: str = ""


class ConversationReopened(Base, frozen=True, tag_field="event_type", tag="conversation:reopened"):
    pass


class SessionClosed(Base, frozen=True, kw_only=True, tag_field="event_type", tag="session:closed"):
    status: str = ""


class SessionExpired(Base, frozen=True, tag_field="event_type", tag="session:expired"):
    pass


class Unknown(Base, frozen=True, kw_only=True):
    """An event of a type that is not in the documentation ("" where it names none)."""

    event_type: str = ""


KnownEvent: TypeAlias = (
    BrainSend
    | AgentSend
    | Compose
    | Read
    | Delivered
    | MemberJoin
    | MemberLeave
    | ConversationClosed
    | ConversationReopened
    | SessionClosed
    | SessionExpired
)
Event: TypeAlias = KnownEvent | Unknown


class Decoded(Struct, frozen=True):
    """An event, and what of its payload could not be read."""

    event: Event
    losses: tuple[Loss, ...] = ()


class Route(Struct, frozen=True):
    """What the ingress needs: the unit of order ("" when the event names none), the event's time in ms."""

    session: str
    timestamp: Timestamp | None = None
    ephemeral: bool = False
    """Of use for seconds only: typing and receipts."""


class _Envelope(Struct, frozen=True):
    event_type: str = ""
    session_id: str = ""
    external_session_id: str = ""
    timestamp: Timestamp | None = None


EVENT_TYPES: Final[dict[str, type[KnownEvent]]] = {
    str(cls.__struct_config__.tag): cls for cls in get_args(KnownEvent)
}
_KINDS: Final = {cls: msgspec.inspect.type_info(cls) for cls in (*EVENT_TYPES.values(), Unknown, _Envelope)}
_events: Final = msgspec.json.Decoder(KnownEvent)
_envelopes: Final = msgspec.json.Decoder(_Envelope)
_EPHEMERAL: Final = frozenset(str(cls.__struct_config__.tag) for cls in (Compose, Read, Delivered))
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode(raw: bytes) -> Decoded:
    """The event in `raw`. Any JSON object is one; raises PayloadError for anything else."""
    try:
        return Decoded(_events.decode(raw))
    except _UNREADABLE:
        value, losses = parse(raw)
    named = value.get("event_type")
    cls = EVENT_TYPES.get(named, Unknown) if isinstance(named, str) else Unknown
    return Decoded(fit(_KINDS[cls], value, "", losses), tuple(losses))


def route(raw: bytes) -> Route:
    """Where the event in `raw` belongs, read without the rest of it; never raises."""
    try:
        envelope = _envelopes.decode(raw)
    except _UNREADABLE:
        try:
            value, losses = parse(raw)
        except PayloadError:
            return Route("")
        envelope = fit(_KINDS[_Envelope], value, "", losses)
    return Route(
        envelope.session_id or envelope.external_session_id,
        envelope.timestamp,
        envelope.event_type in _EPHEMERAL,
    )


def event_type(event: Event) -> str:
    """The event's type as Moveo names it."""
    return event.event_type if isinstance(event, Unknown) else str(type(event).__struct_config__.tag)
