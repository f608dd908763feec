"""Realistic payloads of every event type and every response type: for `trigger`, emulator and tests."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Final

from bridge.errors import ConfigError
from bridge.events import EVENT_TYPES
from bridge.events.responses import RESPONSE_TYPES

MEDIA_URL: Final = "https://example.com"
BRAIN_SEND: Final = "message:brain_send"
AGENT: Final = {"author_id": "agent-sarah", "author_name": "Sarah Johnson", "author_type": "agent"}


def sample(
    event_type: str,
    *,
    response_type: str | None = None,
    session: str,
    number: int,
    now_ms: int,
    media_url: str = MEDIA_URL,
) -> dict[str, Any]:
    """One event. `number` tells events apart, `session` names both the session and the chat.

    `response_type` is for message:brain_send only, which says a text with quick replies without it.
    Raises ConfigError for a type that does not exist.
    """
    _known(event_type, EVENT_TYPES, "event type")
    if response_type is not None and event_type != BRAIN_SEND:
        raise ConfigError(f"only {BRAIN_SEND} has a response type, {event_type} has none")
    base = {
        "event_type": event_type,
        "request_id": f"req-{session}-{number}",
        "session_id": session,
        "external_session_id": session,
        "integration_id": "sample",
        "desk_id": "desk-1",
        "context": {"user": {"user_id": f"user-{session}", "display_name": "Alex Doe", "language": "en"}},
        "timestamp": now_ms,
    }
    if event_type == BRAIN_SEND:
        return base | {"output": {"responses": [response(response_type or "text", number, media_url)]}}
    return base | fields(event_type, number, media_url)


def fields(event_type: str, number: int, media_url: str = MEDIA_URL) -> dict[str, Any]:
    """What an event other than message:brain_send has beside the base fields."""
    match event_type:
        case "message:send":
            text = f"Hello, this is Sarah. I have read message {number}; here is the guide."
            return message(text, guide(media_url))
        case "message:compose":
            return AGENT | {"action": "start" if number % 2 else "stop"}
        case "message:read":
            return {"author_type": "agent"}
        case "message:delivered":
            return {"author_type": "brain"}
        case "conversation:member_join" | "conversation:member_leave":
            return dict(AGENT)
        case "conversation:closed":
            return {"status": "resolved", "agent_id": AGENT["author_id"], "agent_name": AGENT["author_name"]}
        case "session:closed":
            return {"status": "closed"}
    return {}


def message(text: str, *attachments: dict[str, Any]) -> dict[str, Any]:
    """A message:send of the human agent."""
    sender = {"agent_id": AGENT["author_id"], "agent_name": AGENT["author_name"], "team_id": "support"}
    return {"from": sender, "body": {"text": text, "attachments": list(attachments)}}


def guide(media_url: str) -> dict[str, Any]:
    """A PDF as an attachment."""
    return {
        "type": "file",
        "mime_type": "application/pdf",
        "url": f"{media_url}/guide.pdf",
        "filename": "guide.pdf",
    }


def response(response_type: str, number: int, media_url: str = MEDIA_URL) -> dict[str, Any]:
    """One response object. Raises ConfigError for a type that does not exist."""
    _known(response_type, RESPONSE_TYPES, "response type")
    return {"type": response_type} | _response(response_type, number, media_url)


def _response(response_type: str, number: int, media_url: str) -> dict[str, Any]:
    match response_type:
        case "text":
            options = [
                {"label": "Track order", "text": "I want to track my order"},
                {"label": "Talk to a person", "text": "handover"},
            ]
            return {"text": f"Your order {number} is on its way.", "options": options}
        case "image":
            return {"url": f"{media_url}/hills.png", "name": "Green hills"}
        case "video":
            return {"url": f"{media_url}/sunrise.mp4", "name": "A sunrise", "size": 36_504}
        case "audio":
            return {"url": f"{media_url}/chime.wav", "name": "A chime", "size": 17_682}
        case "file":
            return {"url": f"{media_url}/guide.pdf", "name": "guide.pdf", "size": 737}
        case "url":
            return {"url": f"{media_url}/guide.pdf"}
        case "carousel":
            names = {"hills": "Green hills", "lake": "Evening lake", "dunes": "Warm dunes"}
            return {"cards": [_card(name, title, media_url) for name, title in names.items()]}
        case "handover":
            return {
                "text": "I am connecting you with a person.",
                "desk_id": "desk-1",
                "department_id": "support",
            }
        case "webview":
            return {
                "url": f"{media_url}/form.html",
                "label": "Book a table",
                "height": "tall",
                "name": "A form",
            }
        case "survey":
            return {"url": f"{media_url}/form.html", "label": "Rate this chat", "height": "compact"}
        case "pause":
            return {"duration": 2, "show_typing": True}
    return {}


def _card(name: str, title: str, media_url: str) -> dict[str, Any]:
    picture = f"{media_url}/{name}.png"
    return {
        "title": title,
        "subtitle": "A walk of two hours",
        "media": {"type": "image", "url": picture},
        "default_action": {"type": "url", "label": title, "url": picture},
        "buttons": [
            {"type": "postback", "label": "Choose", "value": f"choose_{name}"},
            {"type": "url", "label": "Picture", "url": picture},
            {"type": "webview", "label": "Book", "url": f"{media_url}/form.html", "height": "compact"},
        ],
    }


def _known(name: str, names: Mapping[str, object], what: str) -> None:
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else "one of " + ", ".join(names)
        raise ConfigError(f"no {what} is called {name}: {hint}")
