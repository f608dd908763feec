"""Inlets: where ingress puts what it took, one for each queue; what Redis does not take goes to the spool."""

from __future__ import annotations

from typing import Final

from redis.exceptions import RedisError

from bridge.errors import StoreUnavailable
from bridge.ingress.outcome import Outcome
from bridge.ingress.spool import Frame, Spool, Times
from bridge.queue import Clock, Pushed, Queue
from bridge.queue.keys import encode

PUSHED: Final = {
    Pushed.ACCEPTED: Outcome.ACCEPTED,
    Pushed.DUPLICATE: Outcome.DUPLICATE,
    Pushed.FULL: Outcome.FULL,
    Pushed.SHED: Outcome.SHED,
    Pushed.FLOOD: Outcome.FLOOD,
}


class Inlet:
    """What neither Redis nor the spool takes is StoreUnavailable; without a spool RedisError passes."""

    def __init__(self, queue: Queue, clock: Clock, spool: Spool | None = None) -> None:
        self.name: Final = queue.name
        self._queue = queue
        self._clock = clock
        self._spool = spool
        self._times = Times()

    async def push(
        self,
        session: str,
        payload: bytes,
        digest: bytes | None = None,
        *,
        sent_at: int | None = None,
        ephemeral: bool = False,
    ) -> Outcome:
        """Appends an event to its session; see Queue.push. `sent_at` is its own time (ms), if it has one."""
        spool = self._spool
        if spool is None:
            return PUSHED[await self._queue.push(session, payload, digest, ephemeral=ephemeral)]
        arrived_at, reason = self._clock.now_ms(), ""
        if not await spool.takes():
            try:
                pushed = await self._queue.push(session, payload, digest, ephemeral=ephemeral)
            except (StoreUnavailable, RedisError) as error:
                reason = str(error)
            else:
                self._times.direct(session, arrived_at, sent_at)
                return PUSHED[pushed]
        arrived_at, sent_at = self._times.spooled(session, arrived_at, sent_at)
        frame = self._frame(session, payload, arrived_at=arrived_at, sent_at=sent_at, digest=digest)
        await spool.put(frame, reason)
        return Outcome.SPOOLED

    async def keep(self, payload: bytes, outcome: Outcome, session: str = "") -> Outcome:
        """What cannot become an event is kept as a dead letter, once."""
        spool, reason = self._spool, ""
        if spool is None or not await spool.takes():
            try:
                kept = await self._queue.reject(payload, outcome.value, session=session)
            except (StoreUnavailable, RedisError) as error:
                if spool is None:
                    raise
                reason = str(error)
            else:
                return outcome if kept else Outcome.DUPLICATE
        frame = self._frame(session, payload, arrived_at=self._clock.now_ms(), letter=outcome.value)
        await spool.put(frame, reason)
        return outcome

    def _frame(
        self,
        session: str,
        payload: bytes,
        *,
        arrived_at: int,
        sent_at: int | None = None,
        digest: bytes | None = None,
        letter: str = "",
    ) -> Frame:
        return Frame(
            integration=self.name,
            direction=self._queue.direction,
            session=encode(session),
            payload=payload,
            arrived_at=arrived_at,
            sent_at=sent_at,
            digest=digest,
            letter=letter,
        )
