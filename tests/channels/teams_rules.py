"""What Teams would say of a request: by Microsoft's own models, and by the limits beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from microsoft_teams import cards
from microsoft_teams.api.activities import MessageActivityInput, TypingActivityInput
from microsoft_teams.cards import AdaptiveCard, MessageBackSubmitActionData
from pydantic import BaseModel, ValidationError

from bridge.channels import Request

BYTES = 100_000
SUGGESTED = 3
CARDS = 10
ACTIONS = 6
VERSIONS = ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5")
CARD = "application/vnd.microsoft.card.adaptive"
NOTIFIED = {"summary"}
"""What Microsoft's pages say of notifications, and its model of what a bot sends does not know."""
SINCE = {"ActionSet": "1.2", "RichTextBlock": "1.2", "TextRun": "1.2"}

MODELS: dict[str, type[BaseModel]] = {
    str(model.model_fields["type"].default): model
    for model in vars(cards).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and "type" in model.model_fields
}
"""Microsoft's model of each element and action, by its type."""


def problems(request: Request) -> list[str]:
    """Everything Teams would refuse in the request, or not show; empty for a good one."""
    body = json.loads(request.body)
    return [*_envelope(request), *_activity(body)]


def _envelope(request: Request) -> Iterator[str]:
    if not re.fullmatch("(/[a-z]+)*/v3/conversations/[^/]+/activities", urlsplit(request.url).path):
        yield f"no conversation's activities: {request.url}"
    if request.method != "POST" or not request.headers["content-type"].startswith("application/json"):
        yield "no POST of JSON"
    if request.grant is None or "authorization" in request.headers:
        yield "a token is asked for, and nowhere else had"
    if len(request.body.decode().encode("utf-16-le")) > BYTES:
        yield f"{len(request.body)} bytes"


def _activity(body: dict[str, Any]) -> Iterator[str]:
    if body.get("type") == "typing":
        yield from _valid(TypingActivityInput, body)
        if body != {"type": "typing"}:
            yield "a typing sign with something in it"
        return
    yield from _valid(MessageActivityInput, body)
    said, shown = body.get("text", ""), body.get("attachments", [])
    if bool(said.strip()) == bool(shown):
        yield "either a text or cards: Teams makes two messages of both, and none of neither"
    if said and body.get("textFormat") == "xml":
        yield from _markup(said)
    if (body.get("attachmentLayout") == "carousel") != (len(shown) > 1):
        yield "a carousel has several cards"
    if len(shown) > CARDS:
        yield f"{len(shown)} cards"
    for attachment in shown:
        if attachment.keys() != {"contentType", "content"} or attachment["contentType"] != CARD:
            yield "an attachment that is no card"
        yield from _card(attachment["content"])
    if suggested := body.get("suggestedActions"):
        yield from _suggested(suggested["actions"], shown)


def _suggested(actions: list[dict[str, Any]], shown: list[Any]) -> Iterator[str]:
    if shown or not 1 <= len(actions) <= SUGGESTED:
        yield f"{len(actions)} suggested actions that are not shown"
    for action in actions:
        match action:
            case {"type": "imBack", "title": str(title), "value": str(value)}:
                if _hidden(title) or _hidden(value) or "\n" in title + value:
                    yield "a suggested action without a line to say"
            case _:
                yield f"an action that is not suggested: {action.get('type')}"


def _valid(model: type[BaseModel], value: Any) -> Iterator[str]:
    """By the model, which lets unknown fields pass: those are looked for."""
    try:
        made = model.model_validate(value)
    except ValidationError as error:
        yield str(error)
    else:
        if unknown := (made.model_extra or {}).keys() - NOTIFIED:
            yield f"{model.__name__} has no {', '.join(unknown)}"


class _Tags(HTMLParser):
    """The tags of a text, and what is wrong with them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        match tag, dict(attrs):
            case "a", {"href": str(url), **rest} if not rest and _is_web(url):
                self.open.append(tag)
            case "br", {**rest} if not rest:
                pass
            case _:
                self.wrong.append(f"a tag of its own: {tag}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if (tag, attrs) != ("br", []):
            self.wrong.append(f"a tag of its own: {tag}")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"an end without a beginning: {tag}")

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        self.wrong.append(f"a declaration: {decl}")


def _markup(said: str) -> Iterator[str]:
    tags = _Tags()
    tags.feed(said)
    tags.close()
    yield from tags.wrong
    if tags.open:
        yield "a link without an end"
    if re.search("<(?!a href=|/a>|br/>)|&(?!amp;|lt;|gt;|#x27;)|\n", said):
        yield f"no simple markup: {said[:60]!r}"


def _card(card: dict[str, Any]) -> Iterator[str]:
    yield from _valid(AdaptiveCard, card)
    version = card.get("version", "")
    if version not in VERSIONS:
        yield f"version {version}"
    if not card.get("body"):
        yield "a card without a body"
    for element in _elements(card):
        kind = element["type"]
        if kind not in MODELS:
            yield f"there is no {kind}"
            continue
        yield from _valid(MODELS[kind], element)
        if SINCE.get(kind, "1.0") > version:
            yield f"{kind} is newer than {version}"
        yield from _element(element)


def _elements(card: Any) -> Iterator[dict[str, Any]]:
    """Whatever has a type in the card, but for the data of its buttons."""
    match card:
        case dict():
            if "type" in card:
                yield card
            for name, value in card.items():
                if name != "data":
                    yield from _elements(value)
        case list():
            for value in card:
                yield from _elements(value)


def _element(element: dict[str, Any]) -> Iterator[str]:
    if len(element.get("actions", ())) > ACTIONS:
        yield f"{len(element['actions'])} buttons, of which {ACTIONS} are shown"
    match element:
        case {"type": "AdaptiveCard" | "ActionSet"}:
            pass
        case {"type": "RichTextBlock", "inlines": [_, *_] as runs} if any(
            run["text"].strip() for run in runs
        ):
            pass
        case {"type": "TextRun", "text": str(said)} if said:
            if re.search(r"\{\{(DATE|TIME)\(", said):
                yield "a date in place of what was written"
        case {"type": "Image", "url": str(url)} if _is_web(url) and url.startswith("https:"):
            pass
        case {"type": "Action.OpenUrl", "url": str(url)} if _is_web(url):
            if "title" in element:
                yield from _title(element["title"])
        case {
            "type": "Action.Submit",
            "title": str(title),
            "data": {"msteams": {"value": {"value": str()}} as back},
        }:
            yield from _title(title)
            yield from _valid(MessageBackSubmitActionData, back)
        case _:
            yield f"something that shows or does nothing: {json.dumps(element)[:80]}"


def _title(title: str) -> Iterator[str]:
    if _hidden(title) or "\n" in title:
        yield "a button without a line to read"


def _hidden(said: str) -> bool:
    return not any(letter.isprintable() and letter != " " for letter in said)


def _is_web(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and url.isascii() and " " not in url
