"""What the user reads of events that carry no text of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias

from bridge.events import Event, event_type

Texts: TypeAlias = Mapping[str, str | Literal[False]]
Say: TypeAlias = Callable[[str], str | None]
"""The text for a key of DEFAULT_TEXTS, filled in; None where it is switched off."""

DEFAULT_TEXTS: Final[Mapping[str, str]] = {
    "conversation:member_join": "{author_name} joined the conversation.",
    "conversation:member_leave": "{author_name} left the conversation.",
    "conversation:closed": "This conversation is resolved. Write again if you need anything else.",
    "conversation:reopened": "This conversation is open again.",
    "session:closed": "This chat has ended. Write again to start a new one.",
    "session:expired": "This chat has ended after a while of silence. Write again to start a new one.",
    "close": "This conversation has ended.",
    "handover": "Connecting you with a person. One moment, please.",
}
"""Each can be changed, or switched off, by an integration. "close" is the response of that type; "handover"
is said where a handover has no text. Names in braces are fields of the event."""

NAMELESS: Final = "An agent"
"""Stands for the name of an agent who has none."""
_FIELD: Final = re.compile(r"\{(\w+)\}")
_NAMES: Final = frozenset({"author_name", "agent_name"})


def speaker(event: Event, texts: Texts) -> Say:
    """Says the texts of one event. Only a plain name in braces is replaced, so no text reaches further."""

    def field(match: re.Match[str]) -> str:
        name = match[1]
        known = getattr(event, name) if name in event.__struct_fields__ else None
        value = event_type(event) if name == "event_type" else known
        text = str(value) if isinstance(value, str | int) else ""
        return text or (NAMELESS if name in _NAMES else "")

    def say(key: str) -> str | None:
        template = texts.get(key, DEFAULT_TEXTS[key])
        return _FIELD.sub(field, template) if template else None

    return say
