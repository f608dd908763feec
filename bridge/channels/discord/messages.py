"""Contents as messages of Discord, and the form each falls back to: plain text, addresses and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, assert_never

from bridge.channels import Call, text
from bridge.channels.capabilities import Capabilities
from bridge.channels.degrade import fit
from bridge.channels.discord.markdown import escaped, parts
from bridge.content import (
    Button,
    Card,
    Choice,
    Content,
    Image,
    Link,
    OpenWebview,
    Option,
    Postback,
    Text,
    Webview,
)

TEXT: Final = 2000
EMBED_TITLE: Final = 256
EMBED_TEXT: Final = 4096
CARD_TEXT: Final = EMBED_TEXT // 2 - EMBED_TITLE - 1
"""With its title and a backslash before each character, it fits an embed."""
CAPTION: Final = EMBED_TEXT // 2
IMAGE_URL: Final = 2048
BUTTON_URL: Final = 512
LABEL: Final = 80
CUSTOM_ID: Final = 100
ROW: Final = 5
BUTTONS: Final = 25
EASY: Final = 10
"""More options than these are a menu: two rows of buttons are seen at a glance, five are not."""

_ROW, _BUTTON, _MENU = 1, 2, 3
_PRIMARY, _LINK = 1, 5
_PLAIN: Final = Capabilities(text=TEXT)


def text_message(said: Text) -> tuple[Call, ...]:
    *before, last = parts(said.text, TEXT)
    rows, keep = _choices(said.options)
    fallback = _plain(Text(said.text, said.options)) if rows else ()
    return (
        *(_message({"content": part}) for part in before),
        _message({"content": last}, rows, keep, fallback=fallback),
    )


def image_message(image: Image) -> tuple[Call, ...]:
    embed: dict[str, Any] = {"image": {"url": image.url}}
    if image.name:
        embed["description"] = escaped(image.name)
    return (_message({"embeds": [embed]}, fallback=_plain(image)),)


def card_message(card: Card) -> tuple[Call, ...]:
    rows, keep = _buttons(card.buttons)
    return (_message({"embeds": [_embed(card)]}, rows, keep, fallback=_plain(card)),)


def webview_message(page: Webview) -> tuple[Call, ...]:
    *before, last = parts(page.name, TEXT)
    rows, _ = _buttons((OpenWebview(page.label, page.url),))
    body = {} if text.blank(last) else {"content": last}
    return (
        *(_message({"content": part}) for part in before),
        _message(body, rows, fallback=_plain(Webview(page.url, page.label, name=page.name))),
    )


def typing_sign() -> tuple[Call, ...]:
    return (Call(op="typing", ephemeral=True),)


# ---- parts of a message ------------------------------------------------------------------------------------


def _embed(card: Card) -> dict[str, Any]:
    """Title and text, in one where the title's backslashes make it too long for its place."""
    title, said = escaped(card.title), escaped(card.subtitle)
    shown: dict[str, Any] = {}
    if len(title) > EMBED_TITLE:
        title, said = "", f"{title}\n{said}"
    if not text.blank(title):
        shown["title"] = title
    if not text.blank(said):
        shown["description"] = said
    if card.media:
        shown["image"] = {"url": card.media.url}
    return shown


Components = tuple[list[dict[str, Any]], dict[str, str]]
"""Rows of components, and what has to be kept for them."""


def _choices(options: Sequence[Option]) -> Components:
    """Quick replies as buttons, or as a menu where they are many."""
    if len(options) <= EASY:
        return _buttons([Postback(option.label, option.text) for option in options])
    ids, keep = _ids(option.text for option in options)
    shown = [{"label": option.label, "value": value} for option, value in zip(options, ids, strict=True)]
    return [{"type": _ROW, "components": [{"type": _MENU, "custom_id": "options", "options": shown}]}], keep


def _buttons(buttons: Sequence[Button]) -> Components:
    ids, keep = _ids(button.value for button in buttons if isinstance(button, Postback))
    unused = iter(ids)
    shown: list[dict[str, Any]] = []
    for button in buttons:
        match button:
            case Postback(label=label):
                does = {"style": _PRIMARY, "custom_id": next(unused)}
            case Link(label=label, url=url) | OpenWebview(label=label, url=url):
                does = {"style": _LINK, "url": url}
            case _:
                assert_never(button)
        shown.append({"type": _BUTTON, "label": label, **does})
    rows = [shown[start : start + ROW] for start in range(0, len(shown), ROW)]
    return [{"type": _ROW, "components": row} for row in rows], keep


def _ids(values: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """What stands behind each button. Discord wants no two alike: a value's second button has a token."""
    ids: list[str] = []
    keep: dict[str, str] = {}
    for value in values:
        token, kept = text.payload(value, CUSTOM_ID)
        if token in ids:
            token, _ = text.payload(f"{text.MARK}{len(ids)} {value}", CUSTOM_ID)
            kept = {token: value}
        ids.append(token)
        keep |= kept
    return ids, keep


# ---- messages ----------------------------------------------------------------------------------------------


def _message(
    body: dict[str, Any],
    rows: Sequence[dict[str, Any]] = (),
    keep: dict[str, str] | None = None,
    *,
    numbers: tuple[Choice, ...] = (),
    fallback: tuple[Call, ...] = (),
) -> Call:
    """A message that mentions nobody, whatever is written in it."""
    shown = {**body, "allowed_mentions": {"parse": []}}
    if rows:
        shown["components"] = list(rows)
    return Call(op="messages", body=shown, keep=keep or {}, numbers=numbers, fallback=fallback)


def _plain(content: Content) -> tuple[Call, ...]:
    """The content as a channel shows it that has nothing but text."""
    calls: list[Call] = []
    for said in fit(content, _PLAIN)[0]:
        if isinstance(said, Text):
            *before, last = parts(said.text, TEXT)
            calls += [_message({"content": part}) for part in before]
            calls.append(_message({"content": last}, numbers=said.numbered))
    return tuple(calls)
