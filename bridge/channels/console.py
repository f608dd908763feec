"""The console: prints what a chat would show, for trying things. Nothing is sent anywhere.

    [integrations.try]
    channel = "console"

It shows everything and cuts nothing, so what it prints is what Moveo said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Final, assert_never, get_args

from bridge.channels import Call, Reply, Request
from bridge.channels.capabilities import Capabilities
from bridge.content import (
    Audio,
    Author,
    Button,
    Card,
    Carousel,
    Content,
    File,
    Handover,
    Image,
    Link,
    Notice,
    OpenWebview,
    Pause,
    Postback,
    Receipt,
    Text,
    Typing,
    Video,
    Webview,
    kind,
)
from bridge.errors import Unavailable

UNLIMITED: Final = 1_000_000
"""A terminal scrolls: nothing is cut for it, and nothing split."""


class Console:
    """Lines of text on standard output."""

    name: ClassVar[str] = "console"

    capabilities: ClassVar[Capabilities] = Capabilities(
        shows=frozenset(get_args(Content)) - {Pause},
        text=UNLIMITED,
        caption=UNLIMITED,
        options=UNLIMITED,
        option_label=UNLIMITED,
        cards=UNLIMITED,
        card_title=UNLIMITED,
        card_text=UNLIMITED,
        card_buttons=UNLIMITED,
        button_label=UNLIMITED,
        payload_bytes=UNLIMITED,
        card_action=True,
        links=frozenset({"http", "https", "mailto", "tel"}),
        url=UNLIMITED,
        authors=True,
    )

    def render(self, content: Content, to: str) -> Sequence[Call]:
        return (
            Call(
                op="print",
                body={"chat": to, "lines": list(_lines(content))},
                ephemeral=isinstance(content, Typing | Receipt),
            ),
        )

    def request(self, call: Call) -> Request:
        chat = call.body["chat"]
        return Request(
            method="PRINT",
            url="stdout:",
            body="".join(f"{chat} | {line}\n" for line in call.body["lines"]).encode(),
        )

    def check(self, reply: Reply) -> str | None:
        if reply.status != 200:
            raise Unavailable(f"status {reply.status}")
        return None


def _lines(content: Content) -> Iterator[str]:
    match content:
        case Text():
            yield from _said(content.author, content.text)
            yield from (_entry(option.label, option.text) for option in content.options)
        case Image() | Video() | Audio() | File():
            size = f", {content.size} bytes" if not isinstance(content, Image) and content.size else ""
            name = f"{content.name} " if content.name else ""
            yield from _said(content.author, f"({kind(content)}{size}) {name}{content.url}")
        case Card():
            yield from _card(content)
        case Carousel():
            for number, card in enumerate(content.cards, 1):
                yield f"card {number} of {len(content.cards)}"
                yield from ("  " + line for line in _card(card))
        case Webview():
            yield from content.name.splitlines()
            yield f"[{content.label}] opens {content.url} ({content.height})"
        case Handover():
            yield from _said(None, f"(handover) {content.text}")
        case Notice():
            yield from _said(None, f"({content.kind}) {content.text}")
        case Typing():
            yield f"({_name(content.author)} {'is' if content.on else 'stopped'} typing)"
        case Receipt():
            yield f"({content.kind})"
        case Pause():
            yield f"(a pause of {content.seconds} s)"
        case _:
            assert_never(content)


def _said(author: Author | None, text: str) -> Iterable[str]:
    return (f"{author.name}: {text}" if author else text).splitlines() or [""]


def _name(author: Author | None) -> str:
    return author.name if author else "the agent"


def _card(card: Card) -> Iterator[str]:
    yield from f"{card.title}\n{card.subtitle}".strip().splitlines()
    if card.media:
        yield f"({card.media.kind}) {card.media.url}"
    yield from map(_button, card.buttons)
    if card.default_action:
        yield f"a tap: {_button(card.default_action)}"


def _button(button: Button) -> str:
    match button:
        case Postback():
            return _entry(button.label, button.value)
        case Link():
            return f"[{button.label}] opens {button.url}"
        case OpenWebview():
            return f"[{button.label}] opens {button.url} ({button.height})"


def _entry(label: str, says: str) -> str:
    return f"[{label}]" if label == says else f'[{label}] says "{says}"'
