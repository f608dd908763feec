"""Files that users send in a web chat, kept in Redis for a day: all that ingresses share is there.

Moveo, and who answers for it, load a file by its address; who knows the address may load it, so it holds 192
random bits. What is kept is bounded for all chats of the integration together, since anybody may open a chat:
strangers can then use up the room for files, never the memory that events need.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Final, cast

import msgspec
from redis.asyncio import Redis

from bridge.queue.connection import unavailable

KEEP_SECONDS: Final = 86_400
WEIGHT: Final = 1_024
"""Bytes a file counts for beside its own: its keys, so that many small ones are not free."""

_HERE: Final = Path(__file__).parent
_ID: Final = re.compile(r"[A-Za-z0-9_-]{32}")


class ChatFile(msgspec.Struct, frozen=True):
    """What is known of a file: the chat it was sent in, its name, its MIME type, its size in bytes."""

    chat: str
    name: str
    mime_type: str
    size: int


class ChatFiles:
    """The files of one integration's chats. Every method raises StoreUnavailable at Redis' "not now"."""

    def __init__(self, redis: Redis, tag: str) -> None:
        self._redis = redis
        self._tag = tag
        self._keep = redis.register_script((_HERE / "keep.lua").read_text())
        self._erase = redis.register_script((_HERE / "erase.lua").read_text())

    def _key(self, kind: str, name: str = "") -> str:
        return f"{self._tag}:{kind}:{name}" if name else f"{self._tag}:{kind}"

    async def keep(
        self, file: ChatFile, body: bytes, *, most: int, seconds: int = KEEP_SECONDS
    ) -> str | None:
        """The id of the file from now on; None when all files together would be more than `most` bytes."""
        made = secrets.token_urlsafe(24)
        known = (part for pair in msgspec.structs.asdict(file).items() for part in pair)
        with unavailable():
            kept = await self._keep(
                keys=[self._key("file", made), self._key("about", made), self._key("ends"),
                      self._key("sizes"), self._key("sum"), self._key("files", file.chat)],
                args=[made, body, len(body) + WEIGHT, most, seconds, *known],
            )  # fmt: skip
        return made if kept else None

    async def about(self, ids: Sequence[str]) -> list[ChatFile | None]:
        """What is known of each; None for one that is not kept, or not any more."""
        asked = [name for name in dict.fromkeys(ids) if _ID.fullmatch(name)]
        with unavailable():
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in asked:
                    pipe.hgetall(self._key("about", name))
                answers = await pipe.execute() if asked else []
        found = {name: _known(answer) for name, answer in zip(asked, answers, strict=True) if answer}
        return [found.get(name) for name in ids]

    async def part(self, name: str, start: int, end: int) -> bytes:
        """The bytes from `start` up to `end`, without the latter; b"" when it is not kept any more."""
        with unavailable():
            # redis-py types the commands of its two clients as one; this one is asynchronous.
            return await cast(
                "Awaitable[bytes]", self._redis.getrange(self._key("file", name), start, end - 1)
            )

    async def forget(self, chat: str) -> None:
        """Erases the chat's files."""
        with unavailable():
            await self._erase(
                keys=[self._key("files", chat), self._key("ends"), self._key("sizes"), self._key("sum")],
                args=[f"{self._tag}:file:", f"{self._tag}:about:"],
            )


def _known(fields: dict[bytes, bytes]) -> ChatFile:
    return msgspec.convert(
        {name.decode(): value.decode() for name, value in fields.items()}, ChatFile, strict=False
    )
