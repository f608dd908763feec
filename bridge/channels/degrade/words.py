"""Texts, quick replies, and the contents that are little more than a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias, TypeVar

from msgspec.structs import replace

from bridge.channels.capabilities import Capabilities
from bridge.channels.choices import number
from bridge.channels.text import blank, cut, labels, split
from bridge.content import (
    Author,
    Choice,
    Content,
    Handover,
    Loss,
    Notice,
    Option,
    Receipt,
    Text,
    Typing,
    kind,
)

Piece: TypeAlias = Content | Loss
"""What a rule gives: a simpler content (or the same, when it fits), or what is lost."""

ALONE: Final = "…"
"""Stands where a platform wants a text and the agent wrote none: above buttons, as the title of a card."""
NAME_MAX: Final = 64
"""Longest author's name before a text, in characters."""


def fit_text(
    said: Text, can: Capabilities, numbered: tuple[Choice, ...], marked: tuple[Choice, ...]
) -> Iterator[Piece]:
    options = tuple(filter(None, map(whole, said.options)))
    if len(options) < len(said.options):
        yield Loss("text", "a quick reply with nothing on it")
    if not options and blank(said.text):
        yield Loss("text", "a text with nothing in it")
    elif options != said.options:
        yield replace(said, options=options)
    elif said.author and not can.authors:
        yield from name_loss(said.author, "text")
        yield replace(said, text=spoken(said.author, said.text), author=None)
    elif len(options) > can.options:
        yield Loss("text", "the quick replies", "numbered lines")
        yield _numbered(said, numbered, marked)
    elif blank(said.text):
        yield replace(said, text=ALONE)
    elif options != (short := _shortened(options, can.option_label)):
        if any(len(one_line(option.label)) > can.option_label for option in options):
            yield Loss("text", "the end of a quick reply's label", "a shortened label")
        yield replace(said, options=short)
    else:
        *before, last = split(said.text, can.text, can.unit)
        yield from (replace(said, text=part, options=(), numbered=()) for part in before)
        yield replace(said, text=last)


def whole(option: Option) -> Option | None:
    """The option with a label and a text; a missing one is made of the other."""
    if blank(option.label) or not option.text.strip():
        known = option.text if blank(option.label) else option.label
        return None if blank(known) else Option(known, option.text if option.text.strip() else known)
    return option


def _shortened(options: tuple[Option, ...], limit: int) -> tuple[Option, ...]:
    """The options with labels of one line within the limit, no two alike."""
    short = labels((option.label for option in options), limit)
    return tuple(Option(label, option.text) for label, option in zip(short, options, strict=True))


def _numbered(said: Text, before: tuple[Choice, ...], marked: tuple[Choice, ...]) -> Text:
    """The options as lines, with the marks of `marked`, which starts with the lines before; else numbered."""
    start, end = len(before), len(before) + len(said.options)
    made = marked[start:end] or number(said.options, start)
    lines = [
        f"{choice.mark}. {one_line(option.label)}" for choice, option in zip(made, said.options, strict=True)
    ]
    listed = "\n".join(lines)
    text = listed if blank(said.text) else f"{said.text.rstrip()}\n\n{listed}"
    return replace(said, text=text, options=(), numbered=before + made)


def spoken(author: Author, text: str) -> str:
    """The text with its author's name before it."""
    name = cut(one_line(author.name), NAME_MAX)
    return text if blank(name) else f"{name}: {text}".rstrip()


def name_loss(author: Author, content: str) -> Iterator[Loss]:
    """The Loss of `spoken`, if there is one."""
    if len(one_line(author.name)) > NAME_MAX:
        yield Loss(content, "the end of the author's name", "a shortened name")


def fit_handover(handover: Handover, can: Capabilities) -> Iterator[Piece]:
    if Handover not in can.shows:
        if blank(handover.text):
            yield Loss("handover", "a handover without a text")
        else:
            yield Text(handover.text)
    else:
        first, *more = split(handover.text, can.text, can.unit) or [handover.text]
        yield replace(handover, text=first)
        yield from map(Text, more)


def fit_notice(notice: Notice, can: Capabilities) -> Iterator[Piece]:
    if blank(notice.text):
        yield Loss("notice", "a notice without a text")
    elif Notice not in can.shows:
        yield Text(notice.text)
    else:
        yield from (replace(notice, text=part) for part in split(notice.text, can.text, can.unit))


def fit_ephemeral(sign: Typing | Receipt, can: Capabilities) -> Iterator[Piece]:
    if type(sign) in can.shows and not (isinstance(sign, Receipt) and sign.kind not in can.receipts):
        yield sign
    else:
        yield Loss(kind(sign), "the typing sign" if isinstance(sign, Typing) else "the receipt")


def one_line(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())


def linked(name: str, url: str) -> str:
    """A link as a line of text."""
    name = one_line(name)
    return url if blank(name) or name == url else f"{name}: {url}"


def lines(parts: Iterable[str]) -> str:
    """The parts that say something, one a line."""
    return "\n".join(part for part in parts if not blank(part))


T = TypeVar("T")


def batches(things: Sequence[T], size: int) -> list[tuple[T, ...]]:
    """The things in order, at most `size` (and at least one) at a time."""
    size = max(size, 1)
    return [tuple(things[start : start + size]) for start in range(0, len(things), size)]
