"""What a user wrote, out of Slack's markup: mentions, addresses and "&amp;" as plain words.

https://docs.slack.dev/messaging/formatting-message-text#retrieving-messages. What a person marks as bold or
as code stays as it was typed, and an emoji is its name between colons.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from bridge.channels import text

_TOKEN: Final = re.compile(r"<([^<>|\s][^<>|]*)(?:\|([^<>]*))?>")
"""What stands between angle brackets: a target, and perhaps what is shown in its place."""
_MENTION: Final = re.compile(r"<@(\w+)(?:\|[^<>]*)?>")
_ADDRESSED: Final = re.compile(rf"\s*{_MENTION.pattern}[\s,:]*")


def plain(written: str, bots: Collection[str] = ()) -> str:
    """The words. Mentions of our own bot at either end are its address, and nothing that is said to it."""
    said = _unaddressed(written, bots)
    return text.clean(unescaped(_TOKEN.sub(_shown, said))).strip()


def unescaped(words: str) -> str:
    return words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _unaddressed(written: str, bots: Collection[str]) -> str:
    """Without the bot's mention at the beginning and at the end; all of it where there is nothing else."""
    start, end = 0, len(written.rstrip())
    while (found := _ADDRESSED.match(written, start)) and found[1] in bots:
        start = found.end()
    while (found := _MENTION.fullmatch(written, max(written.rfind("<@", start, end), start), end)) and (
        found[1] in bots
    ):
        end = found.start()
        while end > start and written[end - 1].isspace():
            end -= 1
    return written[start:end] or written


def _shown(found: re.Match[str]) -> str:
    target, label = found[1], found[2] or ""
    match target[0]:
        case "@" | "#":
            return f"{target[0]}{(label or target[1:]).lstrip('@#')}"
        case "!":
            return _special(target[1:], label)
        case _:
            return _address(target, label)


def _special(target: str, label: str) -> str:
    """Groups, dates, and the likes of <!here>."""
    if label:
        return f"@{label}" if label == target else label
    return f"@{target.rpartition('^')[2]}"


def _address(target: str, label: str) -> str:
    """The address as it was typed; a link with words of its own is both."""
    if not label or label == target:
        return target
    if target.startswith(("mailto:", "tel:")) or target.partition("://")[2].rstrip("/") == label.rstrip("/"):
        return label
    return f"{label} ({target})"
