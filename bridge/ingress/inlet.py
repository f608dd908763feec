"""Inlets: where ingress puts what it took, one for each queue; what Redis does not take goes to the spool."""

from __future__ import annotations

from typing import Final

from redis.exceptions import RedisError

from bridge.errors import StoreUnavailable
from bridge.ingress.outcome import Outcome
from bridge.ingress.spool import Frame, Spool
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

    async def push(
        self, session: str, payload: bytes, digest: bytes | None = None, *, ephemeral: bool = False
    ) -> Outcome:
        """Appends an event to its session; see Queue.push."""
        spool, arrived_at, reason = self._spool, self._clock.now_ms(), ""
        if spool is None or not await spool.takes():
            try:
                return PUSHED[await self._queue.push(session, payload, digest, ephemeral=ephemeral)]
            except (StoreUnavailable, RedisError) as error:
                if spool is None:
                    raise
                reason = str(error)
        await spool.put(self._frame(session, payload, arrived_at, digest=digest), reason)
        return Outcome.SPOOLED

    async def keep(self, payload: bytes, outcome: Outcome, session: str = "") -> Outcome:
        """What cannot become an event is kept as a dead letter, once."""
        spool, arrived_at, reason = self._spool, self._clock.now_ms(), ""
        if spool is None or not await spool.takes():
            try:
                kept = await self._queue.reject(payload, outcome.value, session=session)
            except (StoreUnavailable, RedisError) as error:
                if spool is None:
                    raise
                reason = str(error)
            else:
                return outcome if kept else Outcome.DUPLICATE
        await spool.put(self._frame(session, payload, arrived_at, letter=outcome.value), reason)
        return outcome

    def _frame(
        self, session: str, payload: bytes, arrived_at: int, *, digest: bytes | None = None, letter: str = ""
    ) -> Frame:
        return Frame(self.name, self._queue.direction, encode(session), payload, arrived_at, digest, letter)
