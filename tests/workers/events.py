"""Moveo's answers, as the tests of workers send them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def event(session: str, responses: Sequence[dict[str, Any]], **fields: Any) -> bytes:
    """An answer of the agent to the chat that is named as its session, unless `fields` say otherwise."""
    made = {
        "event_type": "message:brain_send",
        "session_id": session,
        "external_session_id": session,
        "output": {"responses": responses},
        **fields,
    }
    return json.dumps(made).encode()


def answer(session: str, *texts: str, **fields: Any) -> bytes:
    """An answer of so many texts."""
    return event(session, [{"type": "text", "text": text} for text in texts], **fields)
