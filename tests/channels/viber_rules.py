"""What Viber would say of a request: its own package, and rules written by hand from its pages.

https://developers.viber.com/docs/api/rest-bot-api/ and https://developers.viber.com/docs/tools/keyboards/.
The package knows the fields of each message and checks that they are there, and no more than that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

MB = 2**20
REQUIRED: dict[str, dict[str, type]] = {
    "text": {"text": str},
    "picture": {"text": str, "media": str},
    "video": {"media": str, "size": int},
    "file": {"media": str, "size": int, "file_name": str},
    "rich_media": {"min_api_version": int, "alt_text": str, "rich_media": dict},
}
COMMON: dict[str, type] = {"receiver": str, "sender": dict, "type": str}
OPTIONAL: dict[str, type] = {"keyboard": dict, "min_api_version": int}
ADDRESSED = {"receiver", "sender"}
"""What its sender adds."""
LENGTHS = {"text": 7000, "alt_text": 7000, "file_name": 256, "media": 2000}
ENDINGS = {"picture": {".jpg", ".jpeg", ".png", ".gif"}, "video": {".mp4"}}
SIZES = {"video": 26 * MB, "file": 50 * MB}
BUTTON: dict[str, type] = {
    "Columns": int,
    "Rows": int,
    "ActionType": str,
    "ActionBody": str,
    "Text": str,
    "TextSize": str,
    "TextHAlign": str,
    "TextVAlign": str,
    "BgColor": str,
    "BgMedia": str,
    "BgMediaType": str,
    "BgLoop": bool,
    "Image": str,
    "OpenURLType": str,
    "Silent": bool,
}
GROUPS: dict[str, type] = {"ButtonsGroupColumns": int, "ButtonsGroupRows": int, "BgColor": str}
BOARD: dict[str, type] = {"Type": str, "Buttons": list}


def problems(body: Mapping[str, Any]) -> list[str]:
    """Everything Viber would refuse in the request; empty for a good one."""
    required = REQUIRED.get(str(body.get("type")))
    if required is None:
        return [f"there is no type {body.get('type')}"]
    found = [*_fields(body, COMMON | required, OPTIONAL)]
    return found or [*_of_the_package(body), *_message(body)]


def _of_the_package(body: Mapping[str, Any]) -> Iterator[str]:
    from viberbot.api.messages import get_message  # only here: it takes a while

    message = get_message(dict(body))
    if not message.validate():
        yield "viberbot does not send it"
    theirs = message.to_dict()
    for name, value in body.items():
        if name not in ADDRESSED and theirs.get(name) != value:
            yield f"viberbot has no {name}"


def _fields(
    given: Mapping[str, Any], required: Mapping[str, type], optional: Mapping[str, type] | None = None
) -> Iterator[str]:
    known = {**(optional or {}), **required}
    yield from (f"{name}: missing" for name in required if name not in given)
    for name, value in given.items():
        if name not in known:
            yield f"{name}: unknown"
        elif type(value) is not known[name]:
            yield f"{name}: {value!r} is no {known[name].__name__}"


def _message(body: Mapping[str, Any]) -> Iterator[str]:
    kind = body["type"]
    if len(json.dumps(body)) > 30_000:
        yield "request over 30 kB"
    if not 1 <= len(body["sender"]["name"]) <= 28:
        yield "sender: too long"
    for name, longest in LENGTHS.items():
        if _units(body.get(name, "")) > longest:
            yield f"{name}: too long"
    if kind == "text" and not body["text"].strip():
        yield "text: empty"
    if kind == "picture" and _units(body["text"]) > 512:
        yield "text: too long for a picture"
    if "media" in body:
        yield from _address(body["media"])
        ending = PurePosixPath(urlsplit(body["media"]).path).suffix.lower()
        if ending not in ENDINGS.get(kind, {ending}):
            yield f"media: {ending}"
    if not 1 <= body.get("size", 1) <= SIZES.get(kind, 1):
        yield "size: too large"
    if "keyboard" in body:
        yield from _keyboard(body["keyboard"])
    if "rich_media" in body:
        yield from _rich_media(body["rich_media"])
    boards = [body[name] for name in ("keyboard", "rich_media") if name in body]
    silent = any("Silent" in button for board in boards for button in board["Buttons"])
    if silent and body.get("min_api_version", 1) < 6:
        yield "Silent: needs version 6"


def _keyboard(board: Mapping[str, Any]) -> Iterator[str]:
    yield from _fields(board, BOARD | {"DefaultHeight": bool})
    rows = sum(button["Columns"] * button["Rows"] for button in board["Buttons"]) / 6
    if board["Type"] != "keyboard" or not 1 <= rows <= 12 or rows != int(rows):
        yield f"keyboard: {rows} rows"
    for button in board["Buttons"]:
        yield from _button(button)


def _rich_media(board: Mapping[str, Any]) -> Iterator[str]:
    yield from _fields(board, BOARD | GROUPS)
    columns, rows = board["ButtonsGroupColumns"], board["ButtonsGroupRows"]
    if board["Type"] != "rich_media" or not (1 <= columns <= 6 and 1 <= rows <= 7):
        yield f"rich_media: blocks of {columns} x {rows}"
    filled = blocks = 0
    for button in board["Buttons"]:
        yield from _button(button)
        filled += button["Columns"] * button["Rows"]
        if filled == columns * rows:
            filled, blocks = 0, blocks + 1
        elif filled > columns * rows:
            yield "a block that is not filled as the others are"
            filled = 0
    if filled or not 1 <= blocks <= 6:
        yield f"{blocks} blocks, and {filled} cells more"


def _button(button: Mapping[str, Any]) -> Iterator[str]:
    yield from _fields(button, {name: BUTTON[name] for name in ("ActionType", "ActionBody")}, BUTTON)
    if not 1 <= button["Columns"] <= 6 or not 1 <= button["Rows"] <= 7:
        yield "a button of a wrong size"
    if not button["ActionBody"] or len(button.get("Text", "")) > 250:
        yield "a button that does nothing, or with too long a text"
    if not button.keys() & {"Text", "Image", "BgMedia"} or not button.get("Text", "x").strip():
        yield "a button with nothing on it"
    match button["ActionType"]:
        case "open-url":
            yield from _address(button["ActionBody"])
        case "reply" | "none":
            pass
        case other:
            yield f"no action {other}"
    for name in ("Image", "BgMedia"):
        if name in button:
            yield from _address(button[name])


def _address(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii() or " " in url:
        yield f"{url}: no address"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
