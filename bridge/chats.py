"""What is kept of people: the chats of an integration, all there is of one, and its erasure.

For people at the command line, so it may read through all keys of the integration's chats. What is kept, and
for how long: bridge.sessions (links, buttons, memos), bridge.queue (events that wait, dead letters),
bridge.web.log (the history of a web chat).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import msgspec
from redis.asyncio import Redis

from bridge.queue import DeadLetter, Queue
from bridge.queue.connection import unavailable
from bridge.sessions import LINK_SECONDS, Sessions, prefix
from bridge.web.log import ChatLog

SCAN: Final = 1000
LETTERS: Final = 100_000


class Link(msgspec.Struct, frozen=True):
    """A chat and the Moveo session its messages go to. `idle_seconds` since either was last used."""

    chat: str
    session: str
    idle_seconds: int


class About(msgspec.Struct, frozen=True):
    """All that is kept of one chat, in numbers; `sessions` are all that ever had it, and are still known."""

    chat: str
    session: str
    sessions: tuple[str, ...]
    memo: dict[str, str]
    buttons: int
    numbers: int
    waiting: int
    dead: int


class Chats:
    """The chats of one integration. Every method raises StoreUnavailable when Redis does not take part."""

    def __init__(self, redis: Redis, integration: str) -> None:
        self._redis = redis
        self._prefix = prefix(integration)
        self._sessions = Sessions(redis, integration)
        self._out = Queue(redis, integration, "out")
        self._in = Queue(redis, integration, "in")
        self._log = ChatLog(redis, integration)

    async def links(self) -> AsyncIterator[Link]:
        """Every chat that has a session, in no order."""
        start = self._prefix + b"session:"
        async for key in self._scan(b"session:*"):
            with unavailable():
                session, left = await self._redis.get(key), await self._redis.ttl(key)
            if session is not None:
                chat = key.removeprefix(start).decode("utf-8", "replace")
                yield Link(chat, session.decode("utf-8", "replace"), max(0, LINK_SECONDS - left))

    async def find(self, name: str) -> str | None:
        """The chat that is called so, or whose session is; None where nothing is known of either."""
        if chat := await self._sessions.chat_of(name):
            return chat
        about = await self.about(name)
        known = about.sessions or about.session or about.memo or about.buttons or about.numbers
        return name if known or about.waiting or about.dead or await self._log.read(name, limit=1) else None

    async def about(self, chat: str) -> About:
        """What is kept of the chat."""
        session = await self._sessions.session_of(chat) or ""
        sessions = await self._sessions_of(chat)
        numbers = await self._sessions.numbers(chat)
        units = {chat, session, *sessions} - {""}
        waiting = [await self._out.waiting(unit) for unit in units] + [await self._in.waiting(chat)]
        return About(
            chat=chat,
            session=session,
            sessions=tuple(sorted(sessions)),
            memo=dict(await self._sessions.memo(chat)),
            buttons=len(await self._buttons(chat)),
            numbers=len(numbers.choices) if numbers else 0,
            waiting=sum(waiting),
            dead=len(await self._letters(self._out, units)) + len(await self._letters(self._in, {chat})),
        )

    async def forget(self, chat: str) -> About:
        """Erases all that is kept of the chat; gives what it was."""
        was = await self.about(chat)
        units = {chat, was.session, *was.sessions} - {""}
        for queue, names in ((self._out, units), (self._in, {chat})):
            for name in names:
                await queue.drop(name)
            await queue.purge(await self._letters(queue, names))
        await self._log.forget(chat)
        await self._sessions.forget(chat, was.sessions, await self._buttons(chat))
        return was

    async def _sessions_of(self, chat: str) -> list[str]:
        start, name = self._prefix + b"chat:", chat.encode()
        found: list[str] = []
        async for key in self._scan(b"chat:*"):
            with unavailable():
                if await self._redis.get(key) == name:
                    found.append(key.removeprefix(start).decode("utf-8", "replace"))
        return found

    async def _buttons(self, chat: str) -> list[bytes]:
        return [key async for key in self._scan(b"kept:*:" + _glob(chat.encode()))]

    @staticmethod
    async def _letters(queue: Queue, sessions: set[str]) -> list[DeadLetter]:
        return [letter for letter in await queue.dead(limit=LETTERS) if letter.session in sessions]

    async def _scan(self, pattern: bytes) -> AsyncIterator[bytes]:
        with unavailable():
            async for key in self._redis.scan_iter(match=_glob(self._prefix) + pattern, count=SCAN):
                yield key


def _glob(raw: bytes) -> bytes:
    """The bytes as a pattern that only they match."""
    return b"".join(b"\\" + bytes([each]) if each in b"*?[]\\^-" else bytes([each]) for each in raw)
