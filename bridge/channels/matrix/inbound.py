"""What a homeserver tells an application service: events of the rooms the bot is in, and of its invitations.

https://spec.matrix.org/latest/application-service-api/#pushing-events
The homeserver shows its token with each request. Events come in transactions, one after another: one that is
not answered with a 200 comes again and holds up the rest, so an event that cannot be read costs no other, and
what is no event of ours is answered with a yes as well. A repeat is recognised by the event's id.

Beside the events stand signs: who types, and who has read up to which event.
https://spec.matrix.org/latest/application-service-api/#pushing-ephemeral-data
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from typing import Any, Final, TypeVar

import msgspec
import orjson

from bridge.channels import Call, Errand, Inbound, Reading, Seen, User, UserMessage
from bridge.channels.matrix import messages
from bridge.channels.matrix.said import Said, message, relation, sticker
from bridge.channels.tolerant import each, whole
from bridge.secret import Secret

JSON: Final = "application/json"
PREFIX: Final = re.compile(r"/_matrix/app/(?:v1|unstable)(?=/)")
"""The paths without it are those of homeservers of before 2018."""
TOLD: Final = re.compile(r"/transactions/.+")
ASKED: Final = re.compile(r"/(?:users|rooms)/.+")
PING: Final = "/ping"
ENCRYPTED: Final = "[encrypted message]"

T = TypeVar("T")


class _Transaction(msgspec.Struct, frozen=True):
    events: tuple[msgspec.Raw, ...] = ()


class _Signs(msgspec.Struct, frozen=True):
    """Apart from the events of the same transaction, which must not suffer from them."""

    ephemeral: tuple[msgspec.Raw, ...] = ()


class _Sign(msgspec.Struct, frozen=True):
    """Of a receipt the content is {event: {"m.read": {user: …}}}."""

    type: str
    room_id: str
    content: dict[str, dict[str, Any]]


class _Event(msgspec.Struct, frozen=True):
    """`state_key` is there in an event of the room's state, as a membership."""

    type: str
    room_id: str
    event_id: str
    sender: str
    content: dict[str, Any]
    state_key: str | None = None


_transaction: Final = msgspec.json.Decoder(_Transaction)
_event: Final = msgspec.json.Decoder(_Event)
_signs: Final = msgspec.json.Decoder(_Signs)
_sign: Final = msgspec.json.Decoder(_Sign)


def verify(inbound: Inbound, hs_token: Secret | None) -> bool:
    if not hs_token:
        return False
    scheme, _, given = inbound.headers.get("authorization", "").partition(" ")
    same = hmac.compare_digest(given.encode(errors="surrogatepass"), hs_token.reveal().encode())
    return same and scheme.lower() == "bearer"


def read(inbound: Inbound, bot: str) -> Reading:
    """What happened; or that the bridge is there; or that it makes no users and rooms on demand."""
    place = PREFIX.sub("", inbound.path, count=1)
    match inbound.method:
        case "PUT" if TOLD.fullmatch(place):
            return _read(inbound.body, bot)
        case "POST" if place == PING:
            return Reading(answer=b"{}", answer_type=JSON)
        case "GET" if ASKED.fullmatch(place):
            return _refusal("M_NOT_FOUND")
        case _:
            return _refusal("M_UNRECOGNIZED")


def _refusal(code: str) -> Reading:
    return Reading(answer=orjson.dumps({"errcode": code}), answer_type=JSON, status=404)


def _read(body: bytes, bot: str) -> Reading:
    transaction, signs = whole(_transaction, body), whole(_signs, body)
    found = [_incoming(event, bot) for event in each(_event, transaction.events if transaction else ())]
    read = [_seen(sign, bot) for sign in each(_sign, signs.ephemeral if signs else ())]
    return Reading(
        incoming=tuple(one for one in found if isinstance(one, UserMessage)),
        errands=tuple(one for one in found if isinstance(one, Errand)),
        seen=tuple(one for some in read for one in some),
        answer=b"{}",
        answer_type=JSON,
    )


def _incoming(event: _Event, bot: str) -> UserMessage | Errand | None:
    match event:
        case _Event(type="m.room.member", state_key=str(whom), content={"membership": "invite"}):
            return _joined(event) if whom == bot else None
        case _Event(state_key=str()) | _Event(sender="") | _Event(room_id="") | _Event(event_id=""):
            return None
        case _Event(sender=sender) if sender == bot:
            return None
        case _Event(type="m.room.message"):
            return _message(event, message(event.content))
        case _Event(type="m.sticker"):
            return _message(event, sticker(event.content))
        case _Event(type="m.room.encrypted") if relation(event.content) in ("", "m.thread"):
            return _message(event, Said(ENCRYPTED))
        case _:
            return None


def _seen(sign: _Sign, bot: str) -> Iterator[Seen]:
    """Who has read is in the id: in a room of several each of them reads once."""
    if sign.type != "m.receipt" or not sign.room_id:
        return
    for event, receipts in sign.content.items():
        readers = receipts.get("m.read")
        for reader in readers if isinstance(readers, dict) else ():
            if reader != bot:
                yield Seen(chat=sign.room_id, id=f"{event}:{reader}")


def _joined(event: _Event) -> Errand:
    """The bot goes where it is invited."""
    call = Call(op=messages.JOIN, to=event.room_id)
    return Errand(chat=event.room_id, id=event.event_id, call=call)


def _message(event: _Event, said: Said | None) -> UserMessage | None:
    if said is None:
        return None
    return UserMessage(
        chat=event.room_id,
        id=event.event_id,
        text=said.text,
        attachments=said.attachments,
        user=User(id=event.sender),
        memo={messages.EVENT: event.event_id},
    )
