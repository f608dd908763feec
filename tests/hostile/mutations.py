"""Payloads made wrong: a value here and there is another, then perhaps a byte here and there as well."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

_DEEP: Final = json.loads("[" * 60 + "]" * 60)
ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 2**31, 2**53 + 1, 2**64, -(2**70), 10**400, 1e308, -0.0, float("inf"),
    float("nan"), " ", "\x00", "a\x00b", "\ud800", "x\udfffy", "\u202e", "\ufeff", "é" * 300, "x" * 20_000,
    "[object Object]", "javascript:alert(1)", "http://169.254.169.254/", "../../etc/passwd", "%s%n",
    "", "a\r\nSet-Cookie: x=y", "'; DROP TABLE events; --", "<script>alert(1)</script>",
    "{bridge:x:out}:mail:", "undefined", "\U0001f468\u200d" * 40,
    [], {}, [[]], [None], {"": None}, {"type": {}}, [{"type": []}], {"\ud800": 1}, _DEEP, list(range(300)),
)  # fmt: skip


def mutated(rng: Random, seed: Any, number: int) -> Any:
    """A copy with one to four places changed, and a number that no other has where one fits."""
    value = copy.deepcopy(seed)
    for _ in range(rng.choice((1, 1, 2, 4))):
        value = _somewhere(rng, value)
    if isinstance(value, dict):
        value["nonce"] = number
    return value


def _somewhere(rng: Random, value: Any) -> Any:
    """Goes down at random, and changes what it comes to."""
    match value:
        case dict() if value and rng.random() < 0.85:
            key = rng.choice(list(value))
            match rng.random():
                case chance if chance < 0.12:
                    del value[key]
                case chance if chance < 0.18:
                    value[rng.choice(("", "type", "id", "\ud800", key.upper()))] = value.pop(key)
                case _:
                    value[key] = _somewhere(rng, value[key])
            return value
        case list() if value and rng.random() < 0.85:
            at = rng.randrange(len(value))
            match rng.random():
                case chance if chance < 0.1:
                    del value[at]
                case chance if chance < 0.2:
                    value.insert(at, copy.deepcopy(value[at]))
                case chance if chance < 0.22:
                    value.extend(_many(value[at]))
                case _:
                    value[at] = _somewhere(rng, value[at])
            return value
        case str() if value and rng.random() < 0.3:
            at = rng.randrange(len(value) + 1)
            return (
                value[:at] + rng.choice(("\x00", "\ud83d", "\n", "\u2028", '"', "<", "x" * 5000)) + value[at:]
            )
        case _:
            return copy.deepcopy(rng.choice(ODD))


def _many(value: Any) -> list[Any]:
    """Copies of their own: what is changed later in one of them must not grow in all."""
    return [copy.deepcopy(value) for _ in range(500 if len(repr(value)) < 1000 else 1)]


def encoded(rng: Random, value: Any) -> bytes:
    """As JSON, in one of the ways in which JSON is written and in some in which it should not be."""
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, None, 1)))
    form = rng.choice(("utf-8",) * 12 + ("utf-8-sig", "utf-16", "utf-32-be"))
    return text.encode(form, "surrogatepass")


def _flip(rng: Random, raw: bytearray) -> None:
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)


def _cut(rng: Random, raw: bytearray) -> None:
    del raw[rng.randrange(len(raw)) :]


def _drop(rng: Random, raw: bytearray) -> None:
    at = rng.randrange(len(raw))
    del raw[at : at + rng.randrange(1, 40)]


def _double(rng: Random, raw: bytearray) -> None:
    at = rng.randrange(len(raw))
    raw[at:at] = raw[at : at + rng.randrange(1, 200)]


def _insert(rng: Random, raw: bytearray) -> None:
    at = rng.randrange(len(raw) + 1)
    raw[at:at] = rng.choice((*_STRAYS, rng.randbytes(rng.randrange(1, 60))))


_STRAYS: Final = (
    b"\x00", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x1b[2J", b"NaN", b"1e999",
    b"9" * 5000, b"[" * 3000, b'{"a":' * 2000, b"\\u0000", b"\\ud800", b"/*", b"\r\n\r\n",
)  # fmt: skip
_GARBLES: Final[tuple[Callable[[Random, bytearray], None], ...]] = (_flip, _cut, _drop, _double, _insert)


def garbled(rng: Random, body: bytes) -> bytes:
    """The bytes with a few of them wrong."""
    raw = bytearray(body)
    for _ in range(rng.choice((1, 1, 3, 10))):
        if raw:
            rng.choice(_GARBLES)(rng, raw)
    return bytes(raw)
