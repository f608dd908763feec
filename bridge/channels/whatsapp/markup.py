"""WhatsApp's markup: *bold*, _italic_, ~struck~, `code`, lists and quotes; no field switches it off.

https://faq.whatsapp.com/539178204879377

There is no escape. But a format starts only after white space, after another sign, or where a line begins; so
an invisible word joiner before each sign keeps it as it is. Signs inside of a word and web addresses are left
alone: there is no format to start, and a link to break.
"""

from __future__ import annotations

import re
from typing import Final

from bridge.channels import text

JOINER: Final = "\u2060"

_SIGN: Final = re.compile(
    r"""(?P<address>https?://\S+)          # shown as a link, and formatted by nothing
      | (?<=[^\W_])[*_~](?=[^\W_])         # inside of a word
      | (?P<sign>[*_~`] | ^[^\S\n]*(?:-(?=\s)|>))
    """,
    re.VERBOSE | re.MULTILINE,
)


def escape(said: str) -> str:
    """The text so that WhatsApp shows it as it was written."""
    return _SIGN.sub(lambda found: (JOINER if found["sign"] else "") + found[0], said)


def bold(said: str) -> str:
    """The text as it was written, in bold where that is safe: in one line without any other sign."""
    said = said.strip()
    plain = said and "\n" not in said and not said.startswith(JOINER) and escape(said) == said
    return f"*{said}*" if plain and "://" not in said else escape(said)


def split(said: str, limit: int) -> list[str]:
    """The text, escaped, in parts of at most `limit` characters."""
    parts: list[str] = []
    for part in text.split(said, limit):
        escaped = escape(part)
        # A joiner for each sign at most doubles a text.
        parts += [escaped] if len(escaped) <= limit else map(escape, text.split(part, limit // 2))
    return parts
