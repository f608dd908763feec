"""What Telegram would say of a call: by aiogram's models of its methods, and by the limits beside them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pydantic

MEDIA = {
    "sendPhoto": "photo",
    "sendAnimation": "animation",
    "sendVideo": "video",
    "sendAudio": "audio",
    "sendVoice": "voice",
    "sendDocument": "document",
}
ACTIONS = {"callback_data", "url", "web_app"}


@cache
def _methods() -> dict[str, type[pydantic.BaseModel]]:
    import aiogram.methods  # only here: it takes seconds, and most tests do not need it

    classes = (value for value in vars(aiogram.methods).values() if inspect.isclass(value))
    return {getattr(cls, "__api_method__", ""): cls for cls in classes if issubclass(cls, pydantic.BaseModel)}


def problems(op: str, body: Mapping[str, Any]) -> list[str]:
    """Everything Telegram would refuse in the call; empty for a good one."""
    method = _methods().get(op)
    if method is None:
        return [f"there is no method {op}"]
    try:
        model = method.model_validate(body)
    except pydantic.ValidationError as error:
        return [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
    return [*_unknown(op, model), *_beyond_limits(op, body)]


def _unknown(path: str, value: object) -> Iterator[str]:
    """The fields that no model knows (the models let them pass)."""
    if isinstance(value, pydantic.BaseModel):
        yield from (f"{path}.{name}: unknown" for name in value.model_extra or ())
        for name in type(value).model_fields:
            yield from _unknown(f"{path}.{name}", getattr(value, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown(f"{path}[{index}]", item)


def _beyond_limits(op: str, body: Mapping[str, Any]) -> Iterator[str]:
    chat = body.get("chat_id")
    if isinstance(chat, str) and not chat.startswith("@"):
        yield "chat_id: neither a number nor @name"
    if op == "sendMessage" and not 1 <= _units(body["text"].strip()) <= 4096:
        yield f"text: {_units(body['text'])} units"
    if _units(body.get("caption", "")) > 1024:
        yield f"caption: {_units(body['caption'])} units"
    said = body.get("text", body.get("caption", ""))
    for entity in body.get("entities", body.get("caption_entities", ())):
        if not 0 <= entity["offset"] < entity["offset"] + entity["length"] <= _units(said):
            yield "entities: outside the text"
    if op in MEDIA and not _is_web(body[MEDIA[op]]):
        yield f"{MEDIA[op]}: not an address Telegram could fetch"
    if "reply_markup" in body:
        yield from _keyboard(body["reply_markup"]["inline_keyboard"], chat)


def _keyboard(rows: list[list[dict[str, Any]]], chat: int | str | None) -> Iterator[str]:
    buttons = [button for row in rows for button in row]
    if not 1 <= len(buttons) <= 100 or not all(1 <= len(row) <= 8 for row in rows):
        yield f"{len(buttons)} buttons in {len(rows)} rows"
    if len(json.dumps(rows, ensure_ascii=False).encode()) > 10_000:
        yield "reply markup is too long"
    for button in buttons:
        if not button["text"].strip() or len(ACTIONS & button.keys()) != 1:
            yield "a button without a label, or without exactly one action"
        if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= 64:
            yield "BUTTON_DATA_INVALID"
        if "url" in button and not _is_web(button["url"]):
            yield f"inline keyboard button URL '{button['url']}' is invalid"
        if "web_app" in button:
            private = isinstance(chat, int) and chat > 0
            if not private or not button["web_app"]["url"].startswith("https://"):
                yield "BUTTON_TYPE_INVALID"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _is_web(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and url.isascii() and " " not in url
