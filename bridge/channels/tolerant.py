"""Reads what platforms tell, so that a part which cannot be read costs no other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

import msgspec

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

T = TypeVar("T")


def whole(decoder: msgspec.json.Decoder[T], body: bytes) -> T | None:
    """The body; None for one that cannot be read.

    JSON may have half a surrogate pair in it, which is no Unicode: in one person's text, it must not cost
    what others say in the same body.
    """
    try:
        return decoder.decode(body)
    except UNREADABLE:
        pass
    try:
        mended = json.dumps(json.loads(body.decode(errors="replace")), ensure_ascii=False)
        return decoder.decode(mended.encode(errors="replace"))
    except (ValueError, RecursionError):
        return None


def each(decoder: msgspec.json.Decoder[T], parts: Iterable[msgspec.Raw]) -> Iterator[T]:
    """The parts that can be read."""
    for part in parts:
        try:
            yield decoder.decode(part)
        except UNREADABLE:
            continue
