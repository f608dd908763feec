"""A delivery to a channel: decode, translate, plan, then send step by step what has not gone out yet.

The rules it keeps:
- Before a call goes out the lease is ours; after it went out, and before the next, the cursor is stored. So a
  crash repeats at most the part in flight, and a stopping process leaves after the part in flight.
- A wait, a rate limit, a pause: the session is parked and holds no slot.
- Typing signs and receipts delay nothing, unless the whole channel is told to wait: one try, a short one;
  those that come too late are left out.
"""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from typing import Final

import msgspec

from bridge.channels import Call, Channel, Wait, guard
from bridge.config import Integration
from bridge.errors import ContentRefused, Moved, PayloadError, SendError, Unavailable, Uncertain
from bridge.events import Event, SessionClosed, SessionExpired, decode
from bridge.failpoints import reach
from bridge.plan import Plan, plan
from bridge.queue import Ack, Bury, Clock, Delivery, Park, Queue, Settle
from bridge.sender import Transport
from bridge.sessions import Sessions
from bridge.translate import translate
from workers.journey import Journey, read
from workers.lease import Lease
from workers.observe import Observer
from workers.pace import pace
from workers.recipient import recipient
from workers.upload import Uploader

INLINE_SECONDS: Final = 0.05  # a shorter wait for the pace is slept through: parking would take as long
EPHEMERAL_SECONDS: Final = 2.0
KNOWN: Final = 10_000
"""Links and moves that a process remembers; what it forgets it learns again."""


