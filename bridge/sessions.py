"""What is known of an integration's chats: which Moveo session a chat has, and what its buttons stand for.

Both directions share it: the way back finds the session of a chat, the way out finds the chat of a session
that names none. Every key expires; a person who comes back later simply starts a new session.

A server without free memory takes these notes too. Each belongs to an event that waits in that server and is
deleted once it is delivered, so what the server takes beyond its limit is bounded by what waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from redis.asyncio import Redis

from bridge.channels.choices import choose
from bridge.content import Choice
from bridge.queue.connection import unavailable

LINK_SECONDS: Final = 15 * 86_400  # Moveo's longest session timeout
MEMO_SECONDS: Final = 90 * 86_400  # where the chat is to be reached, also for who was silent for long
KEPT_SECONDS: Final = 30 * 86_400  # a button can be pressed long after it was shown
NUMBERS_SECONDS: Final = 86_400

_SET: Final = """
-- KEYS: what to set. ARGV: seconds until it expires, then a value for each key.
redis.call('DEL', KEYS[1]) -- first, a write that cannot grow: a full server lets the rest through
for n, key in ipairs(KEYS) do
  redis.call('SET', key, ARGV[n + 1], 'EX', ARGV[1])
end
"""
_LEARN: Final = """
-- KEYS: chat:<session> session:<chat>. ARGV: seconds until both expire, chat, session.
redis.call('DEL', KEYS[1]) -- first, a write that cannot grow: a full server lets the rest through
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[1])
redis.call('SET', KEYS[2], ARGV[3], 'EX', ARGV[1], 'NX')
"""
_DELETE_IF: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


def prefix(integration: str) -> bytes:
    """What all keys of the integration's chats begin with."""
    return b"{bridge:%s:chats}:" % integration.encode()


class Numbers(msgspec.Struct, frozen=True):
    """The options of a chat that a typed answer can choose; `raw` says which asking they belong to."""

    choices: tuple[Choice, ...]
    raw: bytes

    def text(self, typed: str) -> str | None:
        """The text of the option that the answer chooses, None where it chooses none."""
        return choose(self.choices, typed)


class Sessions:
    """The chats of one integration. Every method raises StoreUnavailable when Redis does not take part."""

    def __init__(self, redis: Redis, integration: str) -> None:
        self._redis = redis
        self._set_all = redis.register_script(_SET)
        self._learn = redis.register_script(_LEARN)
        self._delete_equal = redis.register_script(_DELETE_IF)
        self._prefix = prefix(integration)

    def _key(self, kind: bytes, name: str) -> bytes:
        return self._prefix + kind + b":" + name.encode()

    # ---- sessions and chats ----------------------------------------------------------------------------

    async def session_of(self, chat: str) -> str | None:
        """The Moveo session a message of the chat goes to."""
        return await self._get(self._key(b"session", chat), LINK_SECONDS)

    async def chat_of(self, session: str) -> str | None:
        """The chat that a session's answers go to; known until long after the session has ended."""
        return await self._get(self._key(b"chat", session), LINK_SECONDS)

    async def link(self, chat: str, session: str, seconds: int = LINK_SECONDS) -> None:
        """From now on messages of the chat go to the session, and the session's answers to the chat."""
        await self._set({self._key(b"session", chat): session, self._key(b"chat", session): chat}, seconds)

    async def learn(self, chat: str, session: str) -> None:
        """An event of the session is for the chat: its messages go there, unless it has another session."""
        keys = [self._key(b"chat", session), self._key(b"session", chat)]
        with unavailable():
            await self._learn(keys=keys, args=[LINK_SECONDS, chat, session])

    async def unlink(self, chat: str, session: str) -> None:
        """The session has ended: the chat's next message starts a new one, unless it already has."""
        await self._delete_if(self._key(b"session", chat), session.encode())

    async def move(self, old: str, new: str) -> None:
        """The chat goes on under another address: its session goes with it."""
        if session := await self.session_of(old):
            await self.link(new, session)

    async def remember(self, chat: str, memo: Mapping[str, str]) -> None:
        """What the user's last message brought along, for the calls that need it (Call.recall)."""
        await self._set({self._key(b"memo", chat): msgspec.json.encode(memo)}, MEMO_SECONDS)

    async def memo(self, chat: str) -> Mapping[str, str]:
        """What `remember` was last told of the chat; empty when that is nothing."""
        raw = await self._get(self._key(b"memo", chat), MEMO_SECONDS)
        return msgspec.json.decode(raw, type=dict[str, str]) if raw else {}

    async def forget(self, chat: str, sessions: Sequence[str], buttons: Sequence[bytes]) -> None:
        """Erases what is known of the chat; `buttons` are the keys of its kept payloads."""
        of_chat = (self._key(kind, chat) for kind in (b"session", b"memo", b"numbers"))
        of_sessions = (self._key(b"chat", session) for session in sessions)
        with unavailable():
            await self._redis.delete(*of_chat, *of_sessions, *buttons)

    # ---- buttons and numbered answers ------------------------------------------------------------------

    async def keep(self, chat: str, payloads: Mapping[str, str], numbers: Sequence[Choice] = ()) -> None:
        """Stores what short payloads stand for, and what typed answers choose from now on."""
        # A payload is a token without ":", so that payload and chat cannot run into each other.
        if payloads:
            await self._set(
                {self._key(b"kept:" + p.encode(), chat): text for p, text in payloads.items()}, KEPT_SECONDS
            )
        if numbers:
            await self._set({self._key(b"numbers", chat): msgspec.json.encode(numbers)}, NUMBERS_SECONDS)

    async def kept(self, chat: str, payload: str) -> str | None:
        """What a payload of a button in this chat stands for."""
        return await self._get(self._key(b"kept:" + payload.encode(), chat), KEPT_SECONDS)

    async def numbers(self, chat: str) -> Numbers | None:
        """What typed answers choose in the chat at the moment."""
        raw = await self._get(self._key(b"numbers", chat), NUMBERS_SECONDS)
        if raw is None:
            return None
        stored = msgspec.json.decode(raw, type=list[Choice | str])
        choices = (  # the texts alone are an older form
            Choice(str(place), "", each) if isinstance(each, str) else each
            for place, each in enumerate(stored, 1)
        )
        return Numbers(tuple(choices), raw.encode())

    async def spend(self, chat: str, numbers: Numbers) -> None:
        """The question was answered: its numbers mean nothing more, unless a new question has its own."""
        await self._delete_if(self._key(b"numbers", chat), numbers.raw)

    # ---- Redis -----------------------------------------------------------------------------------------

    async def _get(self, key: bytes, seconds: int) -> str | None:
        with unavailable():
            value: bytes | None = await self._redis.getex(key, ex=seconds)
        return None if value is None else value.decode()

    async def _set(self, values: Mapping[bytes, str | bytes], seconds: int) -> None:
        with unavailable():
            await self._set_all(keys=list(values), args=[seconds, *values.values()])

    async def _delete_if(self, key: bytes, value: bytes) -> None:
        with unavailable():
            await self._delete_equal(keys=[key], args=[value])
