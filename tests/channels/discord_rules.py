"""What Discord would say of a call: by discord_typings' types, and by the limits beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import discord_typings
import pydantic

FIELDS = {"content", "embeds", "components", "allowed_mentions", "nonce", "enforce_nonce"}
ADDRESS = re.compile(r"https?://[!-~]+")


@cache
def _types() -> dict[str, pydantic.TypeAdapter[Any]]:
    return {
        "embeds": pydantic.TypeAdapter(list[discord_typings.EmbedData]),
        "components": pydantic.TypeAdapter(list[discord_typings.ComponentData]),
    }


def problems(op: str, body: Mapping[str, Any]) -> list[str]:
    """Everything Discord would refuse in the call; empty for a good one."""
    if op == "typing":
        return ["typing: takes no body"] if body else []
    return list(_message(body)) if op == "messages" else [f"there is no {op}"]


def _message(body: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{name}: unknown" for name in body.keys() - FIELDS)
    if not any(body.get(name) for name in ("content", "embeds", "components")):
        yield "50006: an empty message"
    if "content" in body and not (body["content"].strip() and len(body["content"]) <= 2000):
        yield f"content: {len(body['content'])} characters"
    if body.get("allowed_mentions") != {"parse": []}:
        yield "allowed_mentions: somebody may be mentioned"
    if not 1 <= len(body.get("nonce", "x")) <= 25 or ("nonce" in body) != body.get("enforce_nonce", False):
        yield "nonce: too long, or not enforced"
    for name, model in _types().items():
        try:
            if model.validate_python(body.get(name, []), strict=True) != body.get(name, []):
                yield f"{name}: has unknown fields"  # the types drop what they do not know
        except pydantic.ValidationError as error:
            yield from (
                f"{name}.{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
            )
            return
    yield from _embeds(body.get("embeds", []))
    yield from _rows(body.get("components", []))


def _embeds(embeds: list[dict[str, Any]]) -> Iterator[str]:
    if len(embeds) > 10:
        yield f"{len(embeds)} embeds"
    for embed in embeds:
        title, said = embed.get("title", "x"), embed.get("description", "x")
        if not (title.strip() and len(title) <= 256 and said.strip() and len(said) <= 4096):
            yield f"embed: {len(title)} and {len(said)} characters"
        if "image" in embed and not (
            ADDRESS.fullmatch(embed["image"]["url"]) and len(embed["image"]["url"]) <= 2048
        ):
            yield "embed: no address of an image"
    if sum(len(embed.get(part, "")) for embed in embeds for part in ("title", "description")) > 6000:
        yield "embeds: over 6000 characters"


def _rows(rows: list[dict[str, Any]]) -> Iterator[str]:
    if len(rows) > 5:
        yield f"{len(rows)} rows"
    parts = [part for row in rows for part in row["components"]]
    ids = [part["custom_id"] for part in parts if "custom_id" in part]
    if len(set(ids)) < len(ids) or not all(1 <= len(each) <= 100 for each in ids):
        yield "custom_id: two alike, an empty or a long one"
    for row in rows:
        menus = [part for part in row["components"] if part["type"] == 3]
        if row["type"] != 1 or not 1 <= len(row["components"]) <= (1 if menus else 5):
            yield f"a row of {len(row['components'])}"
        for menu in menus:
            yield from _menu(menu["options"])
    for button in (part for part in parts if part["type"] == 2):
        if not (button["label"].strip() and len(button["label"]) <= 80):
            yield f"button: a label of {len(button['label'])}"
        if (button["style"] == 5) != ("url" in button) or ("url" in button) == ("custom_id" in button):
            yield "button: does nothing, or two things"
        if "url" in button and not _is_address(button["url"], 512):
            yield "button: no address"


def _menu(options: list[dict[str, Any]]) -> Iterator[str]:
    values = [option["value"] for option in options]
    if not 1 <= len(options) <= 25 or len(set(values)) < len(values):
        yield f"menu: {len(options)} options, or two alike"
    for option in options:
        if not (1 <= len(option["label"]) <= 100 and 1 <= len(option["value"]) <= 100):
            yield "option: too long"


def _is_address(url: str, limit: int) -> bool:
    return bool(ADDRESS.fullmatch(url)) and len(url) <= limit


# ---- what Discord shows ------------------------------------------------------------------------------------

LINK = re.compile(r"https?://[^\s<]+[^<.,:;\"'\])\s]")
MARKUP = re.compile(r"[*_~`|<\[]|:[\w+-]+:|^\s*(?:[#>+-]|\d+[.)])|\w+://", re.MULTILINE)
HIDDEN = "\ue000"
"""Stands for a character that a backslash has made harmless, while markup is looked for."""


def shown(markdown: str) -> str:
    """The words as a reader sees them. Fails for any that Discord would take for markup."""
    words, bare, end = "", "", 0
    for found in [*LINK.finditer(markdown), None]:
        plain = markdown[end : found.start()] if found else markdown[end:]
        words += re.sub(r"\\([^\w\s])|\\(_)", r"\1\2", plain)
        bare += re.sub(r"\\([^\w\s]|_)", HIDDEN, plain)
        if found:
            words, bare, end = words + found[0], bare + HIDDEN, found.end()
    assert not MARKUP.search(bare), f"read as markup: {bare!r}"
    return words
