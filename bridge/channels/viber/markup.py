"""Viber's two markups: *bold*, _italic_, ~struck~ and ```code``` in messages, HTML in buttons.

https://developers.viber.com/docs/tools/text-formatting/ and https://developers.viber.com/docs/tools/keyboards/

Messages have no escape; but a format ends only at a sign with white space behind it, so an invisible word
joiner after each sign keeps it as it is. Signs inside of a word and in web addresses are left alone: there is
no format, and a link to break.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any, Final

from bridge.channels import text

JOINER: Final = "\u2060"
REQUEST_BYTES: Final = 28_000
"""Below the 30 kB of a request, as address and sender are added to it."""
SLACK: Final = 200
"""What a message has beside its text."""

_SIGN: Final = re.compile(
    r"""(?P<address>https?://\S+)
      | (?<=[^\W_])[*_~](?=[^\W_])         # inside of a word
      | (?P<sign>[*_~]|`{3})
    """,
    re.VERBOSE,
)


def plain(said: str) -> str:
    """The text so that a message shows it as it was written."""
    return _SIGN.sub(lambda found: found[0] + (JOINER if found["sign"] else ""), said)


def split(said: str, limit: int) -> list[str]:
    """The text for messages, in parts of at most `limit` UTF-16 units that fit a request."""
    parts: list[str] = []
    for part in text.split(said, limit, "utf16"):
        shown = plain(part)
        # Half of it fits always: with a joiner for each sign it is as long, and as JSON seven bytes a unit.
        fits = text.fits(shown, limit, "utf16") and json_size(shown) <= REQUEST_BYTES - SLACK
        parts += [shown] if fits else map(plain, text.split(part, limit // 2, "utf16"))
    return parts


def json_size(value: Any) -> int:
    """The length as JSON in ASCII: how Viber counts a request it does not say, and no way gives more."""
    return len(json.dumps(value))


def html(said: str) -> str:
    """The text so that a button shows it as it was written."""
    return escape(said, quote=False).replace("\n", "<br>")


def html_within(said: str, room: int) -> str:
    """The text, or its beginning and an ellipsis, for a button; at most `room` characters of HTML."""
    lengths = range(len(said), 0, -1)
    return next((shown for length in lengths if len(shown := html(text.cut(said, length))) <= room), "")
