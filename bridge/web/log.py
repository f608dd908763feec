"""ChatLog: the history of each web chat, as a bounded Redis stream that browsers read and follow.

- An entry is one line of JSON; its stream id is its place and its time. The same key is appended once.
- Whoever appends also publishes a notice. A notice carries no entry: a browser that hears of one reads what
  came after the last id it has, so a lost notice delays and never loses or repeats anything.
- A mark says up to which entry the other side has received, or read, what the user wrote.
- A history ends by itself, `keep_seconds` after the last entry. The files that users send are kept beside it
  (bridge.web.files), and end sooner.

All keys of an integration's chats share the hash tag {bridge:NAME:chat}.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast
from urllib.parse import unquote

import msgspec
from redis.asyncio import Redis

from bridge.channels import Reply, Request
from bridge.content import Receipt
from bridge.errors import StoreFull, StoreUnavailable, Unavailable
from bridge.queue.connection import unavailable
from bridge.web.files import ChatFiles

ENTRIES: Final = 500
KEEP_SECONDS: Final = 30 * 86_400
SEEN_SECONDS: Final = 86_400
PATTERN: Final = "{bridge:*:chat}:notices"
"""Matches the notice channel of every integration."""

_HERE: Final = Path(__file__).parent
_ENCODE: Final = msgspec.json.Encoder().encode

Mark: TypeAlias = Literal["read", "delivered"]


class Entry(msgspec.Struct, frozen=True):
    """One entry of a history: its place, and its line of JSON."""

    id: str
    data: bytes


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the browsers of `chat` are told: a new entry, a moved mark, or a sign that is only for now."""

    chat: str
    kind: Literal["entry", "mark", "sign"]
    data: str = ""


class ChatLog:
    """The histories of one integration. Every method raises StoreUnavailable when Redis says "not now"."""

    def __init__(self, redis: Redis, integration: str) -> None:
        self._redis = redis
        self._tag = f"{{bridge:{integration}:chat}}"
        self._append = redis.register_script((_HERE / "append.lua").read_text())
        self._mark = redis.register_script((_HERE / "mark.lua").read_text())
        self.channel = f"{self._tag}:notices"
        self.files = ChatFiles(redis, self._tag)

    def _key(self, kind: str, chat: str) -> str:
        return f"{self._tag}:{kind}:{chat}"

    async def append(
        self, chat: str, entry: bytes, key: str, *, keep_seconds: int = KEEP_SECONDS, queued: bool = False
    ) -> str:
        """The entry's id in the history; for a repeated `key` (of this chat, for a day) that of the first.

        A full server takes an entry that is `queued`, if the chat has a history: the queue deletes the
        entry's event next. Any other raises StoreFull.
        """
        with unavailable():
            found = await self._append(
                keys=[self._key("log", chat), self._key("seen", f"{chat}:{key}")],
                args=[entry, ENTRIES, keep_seconds, min(SEEN_SECONDS, keep_seconds), self.channel,
                      _ENCODE(Notice(chat, "entry")), "1" if queued else ""],
            )  # fmt: skip
        return str(found, "ascii")

    async def mark(self, chat: str, mark: Mark, *, keep_seconds: int = KEEP_SECONDS) -> None:
        """Everything so far has been received, or read, by the other side."""
        with unavailable():
            await self._mark(
                keys=[self._key("log", chat), self._key("marks", chat)],
                args=[mark, keep_seconds, self.channel, _ENCODE(Notice(chat, "mark"))],
            )

    async def publish(self, chat: str, entry: bytes) -> None:
        """Shown by the browsers that look now, kept nowhere."""
        with unavailable():
            await self._redis.publish(self.channel, _ENCODE(Notice(chat, "sign", entry.decode())))

    async def read(self, chat: str, after: str = "0", limit: int = 100) -> list[Entry]:
        """The entries that follow the id `after`, oldest first, at most `limit`."""
        with unavailable():
            rows: list[tuple[bytes, dict[bytes, bytes]]] = await self._redis.xrange(
                self._key("log", chat), min=f"({after}", count=limit
            )
        return [Entry(str(place, "ascii"), fields[b"e"]) for place, fields in rows]

    async def forget(self, chat: str) -> None:
        """Erases the chat's history and its files. What was appended once may then be again, within a day."""
        await self.files.forget(chat)
        with unavailable():
            await self._redis.delete(self._key("log", chat), self._key("marks", chat))

    async def marks(self, chat: str) -> dict[str, str]:
        """Mark -> id of the last entry it covers."""
        with unavailable():
            # redis-py types the commands of its two clients as one; this one is asynchronous.
            asked = cast("Awaitable[dict[bytes, bytes]]", self._redis.hgetall(self._key("marks", chat)))
            found = await asked
        return {str(name, "ascii"): str(place, "ascii") for name, place in found.items()}


def transport(log: ChatLog) -> Callable[[Request], Awaitable[Reply]]:
    """What carries the requests of the web chat channel (scheme `chat:`) into `log`.

    Raises Unavailable when Redis says "not now"; as an entry is appended once, a repeat is always safe.
    A full Redis is StoreFull: the entry waits until there is room, however long that takes.
    """

    async def carry(request: Request) -> Reply:
        chat = unquote(request.url.removeprefix("chat:"))
        keep = int(request.headers.get("keep-seconds", KEEP_SECONDS))
        answer = b""
        try:
            match request.method:
                case "APPEND":
                    key = f"agent:{request.headers['idempotency-key']}"
                    place = await log.append(chat, request.body, key, keep_seconds=keep, queued=True)
                    answer = _ENCODE({"id": place})
                case "MARK":
                    receipt = msgspec.json.decode(request.body, type=_Marking).content
                    await log.mark(chat, receipt.kind, keep_seconds=keep)
                case "PUBLISH":
                    await log.publish(chat, request.body)
                case other:
                    return Reply(status=405, body=other.encode())
        except StoreFull:
            raise
        except StoreUnavailable as error:
            raise Unavailable(str(error)) from error
        return Reply(status=200, body=answer)

    return carry


class _Marking(msgspec.Struct, frozen=True):
    content: Receipt
