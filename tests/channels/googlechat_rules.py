"""What Google Chat would say of a request: by Google's own models, and by the limits beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bridge.channels import Request

CARD_BYTES = 32_000
WIDGETS = 100
PARAMETERS = {"key", "token", "requestId", "messageId", "messageReplyOption"}
TAGS = re.compile(r"</?b>|&(?:amp|lt|gt);")


def problems(request: Request) -> list[str]:
    """Everything Chat would refuse in the request; empty for a good one."""
    from google.apps.chat_v1.types import Message  # only here: it takes a while
    from google.protobuf.json_format import ParseError

    body = json.loads(request.body)
    try:
        Message.from_json(request.body.decode())
    except ParseError as error:  # a field that there is not, or of another type
        return [str(error)]
    return [*_address(request), *_beyond_limits(request, body)]


def _address(request: Request) -> Iterator[str]:
    parts = urlsplit(request.url)
    query = parse_qs(parts.query, strict_parsing=True, keep_blank_values=True) if parts.query else {}
    if not re.fullmatch("/v1/spaces/[^/]+/messages", parts.path):
        yield f"no space's messages: {parts.path}"
    if strange := query.keys() - PARAMETERS:
        yield f"parameters that there are not: {strange}"
    if not re.fullmatch("client-[a-z0-9-]{1,56}", query.get("messageId", ["client-1"])[0]):
        yield "a messageId of another form"
    if ("authorization" in request.headers) == ("key" in query):
        yield "either a token of the app, or key and token of a webhook"


def _beyond_limits(request: Request, body: Mapping[str, Any]) -> Iterator[str]:
    if len(request.body) > CARD_BYTES:
        yield f"a message of {len(request.body)} bytes"
    if not body.get("text", "").strip() and not body.get("cardsV2"):
        yield "neither a text nor a card"
    cards = body.get("cardsV2", [])
    if len({card["cardId"] for card in cards}) < len(cards):
        yield "two cards with the same id"
    for card in cards:
        widgets = [widget for section in card["card"]["sections"] for widget in section["widgets"]]
        if not 1 <= len(widgets) <= WIDGETS:
            yield f"{len(widgets)} widgets on a card"
        yield from _widgets(widgets, nested=False)
    yield from _widgets(body.get("accessoryWidgets", []), nested=True)


def _widgets(widgets: list[dict[str, Any]], *, nested: bool) -> Iterator[str]:
    for widget in widgets:
        match widget:
            case {"textParagraph": {"text": str(said)}} if said.strip():
                if re.search("[<>]|&(?!amp;|lt;|gt;)", TAGS.sub("", said)):
                    yield f"not HTML: {said[:60]}"
            case {"image": {"imageUrl": str(url)}} if _is_web(url) and url.startswith("https:"):
                pass
            case {"buttonList": {"buttons": [_, *_] as buttons}}:
                yield from _buttons(buttons)
            case {"carousel": {"carouselCards": [_, *_] as slides}} if not nested:
                for slide in slides:
                    inside = [*slide["widgets"], *slide.get("footerWidgets", ())]
                    yield from _widgets(inside, nested=True)
            case _:
                yield f"a widget that shows nothing: {json.dumps(widget)[:80]}"


def _buttons(buttons: list[dict[str, Any]]) -> Iterator[str]:
    for button in buttons:
        match button:
            case {"text": str(label), "onClick": {"action": {"function": str(), "parameters": [_, *_]}}}:
                pass
            case {"text": str(label), "onClick": {"openLink": {"url": str(url)}}} if _is_web(url):
                pass
            case _:
                yield f"a button that does nothing: {json.dumps(button)[:80]}"
                continue
        if not label.strip():
            yield "a button without a label"


def _is_web(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and url.isascii() and " " not in url
