"""One dispatcher a queue: claims what is due, runs its handler, settles what is done, keeps the leases.

The rules it keeps:
- What is done is settled and what is due is claimed in one round trip; while that is under way, more gets
  done and goes into the next.
- A settle is asked for until Redis takes or refuses it. Redis going away or standing still stops the claims
  and nothing else; when it is back, they begin a moment after the settles and beats.
- A queue with something in it is looked at at least every BUSY_SECONDS, an empty one before half a lease is
  over: so the sessions of a worker that vanished are seen before their lease ends, and claimed when it does.
- Of events over which two workers have vanished it has a few in hand, of those with more one: so the one that
  is to blame is buried in the end, and not all that were claimed with it.
- Asked to stop, it claims no more, lets every part in flight finish, and hands over the rest.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from msgspec.structs import replace
from redis.asyncio import Redis

from bridge.errors import StoreUnavailable
from bridge.failpoints import reach
from bridge.queue import (
    SUSPICION,
    Beat,
    Bury,
    Clock,
    Delivery,
    Held,
    Park,
    Queue,
    Refuse,
    Settle,
    Turn,
    wait_for_wake,
)
from bridge.runtime import cancelled
from bridge.sender import BEFORE_WRITING
from workers.contact import Contact
from workers.lease import Lease, LeaseLost
from workers.observe import Observer
from workers.outage import Outage
from workers.retry import Policy, decide

Handler: TypeAlias = Callable[[Delivery, Lease], Awaitable[Settle]]
"""Does the work of one delivery. What it raises goes to workers.retry, with `lease.cursor` as the cursor."""

CLAIMS: Final = 64  # of one turn: more would keep Redis from the others for too long
BUSY_SECONDS: Final = 0.5
WAKE_SECONDS: Final = 1.0
DEAF_SECONDS: Final = 0.05
BEAT: Final = 0.3  # of a lease: between two beats


class Dispatcher:
    """`concurrency` deliveries at once; one over which `max_crashes` workers vanished in a row is buried."""

    def __init__(
        self,
        queue: Queue,
        handler: Handler,
        *,
        clock: Clock,
        outage: Outage,
        observer: Observer,
        policy: Policy,
        concurrency: int,
        lease_seconds: float,
        max_crashes: int,
    ) -> None:
        self.queue = queue
        self._handler = handler
        self._clock = clock
        self._outage = outage
        self._contact = Contact(lease_seconds)
        self._observer = observer
        self._policy = policy
        self._concurrency = concurrency
        self._lease_seconds = lease_seconds
        self._max_crashes = max_crashes
        self._leases: dict[int, Lease] = {}
        self._suspicion = 0
        self._done: list[tuple[Lease, Settle]] = []
        self._heard = False
        self._news = asyncio.Event()
        self._stopping = asyncio.Event()

    @property
    def in_flight(self) -> int:
        return len(self._leases)

    def wake(self) -> None:
        """Something may be due."""
        self._news.set()

    def listen(self) -> bool:
        """Whether a wake is of use: asked by the one who listens, at each start of it."""
        self._heard = len(self._leases) < self._concurrency and not self._stopping.is_set()
        return self._heard

    def stop(self) -> None:
        """`run` returns when what is in flight is settled."""
        self._stopping.set()
        self._news.set()

    def cut_short(self) -> None:
        """Ends the parts in flight where they are: after a stop they are handed over as tries."""
        for lease in self._leases.values():
            if lease.task:
                lease.task.cancel()

    async def run(self) -> None:
        """Works until `stop`. When it is cancelled instead, what is in flight is left to its leases."""
        beats = asyncio.create_task(self._beat())
        try:
            while not self._over:
                turn = await self._turn()
                if not self._over:
                    await self._rest(turn)
        finally:
            beats.cancel()
            self.cut_short()
            self._leases.clear()
            self._suspicion = 0

    @property
    def _over(self) -> bool:
        return self._stopping.is_set() and not self._leases and not self._done

    # ---- turns -----------------------------------------------------------------------------------------

    async def _turn(self) -> Turn | None:
        """Settles and claims; None when there was no reason to ask, or Redis was away."""
        self._news.clear()
        slots = min(self._concurrency - len(self._leases), CLAIMS)
        stale = self._contact.stale
        if self._stopping.is_set() or self._outage.settling_seconds or stale:
            slots = 0
        done = list(self._done)
        if not slots and not done and not self._contact.look_due and not self._outage.away:
            return None
        asked_at = asyncio.get_running_loop().time()
        if done:
            reach("worker.settling")
        try:
            turn = await self.queue.turn(
                [settle for _, settle in done],
                slots,
                SUSPICION - self._suspicion,
                self._contact.claims_until_ms,
            )
        except StoreUnavailable as error:
            await self._outage.wait(error)
            self._news.set()
            return None
        self._outage.over()
        if turn.late or stale:
            self._outage.settle(self._contact.silent_seconds)
        self._contact.heard(turn.at_ms)
        del self._done[: len(done)]
        if done:
            reach("worker.settled")
        for lease, settle in done:
            self._settled(lease, settle, turn)
        for delivery in turn.deliveries:
            self._start(delivery, asked_at)
        if turn.resumed:
            self._observer.resumed()
        if turn.pause:
            self._observer.paused(turn.pause)
        if turn.opened:
            self._observer.opened()
        if turn.closed_after_seconds is not None:
            self._observer.closed(turn.closed_after_seconds)
        return turn

    def _settled(self, lease: Lease, settle: Settle, turn: Turn) -> None:
        delivery = lease.delivery
        if (delivery.session, delivery.token) in turn.refused:
            self._observer.lost(delivery)
            return
        seconds = asyncio.get_running_loop().time() - lease.claimed_at
        self._observer.settled(settle, lease.outcome, seconds, self._clock.age_seconds(delivery.accepted_at))

    async def _rest(self, turn: Turn | None) -> None:
        """Until there is something to settle, something may be due, or the time for a look has come."""
        if self._news.is_set() or self._done:
            return
        if len(self._leases) >= self._concurrency or self._stopping.is_set():
            await self._news.wait()
            return
        if settling := self._outage.settling_seconds:
            seconds = min(settling, self._contact.look_seconds)
        elif turn is None or turn.next_due_seconds is None:
            seconds = self._contact.look_seconds
        else:
            seconds = min(turn.next_due_seconds, BUSY_SECONDS)
        if not self._heard:
            seconds = min(seconds, DEAF_SECONDS)
        if seconds <= 0:
            return
        alarm = asyncio.get_running_loop().call_later(seconds, self._news.set)
        try:
            await self._news.wait()
        finally:
            alarm.cancel()

    # ---- deliveries ------------------------------------------------------------------------------------

    def _start(self, delivery: Delivery, claimed_at: float) -> None:
        lease = Lease(delivery, claimed_at, claimed_at + self._lease_seconds, self._renew, self._stopping)
        self._leases[delivery.token] = lease
        self._suspicion += delivery.suspicion
        lease.task = asyncio.create_task(self._work(lease))

    async def _work(self, lease: Lease) -> None:
        delivery = lease.delivery
        BEFORE_WRITING.set(lease.hold)  # for this task alone
        try:
            self._done.append((lease, await self._settle_of(lease)))
        except LeaseLost:
            self._observer.lost(delivery)
        except asyncio.CancelledError:
            if not self._stopping.is_set():
                raise
            self._done.append((lease, Park(delivery, 0.0, lease.cursor)))
        except Exception as error:  # noqa: BLE001 -- said; its lease ends, and counts as a crash
            self._observer.abandoned(delivery, error)
        finally:
            if self._leases.pop(delivery.token, None):
                self._suspicion -= delivery.suspicion
            self._news.set()

    async def _settle_of(self, lease: Lease) -> Settle:
        delivery = lease.delivery
        if delivery.crashes >= self._max_crashes:
            return Bury(delivery, "crashed", f"{delivery.crashes} workers vanished over it")
        if delivery.refusal:
            return Bury(delivery, "rejected", delivery.refusal)
        try:
            settle = await self._handler(delivery, lease)
            if lease.said and not isinstance(settle, Refuse):
                return replace(settle, said=lease.said)
            return settle
        except LeaseLost:
            raise
        except Exception as error:
            if lease.lost:  # which is why, or all that matters now
                raise LeaseLost from error
            return await self._failed(lease, error)

    async def _failed(self, lease: Lease, error: Exception) -> Settle:
        decision = decide(
            error,
            lease.delivery,
            chat=lease.chat or lease.delivery.session,
            cursor=lease.cursor,
            age_seconds=self._clock.age_seconds(lease.delivery.accepted_at),
            policy=self._policy,
            random=random.random(),
        )
        self._observer.failed(decision.settle, error)
        if decision.hold_seconds:
            await self._outage.insist(lambda: self.queue.hold(decision.hold_seconds))
        if decision.chat_seconds and lease.chat:
            await self._outage.insist(lambda: self.queue.hold(decision.chat_seconds, lease.chat))
        return decision.settle

    # ---- leases ----------------------------------------------------------------------------------------

    async def _renew(self, beat: Beat) -> bool:
        async def ask() -> bool:
            asked_at = asyncio.get_running_loop().time()
            lost = await self.queue.beat([beat])
            return self._extended([beat.delivery], lost, asked_at)

        return await self._outage.insist(ask)

    async def _beat(self) -> None:
        """Moves all leases forward, three times in the life of one."""
        while True:
            await asyncio.sleep(self._lease_seconds * BEAT)
            while self._leases and not await self._keep():
                pass

    async def _keep(self) -> bool:
        """Whether Redis has answered."""
        deliveries = [lease.delivery for lease in self._leases.values() if not lease.lost]
        asked_at = asyncio.get_running_loop().time()
        try:
            lost = await self.queue.beat([Beat(delivery) for delivery in deliveries])
        except StoreUnavailable as error:
            await self._outage.wait(error)
            return False
        self._outage.over()
        self._contact.heard()
        self._extended(deliveries, lost, asked_at)
        return True

    def _extended(self, deliveries: Sequence[Delivery], lost: frozenset[Held], asked_at: float) -> bool:
        """Notes for each lease whether it is still ours; whether all are."""
        for delivery in deliveries:
            lease = self._leases.get(delivery.token)
            if lease is None:
                continue
            if (delivery.session, delivery.token) in lost:
                lease.lost = True
            else:
                lease.until = asked_at + self._lease_seconds
        return not lost


class Waker:
    """The one waiter of a process: wakes the dispatcher in whose queue something became due.

    It listens only for queues with free slots: a hint belongs to a worker that can follow it. A queue that
    just got one again is looked at often until it is listened for.
    """

    def __init__(self, redis: Redis, dispatchers: Sequence[Dispatcher], outage: Outage) -> None:
        self._redis = redis
        self._dispatchers = {dispatcher.queue.wake_key: dispatcher for dispatcher in dispatchers}
        self._outage = outage

    async def run(self) -> None:
        """Until it is cancelled."""
        while not cancelled():
            heard = [dispatcher for dispatcher in self._dispatchers.values() if dispatcher.listen()]
            if not heard:
                await asyncio.sleep(DEAF_SECONDS)
                continue
            queues = [dispatcher.queue for dispatcher in heard]
            try:
                queue = await wait_for_wake(self._redis, queues, WAKE_SECONDS)
            except StoreUnavailable as error:
                await self._outage.wait(error)
            else:
                self._outage.over()
                if queue is not None:
                    self._dispatchers[queue.wake_key].wake()
