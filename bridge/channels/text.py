"""What every channel needs to know of text: its length as a platform counts it, where it may be cut, what may
be a link, what fits behind a button.

Rules kept here:
- A grapheme cluster (what a reader takes for one character: an emoji family, a flag, a letter with its
  accents) is never cut in two, unless it alone is longer than the limit.
- `split` loses nothing but the white space at the cuts, and takes time in proportion to the text.
- Only `link` (bridge.channels.links) decides what may become a link.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from typing import Final

import regex

from bridge.channels.capabilities import Unit
from bridge.channels.links import link as link

ELLIPSIS: Final = "…"

# ---- length ------------------------------------------------------------------------------------------------


def measure(text: str, unit: Unit) -> int:
    """The length of `text` as the platform counts it."""
    match unit:
        case "characters":
            return len(text)
        case "utf16":
            return len(text.encode("utf-16-le", "surrogatepass")) // 2
        case "bytes":
            return len(text.encode("utf-8", "surrogatepass"))


def fits(text: str, limit: int, unit: Unit = "characters") -> bool:
    """Whether `text` is within the limit."""
    return len(text) <= limit and (text.isascii() or measure(text, unit) <= limit)


def _reach(text: str, start: int, limit: int, unit: Unit) -> int:
    """The furthest index to which text[start:index] is within the limit."""
    window = text[start : start + limit]
    match unit:
        case "characters":
            return start + len(window)
        case "utf16":
            units = window.encode("utf-16-le", "surrogatepass")[: 2 * limit]
            return start + len(units.decode("utf-16-le", "ignore"))
        case "bytes":
            octets = window.encode("utf-8", "surrogatepass")
            end = min(limit, len(octets))
            while 0 < end < len(octets) and octets[end] & 0xC0 == 0x80:  # inside a character
                end -= 1
            return start + len(octets[:end].decode("utf-8", "surrogatepass"))


def blank(text: str) -> bool:
    """Whether nothing of the text can be seen; platforms refuse such a text as empty."""
    return not any(character.isprintable() and character != " " for character in text)


# ---- cutting -----------------------------------------------------------------------------------------------

_JOINED: Final = r"[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]"
# A flag is two regional indicators. To know where a pair begins `\X` would look back over all flags before,
# which takes a run of them the square of its length; here a pair begins where the one before it ended.
_WHOLE_CLUSTERS: Final = regex.compile(rf"(?:(?>\p{{GCB=RI}}{{2}}{_JOINED}*+|\X))*(?=.)", regex.DOTALL)
_NEW_CLUSTER: Final = rf"(?!{_JOINED})"
_SPACE: Final = regex.compile(rf"(?:\s{_NEW_CLUSTER})*+")
# White space with the sentence end before it, or the sentence end of a script that writes no spaces. A run of
# either is tried from its beginning only: from each of its places it would take the square of its length.
_BREAK: Final = regex.compile(
    rf"""(?: (?P<stop>[.!?…]["'”’»)\]]*+)?+ (?<!\s)(?P<space>(?:\s{_NEW_CLUSTER})++)
           | (?<![。！？])(?P<stop>[。！？]++[」』”’）]*+) (?P<space>\s*+) {_NEW_CLUSTER} )
        (?=.)""",
    regex.VERBOSE | regex.DOTALL,
)
_WORD: Final = 3


def _level(found: regex.Match[str]) -> int:
    """How fine a cut here is: 0 between paragraphs, 1 lines, 2 sentences, 3 words."""
    lines = found["space"].count("\n")
    return 0 if lines > 1 else 1 if lines else 2 if found["stop"] else _WORD


def _clusters_end(text: str, start: int, reach: int) -> int:
    """The last cluster boundary up to `reach` (which is not the text's end); `reach` where there is none."""
    whole = _WHOLE_CLUSTERS.match(text, start, reach + 1)
    assert whole  # noqa: S101 -- the pattern matches the empty string before any character
    return whole.end() if whole.end() > start else max(reach, start + 1)


def _cut_at(text: str, start: int, reach: int, space_end: int) -> int:
    """Where the part from `start` ends, white space included: at the coarsest break that is any good.

    A paragraph, line or sentence is kept whole only if the part is at least half full then: so there are
    never many more parts than needed.
    """
    cuts: dict[int, int] = {}
    for found in _BREAK.finditer(text, start, space_end + 1):
        level = _level(found)
        if level == _WORD or 2 * (found.start("space") - start) >= reach - start:
            cuts[level] = found.end()
    return cuts[min(cuts)] if cuts else _clusters_end(text, start, reach)


def split(text: str, limit: int, unit: Unit = "characters") -> list[str]:
    """The text in parts of at most `limit`, cut between paragraphs, else lines, sentences, words, clusters.

    A text that fits is returned as it is; a blank one has no parts. (A single character longer than the
    limit, possible only with a limit below 4 bytes, is a part of its own.) Raises ValueError when the limit
    is below 1.
    """
    if limit < 1:
        raise ValueError(f"a text cannot be split into parts of at most {limit}")
    if not text or text.isspace():
        return []
    if fits(text, limit, unit):
        return [text]
    parts: list[str] = []
    start = _space_end(text, 0)
    while start < len(text):
        reach = _reach(text, start, limit, unit)
        space_end = _space_end(text, reach)  # white space at the cut is dropped, so it may go over the limit
        end = space_end if space_end == len(text) else _cut_at(text, start, reach, space_end)
        if part := text[start:end].rstrip():
            parts.append(part)
        start = _space_end(text, end)
    return parts


def _space_end(text: str, start: int) -> int:
    found = _SPACE.match(text, start)
    return found.end() if found else start


def cut(text: str, limit: int, unit: Unit = "characters") -> str:
    """The text, or its beginning and an ellipsis, within the limit; "" for a limit below 1."""
    if limit < 1:
        return ""
    if fits(text, limit, unit):
        return text
    ellipsis = ELLIPSIS if measure(ELLIPSIS, unit) <= limit else ""
    room = limit - measure(ellipsis, unit)
    reach = _reach(text, 0, room, unit)
    whole = _WHOLE_CLUSTERS.match(text, 0, reach + 1)
    end = whole.end() if whole else 0
    return text[: end or reach].rstrip() + ellipsis


def labels(labels: Iterable[str], limit: int) -> list[str]:
    """Labels of one line within the limit, no two alike: "Deliver…", "Deliv… 2"; a blank one: "Option 3"."""
    taken: set[str] = set()
    last: dict[str, int] = {}  # the last number that stands behind a beginning: the search goes on from there
    made: list[str] = []
    for place, label in enumerate(labels, 1):
        short = wanted = cut(" ".join(label.split()) or f"Option {place}", limit)
        digits = 1
        while short in taken:
            if digits > limit:  # there are no more different labels of this length
                short = wanted
                break
            room = limit - digits - 1
            beginning = cut(wanted, room) if room > 0 else ""
            number = max(last.get(beginning, 1) + 1, 10 ** (digits - 1))
            if len(str(number)) > digits:  # which leaves less room for the beginning
                digits += 1
                continue
            last[beginning] = number
            short = f"{beginning} {number}" if beginning else str(number)
        taken.add(short)
        made.append(short)
    return made


# ---- what a person wrote, made safe ------------------------------------------------------------------------

_UNCLEAN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROLS: Final = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], None),
    **dict.fromkeys(map(ord, "\n\x0b\x0c\r\x85"), "\n"),
    ord("\t"): "\t",
}


def clean(text: str) -> str:
    """The text as valid UTF-8 without control characters; line ends of every kind become "\\n"."""
    if not _UNCLEAN.search(text):
        return text
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return paired.replace("\r\n", "\n").translate(_CONTROLS)


# ---- behind a button ---------------------------------------------------------------------------------------

MARK: Final = "~"


def payload(value: str, limit_bytes: int) -> tuple[str, dict[str, str]]:
    """What stands behind a button, and what has to be kept for it (`Call.keep`).

    The value itself where it fits; else "~" and a digest of it, under which the value is kept. A value that
    looks like a token becomes one too, so that whatever starts with "~" is a token.
    """
    if value and not value.startswith(MARK) and len(value.encode("utf-8", "replace")) <= limit_bytes:
        return value, {}
    digest = hashlib.blake2b(value.encode("utf-8", "replace"), digest_size=16).digest()
    token = MARK + urlsafe_b64encode(digest).decode().rstrip("=")[: max(limit_bytes - 1, 1)]
    return token, {token: value}
