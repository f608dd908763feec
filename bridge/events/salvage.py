"""Reading JSON that is not what was agreed: what can be read is kept, what cannot is reported as a Loss.

`parse` makes plain values of bytes, and fails only where no JSON object is; `fit` makes plain values fit a
type built of msgspec Structs whose fields all have defaults, and never fails. The types say everything: there
is no code for any one field.
"""

from __future__ import annotations

import json
import math
import re
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta
from msgspec.inspect import (
    AnyType,
    BoolType,
    DictType,
    FloatType,
    IntType,
    LiteralType,
    NoneType,
    StrType,
    StructType,
    Type,
    UnionType,
    VarTupleType,
)

from bridge.content import Loss
from bridge.errors import PayloadError

WHOLE: Final = "payload"
"""The path of a Loss that has no place of its own in the payload."""
DEPTH_MAX: Final = 100  # levels; the documented payloads have 8, and orjson writes no more than 254
DIGITS_MAX: Final = 400  # of a whole number; Python itself reads at most 4300
_BRACKETS: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_TAG: Final = re.compile(r"[\w.:-]{1,64}", re.ASCII)


def parse(raw: bytes) -> tuple[dict[str, Any], list[Loss]]:
    """The JSON object in `raw`, whatever its encoding errors, depth and numbers; else raises PayloadError."""
    losses: list[Loss] = []
    text = raw.decode("utf-8-sig", errors="replace")
    if "\ufffd" in text and not _decodes(raw):
        losses.append(Loss(WHOLE, "bytes that are no UTF-8", "the replacement character"))
    shallow = _shallow(text)
    if len(shallow) != len(text):
        losses.append(Loss(WHOLE, f"values nested deeper than {DEPTH_MAX} levels"))
    try:
        value = json.loads(
            shallow, strict=False, parse_int=_whole, parse_float=_real, parse_constant=lambda _: None
        )
    except ValueError as error:
        raise PayloadError(f"no JSON: {type(error).__name__}") from error
    if not isinstance(value, dict):
        raise PayloadError(f"{_called(value)} where an object belongs")
    return value, losses


def fit(kind: Type, value: Any, path: str, losses: list[Loss]) -> Any:
    """`value` as `kind`, or UNSET where nothing of it can be read; null counts as missing, which is no loss.

    Numbers in strings become numbers, numbers become strings where text belongs; both without a loss.
    """
    match kind, value:
        case AnyType(), _:
            return _clean(value, path, losses)
        case _, None:
            return UNSET
        case UnionType(types=types), _:
            return _one_of([each for each in types if not isinstance(each, NoneType)], value, path, losses)
        case StructType(fields=fields), dict():
            found = {
                field.name: fit(
                    field.type, value.get(field.encode_name), _join(path, field.encode_name), losses
                )
                for field in fields
            }
            return kind.cls(**{name: item for name, item in found.items() if item is not UNSET})
        case VarTupleType(item_type=each), list():
            return tuple(_items(each, value, path, losses))
        case DictType(value_type=each), dict():
            return {
                _clean(key, path, losses): fit(each, item, _join(path, key), losses)
                for key, item in value.items()
            }
        case StrType(), str():
            return _clean(value, path, losses)
        case StrType(), int() | float() if not isinstance(value, bool):
            return str(value)
        case LiteralType(values=values), str() if value in values:
            return value
        case ((IntType() | FloatType() | BoolType()), _):
            try:
                return msgspec.convert(value, _scalar(kind), strict=False)
            except (msgspec.ValidationError, UnicodeEncodeError):  # the latter at half of a surrogate pair
                pass  # reported below, like everything else that does not fit
    losses.append(Loss(path or WHOLE, f"{_called(value)} where {_wanted(kind)} belongs"))
    return UNSET


def _one_of(kinds: list[Type], value: Any, path: str, losses: list[Loss]) -> Any:
    """Of several kinds the one whose tag the value bears; of one kind that one."""
    if len(kinds) == 1:
        return fit(kinds[0], value, path, losses)
    for kind in kinds:
        assert isinstance(kind, StructType)  # noqa: S101 -- the only unions in our types are of tagged Structs
        if not isinstance(value, dict):
            return fit(kind, value, path, losses)
        if value.get(kind.tag_field) == kind.tag:
            return fit(kind, value, path, losses)
    losses.append(Loss(path, unknown(value.get(kinds[0].tag_field))))  # type: ignore[attr-defined]
    return UNSET


def unknown(tag: object) -> str:
    """Words for a `type` nobody knows; quoted only where it looks like one."""
    if tag is None or tag == "":
        return "no type"
    return f"unknown type {tag}" if isinstance(tag, str) and _TAG.fullmatch(tag) else "unknown type"


def _scalar(kind: IntType | FloatType | BoolType) -> Any:
    match kind:
        case IntType(ge=least, le=most):
            return Annotated[int, Meta(ge=least, le=most)]
        case FloatType():
            return float
        case BoolType():
            return bool


def _items(kind: Type, values: list[Any], path: str, losses: list[Loss]) -> list[Any]:
    """Those that can be read; each other one is a Loss, also a null: here it is a hole, no missing field."""
    kept = []
    for index, value in enumerate(values):
        at = f"{path}[{index}]"
        if value is None:
            losses.append(Loss(at, f"null where {_wanted(kind)} belongs"))
        elif (item := fit(kind, value, at, losses)) is not UNSET:
            kept.append(item)
    return kept


def _clean(value: Any, path: str, losses: list[Loss]) -> Any:
    """The value with every string valid Unicode: a half of a surrogate pair cannot be sent anywhere."""
    match value:
        case dict():
            return {
                _clean(key, path, losses): _clean(item, _join(path, key), losses)
                for key, item in value.items()
            }
        case list():
            return [_clean(item, f"{path}[{index}]", losses) for index, item in enumerate(value)]
        case str() if not _encodes(value):
            losses.append(Loss(path, "half of a surrogate pair", "the replacement character"))
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _shallow(text: str) -> str:
    """The text with null for every array or object below DEPTH_MAX; found without recursion."""
    kept: list[str] = []
    depth = copied = 0
    for match in _BRACKETS.finditer(text):
        if (mark := match[0]) in "[{":
            depth += 1
            if depth == DEPTH_MAX + 1:
                kept += text[copied : match.start()], "null"
        elif mark in "]}":
            depth -= 1
            if depth == DEPTH_MAX:
                copied = match.end()
    return "".join((*kept, text[copied:])) if kept else text


def _whole(digits: str) -> int | str:
    """A number that no machine can hold stays the digits it was written in."""
    return int(digits) if len(digits) <= DIGITS_MAX else digits


def _real(digits: str) -> float | str:
    return number if math.isfinite(number := float(digits)) else digits


def _decodes(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _join(path: str, name: str) -> str:
    """A dotted path; a name that is no name (a person may have written it) is left out."""
    name = name if _TAG.fullmatch(name) else "…"
    return f"{path}.{name}" if path else name


def _called(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
    return "an object"


def _wanted(kind: Type) -> str:
    match kind:
        case StrType():
            return "text"
        case LiteralType(values=values):
            return "one of " + ", ".join(map(str, values))
        case VarTupleType():
            return "a list"
        case IntType():
            return "a whole number in range"
        case FloatType():
            return "a number in range"
        case BoolType():
            return "true or false"
    return "an object"
