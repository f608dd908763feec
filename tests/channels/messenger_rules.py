"""What Meta would say of a call of the Send API, by the limits its pages state.

https://developers.facebook.com/docs/messenger-platform/reference/send-api
The packages on PyPI that know Messenger's templates import no more in current Pythons, or state no limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

Platform = Literal["messenger", "instagram"]

SIGNS = {"typing_on", "typing_off", "mark_seen"}
FILES = {"image", "video", "audio", "file"}
HEIGHTS = {"compact", "tall", "full"}


def problems(body: Mapping[str, Any], platform: Platform) -> list[str]:
    """Everything Meta would refuse in the request's body; empty for a good one."""
    return list(_request(body, platform))


def _request(body: Mapping[str, Any], platform: Platform) -> Iterator[str]:
    match body:
        case {"recipient": {"id": str(to), **more}, "sender_action": sign, **rest} if not more and not rest:
            if sign not in SIGNS or not to:
                yield f"sender_action: {sign}"
        case {
            "recipient": {"id": str(to), **more},
            "messaging_type": "RESPONSE",
            "message": message,
            **rest,
        } if to and not more and not rest:
            yield from _message(message, platform)
        case _:
            yield f"no request of the Send API: {sorted(body)}"


def _message(message: Mapping[str, Any], platform: Platform) -> Iterator[str]:
    match message:
        case {"text": str(said), **rest} if set(rest) <= {"quick_replies"}:
            length = len(said.encode()) if platform == "instagram" else len(said)
            if not said.strip() or length > (1000 if platform == "instagram" else 2000):
                yield f"text: {length}"
            if rest:
                yield from _quick_replies(rest["quick_replies"])
        case {"attachment": {"type": "template", "payload": payload, **more}, **rest} if (
            not rest and not more
        ):
            yield from _template(payload, platform)
        case {"attachment": {"type": form, "payload": {"url": url, **most}, **more}, **rest} if (
            form in FILES and not rest and not more and not most
        ):
            yield from _address(url)
        case _:
            yield f"message: {message}"


def _quick_replies(replies: list[dict[str, str]]) -> Iterator[str]:
    if not 1 <= len(replies) <= 13:
        yield f"{len(replies)} quick replies"
    if len({reply["title"] for reply in replies}) < len(replies):
        yield "two quick replies that look alike"
    for reply in replies:
        if set(reply) != {"content_type", "title", "payload"} or reply["content_type"] != "text":
            yield f"quick reply: {sorted(reply)}"
            continue
        yield from _length("quick reply", reply["title"], 20)
        yield from _length("payload", reply["payload"], 1000)


def _template(payload: Mapping[str, Any], platform: Platform) -> Iterator[str]:
    match payload:
        case {"template_type": "generic", "elements": [*elements], **rest} if not rest:
            if not 1 <= len(elements) <= 10:
                yield f"{len(elements)} elements"
            for element in elements:
                yield from _element(element, platform)
        case {"template_type": "button", "text": str(said), "buttons": [*buttons], **rest} if not rest:
            if platform == "instagram":
                yield "a button template"
            yield from _length("text", said, 640)
            yield from _buttons(buttons, platform)
        case _:
            yield f"template: {payload}"


def _element(element: Mapping[str, Any], platform: Platform) -> Iterator[str]:
    if set(element) - {"title", "subtitle", "image_url", "default_action", "buttons"} or len(element) < 2:
        yield f"element: {sorted(element)}"
    yield from _length("title", element.get("title", ""), 80)
    if "subtitle" in element:
        yield from _length("subtitle", element["subtitle"], 80)
    if "image_url" in element:
        yield from _address(element["image_url"])
    if "buttons" in element:
        yield from _buttons(element["buttons"], platform)
    if "default_action" in element:
        if "title" in element["default_action"] or element["default_action"]["type"] != "web_url":
            yield "default_action: only web_url, and no title"
        else:
            yield from _button({**element["default_action"], "title": "x"}, platform)


def _buttons(buttons: list[dict[str, str]], platform: Platform) -> Iterator[str]:
    if not 1 <= len(buttons) <= 3:
        yield f"{len(buttons)} buttons"
    for button in buttons:
        yield from _button(button, platform)


def _button(button: Mapping[str, str], platform: Platform) -> Iterator[str]:
    match button:
        case {"type": "postback", "title": title, "payload": payload, **rest} if not rest:
            yield from _length("button", title, 20)
            yield from _length("payload", payload, 1000)
        case {"type": "web_url", "title": title, "url": url, **rest}:
            yield from _length("button", title, 20)
            yield from _address(url)
            if rest and (platform == "instagram" or rest.keys() != {"webview_height_ratio"}):
                yield f"button: {sorted(rest)}"
            if rest.get("webview_height_ratio", "full") not in HEIGHTS:
                yield "webview_height_ratio"
        case _:
            yield f"button: {button}"


def _length(what: str, said: str, limit: int) -> Iterator[str]:
    if not said.strip() or len(said) > limit:
        yield f"{what}: {len(said)} characters"


def _address(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii() or " " in url:
        yield "an address that cannot be opened"
