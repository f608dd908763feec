"""A frame: one event in the spool, as bytes that show whether they are whole.

4 bytes   "MBS1"
4 bytes   the length of the body, big-endian
4 bytes   the body's CRC-32
the body  a Frame as MessagePack
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

import msgspec

from bridge.queue import Direction

MAGIC: Final = b"MBS1"
_HEAD: Final = struct.Struct(">4sII")
HEAD: Final = _HEAD.size


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """An event on its way to a queue, or, with a reason in `letter`, a dead letter."""

    integration: str
    direction: Direction
    session: bytes
    """As bridge.queue.keys.encode names it: a sender's text need not be valid Unicode."""
    payload: bytes
    arrived_at: int
    """ms of the clock of Redis, as near as ingress knows it."""
    sent_at: int | None = None
    """ms of the sender's clock, where the event has a time of its own."""
    digest: bytes | None = None
    """By which it is recognised, where it is not that of the payload."""
    letter: str = ""


_decode: Final = msgspec.msgpack.Decoder(Frame).decode
_encode: Final = msgspec.msgpack.Encoder().encode


def pack(frame: Frame) -> bytes:
    body = _encode(frame)
    return _HEAD.pack(MAGIC, len(body), zlib.crc32(body)) + body


def body_length(head: bytes) -> int | None:
    """How long the body is that follows; None where no frame begins."""
    if len(head) < HEAD:
        return None
    magic, length, _ = _HEAD.unpack(head)
    return int(length) if magic == MAGIC else None


def unpack(head: bytes, body: bytes) -> Frame | None:
    """The frame; None when it is not whole."""
    _, length, checksum = _HEAD.unpack(head)
    if len(body) != length or zlib.crc32(body) != checksum:
        return None
    try:
        return _decode(body)
    except msgspec.DecodeError:
        return None
