"""Options as lines of text: what stands before each line, and which option a typed answer chooses.

The lines have numbers. They have letters where a number would be ambiguous: under "1. 5 stars ... 5. 1 star"
the answer "5" could mean either line. Letters that are the label or text of another line are left out.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count, product
from string import ascii_uppercase
from typing import Final

from msgspec.structs import replace

from bridge.content import Choice, Option

LABEL: Final = 100
"""Longest label that is kept, and longest answer that is looked up, in characters. Longer answers are no
choices; and Unicode normalization takes the square of the length of some texts."""
MARK: Final = 16
"""Longest answer that can be a number or a letter, with the punctuation around it."""
_AROUND: Final = "()[]{}.,:;!?#*'\" "
_LOOK_ALIKE: Final = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧАВЕКМНОРСТХ", "ABEZHIKMNOPTYXABEKMHOPCTX")
"""Greek and Cyrillic capitals that look like Latin ones: people type them with the keyboard they have."""
_DROPPED: Final = frozenset({"Cf", "Me"})
"""Categories of what cannot be seen, and of the keycap around a digit."""


def mark(options: Iterable[Option]) -> tuple[Choice, ...]:
    """Return the options with the numbers or letters of their lines."""
    return unambiguous(number(options))


def number(options: Iterable[Option], before: int = 0) -> tuple[Choice, ...]:
    """Return the options numbered from `before` + 1."""
    return tuple(
        Choice(str(place), " ".join(option.label.split())[:LABEL], option.text)
        for place, option in enumerate(options, before + 1)
    )


def unambiguous(numbered: Sequence[Choice]) -> tuple[Choice, ...]:
    """Return the choices with letters, if a label begins with a digit or a text is another line's number."""
    said = [(_typed_mark(choice.label), _typed_mark(choice.text)) for choice in numbered]
    numbers = {choice.mark for choice in numbered}
    if not any(
        _begins_with_digit(choice.label) or (text in numbers and text != choice.mark)
        for choice, (_, text) in zip(numbered, said, strict=True)
    ):
        return tuple(numbered)
    taken, letters = Counter(chain.from_iterable(map(set, said))), _letters()
    return tuple(
        replace(choice, mark=next(letter for letter in letters if taken[letter] == (letter in own)))
        for choice, own in zip(numbered, said, strict=True)
    )


def choose(choices: Iterable[Choice], typed: str) -> str | None:
    """Return the text of the option that `typed` chooses: by its label, else its text, else its mark."""
    said, typed_mark = _fold(typed), _typed_mark(typed)
    if not said:
        return None
    choices = tuple(choices)
    found = chain(
        (choice for choice in choices if _fold(choice.label) == said),
        (choice for choice in choices if _fold(choice.text) == said),
        (choice for choice in choices if choice.mark == typed_mark),
    )
    return next((choice.text for choice in found), None)


def is_mark(typed: str) -> bool:
    """Return True if the answer could be the number or the letter of a line."""
    typed_mark = _typed_mark(typed)
    return typed_mark.isdecimal() or (len(typed_mark) == 1 and typed_mark in ascii_uppercase)


def _letters() -> Iterator[str]:
    """A to Z, AA to ZZ, and so on."""
    for length in count(1):
        yield from map("".join, product(ascii_uppercase, repeat=length))


def _fold(text: str) -> str:
    """The text as it is compared: case, white space and forms of a character make no difference."""
    text = text.strip()
    if len(text) > LABEL:
        return ""
    if not text.isascii():
        text = "".join(map(_plain, unicodedata.normalize("NFKC", text)))
    return " ".join(text.casefold().split())


def _plain(character: str) -> str:
    """A digit of any script as an ASCII digit; nothing for what cannot be seen."""
    if unicodedata.category(character) in _DROPPED or "\ufe00" <= character <= "\ufe0f":
        return ""
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)


def _typed_mark(text: str) -> str:
    """The text as the mark that it is, without punctuation around it; "" if it is too long for one."""
    if len(text) > MARK:
        return ""
    folded = _fold(text).strip(_AROUND).upper().translate(_LOOK_ALIKE)
    return folded.lstrip("0") if folded.isdecimal() else folded


def _begins_with_digit(label: str) -> bool:
    """Return True if the first letter or digit of the label is a digit."""
    return next((character.isdigit() for character in _fold(label) if character.isalnum()), False)
