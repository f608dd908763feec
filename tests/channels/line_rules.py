"""What LINE would say of a call: by the models of its own SDK, and by the limits beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import regex
from pydantic import v1 as pydantic

IDS = regex.compile("[UCR][0-9a-f]{32}")


@cache
def _models() -> dict[str, Any]:
    from linebot.v3.messaging import models  # only here: it takes a second, and most tests do not need it

    return {
        "/v2/bot/message/push": models.PushMessageRequest,
        "/v2/bot/chat/loading/start": models.ShowLoadingAnimationRequest,
        "/v2/bot/chat/markAsRead": models.MarkMessagesAsReadByTokenRequest,
    }


def problems(path: str, body: Mapping[str, Any]) -> list[str]:
    """Everything LINE would refuse in the request; empty for a good one."""
    model = _models().get(path)
    if model is None:
        return [f"there is no {path}"]
    try:
        known = model.from_dict(body).to_dict()
    except (pydantic.ValidationError, ValueError) as error:
        return str(error).splitlines()
    found = list(_unknown("", body, known))
    if path.endswith("markAsRead"):
        return found if body["markAsReadToken"] else [*found, "an invalid markAsReadToken"]
    if not IDS.fullmatch(_chat(body)):
        found.append("the chat is none")
    if path.endswith("push"):
        for message in body["messages"]:
            found += _message(message)
    elif not (5 <= body["loadingSeconds"] <= 60 and body["loadingSeconds"] % 5 == 0):
        found.append(f"{body['loadingSeconds']} seconds")
    return found


def _chat(body: Mapping[str, Any]) -> str:
    return str(body.get("to", body.get("chatId", "")))


def _unknown(path: str, given: Any, known: Any) -> Iterator[str]:
    """What the models, which pass over fields they do not know, did not take."""
    if isinstance(given, Mapping) and isinstance(known, Mapping):
        for name, value in given.items():
            if name in known:
                yield from _unknown(f"{path}.{name}", value, known[name])
            else:
                yield f"{path}.{name}: unknown"
    elif isinstance(given, list) and isinstance(known, list) and len(given) == len(known):
        for index, (one, other) in enumerate(zip(given, known, strict=True)):
            yield from _unknown(f"{path}[{index}]", one, other)
    elif given != known:
        yield f"{path}: {given!r} is taken for {known!r}"


def _message(message: Mapping[str, Any]) -> Iterator[str]:
    match message["type"]:
        case "text":
            if not message["text"].strip() or _units(message["text"]) > 5000:
                yield f"text: {_units(message['text'])} units"
        case "flex":
            if not message["altText"].strip() or _units(message["altText"]) > 400:
                yield f"altText: {_units(message['altText'])} units"
            yield from _container(message["contents"])
        case "image" | "video" | "audio":
            for name in ("originalContentUrl", "previewImageUrl"):
                if name in message:
                    yield from _loaded(message[name])
            if message["type"] == "audio" and message["duration"] <= 0:
                yield "duration: must be positive"
        case other:
            yield f"the channel has no {other}"
    items = message.get("quickReply", {"items": [None]})["items"]
    if not 1 <= len(items) <= 13:
        yield f"{len(items)} quick replies"
    for item in filter(None, items):
        yield from _action(item["action"], labelled=True)


def _container(contents: Mapping[str, Any]) -> Iterator[str]:
    bubbles = [contents]
    if contents["type"] == "carousel":
        bubbles = contents["contents"]
        if not 1 <= len(bubbles) <= 12:
            yield f"{len(bubbles)} bubbles"
        if _bytes(contents) > 50_000:
            yield "a carousel that is too big"
    for bubble in bubbles:
        if _bytes(bubble) > 30_000:
            yield "a bubble that is too big"
        if not bubble.keys() & {"header", "hero", "body", "footer"}:
            yield "a bubble with nothing in it"
        if "hero" in bubble:
            yield from _loaded(bubble["hero"]["url"])
        if "action" in bubble:
            yield from _action(bubble["action"])
        for block in ("body", "footer"):
            for part in bubble.get(block, {"contents": ()})["contents"]:
                if part["type"] == "text" and not part["text"].strip():
                    yield "an empty text"
                if part["type"] == "button":
                    yield from _action(part["action"], labelled=True)


def _action(action: Mapping[str, Any], *, labelled: bool = False) -> Iterator[str]:
    label = action.get("label", "")
    if (labelled and not label.strip()) or _clusters(label) > 20:
        yield f"label: {_clusters(label)}"
    match action["type"]:
        case "postback":
            if not 1 <= len(action["data"]) <= 300 or _clusters(action.get("displayText", "")) > 300:
                yield "postback: too long"
        case "uri":
            uri = urlsplit(action["uri"])
            if uri.scheme not in ("http", "https", "tel") or len(action["uri"]) > 1000:
                yield "uri: invalid"
            if not action["uri"].isascii() or " " in action["uri"]:
                yield "uri: invalid characters"
        case other:
            yield f"no action {other}"


def _loaded(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or len(url) > 2000 or not url.isascii() or " " in url:
        yield "must specify a valid HTTPS URL"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _clusters(text: str) -> int:
    return len(regex.findall(r"\X", text))


def _bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
