"""Discord's Markdown: words written so that they show as they are.

https://support.discord.com/hc/en-us/articles/210298617; a backslash before any punctuation shows it as it is.
An address needs none: it is a link as it stands, and a backslash in it would be a part of it.
"""

from __future__ import annotations

import re
from typing import Final

from bridge.channels import text

_ADDRESS: Final = re.compile(r"https?://[^\s<]+[^<.,:;\"'\])\s]")
"""What Discord takes for an address."""
_WORD: Final = re.compile(r"\w")
_ANGLE_AFTER: Final = re.compile(r"[.,:;\"'\])]*<")
_MARK: Final = re.compile(
    r"""[\\*_~`|<\[]                     # emphasis, code, spoilers, mentions, links
      | :(?=[\w+-]+:|//)                 # :names: of emoji, addresses
      | (?<![^\n])([^\S\n]*)([#>+-])     # headings, quotes, lists
      | (?<![^\n])([^\S\n]*\d+)([.)])    # numbered lists
    """,
    re.VERBOSE,
)


def escaped(words: str) -> str:
    """The words with a backslash before whatever would be taken for markup."""
    parts: list[str] = []
    end = 0
    for found in _ADDRESS.finditer(words):
        if _stands_alone(words, found):
            parts += [_MARK.sub(_with_backslash, words[end : found.start()]), found[0]]
            end = found.end()
    return "".join([*parts, _MARK.sub(_with_backslash, words[end:])])


def _stands_alone(words: str, address: re.Match[str]) -> bool:
    """Whether it can be a link. It would swallow the backslash before a "<"; amid a word it may be none."""
    amid_a_word = address.start() > 0 and _WORD.match(words, address.start() - 1)
    return not amid_a_word and not _ANGLE_AFTER.match(words, address.end())


def _with_backslash(found: re.Match[str]) -> str:
    before = found[1] or found[3] or ""
    return f"{before}\\{found[0][len(before) :]}"


def parts(words: str, limit: int) -> list[str]:
    """The words, escaped; in parts where the backslashes make them longer than the limit."""
    written = escaped(words)
    if len(written) <= limit:
        return [written]
    halves = text.split(words, (len(words) + 1) // 2)
    return [part for half in halves for part in parts(half, limit)]
