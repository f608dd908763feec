"""Contents as messages of the Cloud API; `markup` keeps an agent's text as it was written.

Whatever WhatsApp may refuse when it is sent (a file it cannot fetch, an interactive message) has a fallback
of plain text: with the address, or with the choices as numbers to answer with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from bridge.channels import Call, text
from bridge.channels.whatsapp import markup
from bridge.channels.whatsapp.buttons import Ask, asks_of, choice, page_button, payloads
from bridge.content import (
    Audio,
    Card,
    Carousel,
    Choice,
    File,
    Image,
    Link,
    Media,
    Postback,
    Text,
    Video,
    Webview,
)

TEXT: Final = 4096
CAPTION: Final = 1024
BODY: Final = 1024
CARD_BODY: Final = 160
CARD_LINE_ENDS: Final = 2
CARD_REPLIES: Final = 2
"""As Meta's own example has; whether three are taken is not stated."""
CARDS: Final = range(2, 11)
FILENAME: Final = 240
A_FILENAME: Final = re.compile(r"[^\n/\\:]{1,230}\.\w{1,8}")
BLANK: Final = "…"
"""Stands where WhatsApp wants a text and there is none."""

OP: Final = "messages"
MARK: Final = "status"
MESSAGE: Final = "message"
"""The name, in a chat's memo, of the id of the user's last message."""


def text_message(content: Text, list_button: str) -> list[Call]:
    if not content.options:
        return _texts(content.text)
    return _interactive(content.text, choice(content.options, list_button))


def file_message(content: Image | Video | Audio | File) -> list[Call]:
    match content:
        case Image(url=url, name=name):
            return _media("image", url, name)
        case Video(url=url, name=name):
            return _media("video", url, name)
        case Audio(url=url, name=name):  # it has no caption
            return [*_texts(name), *_media("audio", url, "")]
        case File(url=url, name=name):
            named = bool(A_FILENAME.fullmatch(name))
            filename = name if named else unquote(PurePosixPath(urlsplit(url).path).name)[-FILENAME:]
            fields = {"filename": filename} if filename else {}
            return _media("document", url, "" if named else name, also=name if named else "", **fields)


def card_message(card: Card) -> list[Call]:
    """One interactive message; more where there are links beside replies, or several links."""
    asks = asks_of(card.buttons)
    said = "\n".join(part for part in (card.title, card.subtitle) if not text.blank(part))
    styled = _styled(card)
    if not asks and card.media:
        return _media(card.media.kind, card.media.url, said, styled=styled)
    if not asks:
        return _texts(said, styled=styled)
    first, *more = asks
    further = [call for ask in more for call in _interactive(card.title, ask)]
    return [*_interactive(said, first, card.media, styled=styled), *further]


def webview_message(page: Webview) -> list[Call]:
    return _interactive(page.name or page.label, page_button(Link(page.label, page.url)))


def carousel_message(carousel: Carousel) -> list[Call]:
    """The cards side by side; if WhatsApp does not take them so, one after another."""
    buttons = [button for card in carousel.cards for button in card.buttons]
    ids = iter(payloads([button.value for button in buttons if isinstance(button, Postback)]))
    keep: dict[str, str] = {}
    cards = []
    for index, card in enumerate(carousel.cards):
        assert card.media  # noqa: S101 -- side_by_side says so
        shown: dict[str, Any] = {"card_index": index, "type": "cta_url", "header": _header(card.media)}
        if body := _styled(card):
            shown["body"] = {"text": body}
        if isinstance(card.buttons[0], Postback):
            replies = []
            for button in card.buttons:
                payload, kept = next(ids)
                keep |= kept
                reply = {"id": payload, "title": button.label}
                replies.append({"type": "quick_reply", "quick_reply": reply})
            shown["action"] = {"buttons": replies}
        else:
            shown["action"] = page_button(card.buttons[0]).action
        cards.append(shown)
    interactive = {"type": "carousel", "body": {"text": BLANK}, "action": {"cards": cards}}
    one_by_one = tuple(call for card in carousel.cards for call in card_message(card))
    return [_call("interactive", interactive, keep=keep, fallback=one_by_one)]


