"""What a homeserver would say of a call, by the specification, and what a client makes of it: matrix-nio."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote

import orjson

from bridge.channels import Request

EVENT_BYTES = 65_536
ROOM = f"!{'r' * 200}:{'x' * 53}"
"""As long as an id may be: 255 bytes."""
AROUND = {
    "type": "m.room.message",
    "room_id": ROOM,
    "sender": f"@{'s' * 200}:{'x' * 53}",
    "event_id": "$" + "e" * 43,
    "origin_server_ts": 1_700_000_000_000,
    "depth": 2**53 - 1,
    "auth_events": ["$" + "a" * 43] * 10,
    "prev_events": ["$" + "p" * 43] * 20,
    "hashes": {"sha256": "h" * 43},
    "signatures": {"x" * 230: {"ed25519:key": "s" * 86}},
    "unsigned": {"age": 2**31, "transaction_id": "t" * 32},
}
"""What a homeserver puts around a content, about as much as it may be."""
PLACE = re.compile(r"/_matrix/client/v3/rooms/(?P<room>[^/?]+)/(?P<call>[^?]+)")
CALLS = {
    "send": re.compile(r"send/m\.room\.message/[^/]+"),
    "typing": re.compile(r"typing/@[^/]+:[^/]+"),
    "receipt": re.compile(r"receipt/m\.read/[^/]+"),
    "join": re.compile(r"join"),
}
METHODS = {"send": "PUT", "typing": "PUT", "receipt": "POST", "join": "POST"}
CONTENT_KEYS = {"msgtype", "body", "filename", "url", "info", "m.mentions"}
MEDIA = {"m.image", "m.video", "m.audio", "m.file"}


def problems(request: Request, room: str) -> list[str]:
    """Everything that would be refused in the request to a room, or shown otherwise than it is meant."""
    place = re.sub(r"^https://[^/]+", "", request.url)
    found = PLACE.fullmatch(place)
    if not found or unquote(found["room"]) != room:
        return [f"{place} is no place in the room"]
    call = found["call"].partition("/")[0]
    if call not in CALLS or not CALLS[call].fullmatch(found["call"]):
        return [f"there is no {found['call']}"]
    if request.method != METHODS[call]:
        return [f"{call} is not done by {request.method}"]
    body = orjson.loads(request.body)
    match call:
        case "send":
            return list(content_problems(body))
        case "typing":
            return list(_typing(body))
        case _:
            return [] if body == {} else [f"{call}: has a body"]


def content_problems(content: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{path}: a float, or too large a number" for path in _bad_numbers("content", content))
    if unknown := content.keys() - CONTENT_KEYS:
        yield f"unknown: {sorted(unknown)}"
    if not isinstance(content.get("body"), str) or not content["body"].strip():
        yield "body: nothing in it"
    if content.get("m.mentions") != {}:
        yield "m.mentions: words may call people"
    if re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", orjson.dumps(content).decode()):
        yield "control characters"
    if content.get("msgtype") in MEDIA:
        yield from _media(content)
    elif content.get("msgtype") not in ("m.text", "m.notice") or "url" in content or "info" in content:
        yield f"msgtype: {content.get('msgtype')} with {sorted(content)}"
    if read := _as_read(content):
        yield read
    if (size := _canonical({**AROUND, "content": content})) > EVENT_BYTES:
        yield f"M_TOO_LARGE: {size} bytes"


def _media(content: Mapping[str, Any]) -> Iterator[str]:
    if not str(content.get("url")).startswith("mxc://"):
        yield "url: only what the homeserver keeps can be shown"
    if not isinstance(content.get("filename"), str) or not content["filename"].strip():
        yield "filename: a body without one is taken for it"
    if "info" in content:
        info = content["info"]
        if not isinstance(info.get("size"), int) or not re.fullmatch("[^/ ;]+/[^/ ;]+", info["mimetype"]):
            yield f"info: {info}"


def _typing(body: Mapping[str, Any]) -> Iterator[str]:
    match body:
        case {"typing": True, "timeout": int(timeout), **rest} if timeout > 0 and not rest:
            return
        case {"typing": False, **rest} if not rest:
            return
        case _:
            yield f"typing: {body}"


def _bad_numbers(path: str, value: Any) -> Iterator[str]:
    match value:
        case float():
            yield path
        case int() if abs(value) >= 2**53:
            yield path
        case dict():
            for key, each in value.items():
                yield from _bad_numbers(f"{path}.{key}", each)
        case list():
            for each in value:
                yield from _bad_numbers(path, each)


def _as_read(content: Mapping[str, Any]) -> str:
    """What a client makes of it; "" if that is what was meant."""
    event = _room_message().parse_event({**AROUND, "content": content})
    meant = {
        "m.text": "RoomMessageText",
        "m.notice": "RoomMessageNotice",
        "m.image": "RoomMessageImage",
        "m.video": "RoomMessageVideo",
        "m.audio": "RoomMessageAudio",
        "m.file": "RoomMessageFile",
    }[content["msgtype"]]
    if type(event).__name__ != meant:
        return f"read as {type(event).__name__}"
    return "" if event.body == content["body"] else "read as another text"


@cache
def _room_message() -> Any:
    import nio  # only here: it takes half a second

    return nio.RoomMessage


def _canonical(event: Mapping[str, Any]) -> int:
    """The bytes of an event as homeservers pass it on: sorted keys, no spaces, UTF-8.

    https://spec.matrix.org/latest/appendices/#canonical-json
    """
    return len(orjson.dumps(event, option=orjson.OPT_SORT_KEYS))
