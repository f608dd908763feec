"""Contents as messages of the Send API: of Messenger, and of Instagram, which has less in it.

What may be refused when it is sent (a file that cannot be fetched, a template) has a fallback of text: with
the address, or with the choices as numbers to answer with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, assert_never

import msgspec
from msgspec.structs import replace

from bridge.channels import Call, text
from bridge.channels.capabilities import Unit
from bridge.channels.choices import mark
from bridge.content import Button, Card, Link, OpenWebview, Option, Postback, Webview

PAYLOAD: Final = 1000
BUTTON_TEXT: Final = 640
TITLE: Final = 80
BLANK: Final = "…"
"""Stands where a text is wanted and there is none."""


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What a platform makes of the Send API."""

    length: int
    """Of a text, in `unit`."""
    unit: Unit = "characters"
    heights: bool
    """Whether a page in the chat has a height."""
    button_template: bool
    """Whether there are buttons under a long text; where not, they stand on a card."""

    def texts(self, said: str, options: Sequence[Option] = ()) -> list[Call]:
        """Messages of text, as many as its length needs; quick replies stand under the last."""
        if text.blank(said) and not options:
            return []
        *before, last = text.split(said, self.length, self.unit) or [BLANK]
        message: dict[str, Any] = {"text": BLANK if text.blank(last) else last}
        keep: dict[str, str] = {}
        if options:
            message["quick_replies"] = [_quick_reply(option, keep) for option in options]
        fallback = self._plain([message["text"]], options) if options else ()
        return [*(_message({"text": part}) for part in before), _message(message, keep, fallback)]

    def file(self, form: str, url: str) -> Call:
        address = text.link(url) or url
        return _message(
            {"attachment": {"type": form, "payload": {"url": address}}}, fallback=self._plain([address])
        )

    def card(self, card: Card) -> Call:
        words = [part for part in (card.title, card.subtitle) if not text.blank(part)]
        if card.buttons or card.default_action:
            if self.button_template and card.buttons and not card.media and not card.default_action:
                return self._buttons("\n".join(words) or BLANK, card.buttons)
        elif card.media is None:
            return _message({"text": "\n".join(words) or BLANK})
        elif not words:
            return self.file(card.media.kind, card.media.url)
        return self.carousel([card])

    def webview(self, page: Webview) -> list[Call]:
        button = OpenWebview(page.label, page.url, page.height)
        said = page.label if text.blank(page.name) else page.name
        if self.button_template and len(said) <= BUTTON_TEXT:
            return [self._buttons(said, [button])]
        if len(said) <= TITLE:
            return [self.carousel([Card(title=said, buttons=(button,))])]
        return [*self.texts(said), *self.webview(replace(page, name=""))]

    def _buttons(self, said: str, buttons: Sequence[Button]) -> Call:
        keep: dict[str, str] = {}
        shown = [self._button(button, keep) for button in buttons]
        payload = {"template_type": "button", "text": said, "buttons": shown}
        fallback = self._plain([said, *_lines(buttons)], _options(buttons))
        return _message({"attachment": {"type": "template", "payload": payload}}, keep, fallback)

    def carousel(self, cards: Sequence[Card]) -> Call:
        keep: dict[str, str] = {}
        elements = [self._element(card, keep) for card in cards]
        payload = {"template_type": "generic", "elements": elements}
        lines = [line for card in cards for line in _spelled(card)]
        options = [option for card in cards for option in _options(card.buttons)]
        fallback = self._plain(lines, options)
        return _message({"attachment": {"type": "template", "payload": payload}}, keep, fallback)

    def _element(self, card: Card, keep: dict[str, str]) -> dict[str, Any]:
        """A title is a must, and one thing more."""
        words = [part for part in (card.title, card.subtitle) if not text.blank(part)] or [BLANK]
        element: dict[str, Any] = {"title": words[0]}
        if len(words) > 1:
            element["subtitle"] = words[1]
        if card.media:
            element["image_url"] = text.link(card.media.url) or card.media.url
        if card.default_action:
            tap = self._button(card.default_action, keep)
            element["default_action"] = {name: part for name, part in tap.items() if name != "title"}
        if card.buttons:
            element["buttons"] = [self._button(button, keep) for button in card.buttons]
        return element if len(element) > 1 else {**element, "subtitle": BLANK}

    def _button(self, button: Button, keep: dict[str, str]) -> dict[str, Any]:
        match button:
            case Postback(label=label, value=value):
                payload, kept = text.payload(value or label, PAYLOAD)
                keep |= kept
                return {"type": "postback", "title": label, "payload": payload}
            case Link(label=label, url=url):
                return {"type": "web_url", "title": label, "url": text.link(url) or url}
            case OpenWebview(label=label, url=url, height=height):
                shown = {"type": "web_url", "title": label, "url": text.link(url) or url}
                has_height = self.heights and height != "new_window"
                return {**shown, "webview_height_ratio": height} if has_height else shown
            case _:
                assert_never(button)

    def _plain(self, lines: Iterable[str], options: Sequence[Option] = ()) -> tuple[Call, ...]:
        """The lines, and the options as numbers to answer with."""
        choices = mark(options)
        numbered = [f"{choice.mark}. {option.label}" for choice, option in zip(choices, options, strict=True)]
        said = "\n".join(line for line in [*lines, *numbered] if line)
        parts = text.split(said, self.length, self.unit)
        calls = [_message({"text": part}) for part in parts]
        calls[-1:] = [replace(call, numbers=choices) for call in calls[-1:]]
        return tuple(calls)


def sign(action: str) -> Call:
    return Call(op="sender_action", body={"sender_action": action}, ephemeral=True)


def _message(
    message: Mapping[str, Any], keep: Mapping[str, str] | None = None, fallback: tuple[Call, ...] = ()
) -> Call:
    return Call(op="message", body={"message": message}, keep=keep or {}, fallback=fallback)


def _quick_reply(option: Option, keep: dict[str, str]) -> dict[str, str]:
    payload, kept = text.payload(option.text or option.label, PAYLOAD)
    keep |= kept
    return {"content_type": "text", "title": option.label, "payload": payload}


def _options(buttons: Iterable[Button]) -> list[Option]:
    return [Option(button.label, button.value) for button in buttons if isinstance(button, Postback)]


def _lines(buttons: Iterable[Button]) -> list[str]:
    return [f"{button.label}: {button.url}" for button in buttons if not isinstance(button, Postback)]


def _spelled(card: Card) -> list[str]:
    """The card as lines, without the buttons that are numbered."""
    tap = card.default_action
    opened = [tap.url] if isinstance(tap, Link | OpenWebview) else []
    return [
        card.title,
        card.subtitle,
        *([card.media.url] if card.media else ()),
        *opened,
        *_lines(card.buttons),
    ]
