"""The bridge with one rule broken, and the control: a queue without the rules. Each must be caught.

A mutant is applied to a process at its start (tests.zygote); nothing in the product knows of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from tests.chaos.checker import Kind
from tests.chaos.history import Event
from tests.chaos.platform import Manner, Manners, moody
from tests.chaos.processes import Launch
from tests.chaos.run import Conditions
from tests.chaos.schedule import Schedule, Stroke

SHORT_SECONDS: Final = 1.0
"""A lease where one has to end; elsewhere a machine that is busy may not let one end."""
LEASE_SECONDS: Final = 5.0
PATIENCE_SECONDS: Final = 4.0


class Situation(Struct, frozen=True):
    """A small load, and a fault that surely hits it."""

    schedule: Schedule
    workers: int = 2
    ingresses: int = 1
    manners: Manners = moody(0, 0.0)
    points: tuple[str, ...] = ()
    spool: bool = False
    lease_seconds: float = LEASE_SECONDS

    def conditions(self, launch: Launch) -> Conditions:
        return Conditions(
            ingresses=self.ingresses,
            workers=self.workers,
            lease_seconds=self.lease_seconds,
            spool=self.spool,
            sticky=self.spool,
            manners=self.manners,
            launch=launch,
            points=self.points,
            patience_seconds=PATIENCE_SECONDS,
        )


class Mutant(Struct, frozen=True):
    what: str
    """What is broken."""
    situation: str
    caught_as: frozenset[Kind]
    """One of these findings there must be."""
    break_it: Callable[[], None]


# ---- situations --------------------------------------------------------------------------------------------


def _load(sessions: int, events: int, parts: int, every: float = 0.0) -> tuple[Event, ...]:
    """So many events in each of the sessions, `every` so many seconds."""
    return tuple(Event(f"s{s}", n, parts, n * every) for n in range(events) for s in range(sessions))


def _slow(*_: object) -> Manner:
    return Manner(seconds=0.1)


def _situations() -> dict[str, Situation]:
    """What `python -m bridge` goes through unharmed, and each mutant in one of them does not."""
    freezes = tuple(Stroke(at, "worker", "freeze", n, SHORT_SECONDS * 1.7) for n, at in enumerate((0.5, 2.7)))
    cut_off = (Stroke(0.4, "ingress", "link", 0, 0.9), Stroke(1.75, "ingress", "link", 0, 0.4))
    away = (*cut_off, Stroke(0.9, "ingress", "kill", 0))
    rolling = tuple(Stroke(0.5 + 0.7 * n, "worker", "term", n % 2) for n in range(6))
    machine = tuple(Stroke(0.5 + 2.2 * n, "machine", "freeze", 0, SHORT_SECONDS * 1.5) for n in range(3))
    down = Stroke(0.4, "server", "kill", 0, 1.2)
    return {
        "killed before a send": Situation(
            Schedule(_load(10, 6, 1), ()),
            points=("worker.sending:9", "worker.sending:12"),
            lease_seconds=SHORT_SECONDS,
        ),
        "killed after a send": Situation(
            Schedule(_load(10, 5, 3), ()),
            points=("worker.sent:20", "worker.sent:26"),
            lease_seconds=SHORT_SECONDS,
        ),
        "frozen and woken": Situation(
            Schedule(_load(8, 16, 2), freezes), manners=_slow, lease_seconds=SHORT_SECONDS
        ),
        "all frozen and woken": Situation(
            Schedule(_load(20, 12, 2), machine), workers=3, manners=_slow, lease_seconds=SHORT_SECONDS
        ),
        "refusals": Situation(Schedule(_load(20, 5, 2), ()), manners=moody(7, 0.2, 1)),
        "ingress cut off, then killed": Situation(Schedule(_load(10, 20, 1, 0.1), away)),
        "rolling restart": Situation(Schedule(_load(10, 16, 3), rolling), manners=_slow),
        "ingress cut off, with a spool": Situation(Schedule(_load(6, 25, 1, 0.1), cut_off), spool=True),
        "server away, ingress killed": Situation(
            Schedule(_load(6, 15, 1, 0.1), (down, Stroke(0.9, "ingress", "kill", 0))), spool=True
        ),
    }


SITUATIONS: Final[Mapping[str, Situation]] = _situations()


# ---- how things are broken ---------------------------------------------------------------------------------


def _rewrite(script: str, *changes: tuple[str, str]) -> None:
    from bridge.queue import scripts
    from tests.queue.rewritten import rewritten

    setattr(scripts, script, rewritten(getattr(scripts, script), *changes))


def _ack_first() -> None:
    from bridge.queue import Ack, Settle
    from workers.dispatch import Dispatcher
    from workers.lease import Lease

    original = Dispatcher._settle_of

    async def settle_of(self: Dispatcher, lease: Lease) -> Settle:
        await self.queue.turn([Ack(lease.delivery)], 0)
        return await original(self, lease)

    Dispatcher._settle_of = settle_of  # type: ignore[method-assign]


def _no_token() -> None:
    _rewrite("TURN", ("call('HGET', state, 'token') ~= token", "false"))
    _rewrite("BEAT", ("redis.call('HGET', state, 'token') == token", "true"))


def _no_digest() -> None:
    _rewrite("PUSH", ("call('EXISTS', seen) == 1", "false"))


def _no_cursor() -> None:
    _rewrite("BEAT", ("if cursor ~= '' then", "if false then"))


def _to_the_back() -> None:
    parked = "call('HDEL', state, 'token', 'crashes')"
    _rewrite("TURN", (parked, f"{parked} call('RPUSH', mail, call('LPOP', mail))"))


def _no_lease() -> None:
    _rewrite("TURN", ("call('ZADD', due, now + lease, session)", "call('ZADD', due, now, session)"))


def _endless_lease() -> None:
    _rewrite("TURN", ("call('ZADD', due, now + lease, session)", "call('ZADD', due, now + 1e9, session)"))
    _rewrite("BEAT", ("+ lease", "+ 1e9"))


def _skips() -> None:
    from bridge.errors import SendError
    from bridge.queue import Settle
    from workers.deliver import Deliverer
    from workers.journey import Journey
    from workers.lease import Lease

    original = Deliverer._travel

    async def travel(self: Deliverer, journey: Journey, to: str, lease: Lease) -> Settle:
        try:
            return await original(self, journey, to, lease)
        except SendError:
            journey.advance()
            raise

    Deliverer._travel = travel  # type: ignore[method-assign]


def _answers_first() -> None:
    from bridge.queue import Pushed, Queue

    original, pushes = Queue.push, set[asyncio.Task[Any]]()

    async def push(self: Queue, *given: Any, **named: Any) -> Pushed:
        task = asyncio.create_task(original(self, *given, **named))
        pushes.add(task)
        task.add_done_callback(lambda done: done.exception())
        return Pushed.ACCEPTED

    Queue.push = push  # type: ignore[method-assign]


def _does_not_look() -> None:
    from workers.lease import Lease, LeaseLost

    progress = Lease.progress

    async def hold(self: Lease) -> None:
        return None

    async def careless(self: Lease, cursor: bytes) -> None:
        try:
            await progress(self, cursor)
        except LeaseLost:
            return

    Lease.hold, Lease.progress = hold, careless  # type: ignore[method-assign]


def _claims_at_once() -> None:
    from workers.contact import Contact

    Contact.stale = False  # type: ignore[assignment, method-assign]
    _rewrite("TURN", ("now > claims_until", "false"))


def _new_keys() -> None:
    from workers import deliver

    deliver.blake2b = lambda *_, **__: hashlib.blake2b(os.urandom(16), digest_size=16)  # type: ignore[attr-defined, assignment]


def _leaves_at_once() -> None:
    from bridge.queue import Ack, Park, Settle
    from workers.dispatch import Dispatcher
    from workers.lease import Lease

    original = Dispatcher._settle_of

    async def settle_of(self: Dispatcher, lease: Lease) -> Settle:
        settle = await original(self, lease)
        return Ack(lease.delivery) if lease.stopping and isinstance(settle, Park) else settle

    Dispatcher._settle_of = settle_of  # type: ignore[method-assign]


def _overtakes_the_spool() -> None:
    from bridge.ingress.spool import Frame, Placer, Spool

    original = Placer.__call__

    async def takes(self: Spool) -> bool:
        return False

    async def place(self: Placer, frames: Sequence[Frame]) -> None:
        await asyncio.sleep(0.3)  # a spool that takes its time, so that it shows
        await original(self, frames)

    Spool.takes = takes  # type: ignore[method-assign]
    Placer.__call__ = place  # type: ignore[method-assign]


def _drains_all_but_the_last() -> None:
    from bridge.ingress.spool import Frame, Placer

    original = Placer.__call__

    async def place(self: Placer, frames: Sequence[Frame]) -> None:
        await original(self, frames[:-1])

    Placer.__call__ = place  # type: ignore[method-assign]


def _starts_afresh() -> None:
    from bridge.ingress.spool.log import Log

    original = Log._recover

    def recover(self: Log) -> None:
        for each in self._folder.glob("*.frames"):
            each.unlink()
        original(self)

    Log._recover = recover  # type: ignore[method-assign]


def _a_job_an_event() -> None:
    from tests.chaos.control import install

    install()


def _mutant(what: str, situation: str, break_it: Callable[[], None], *caught_as: Kind) -> Mutant:
    return Mutant(what, situation, frozenset(caught_as), break_it)


CONTROL: Final = "arq"
MUTANTS: Final[Mapping[str, Mutant]] = {
    CONTROL: _mutant(
        "control: one arq job an event, tried again by arq", "refusals", _a_job_an_event, "reordered"
    ),
    "ack-first": _mutant("acks before it sends", "killed before a send", _ack_first, "lost"),
    "no-cursor": _mutant("the cursor is never stored", "killed after a send", _no_cursor, "repeated"),
    "endless-lease": _mutant("a lease never ends", "killed before a send", _endless_lease, "lost"),
    "no-token": _mutant(
        "settles and beats without a look at the token",
        "frozen and woken",
        _no_token,
        "lost",
        "reordered",
        "repeated",
    ),
    "no-look": _mutant("sends without a look at the lease", "frozen and woken", _does_not_look, "repeated"),
    "claims-at-once": _mutant(
        "claims as soon as it wakes", "all frozen and woken", _claims_at_once, "repeated"
    ),
    "no-lease": _mutant("what is claimed stays due", "killed after a send", _no_lease, "repeated"),
    "to-the-back": _mutant("parks to the back of the session", "refusals", _to_the_back, "reordered"),
    "skips": _mutant("goes on after the part that failed", "refusals", _skips, "lost"),
    "new-keys": _mutant("another idempotency key at every try", "refusals", _new_keys, "key"),
    "no-digest": _mutant("pushes without the digest", "ingress cut off, then killed", _no_digest, "repeated"),
    "answers-first": _mutant(
        "answers 2xx before the push", "ingress cut off, then killed", _answers_first, "lost"
    ),
    "overtakes": _mutant(
        "pushes past what is spooled", "ingress cut off, with a spool", _overtakes_the_spool, "reordered"
    ),
    "drain-forgets": _mutant(
        "forgets the last event of a batch from the spool",
        "ingress cut off, with a spool",
        _drains_all_but_the_last,
        "lost",
    ),
    "starts-afresh": _mutant(
        "deletes what an earlier process spooled", "server away, ingress killed", _starts_afresh, "lost"
    ),
    "leaves-at-once": _mutant(
        "acks at SIGTERM what it did not finish", "rolling restart", _leaves_at_once, "lost"
    ),
}


def caught_at(events: Sequence[tuple[str, int]], hit: Sequence[tuple[str, int]]) -> int:
    """Which of the accepted events, in their order, was the first with which a rule was broken."""
    place = {name: n for n, name in enumerate(events, 1)}
    return min((place.get(name, len(events)) for name in hit), default=0)
