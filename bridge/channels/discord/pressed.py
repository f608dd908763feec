"""The buttons under a message, as Discord shows them to us when one is pressed.

The one pressed turns green, the option chosen stays chosen; all still work, since others in the channel see
the same message. https://docs.discord.com/developers/components/reference
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import msgspec

PRIMARY: Final = 1
GREEN: Final = 3


class _Button(msgspec.Struct, frozen=True, tag_field="type", tag=2, omit_defaults=True):
    style: int
    label: str = ""
    custom_id: str | None = None
    url: str | None = None


class _Option(msgspec.Struct, frozen=True, omit_defaults=True):
    label: str
    value: str
    default: bool = False


class _Menu(msgspec.Struct, frozen=True, tag_field="type", tag=3):
    custom_id: str
    options: list[_Option]


class _Row(msgspec.Struct, frozen=True, tag_field="type", tag=1):
    components: list[_Button | _Menu]


Rows: TypeAlias = Sequence[_Row]
_decoder = msgspec.json.Decoder(list[_Row])


def rows(components: msgspec.Raw) -> Rows:
    """The rows as the channel renders them; none for any others."""
    try:
        return _decoder.decode(components)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()


def label(shown: Rows, custom_id: str, value: str | None) -> str:
    """What stands on the button, or on the option of this value."""
    for component in (component for row in shown for component in row.components):
        match component:
            case _Button(custom_id=found, label=words) if found == custom_id and value is None:
                return words
            case _Menu(custom_id=found, options=options) if found == custom_id:
                return next((option.label for option in options if option.value == value), "")
    return ""


def marked(shown: Rows, custom_id: str, value: str | None) -> list[dict[str, Any]]:
    """The rows with the choice to be seen, and no former one."""
    rows = [_Row([_marked(component, custom_id, value) for component in row.components]) for row in shown]
    made: list[dict[str, Any]] = msgspec.to_builtins(rows)
    return made


def _marked(component: _Button | _Menu, custom_id: str, value: str | None) -> _Button | _Menu:
    replace = msgspec.structs.replace
    match component:
        case _Button(custom_id=found) if found == custom_id:
            return replace(component, style=GREEN)
        case _Button(style=style):
            return replace(component, style=PRIMARY if style == GREEN else style)
        case _Menu(custom_id=found, options=options) if found == custom_id:
            return replace(
                component, options=[replace(each, default=each.value == value) for each in options]
            )
        case _:
            return component