def mark_read(*, typing: bool = False) -> Call:
    """Marks the user's messages as read up to the last one; with a typing sign below it."""
    sign = {"typing_indicator": {"type": "text"}} if typing else {}
    return Call(op=MARK, body={"status": "read", **sign}, recall=(MESSAGE,), ephemeral=True)


def side_by_side(cards: Sequence[Card]) -> bool:
    """Whether they can be one carousel: heads of one kind, and buttons alike in kind and number."""
    shapes = {
        (card.media and card.media.kind, *(isinstance(button, Postback) for button in card.buttons))
        for card in cards
    }
    if len(cards) not in CARDS or len(shapes) > 1:
        return False
    [(head, *replies)] = shapes
    asks = replies == [False] or (1 <= len(replies) <= CARD_REPLIES and all(replies))
    bodies = map(_styled, cards)
    return bool(head and asks) and all(
        len(body) <= CARD_BODY and body.count("\n") <= CARD_LINE_ENDS for body in bodies
    )


# ---- messages ----------------------------------------------------------------------------------------------


def _styled(card: Card) -> str:
    """A card's title in bold, and its subtitle."""
    styled = (markup.bold(card.title), markup.escape(card.subtitle))
    return "\n".join(part for part in styled if not text.blank(part))


def _texts(said: str, *, styled: str | None = None) -> list[Call]:
    """Messages of text, as many as its length needs; none for nothing."""
    if text.blank(said):
        return []
    parts = [styled] if styled and len(styled) <= TEXT else markup.split(said, TEXT)
    return [_call("text", {"body": part}) for part in parts]


def _interactive(said: str, ask: Ask, head: Media | None = None, *, styled: str | None = None) -> list[Call]:
    """The message with its buttons; what is too long for its body stands in messages before it."""
    parts = [styled] if styled and len(styled) <= BODY else markup.split(said, BODY)
    *before, body = parts or [BLANK]
    body = BLANK if text.blank(body) else body
    interactive: dict[str, Any] = {"type": ask.type, "body": {"text": body}, "action": ask.action}
    if head:
        interactive["header"] = _header(head)
    lines = [body, *([head.url] if head else ()), *ask.lines]
    call = _call("interactive", interactive, keep=ask.keep, fallback=_plain(lines, ask.numbers))
    return [*(_call("text", {"body": part}) for part in before), call]


def _media(
    kind: str, url: str, caption: str, *, styled: str | None = None, also: str = "", **fields: str
) -> list[Call]:
    """The file with its caption; a caption too long for it in messages before it."""
    address = text.link(url) or url
    written = styled if styled is not None else markup.escape(caption)
    before = [] if len(written) <= CAPTION else _texts(caption)
    media = {"link": address, **fields}
    if written and not before and not text.blank(caption):
        media["caption"] = written
    said = [media.get("caption", ""), markup.escape(also), address]
    return [*before, _call(kind, media, fallback=_plain(said))]


def _header(media: Media) -> dict[str, Any]:
    return {"type": media.kind, media.kind: {"link": text.link(media.url) or media.url}}


def _plain(lines: Iterable[str], numbers: tuple[Choice, ...] = ()) -> tuple[Call, ...]:
    """The lines, escaped already, as texts; the numbers are good after the last."""
    said = "\n".join(line for line in lines if line)
    calls = [_call("text", {"body": part}) for part in text.split(said, TEXT)]
    calls[-1:] = [msgspec.structs.replace(call, numbers=numbers) for call in calls[-1:]]
    return tuple(calls)


def _call(
    form: str,
    content: Mapping[str, Any],
    *,
    keep: Mapping[str, str] | None = None,
    fallback: tuple[Call, ...] = (),
) -> Call:
    return Call(op=OP, body={"type": form, form: content}, keep=keep or {}, fallback=fallback)
