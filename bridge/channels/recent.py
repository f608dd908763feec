"""Whether a signed timestamp is of now: who has overheard a request cannot send it again later."""

from __future__ import annotations

from typing import Final

WINDOW_SECONDS: Final = 300
"""How far it may be from now, either way: what Slack and Standard Webhooks ask for."""


def recent(signed_at: str, now: float) -> bool:
    """Whether the header, in Unix seconds, is within the window. One that is no number never is."""
    return (
        signed_at.isascii()
        and signed_at.isdecimal()
        and len(signed_at) < 16
        and abs(int(signed_at) - now) <= WINDOW_SECONDS
    )
