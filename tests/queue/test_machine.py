"""Any sequence of pushes, turns, beats, crashes, zombies, holds and pauses, against a model of forty lines.

The model knows nothing of scores, tokens' origin or keys; it says what a queue promises. Time passes by hand.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeVar

import fakeredis
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis

from bridge.embedded import EmbeddedServer
from bridge.queue import Ack, Beat, Bury, Delivery, Limits, Park, Pushed, Queue, Settle, connect
from tests.queue.hands import Hands

T = TypeVar("T")
DEPTH = 7
NAMES = itertools.count()
sessions = st.sampled_from("abc")
cursors = st.sampled_from([None, b"", b"1", b"2"])


class Head:
    """What is known of a session's first event, apart from its payload."""

    def __init__(self) -> None:
        self.token: int | None = None
        self.due = True
        self.tries = 0
        self.crashes = 0
        self.cursor = b""


class Machine(RuleBasedStateMachine):
    connect: ClassVar[Callable[[], Redis]]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.redis = type(self).connect()
        limits = Limits(depth=DEPTH, lease_seconds=3600)
        name = f"m{next(NAMES)}"
        self.workers = [Queue(self.redis, name, "out", limits) for _ in range(2)]
        self.hands = Hands(self.redis, self.workers[0])
        self.mail: dict[str, deque[bytes]] = {}
        self.heads: dict[str, Head] = {}
        self.pushed: list[bytes] = []
        self.claims: list[Delivery] = []  # ever made: most of them become zombies
        self.letters: list[tuple[str, bytes, str]] = []
        self.last_token = 0
        self.totals = {"delivered_total": 0, "retried_total": 0, "duplicates_total": 0, "buried_total": 0}
        self.paused = self.held = False

    def run(self, awaitable: Awaitable[T]) -> T:
        return self.loop.run_until_complete(awaitable)

    def teardown(self) -> None:
        self.run(self.redis.aclose())
        self.loop.close()

    # ---- the model ----

    def valid(self, delivery: Delivery) -> bool:
        head = self.heads.get(delivery.session)
        return head is not None and head.token == delivery.token

    def append(self, session: str, payload: bytes) -> None:
        self.mail.setdefault(session, deque()).append(payload)
        self.heads.setdefault(session, Head())

    def pop(self, session: str) -> bytes:
        payload = self.mail[session].popleft()
        del self.heads[session]
        if self.mail[session]:
            self.heads[session] = Head()
        else:
            del self.mail[session]
        return payload

    def settle(self, settle: Settle) -> bool:
        session = settle.delivery.session
        if not self.valid(settle.delivery):
            return False
        head = self.heads[session]
        match settle:
            case Ack():
                self.pop(session)
                self.totals["delivered_total"] += 1
            case Bury(_, reason):
                self.letters.append((session, self.pop(session), reason))
                self.totals["buried_total"] += 1
            case Park(_, seconds, cursor, counted):
                head.token, head.due, head.crashes = None, seconds == 0, 0
                head.tries += counted
                self.totals["retried_total"] += counted
                head.cursor = head.cursor if cursor is None else cursor
        return True

    def ready(self) -> set[str]:
        return {session for session, head in self.heads.items() if head.due}

    def claimed(self, delivery: Delivery) -> None:
        head = self.heads[delivery.session]
        if head.token is not None:
            head.tries, head.crashes = head.tries + 1, head.crashes + 1
            self.totals["retried_total"] += 1
        assert delivery.token > self.last_token
        expected = (self.mail[delivery.session][0], head.tries, head.crashes, head.cursor)
        assert (delivery.payload, delivery.tries, delivery.crashes, delivery.cursor) == expected
        head.token, head.due = delivery.token, False
        self.last_token = delivery.token

    def any_settle(self) -> st.SearchStrategy[Settle]:
        delivery = st.sampled_from(self.claims[-12:])
        seconds = st.sampled_from([0.0, 3600.0])
        return st.one_of(
            st.builds(Ack, delivery),
            st.builds(Park, delivery, seconds, cursors, st.booleans()),
            st.builds(Bury, delivery, st.just("rejected")),
        )

    # ---- what can happen ----

    @rule(session=sessions, again=st.integers(0, 5))
    def push(self, session: str, again: int) -> None:
        """A new event, or (again) a repeat of a former one, to whatever session."""
        repeat = 1 <= again <= len(self.pushed)
        payload = self.pushed[-again] if repeat else b"%d" % len(self.pushed)
        outcome = self.run(self.workers[0].push(session, payload))
        if repeat:
            assert outcome is Pushed.DUPLICATE
            self.totals["duplicates_total"] += 1
        elif sum(map(len, self.mail.values())) >= DEPTH:
            assert outcome is Pushed.FULL
        else:
            assert outcome is Pushed.ACCEPTED
            self.append(session, payload)
            self.pushed.append(payload)

    @rule(data=st.data(), slots=st.integers(0, 4), worker=st.integers(0, 1))
    def turn(self, data: st.DataObject, slots: int, worker: int) -> None:
        """Settles by the holders, by zombies, or twice, in any mixture; then claims."""
        settles = data.draw(st.lists(self.any_settle(), max_size=4)) if self.claims else []
        refused = {
            (settle.delivery.session, settle.delivery.token) for settle in settles if not self.settle(settle)
        }
        open_ = not self.paused and not self.held
        ready = self.ready() if open_ else set()
        turn = self.run(self.workers[worker].turn(settles, slots))
        assert turn.refused == refused
        assert len(turn.deliveries) == min(slots, len(ready))
        assert {delivery.session for delivery in turn.deliveries} <= ready
        for delivery in turn.deliveries:
            self.claimed(delivery)
        self.claims += turn.deliveries
        assert turn.paused == self.paused
        left = bool(self.ready()) and open_
        assert (turn.next_due_seconds == 0) == left
        assert (turn.next_due_seconds is None) == (self.paused or not self.heads)
        assert self.run(self.hands.do("LLEN", self.workers[0].wake_key)) == left

    @rule(data=st.data())
    @precondition(lambda self: self.claims)
    def beat(self, data: st.DataObject) -> None:
        chosen = data.draw(st.lists(st.tuples(st.sampled_from(self.claims[-12:]), cursors), max_size=4))
        lost = self.run(self.workers[0].beat([Beat(*each) for each in chosen]))
        assert lost == {(each.session, each.token) for each, _ in chosen if not self.valid(each)}
        for delivery, cursor in chosen:
            if self.valid(delivery):
                head = self.heads[delivery.session]
                head.due = False
                head.cursor = head.cursor if cursor is None else cursor

    @rule(session=sessions)
    def time_passes(self, session: str) -> None:
        """A park ends; or the holder has crashed, or is frozen, and its lease ends."""
        self.run(self.hands.time_passes(session))
        if session in self.heads:
            self.heads[session].due = True

    @rule(held=st.booleans())
    def hold(self, held: bool) -> None:
        self.run(self.workers[1].hold(3600) if held else self.hands.hold_ends())
        self.held = held

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        self.run(self.workers[1].pause("why") if paused else self.workers[1].resume())
        self.paused = paused

    @rule()
    @precondition(lambda self: self.letters)
    def replay(self) -> None:
        session, payload, _ = self.letters.pop(0)
        assert self.run(self.workers[1].replay(self.run(self.workers[0].dead(limit=1)))) == 1
        self.append(session, payload)

    @rule()
    def scripts_are_flushed(self) -> None:
        self.run(self.hands.do("SCRIPT", "FLUSH"))

    # ---- what is always true ----

    @invariant()
    def stats_are_those_of_the_model(self) -> None:
        stats = self.run(self.workers[1].stats())
        leased = [head for head in self.heads.values() if head.token is not None]
        assert stats.depth == sum(map(len, self.mail.values()))
        assert (stats.sessions, stats.ready) == (len(self.mail), len(self.ready()))
        assert stats.in_flight == len(leased)
        if not any(head.due for head in leased):
            assert stats.parked == stats.sessions - stats.ready - stats.in_flight
        assert stats.paused == ("why" if self.paused else "")
        assert {name: getattr(stats, name) for name in self.totals} == self.totals

    @invariant()
    def letters_are_those_of_the_model(self) -> None:
        letters = self.run(self.workers[1].dead())
        assert [(each.session, each.payload, each.reason) for each in letters] == self.letters

    @invariant()
    def keys_are_those_of_waiting_sessions(self) -> None:
        keys = self.run(self.hands.keys("[ms][at]*"))
        mail = {key for key in keys if key.startswith("mail:")}
        assert mail == {f"mail:{session}" for session in self.mail}
        assert set(self.run(self.hands.do("ZRANGE", f"{self.hands.prefix}head", 0, -1))) == {
            session.encode() for session in self.mail
        }
        assert {key for key in keys if key.startswith("state:")} <= {f"state:{name}" for name in self.mail}


@pytest.mark.parametrize("kind", ["fake", "real"])
def test_the_queue_keeps_its_promises(kind: str, server: EmbeddedServer) -> None:
    class Bound(Machine):
        connect = staticmethod(fakeredis.FakeAsyncRedis if kind == "fake" else lambda: connect(server.url))

    run_state_machine_as_test(
        Bound,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
