"""What is wrong with the settings, as lines: key path, where it came from, what to do. Never the value."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from bridge.config.models import Integration, Settings
from bridge.config.sources import KeyPath

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
KEY: Final = "[key]"
"""What pydantic adds to the place of a key that is itself wrong."""
_NOT_WRITTEN: Final = {"name", "extra"}
"""Fields of an integration that are no keys of its table."""


def line(path: KeyPath, advice: str, origins: Mapping[KeyPath, str]) -> str:
    """One problem on one line."""
    key = ".".join(str(part) if _BARE.fullmatch(str(part)) else ascii(str(part)) for part in path)
    variable = next((origins[path[:end]] for end in range(len(path), 0, -1) if path[:end] in origins), "")
    origin = f" (from {variable})" if variable else ""
    return f"{key}{origin}: {advice}" if path else advice


def problems(error: ValidationError) -> Iterator[tuple[KeyPath, str]]:
    """Key path and advice for each problem."""
    for detail in error.errors(include_url=False, include_input=False):
        path: KeyPath = tuple(part for part in detail["loc"] if part != KEY)
        yield path, _advice(detail["type"], path, detail.get("ctx", {}), detail["msg"])


def _advice(kind: str, path: KeyPath, context: Mapping[str, Any], message: str) -> str:
    match kind:
        case "value_error":
            return str(context["error"])
        case "extra_forbidden":
            return _unknown(path)
        case "missing":
            return "is missing: set it"
        case "int_type" | "int_parsing" | "int_from_float":
            return "must be a whole number"
        case "float_type" | "float_parsing" | "finite_number":
            return "must be a number"
        case "bool_type" | "bool_parsing":
            return "must be true or false"
        case "string_type":
            return "must be a text in quotes"
        case "string_too_short":
            return "is empty: set it"
        case "tuple_type" | "is_instance_of":
            return "must be a text in quotes" if isinstance(path[-1], int) else "must be a list of texts"
        case "dict_type" | "model_type":
            return "must be a table"
        case "literal_error":
            return f"must be {context['expected']}"
        case "greater_than":
            return f"must be more than {context['gt']}"
        case "greater_than_equal":
            return f"must be at least {context['ge']}"
        case "less_than_equal":
            return f"must be at most {context['le']}"
        case _:
            return message


def _unknown(path: KeyPath) -> str:
    known = _keys(path[:-1])
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    if near:
        return f'unknown key: did you mean "{near[0]}"?'
    hint = "; a channel's own keys go into its own table" if path[0] == "integrations" else ""
    return f"unknown key: known here are {', '.join(known)}{hint}"


def _keys(path: KeyPath) -> list[str]:
    """The keys that may stand in the table at `path`."""
    match path:
        case ("integrations", _, *_):
            return [name for name in Integration.model_fields if name not in _NOT_WRITTEN]
        case (str(section), *_):
            model = Settings.model_fields[section].annotation
            return (
                list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
            )
        case _:
            return list(Settings.model_fields)
