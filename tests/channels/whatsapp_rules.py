"""What WhatsApp would say of a message: pywa has to make the same of its parts, and Meta's limits hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

COMMON = {"messaging_product", "recipient_type", "to", "recipient", "type"}
MEDIA = {"image", "video", "audio", "document"}


def problems(body: Mapping[str, Any]) -> list[str]:
    """Everything WhatsApp would refuse in the request's body; empty for a good one."""
    try:
        rebuilt = _by_pywa(body)
    except (KeyError, TypeError, ValueError) as error:
        return [f"no message pywa knows: {error!r}"]
    if rebuilt != _titled(body):
        return [f"pywa makes {rebuilt} of it"]
    return list(_beyond_limits(body)) if "type" in body else []


# ---- the same message, made by pywa ------------------------------------------------------------------------


@cache
def _client() -> tuple[Any, list[Any]]:
    from pywa.client import WhatsApp  # only here: it takes a while, and most tests do not need it

    sent: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        said = {"messages": [{"id": "wamid.1"}], "contacts": [{"input": "1", "wa_id": "1"}], "success": True}
        return httpx.Response(200, json=said)

    http = httpx.Client(transport=httpx.MockTransport(answer), base_url="https://graph.example")
    return WhatsApp(phone_id="1", token="t", session=http), sent


def _by_pywa(body: Mapping[str, Any]) -> Any:
    client, sent = _client()
    if "status" in body:
        mark = client.indicate_typing if "typing_indicator" in body else client.mark_message_as_read
        mark(body["message_id"])
        return sent.pop()
    to = body.get("to") or body["recipient"]
    kind = body["type"]
    content = body[kind]
    if kind == "text":
        client.send_message(to, content["body"], preview_url=content.get("preview_url", False))
        sent[-1]["text"] = {**content, "body": sent[-1]["text"]["body"]}  # pywa always writes preview_url
    elif kind == "interactive":
        _interactive(client, to, content)
    elif kind in MEDIA:
        parts = {name: content[name] for name in ("caption", "filename") if name in content}
        if kind == "document":
            parts.setdefault("filename", None)
        getattr(client, f"send_{kind}")(to, content["link"], **parts)
    else:
        raise ValueError(kind)
    return sent.pop()


def _interactive(client: Any, to: str, content: Mapping[str, Any]) -> None:
    from pywa.types import callback as types

    action, said = content["action"], content["body"]["text"]
    header = content.get("header")
    if content["type"] == "carousel":
        classes: dict[str, Any] = {"image": types.ImageCarouselCard, "video": types.VideoCarouselCard}
        cards = []
        for card in action["cards"]:
            head = card["header"]["type"]
            parts = {head: card["header"][head]["link"], "body": card.get("body", {}).get("text")}
            cards.append(classes[head](**parts, buttons=_buttons(card["action"], "quick_reply")))
        client.send_carousel(to, body=said, cards=cards)
    elif header:
        send = {"image": client.send_image, "video": client.send_video}[header["type"]]
        send(to, header[header["type"]]["link"], said, buttons=_buttons(action, "reply"))
    else:
        client.send_message(to, said, buttons=_buttons(action, "reply"))


def _buttons(action: Mapping[str, Any], reply: str) -> Any:
    from pywa.types import callback as types

    if "parameters" in action:
        return types.URLButton(action["parameters"]["display_text"], action["parameters"]["url"])
    if "sections" in action:
        sections = [
            types.Section(
                section.get("title", ""),
                [
                    types.SectionRow(row["title"], row["id"], row.get("description"))
                    for row in section["rows"]
                ],
            )
            for section in action["sections"]
        ]
        return types.SectionList(action["button"], sections)
    return [types.Button(button[reply]["title"], button[reply]["id"]) for button in action["buttons"]]


def _titled(body: Mapping[str, Any]) -> Any:
    """The body with the empty title that pywa gives the only section of a list."""
    copy = json.loads(json.dumps(body))
    for section in copy.get("interactive", {}).get("action", {}).get("sections", ()):
        section.setdefault("title", "")
    return copy


# ---- Meta's limits -----------------------------------------------------------------------------------------


def _beyond_limits(body: Mapping[str, Any]) -> Iterator[str]:
    kind = body["type"]
    content = body[kind]
    if kind == "text":
        yield from _length("text", content["body"], 4096)
    elif kind == "interactive":
        yield from _length("body", content["body"]["text"], 1024)
        yield from _action(content["type"], content["action"])
        if "header" in content:
            yield from _head(content["header"])
    else:
        yield from _address(content["link"])
        if "caption" in content:
            yield from _length("caption", content["caption"], 1024)
        if "filename" in content:
            yield from _length("filename", content["filename"], 240)


def _action(kind: str, action: Mapping[str, Any]) -> Iterator[str]:
    match kind:
        case "button":
            yield from _replies([button["reply"] for button in action["buttons"]], 3)
        case "list":
            yield from _length("list button", action["button"], 20)
            rows = [row for section in action["sections"] for row in section["rows"]]
            if not 1 <= len(rows) <= 10 or len({row["id"] for row in rows}) < len(rows):
                yield f"{len(rows)} rows, or two with one id"
            for row in rows:
                yield from _length("row", row["title"], 24)
                yield from _length("row id", row["id"], 200)
                if "description" in row:
                    yield from _length("description", row["description"], 72)
        case "cta_url":
            yield from _page(action)
        case "carousel":
            yield from _cards(action["cards"])


def _cards(cards: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    shapes = {(card["header"]["type"], len(card["action"].get("buttons", ()))) for card in cards}
    if not 2 <= len(cards) <= 10 or len(shapes) > 1:
        yield f"{len(cards)} cards of {len(shapes)} shapes"
    ids = []
    for index, card in enumerate(cards):
        if card["card_index"] != index:
            yield "card_index"
        yield from _head(card["header"])
        if "body" in card:
            yield from _length("card body", card["body"]["text"], 160)
            if card["body"]["text"].count("\n") > 2:
                yield "card body: more than two line breaks"
        if "buttons" in card["action"]:
            replies = [button["quick_reply"] for button in card["action"]["buttons"]]
            ids += [reply["id"] for reply in replies]
            yield from _replies(replies, 2)
        else:
            yield from _page(card["action"])
    if len(set(ids)) < len(ids):
        yield "two buttons with one id"


def _replies(replies: Sequence[Mapping[str, str]], most: int) -> Iterator[str]:
    if not 1 <= len(replies) <= most:
        yield f"{len(replies)} buttons"
    for name in ("id", "title"):
        if len({reply[name] for reply in replies}) < len(replies):
            yield f"two buttons with one {name}"
    for reply in replies:
        yield from _length("button", reply["title"], 20)
        yield from _length("button id", reply["id"], 256)
        if reply["id"] != reply["id"].strip():
            yield "button id: white space around it"


def _page(action: Mapping[str, Any]) -> Iterator[str]:
    yield from _length("button", action["parameters"]["display_text"], 20)
    yield from _address(action["parameters"]["url"])


def _head(header: Mapping[str, Any]) -> Iterator[str]:
    yield from _address(header[header["type"]]["link"])


def _length(what: str, text: str, limit: int) -> Iterator[str]:
    if not text.strip() or len(text) > limit:
        yield f"{what}: {len(text)} characters"


def _address(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii() or " " in url:
        yield "an address that cannot be opened"
