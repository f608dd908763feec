"""Moveo's own page of webhook payloads, verbatim, and its JSON cut out of it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, NamedTuple

PAGE = Path(__file__).with_name("webhook-event-payloads.txt")


class Payload(NamedTuple):
    """`data` as cut from the page; a response object stands in the page's own message:brain_send."""

    name: str
    data: dict[str, Any]

    @property
    def raw(self) -> bytes:
        return json.dumps(self.data).encode()


def blocks(page: str) -> list[dict[str, Any]]:
    """Every JSON object that starts a line of the page, outermost ones only, in their order."""
    found = []
    rest = page
    while (start := rest.find("\n{\n")) >= 0:
        value, end = json.JSONDecoder().raw_decode(rest, start + 1)
        found.append(value)
        rest = rest[end:]
    return found


def payloads() -> list[Payload]:
    """Every payload of the page: events by their type, responses as "message:brain_send <type>"."""
    found = blocks(PAGE.read_text())
    envelope = next(block for block in found if block.get("event_type") == "message:brain_send")
    return [_event(block, envelope) for block in found]


def _event(block: dict[str, Any], envelope: dict[str, Any]) -> Payload:
    if "event_type" in block:
        return Payload(block["event_type"], block)
    event = copy.deepcopy(envelope)
    event["output"]["responses"] = [block]
    return Payload(f"message:brain_send {block['type']}", event)
