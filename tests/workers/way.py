"""The way out of one channel, from its queue to its platform, with all that a test asks of it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from hashlib import blake2b
from typing import Any, Final, TypeAlias

import orjson
from msgspec.structs import replace
from redis.asyncio import Redis
from yarl import URL

from bridge.channels import Call, Loaded, Reply, Request, Uploaded, Uploads
from bridge.errors import SendError
from bridge.events import decode
from bridge.plan import plan
from bridge.queue.keys import Keys
from bridge.sender import Sender
from bridge.translate import translate
from tests.channels.fake import Fake
from tests.workers.bench import NAME, Bridge
from workers.upload import Uploader

Wire: TypeAlias = tuple[str, str, bytes]
"""A message is known by the request that carries it, to the last byte: method, address and body."""

PAUSE_SECONDS: Final = 0.02
FILE: Final = b"a picture"


async def _load(url: str, max_bytes: int) -> Loaded:
    """Whatever is to be handed over."""
    return Loaded(name="a.png", mime_type="image/png", body=FILE)


class Way:
    """One channel's way out: what is pushed, what should go out for it, and what came of it."""

    def __init__(self, redis: Redis, there: Fake, sender: Sender, impatient: Sender) -> None:
        """`impatient` sends what is not going to be answered."""
        self.there = there
        self.channel = there.channel()
        self.ids: list[str | None] = []
        uploads = self.channel if isinstance(self.channel, Uploads) else None
        uploader = Uploader(uploads, load=_load, send=self._send) if uploads else None
        self.bridge = Bridge(redis, self._send, self.channel, uploader)
        self._sender = sender
        self._impatient = impatient
        self._redis = redis
        self._keys = Keys(NAME, "out")

    async def _send(self, request: Request) -> Reply:
        reply = await (self._impatient if self.there.is_slow else self._sender).send(request)
        with suppress(SendError):
            self.ids.append(self.channel.check(reply))
        return reply

    async def greeted(self) -> None:
        """Both users have written, which some platforms ask for."""
        for chat in self.there.platform.chats:
            await self.bridge.sessions.remember(chat, self.there.memo)

    # ---- what is pushed --------------------------------------------------------------------------------

    async def push(self, *responses: dict[str, Any], chat: int = 0) -> list[Call]:
        """An event for the chat, and the calls that it should become."""
        event = self.event(*responses, chat=chat)
        await self.post(event)
        return self.calls(event)

    async def post(self, event: dict[str, Any]) -> None:
        await self.bridge.queue.push(event["session_id"], orjson.dumps(event))

    def event(self, *responses: dict[str, Any], chat: int = 0) -> dict[str, Any]:
        return {
            "event_type": "message:brain_send",
            "session_id": f"s{chat}",
            "external_session_id": self.there.platform.chats[chat],
            "output": {"responses": responses},
        }

    def calls(self, event: dict[str, Any], to: str = "") -> list[Call]:
        """What the event should become, for its own chat or for another."""
        made = plan(
            translate(decode(orjson.dumps(event)).event).contents,
            self.channel,
            to or event["external_session_id"],
            key=blake2b(orjson.dumps(event), digest_size=16).hexdigest(),
            pause_max_seconds=PAUSE_SECONDS,
        )
        return [step for step in made.steps if isinstance(step, Call)]

    @asynccontextmanager
    async def working(self, **given: Any) -> AsyncIterator[None]:
        unpaced = {"chat_per_second": 0, "channel_per_second": 0, "pause_max_seconds": PAUSE_SECONDS}
        async with self.bridge.running(**unpaced, **given):
            yield

    # ---- what came of it -------------------------------------------------------------------------------

    def wires(self, calls: Iterable[Call]) -> list[Wire]:
        return [_wire(self.channel.request(self._stamped(call))) for call in calls]

    def _stamped(self, call: Call) -> Call:
        memo = self.there.memo if call.recall else {}
        uploaded = Uploaded(address=self.there.platform.keeps, mime_type="image/png", size=len(FILE))
        return replace(call, at=time.time(), memo=memo, uploaded=uploaded if call.upload else None)

    @property
    def shown(self) -> list[Wire]:
        return list(map(_wire, self.there.shown))

    @property
    def received(self) -> list[Wire]:
        return list(map(_wire, self.there.received))

    @property
    def once(self) -> bool:
        """Whether the platform shows a repeat once."""
        return self.there.platform.key is not None

    async def letters(self) -> list[str]:
        return [letter.reason for letter in await self.bridge.queue.dead()]

    async def parked(self) -> bool:
        return (await self.bridge.queue.stats()).parked > 0

    async def parked_until(self, chat: int = 0) -> float:
        """From when the chat's session may be claimed, by the server's clock."""
        return float(await self._asked("ZSCORE", self._keys.due, f"s{chat}")) / 1000

    async def held_until(self) -> float:
        """From when anything may be claimed; 0 where nothing is held."""
        return float(await self._asked("HGET", self._keys.stats, "hold_until") or 0) / 1000

    async def let_go(self) -> None:
        """As if the time were over."""
        await self._asked("HDEL", self._keys.stats, "hold_until")
        for hold in await self._asked("KEYS", self._keys.hold(b"*")):
            await self._asked("DEL", hold)
        for session in await self._asked("ZRANGE", self._keys.due, 0, -1):
            await self._asked("ZADD", self._keys.due, 0, session)
        await self.bridge.queue.resume()

    async def now(self) -> float:
        seconds, micros = await self._asked("TIME")
        return float(seconds) + float(micros) / 1e6

    async def _asked(self, *words: str | bytes | int) -> Any:
        return await self._redis.execute_command(*words)  # type: ignore[no-untyped-call]


def _wire(request: Request) -> Wire:
    """The client writes as they are those characters of an address that need no quoting."""
    return request.method, URL(request.url).raw_path_qs, request.body
