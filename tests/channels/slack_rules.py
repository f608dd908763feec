"""What Slack would say of a chat.postMessage: by slack_sdk's models, and by the limits beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block, Option

FIELDS = {"channel", "text", "mrkdwn", "thread_ts", "blocks"}
LINK = re.compile(r"<(https?://[^|<>\s]+)>")
MARKUP = re.compile(r"[*_~`]|^\s*(?:>|&gt;)|:[\w+'-]+:", re.MULTILINE)


def problems(op: str, body: Mapping[str, Any]) -> list[str]:
    """Everything Slack would refuse in the call, or show otherwise than it is meant; empty for a good one."""
    return [f"there is no method {op}"] if op != "chat.postMessage" else list(_problems(body))


def _problems(body: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{name}: unknown" for name in body.keys() - FIELDS)
    if not re.fullmatch(r"[A-Z0-9]+", body["channel"]):
        yield "channel_not_found"
    if not 1 <= len(body["text"]) <= 40_000 or not body["text"].strip():
        yield "no_text, or msg_too_long"
    if body.get("mrkdwn") is not False or re.search("[<>]|&(?!amp;|lt;|gt;)", body["text"]):
        yield "text: is read as markup"
    if "blocks" in body:
        yield from _blocks(body["blocks"])


def _blocks(blocks: list[dict[str, Any]]) -> Iterator[str]:
    if not 1 <= len(blocks) <= 50:
        yield f"{len(blocks)} blocks"
    for block in blocks:
        yield from _block(block)
    parts = list(_parts(blocks))
    if sum(len(part) for part in parts if isinstance(part, str)) > 13_200:
        yield "msg_blocks_too_long"
    ids = [part["action_id"] for part in parts if isinstance(part, dict) and "action_id" in part]
    if len(set(ids)) < len(ids):
        yield "two elements with one action_id"
    for part in parts:
        if isinstance(part, dict):
            yield from _part(part)


def _block(block: dict[str, Any]) -> Iterator[str]:
    try:
        parsed = Block.parse(block)
        if parsed is None or parsed.to_dict() != block:  # the models drop what they do not know
            yield f"{block['type']}: is unknown, or has unknown or empty fields"
    except (SlackObjectFormationError, TypeError) as error:
        yield f"{block['type']}: {error}"
    for card in block["elements"] if block["type"] == "carousel" else ():
        yield from _block(card)


def _part(part: dict[str, Any]) -> Iterator[str]:
    match part:
        case {"type": "plain_text" | "mrkdwn", "text": str(text)} if (
            not 1 <= len(text) <= 3000 or not text.strip()
        ):
            yield f"{part['type']}: {len(text)} characters"
        case {"type": "mrkdwn", "text": str(text)} if MARKUP.search(LINK.sub("", unbold(text))):
            yield f"mrkdwn: has markup in it: {text!r}"
        case {"type": "static_select", "options": list(options), "placeholder": {"type": "plain_text"}}:
            for option in options:
                try:
                    Option(**option).validate_json()
                except SlackObjectFormationError as error:
                    yield f"option: {error}"
        case {"type": "actions", "elements": list(elements)} if not 1 <= len(elements) <= 25:
            yield f"{len(elements)} elements"
        case {"type": "button"} if ("url" in part) == ("value" in part):
            yield "button: does nothing, or two things"
    for field in ("url", "image_url"):
        if field in part and not re.fullmatch(r"https?://[!-~]+", part[field]):
            yield f"{field}: no address"


def _parts(value: Any) -> Iterator[Any]:
    yield value
    match value:
        case dict():
            for part in value.values():
                yield from _parts(part)
        case list():
            for part in value:
                yield from _parts(part)


# ---- what Slack shows --------------------------------------------------------------------------------------


def unbold(text: str) -> str:
    """Without the one mark-up the channel writes itself: its first line in bold."""
    first, *rest = text.split("\n")
    return "\n".join([first[1:-1] if re.fullmatch(r"\*.+\*", first) else first, *rest])


def shown(text: Mapping[str, Any]) -> str:
    """The words of a text object as a reader sees them, bold or not."""
    said: str = text["text"]
    if text["type"] == "mrkdwn":
        said = LINK.sub(r"\1", unbold(said))
    return unescaped(said)


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def read(body: Mapping[str, Any]) -> list[str]:
    """The texts of the sections of a message; the message's own text when it has no blocks."""
    if "blocks" not in body:
        return [unescaped(body["text"])]
    return [shown(block["text"]) for block in body["blocks"] if block["type"] == "section"]