class Deliverer:
    """The handler of an integration's `out` queue. `send` carries requests (Sender.send)."""

    def __init__(
        self,
        integration: Integration,
        channel: Channel,
        *,
        send: Transport,
        queue: Queue,
        sessions: Sessions,
        clock: Clock,
        observer: Observer,
        uploader: Uploader | None = None,
    ) -> None:
        self._integration = integration
        self._channel = channel
        self._send = send
        self._queue = queue
        self._sessions = sessions
        self._clock = clock
        self._observer = observer
        self._uploader = uploader
        self._two_way = integration.api_key is not None
        self._linked: set[tuple[str, str]] = set()
        self._moved: dict[str, str] = {}
        can = channel.capabilities
        self._chat_pace = pace(can.chat_pace, integration.chat_per_second, integration.chat_burst)
        self._channel_pace = pace(can.channel_pace, integration.channel_per_second, integration.channel_burst)
        self._paced = bool(self._chat_pace or self._channel_pace)

    async def __call__(self, delivery: Delivery, lease: Lease) -> Settle:
        try:
            decoded = decode(delivery.payload)
        except PayloadError as error:
            return Bury(delivery, "undecodable", str(error))
        event = decoded.event
        translation = translate(event, self._integration.texts)
        contents = translation.contents
        cursor = read(delivery.cursor)
        to = cursor.to or await self._recipient(event)
        if not to and contents:
            return Bury(delivery, "no-recipient")
        key = blake2b(delivery.payload, digest_size=16).hexdigest()

        def plan_to(address: str) -> Plan:
            longest = self._integration.pause_max_seconds
            return plan(contents, self._channel, address, key=key, pause_max_seconds=longest)

        journey = Journey(plan_to, to, cursor)
        if journey.restarted:
            self._observer.restarted(delivery)
        if not delivery.cursor and not delivery.tries:
            self._observer.losses(delivery, (*decoded.losses, *translation.losses, *journey.plan.losses))
        if self._two_way and to and event.session_id:
            await self._note_session(to, event)
        if self._worthless(journey.plan, delivery):
            lease.outcome = "skipped"
            return Ack(delivery)
        try:
            settle = await self._travel(journey, to, lease)
        except BaseException:
            lease.cursor = journey.cursor
            raise
        return settle

    # ---- who it is for ---------------------------------------------------------------------------------

    async def _recipient(self, event: Event) -> str:
        named = recipient(event, self._integration.recipient)
        if not named and event.session_id:
            named = await self._sessions.chat_of(event.session_id) or ""
        return self._moved.get(named, named)

    async def _note_session(self, chat: str, event: Event) -> None:
        """So that the user's answer finds its session; told to Redis once for each pair a process sees."""
        session = event.session_id
        if isinstance(event, SessionClosed | SessionExpired):
            self._linked.discard((chat, session))
            await self._sessions.unlink(chat, session)
            return
        if (chat, session) in self._linked:
            return
        await self._sessions.learn(chat, session)
        if len(self._linked) >= KNOWN:
            self._linked.clear()
        self._linked.add((chat, session))

    def _note_move(self, old: str, new: str) -> None:
        if len(self._moved) >= KNOWN:
            self._moved.clear()
        self._moved[old] = new
        self._moved.pop(new, None)

    def _worthless(self, route: Plan, delivery: Delivery) -> bool:
        """Whether there is nothing to send, or nothing that is still of use."""
        if not all(isinstance(step, Call) and step.ephemeral for step in route.steps):
            return False
        late = self._clock.age_seconds(delivery.accepted_at) > self._integration.ephemeral_seconds
        return late or not route.steps

    # ---- step by step ----------------------------------------------------------------------------------

    async def _travel(self, journey: Journey, to: str, lease: Lease) -> Settle:
        delivery, tried = lease.delivery, set[str]()
        while step := journey.step:
            lease.chat = to
            if lease.stopping:
                return Park(delivery, 0.0, journey.cursor, counted=False)
            if isinstance(step, Wait):
                journey.advance()
                return Park(delivery, step.seconds, journey.cursor, counted=False)
            if held := await self._queue.held(to):  # another session of the chat was told to wait
                return Park(delivery, held, journey.cursor, counted=False)
            if step.ephemeral:
                journey.advance()
                await self._try_ephemeral(step, lease)
                continue
            if self._paced and not journey.has_turn(self._clock.now_ms()):
                seconds = await self._queue.pace(to, self._chat_pace, self._channel_pace)
                if seconds > INLINE_SECONDS:
                    journey.wait_turn(self._clock.now_ms() + int(seconds * 1000))
                    return Park(delivery, seconds, journey.cursor, counted=False)
                await asyncio.sleep(seconds)
            journey.unpaced()
            try:
                await self._call(step, lease)
            except ContentRefused as error:
                if not step.fallback:
                    raise
                self._observer.refused(error)
                journey.fall_back()
            except Moved as error:
                tried.add(to)
                if error.to in tried:
                    raise
                self._observer.refused(error)
                await self._sessions.move(to, error.to)
                self._note_move(to, error.to)
                to = error.to
                journey.move(to)
            else:
                reach("worker.sent")
                journey.advance()
                if isinstance(journey.step, Call):
                    await lease.progress(journey.cursor)
                    reach("worker.stored")
        return Ack(delivery)

    async def _call(self, call: Call, lease: Lease) -> None:
        if call.keep or call.numbers:
            await self._sessions.keep(call.to, call.keep, call.numbers)
        if call.recall:
            memo = await self._sessions.memo(call.to)
            if call.ephemeral and not memo.keys() >= set(call.recall):
                return  # no message of the user's that it could be about
            call = msgspec.structs.replace(call, memo=memo)
        await lease.hold()
        try:
            if call.upload and self._uploader:
                uploaded = await self._uploader(call.id, call.upload, lease.delivery.tries)
                call = msgspec.structs.replace(call, uploaded=uploaded)
                await lease.hold()
            stamped = msgspec.structs.replace(call, at=self._clock.now_ms() / 1000)
            reach("worker.sending")
            guard.check(self._channel, await self._send(guard.request(self._channel, stamped)))
        except (ContentRefused, Moved):
            raise
        except SendError as error:
            self._observer.refused(error)
            raise
        lease.said = "up"
        self._observer.sent()

    async def _try_ephemeral(self, call: Call, lease: Lease) -> None:
        try:
            async with asyncio.timeout(EPHEMERAL_SECONDS):
                await self._call(call, lease)
        except SendError as error:  # counted where it was raised
            match error:
                case Unavailable(retry_after=float() | int(), scope="channel"):
                    raise  # the messages' limit too
            lease.said = lease.said or "unsure"
        except TimeoutError:
            self._observer.refused(Uncertain("an ephemeral call took too long"))
            lease.said = lease.said or "unsure"
