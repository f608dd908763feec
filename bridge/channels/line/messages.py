"""Contents as messages of LINE.

Text of LINE knows no markup, so an agent's text is shown exactly as it was written. Cards are bubbles of a
Flex Message; what LINE may refuse in one has plain texts with the addresses as its fallback.
https://developers.line.biz/en/docs/messaging-api/flex-message-elements/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, assert_never

import msgspec
import orjson
from msgspec.structs import replace

from bridge.channels import Call, text
from bridge.channels.pressed import behind
from bridge.content import Button, Card, Link, OpenWebview, Postback, Text, Webview

TEXT: Final = 5000
QUICK_REPLIES: Final = 13
LABEL: Final = 20
DATA: Final = 300
ALT_TEXT: Final = 400
CAROUSEL_BYTES: Final = 50_000
BUBBLES: Final = 12
TITLE: Final = 200
SUBTITLE: Final = 1000
BUTTONS: Final = 10
"""Texts and buttons of a bubble have no limits of their own: with these it is one that a phone can show."""
UNKNOWN_DURATION_MS: Final = 60_000
"""LINE asks how long an audio is, to show it before it plays; Moveo does not say."""
LOADING_SECONDS: Final = 20

PUSH: Final = "message/push"
LOADING: Final = "chat/loading/start"
MARK: Final = "chat/markAsRead"
READ: Final = "read"
"""The name in a chat's memo of the token by which the user's last message is marked as read."""
SHARED: Final = ("C", "R")
"""How ids of groups and rooms begin; there is no loading animation there."""
BLANK: Final = "…"


def text_message(content: Text) -> tuple[Call, ...]:
    return (_said(content.text, [_postback(option.label, option.text) for option in content.options]),)


def image_message(url: str) -> tuple[Call, ...]:
    return (_file({"type": "image", "originalContentUrl": url, "previewImageUrl": url}),)


def video_message(url: str, preview: str) -> tuple[Call, ...]:
    return (_file({"type": "video", "originalContentUrl": url, "previewImageUrl": preview}),)


def audio_message(url: str) -> tuple[Call, ...]:
    return (_file({"type": "audio", "originalContentUrl": url, "duration": UNKNOWN_DURATION_MS}),)


def card_message(card: Card) -> tuple[Call, ...]:
    return (_flex([card], *_bubble(card)),)


def webview_message(page: Webview) -> tuple[Call, ...]:
    """A button: LINE opens every page inside the chat."""
    return card_message(Card(page.name, buttons=(OpenWebview(page.label, page.url, page.height),)))


def typing_sign(to: str) -> tuple[Call, ...]:
    if to.startswith(SHARED):
        return ()
    return (Call(op=LOADING, body={"loadingSeconds": LOADING_SECONDS}, ephemeral=True),)


def mark_read() -> tuple[Call, ...]:
    """The user's messages up to the last one are shown as read, where the account's chat is on."""
    return (Call(op=MARK, recall=(READ,), ephemeral=True),)


def carousel_messages(cards: Sequence[Card]) -> Iterator[Call]:
    """The cards as one carousel, or as several where their JSON is too long for one."""
    row: list[Card] = []
    room = 0
    for card in cards:
        size = len(orjson.dumps(_bubble(card)[0])) + len(",")
        if row and size > room:
            yield _carousel(row)
            row = []
        if not row:
            room = CAROUSEL_BYTES - len('{"type":"carousel","contents":[]}')
        row.append(card)
        room -= size
    yield _carousel(row)


# ---- what a tap does ---------------------------------------------------------------------------------------


class _Action(msgspec.Struct, frozen=True):
    """An action as LINE writes it, and what has to be kept for it."""

    does: Mapping[str, str]
    keep: Mapping[str, str] = {}


def _postback(label: str, value: str) -> _Action:
    data, keep = behind(value or label or BLANK, label, DATA)
    shown = {"label": label, "displayText": label} if label else {}
    return _Action({"type": "postback", "data": data, **shown}, keep)


def _action(button: Button) -> _Action:
    match button:
        case Postback(label=label, value=value):
            return _postback(label, value)
        case Link(label=label, url=url) | OpenWebview(label=label, url=url):
            return _Action({"type": "uri", "uri": url, **({"label": label} if label else {})})
        case _:
            assert_never(button)


# ---- messages ----------------------------------------------------------------------------------------------


def _push(message: Mapping[str, Any], actions: Iterable[_Action], *fallback: Call) -> Call:
    keep = {data: value for action in actions for data, value in action.keep.items()}
    return Call(op=PUSH, body={"messages": [message]}, keep=keep, fallback=fallback)


def _said(said: str, replies: Sequence[_Action] = ()) -> Call:
    items = [{"type": "action", "action": reply.does} for reply in replies]
    message = {"type": "text", "text": said, **({"quickReply": {"items": items}} if items else {})}
    return _push(message, replies)


def _file(message: Mapping[str, Any]) -> Call:
    return _push(message, (), _said(message["originalContentUrl"]))


def _carousel(cards: Sequence[Card]) -> Call:
    made = [_bubble(card) for card in cards]
    actions = [action for _, some in made for action in some]
    return _flex(cards, {"type": "carousel", "contents": [bubble for bubble, _ in made]}, actions)


def _flex(cards: Sequence[Card], contents: Mapping[str, Any], actions: Sequence[_Action]) -> Call:
    """A Flex Message; what it says in lists of chats and notifications is its altText."""
    words = [
        part for card in cards for part in (card.title, card.subtitle, *(key.label for key in card.buttons))
    ]
    alt = text.cut("\n".join(part for part in words if not text.blank(part)) or BLANK, ALT_TEXT, "utf16")
    return _push({"type": "flex", "altText": alt, "contents": contents}, actions, *_plain(cards))


def _bubble(card: Card) -> tuple[dict[str, Any], list[_Action]]:
    bubble: dict[str, Any] = {"type": "bubble"}
    actions = [_action(button) for button in card.buttons]
    if card.media:
        frame = {"size": "full", "aspectRatio": "20:13", "aspectMode": "cover"}
        bubble["hero"] = {"type": "image", "url": card.media.url, **frame}
    texts = [
        {"type": "text", "text": words, "wrap": True, **style}
        for words, style in (
            (card.title, {"weight": "bold"}),
            (card.subtitle, {"size": "sm", "color": "#666666"}),
        )
        if not text.blank(words)
    ]
    if texts:
        bubble["body"] = _column(texts)
    if actions:
        keys = [{"type": "button", "height": "sm", "action": action.does} for action in actions]
        bubble["footer"] = _column(keys)
    if card.default_action:
        tap = _action(replace(card.default_action, label=""))  # no label is seen, and none may be too long
        bubble["action"] = tap.does
        actions.append(tap)
    return bubble, actions


def _column(contents: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "box", "layout": "vertical", "spacing": "sm", "contents": contents}


def _plain(cards: Iterable[Card]) -> Iterator[Call]:
    """What stands in for cards that LINE refuses: texts with the addresses, and quick replies at the end."""
    paragraphs: list[str] = []
    presses: list[Postback] = []
    for card in cards:
        lines = [card.title, card.subtitle, card.media.url if card.media else ""]
        buttons: list[Button] = [*card.buttons, *([card.default_action] if card.default_action else [])]
        for button in buttons:
            if isinstance(button, Postback):
                presses.append(button)
                lines.append(button.label)
            else:
                lines.append(f"{button.label}: {button.url}" if button.label else button.url)
        paragraphs.append("\n".join(line for line in lines if not text.blank(line)))
    *before, last = text.split("\n\n".join(filter(None, paragraphs)), TEXT, "utf16") or [BLANK]
    yield from map(_said, before)
    labels = text.labels((press.label or press.value for press in presses), LABEL)
    replies = [_postback(label, press.value) for label, press in zip(labels, presses, strict=True)]
    yield _said(last, replies[:QUICK_REPLIES])
