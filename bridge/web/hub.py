"""Hub: the one pub/sub connection through which a process hears of every chat its browsers look at.

A notice only wakes the watches of its chat; each then reads the history from the last id it has. After every
new subscription all watches are woken, since nothing is known of the time without one. So nothing is missed,
nothing comes twice, and what the hub holds for a browser does not grow with what that browser fails to read.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import msgspec
import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from bridge.queue.connection import FAILURES
from bridge.runtime import end
from bridge.web.log import PATTERN, ChatLog, Notice

SIGNS: Final = 8
"""Typing signs kept for one browser; of more, the oldest are worthless."""
SILENCE_SECONDS: Final = 5.0
"""After this much silence the connection is asked whether it still lives."""
RECONNECT_SECONDS: Final = 1.0

_log: Final = structlog.get_logger(__name__)
_decode: Final = msgspec.json.Decoder(Notice).decode


class Watch:
    """One browser's interest in one chat: whether something may be new, and the signs that are for now."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self._signs: list[bytes] = []
        self._marked = True
        self._patience: asyncio.Timeout | None = None
        self.closed = False

    def wake(self) -> None:
        """Nothing is known of what was missed: look at everything again."""
        self._marked = True
        self._woken.set()

    def close(self) -> None:
        """The process ends: whoever waits gets up and leaves, and what is not taken is not waited for."""
        self.closed = True
        self._woken.set()
        if self._patience:
            self._patience.reschedule(0)

    @asynccontextmanager
    async def patience(self, seconds: float) -> AsyncIterator[None]:
        """Raises TimeoutError when the block takes longer, or the process ends meanwhile."""
        async with asyncio.timeout(0 if self.closed else seconds) as patience:
            self._patience = patience
            try:
                yield
            finally:
                self._patience = None

    def hear(self, notice: Notice) -> None:
        """A new entry outdates the signs not yet shown: whoever typed has spoken."""
        match notice.kind:
            case "sign":
                self._signs = [*self._signs[1 - SIGNS :], notice.data.encode()]
            case "entry":
                self._signs = []
            case "mark":
                self._marked = True
        self._woken.set()

    def signs(self) -> list[bytes]:
        """The signs heard since the last call."""
        taken, self._signs = self._signs, []
        return taken

    def marked(self) -> bool:
        """Whether a mark may have moved since the last call; at first it may."""
        taken, self._marked = self._marked, False
        return taken

    def clear(self) -> None:
        """Call it before reading: what is heard while reading wakes the next wait."""
        self._woken.clear()

    async def wait(self, seconds: float) -> bool:
        """Whether something was heard before `seconds` were over."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True


class Hub:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._watches: defaultdict[tuple[str, str], set[Watch]] = defaultdict(set)
        self._closed = False

    @contextmanager
    def watch(self, log: ChatLog, chat: str) -> Iterator[Watch]:
        place, watch = (log.channel, chat), Watch()
        watch.closed = self._closed
        self._watches[place].add(watch)
        try:
            yield watch
        finally:
            self._watches[place].discard(watch)
            if not self._watches[place]:
                del self._watches[place]

    def watching(self, log: ChatLog, chat: str) -> int:
        """How many browsers look at the chat through this process."""
        return len(self._watches.get((log.channel, chat), ()))

    def close(self) -> None:
        """Ends every stream; browsers reconnect to whichever process takes their next request."""
        self._closed = True
        for watch in self._all():
            watch.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listens as long as the block runs."""
        task = asyncio.create_task(self._listen_always(), name="chat-hub")
        try:
            yield
        finally:
            await end(task)

    def _all(self) -> list[Watch]:
        return [watch for watches in self._watches.values() for watch in watches]

    async def _listen_always(self) -> None:
        """Redis going away ends nothing: listen again as soon as it is back."""
        while True:
            pubsub = self._redis.pubsub()
            try:
                await self._listen(pubsub)
            except FAILURES as error:
                _log.warning("chat.hub_lost", reason=type(error).__name__)
            finally:
                await pubsub.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(random.uniform(0.1, RECONNECT_SECONDS))

    async def _listen(self, pubsub: PubSub) -> None:
        await pubsub.psubscribe(PATTERN)
        asked = False
        while True:
            message = await pubsub.get_message(timeout=SILENCE_SECONDS)
            if message is None:
                if asked:
                    raise RedisError("the connection is silent")
                asked = True
                await pubsub.ping()
                continue
            asked = False
            if message["type"] == "psubscribe":
                for watch in self._all():
                    watch.wake()
            elif message["type"] == "pmessage":
                self._tell(str(message["channel"], "utf-8"), message["data"])

    def _tell(self, channel: str, data: bytes) -> None:
        try:
            notice = _decode(data)
        except msgspec.MsgspecError:
            _log.warning("chat.notice_unreadable")
            return
        for watch in self._watches.get((channel, notice.chat), ()):
            watch.hear(notice)
