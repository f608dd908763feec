"""An agent's words as Teams shows them: exactly as they were written, with the addresses in them as links.

A message's text is formatted unless its `textFormat` says otherwise; "plain" leaves open what becomes of a
line end. So texts are "xml", the subset of HTML that Teams takes, with nothing in it but line ends and links:
https://learn.microsoft.com/en-us/microsoftteams/platform/bots/how-to/format-your-bot-messages

On a card a TextBlock is Markdown, and a TextRun is not: https://adaptivecards.io/explorer/TextRun.html. But
its {{DATE(…)}} is replaced, and is cut in two so that it is none.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from bridge.channels.links import web_address

ADDRESS: Final = 2048
"""A longer address is left a text."""
LINKS: Final = 20
"""Of a card's text with more addresses than that none is a link: each takes more room than it has letters."""

_ADDRESS: Final = re.compile(r"""(?<![^\W_])https?://[^\s<>"]*[^\s<>".,:;!?'’”…|)\]}*_~`]""")
_BLANKS: Final = re.compile(r"^ +|(?<= ) +|\t", re.MULTILINE)
_HARD: Final = "\u00a0"
_TAB: Final = 4
_MACRO: Final = re.compile(r"(?<=\{)(?=\{(?:DATE|TIME)\()")


class Piece(NamedTuple):
    """Words, and where they lead if they are an address."""

    words: str
    address: str = ""


def pieces(words: str) -> Iterator[Piece]:
    end = 0
    for found in _ADDRESS.finditer(words):
        address = web_address(found[0])
        if address is None or len(address) > ADDRESS:
            continue
        if found.start() > end:
            yield Piece(words[end : found.start()])
        yield Piece(found[0], address)
        end = found.end()
    if end < len(words):
        yield Piece(words[end:])


def as_html(words: str) -> str:
    """The words as the text of a message."""
    kept = _BLANKS.sub(lambda found: _HARD * (_TAB if found[0] == "\t" else len(found[0])), words)
    return "".join(map(_marked, pieces(kept)))


def _marked(piece: Piece) -> str:
    shown = html.escape(piece.words, quote=False).replace("\n", "<br/>")
    return f'<a href="{html.escape(piece.address)}">{shown}</a>' if piece.address else shown


def as_runs(words: str, **style: str) -> list[dict[str, Any]]:
    """The words as the inlines of a card's RichTextBlock."""
    found = list(pieces(words))
    if sum(bool(piece.address) for piece in found) > LINKS:
        found = [Piece(words)]
    return [
        {"type": "TextRun", "text": part, **style, **_leading(piece.address)}
        for piece in found
        for part in _MACRO.split(piece.words)
    ]


def _leading(address: str) -> dict[str, Any]:
    return {"selectAction": {"type": "Action.OpenUrl", "url": address}} if address else {}
