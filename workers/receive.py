"""A user's message or click to Moveo: in order, in the chat's session, which it makes where needed.

Two first messages at once make one session, since the `in` queue hands out one message of a chat at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final, assert_never

import msgspec

from bridge.channels import Call, Channel, Click, Errand, Incoming, Seen, UserMessage, guard
from bridge.errors import SendError, Uncertain
from bridge.failpoints import reach
from bridge.moveo import Attached, Moveo, SessionGone
from bridge.queue import Ack, Bury, Clock, Delivery, Settle
from bridge.sender import Transport
from bridge.sessions import Numbers, Sessions
from workers.attach import Attacher
from workers.lease import Lease
from workers.observe import Observer

COURTESY_SECONDS: Final = 2.0
SHORT: Final = "~"
"""What a payload begins with that stands for a longer one (bridge.channels.text.payload)."""

_decoder: Final = msgspec.json.Decoder[Incoming | Errand | Seen](Incoming | Errand | Seen)
_POSTED: Final = b"posted"
"""The cursor that earlier versions stored for a message that Moveo has."""


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a message has come: what a later try of the same delivery must not do again."""

    session: str = ""
    """Moveo has made this session, and the chat is not linked to it yet."""
    posted: bool = False
    """Moveo has the message."""


_read_cursor: Final = msgspec.json.Decoder(Cursor).decode
_write_cursor: Final = msgspec.json.Encoder().encode


def read(cursor: bytes) -> Cursor:
    """Return the stored cursor; one that cannot be read (of a later version) is a new start."""
    if cursor == _POSTED:
        return Cursor(posted=True)
    try:
        return _read_cursor(cursor) if cursor else Cursor()
    except msgspec.DecodeError:
        return Cursor()


class Receiver:
    """The handler of an integration's `in` queue. Without `moveo` (no API key) there is no way back."""

    def __init__(
        self,
        channel: Channel,
        *,
        send: Transport,
        moveo: Moveo | None,
        attacher: Attacher | None,
        sessions: Sessions,
        clock: Clock,
        observer: Observer,
    ) -> None:
        self._channel = channel
        self._send = send
        self._moveo = moveo
        self._attacher = attacher
        self._sessions = sessions
        self._clock = clock
        self._observer = observer

    async def __call__(self, delivery: Delivery, lease: Lease) -> Settle:
        try:
            incoming = _decoder.decode(delivery.payload)
        except msgspec.DecodeError as error:
            return Bury(delivery, "undecodable", type(error).__name__)
        if isinstance(incoming, Errand):
            await self._run(incoming.call, lease)
            return Ack(delivery)
        if isinstance(incoming, Seen):
            await self._mark_read(incoming.chat, lease)
            return Ack(delivery)
        if incoming.memo:
            await self._sessions.remember(incoming.chat, incoming.memo)
        if isinstance(incoming, Click) and not delivery.tries:
            for call in incoming.acknowledge:
                await self._do_once(self._call(call))
        if self._moveo is None:
            return Bury(delivery, "no-moveo-key")
        numbers = await self._sessions.numbers(incoming.chat)
        text = await self._text(incoming, numbers)
        if not text and not (isinstance(incoming, UserMessage) and incoming.attachments):
            return Bury(delivery, "empty")
        if not read(delivery.cursor).posted:
            await self._post(self._moveo, incoming, text, lease)
            lease.cursor = _write_cursor(Cursor(posted=True))
        if numbers:
            await self._sessions.spend(incoming.chat, numbers)
        return Ack(delivery)

    async def _text(self, incoming: Incoming, numbers: Numbers | None) -> str:
        """What the user said: a typed answer says the option it chooses, a press the value of the button."""
        match incoming:
            case UserMessage(text=text):
                return (numbers.text(text) if numbers else None) or text
            case Click(chat=chat, payload=payload, label=label):
                if not payload.startswith(SHORT):
                    return payload or label
                return await self._sessions.kept(chat, payload) or label
            case _:
                assert_never(incoming)

    async def _post(self, moveo: Moveo, incoming: Incoming, text: str, lease: Lease) -> None:
        """Post to the chat's session; to a new one if the chat has none, or Moveo does not know it any more.

        The cursor holds a new session until the chat is linked to it, so a later try makes no other.
        """
        if session := read(lease.cursor).session:
            await self._link(incoming.chat, session, lease)
        else:
            session = await self._sessions.session_of(incoming.chat) or ""
        try:
            if session:
                try:
                    await self._post_once(moveo, session, incoming, text, lease)
                except SessionGone:
                    await self._sessions.unlink(incoming.chat, session)
                else:
                    return
            await lease.hold()
            session = await moveo.create_session(incoming.chat, incoming.user)
            await self._link(incoming.chat, session, lease)
            await self._post_once(moveo, session, incoming, text, lease)
        except SendError as error:
            self._observer.refused(error)
            raise

    async def _link(self, chat: str, session: str, lease: Lease) -> None:
        lease.cursor = _write_cursor(Cursor(session=session))
        await self._sessions.link(chat, session)
        lease.cursor = b""
        reach("worker.linked")

    async def _post_once(
        self, moveo: Moveo, session: str, incoming: Incoming, text: str, lease: Lease
    ) -> None:
        attached: list[Attached] = []
        if isinstance(incoming, UserMessage) and incoming.attachments and self._attacher:
            attached, missing = await self._attacher(session, incoming.attachments, lease.delivery.tries)
            text = "\n".join(filter(None, (text, *missing)))
        await lease.hold()
        await moveo.send_message(session, text, attached)
        lease.said = "up"
        self._observer.sent()

    async def _run(self, call: Call, lease: Lease) -> None:
        """What the platform waits for: as any delivery, until it is done."""
        await lease.hold()
        try:
            await self._call(call)
        except SendError as error:
            self._observer.refused(error)
            raise
        self._observer.sent()

    async def _mark_read(self, chat: str, lease: Lease) -> None:
        """A read receipt for Moveo, if the chat has a session."""
        session = await self._sessions.session_of(chat)
        if self._moveo and session:
            done = await self._do_once(self._moveo.mark_read(session))
            lease.said = "up" if done else "unsure"

    async def _call(self, call: Call) -> None:
        stamped = msgspec.structs.replace(call, at=self._clock.now_ms() / 1000)
        guard.check(self._channel, await self._send(guard.request(self._channel, stamped)))

    async def _do_once(self, doing: Awaitable[None]) -> bool:
        """One short try: it is a courtesy, not the message. Whether it was done."""
        try:
            async with asyncio.timeout(COURTESY_SECONDS):
                await doing
        except SendError as error:
            self._observer.refused(error)
        except TimeoutError:
            self._observer.refused(Uncertain("a courtesy took too long"))
        else:
            self._observer.sent()
            return True
        return False
