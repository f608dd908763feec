"""Which chat an event is for: what the payload names under the integration's dotted path."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from bridge.events import Event


def recipient(event: Event, path: str) -> str:
    """The text or number at `path` (such as "context.user.custom_psid"), "" where there is none."""
    value: object = event
    for name in path.split("."):
        match value:
            case Mapping():
                value = value.get(name)
            case msgspec.Struct():
                value = getattr(value, _attribute(type(value), name), None)
            case _:
                return ""
    match value:
        case str():
            return value.strip()
        case int() if not isinstance(value, bool):
            return str(value)
        case _:
            return ""


@cache
def _attribute(cls: type[msgspec.Struct], name: str) -> str:
    """The attribute behind a field's name in JSON ("from" is no name in Python)."""
    fields = dict(zip(cls.__struct_encode_fields__, cls.__struct_fields__, strict=True))
    return fields.get(name, "")
