"""Buttons of platforms that tell of a press nothing but the value behind the button: LINE and Viber.

What a token stands for is forgotten one day (bridge.sessions), and the agent then gets the label the user saw
in its place. So the label goes along behind a token; any other value is what the agent gets anyway.
"""

from __future__ import annotations

import re
from typing import Final

from bridge.channels import text

_PRESSED: Final = re.compile(rf"(?P<token>{text.MARK}[A-Za-z0-9_-]{{22}})(?: (?P<label>.*))?", re.DOTALL)
"""A token (bridge.channels.text.payload) in its full length, which needs 23 bytes behind a button."""


def behind(value: str, label: str, limit: int) -> tuple[str, dict[str, str]]:
    """What stands behind the button, of at most `limit` bytes, and what has to be kept for it."""
    shown, keep = text.payload(value, limit)
    if keep and label:
        shown = text.cut(f"{shown} {label}", limit, "bytes")
    return shown, keep


def pressed(behind: str) -> tuple[str, str]:
    """The payload and the label, which is "" for what was no token."""
    found = _PRESSED.fullmatch(behind)
    return (found["token"], found["label"] or "") if found else (behind, "")


def is_token(said: str) -> bool:
    """Whether it is what stands behind a button for a longer value, where it may be a text as well."""
    return bool(_PRESSED.fullmatch(said))
