"""What follows a chat, as server-sent events: the history after the last id the browser has, then the rest.

    id: 1700000000000-0     an entry
    data: {...}

    event: marks            up to where the other side received and read: {"read": id, "delivered": id}
    event: sign             an entry that is only for now: who types
    event: ready            the history is complete, what follows is news: {}
    event: beat             nothing happened for a while: {}

The data of every event is one line of JSON.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from bridge.web.hub import Watch
from bridge.web.log import ChatLog, Entry

PAGE: Final = 20
"""Entries read at once: what a browser that takes nothing costs is one page, and entries can be large."""
RETRY: Final = b"retry: 1000\n\n"

_ENCODE: Final = msgspec.json.Encoder().encode


def event(name: str, data: bytes = b"{}") -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def entry(found: Entry) -> bytes:
    return b"id: %b\ndata: %b\n\n" % (found.id.encode(), found.data)


async def follow(
    log: ChatLog,
    watch: Watch,
    chat: str,
    after: str,
    write: Callable[[bytes], Awaitable[None]],
    *,
    beat_seconds: float,
) -> None:
    """Writes until the watch is closed. Raises what `write` raises, and StoreUnavailable.

    The watch is cleared before reading, so that what comes meanwhile is read in the next round.
    """
    await write(RETRY)
    ready = False
    while not watch.closed:
        watch.clear()
        full = True
        while full:
            entries = await log.read(chat, after, PAGE)
            if entries:
                await write(b"".join(map(entry, entries)))
                after = entries[-1].id
            full = len(entries) == PAGE
        if watch.marked() and (marks := await log.marks(chat)):
            await write(event("marks", _ENCODE(marks)))
        for sign in watch.signs():
            await write(event("sign", sign))
        if not ready:
            await write(event("ready"))
            ready = True
        if not await watch.wait(beat_seconds):
            await write(event("beat"))
