"""Any sequence of pushes, turns, beats, crashes, zombies, outages, holds and pauses, against a small model.

The model knows nothing of scores, tokens' origin or keys; it says what a queue promises. Time passes by hand.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeVar, get_args

import fakeredis
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis

from bridge.embedded import EmbeddedServer
from bridge.queue import (
    Ack,
    Beat,
    Bury,
    Delivery,
    Limits,
    Park,
    Pushed,
    Queue,
    Refuse,
    Said,
    Settle,
    connect,
    scripts,
)
from tests.queue.hands import Hands
from tests.queue.rewritten import rewritten

T = TypeVar("T")
DEPTH = 7
OPENS_AT = 2
"""In place of the breaker's own figure, which no short sequence reaches."""
REFUSED_CHATS = 3
NAMES = itertools.count()
sessions = st.sampled_from("abc")
seldom = st.sampled_from([False, False, True])
cursors = st.sampled_from([None, b"", b"1", b"2"])


class Head:
    """What is known of a session's first event, apart from its payload."""

    def __init__(self) -> None:
        self.token: int | None = None
        self.due = True
        self.tries = 0
        self.crashes = 0
        self.refusal = ""
        self.cursor = b""
        self.stored = False
        """A cursor was stored, if an empty one."""

    @property
    def touched(self) -> bool:
        return self.token is not None or self.tries > 0 or self.stored


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
        self.paused, self.held = "", False
        self.failing: set[str] = set()
        self.down = self.probe_is_due = self.fresh_is_due = False
        self.probe: str | None = None
        self.failed: set[str] = set()
        """Sessions that failed lately, in no order: several can fail in one millisecond."""
        self.refused: dict[str, str] = {}
        """Chats refused since a call got through, with their sessions."""
        self.pause_said, self.resumed = "", False
        """What a turn says of the pause that it begins, and whether it has lifted an earlier one."""
        self.denied: set[str] = set()
        """Sessions that met a refusal of the account since the last pause."""
        self.closed: set[str] = set()
        """Sessions refused while others got through."""

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

    def insert(self, session: str, payload: bytes) -> None:
        """In front of what was pushed later, but never before a head that was touched."""
        mail = self.mail.setdefault(session, deque())
        place = len(mail)
        fixed = int(session in self.heads and self.heads[session].touched)
        while place > fixed and int(mail[place - 1]) > int(payload):
            place -= 1
        mail.insert(place, payload)
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
        lost = self.hear(session, "answered" if isinstance(settle, Refuse) else settle.said)
        match settle:
            case Ack():
                self.pop(session)
                self.totals["delivered_total"] += 1
            case Bury(_, reason):
                self.letters.append((session, self.pop(session), reason))
                self.totals["buried_total"] += 1
            case Park(_, seconds, cursor, counted):
                head.token, head.due, head.crashes = None, seconds == 0 or lost, 0
                head.tries += counted and not lost
                self.totals["retried_total"] += counted and not lost
                head.cursor, head.stored = (head.cursor, head.stored) if cursor is None else (cursor, True)
            case Refuse(_, error, chat, cursor, account):
                known = session in self.closed
                head.token, head.due, head.crashes = None, account or known, 0
                head.cursor, head.stored = cursor, True
                if account:
                    self.denied.add(session)
                    self.pause_for("unauthorized")
                else:
                    head.refusal = error
                    if not known:
                        self.refused[chat] = session
                        if len(self.refused) >= REFUSED_CHATS:
                            self.pause_for("forbidden")
        return True

    def hear(self, session: str, said: Said) -> bool:
        """What the breaker makes of it; whether the try is lost, since it was open already."""
        is_probe = self.down and session == self.probe
        if said in ("up", "answered"):
            self.failing.clear()
            self.down, self.probe = False, None
            if said == "up":
                self.failed.discard(session)
                self.release(session)
        elif said in ("down", "shut") or (is_probe and said == "unsure"):
            was_fresh = session not in self.failed
            self.failed.add(session)
            if is_probe:
                self.probe, self.probe_is_due = None, False
                self.fresh_is_due = not was_fresh
            elif self.down:
                return True
            else:
                self.failing.add(session)
                if said == "shut" or len(self.failing) >= OPENS_AT:
                    self.failing.clear()
                    self.down, self.probe, self.probe_is_due = True, None, False
                    self.fresh_is_due = not was_fresh
        elif is_probe:
            self.probe, self.probe_is_due, self.fresh_is_due = None, True, True
        return False

    def pause_for(self, reason: str) -> None:
        if not self.paused:
            self.paused = self.pause_said = reason

    def release(self, passed: str) -> None:
        """A call got through: the refused sessions are due, to be buried."""
        self.closed.discard(passed)
        if self.paused == "forbidden":
            self.resumed = self.resumed or not self.pause_said
            self.paused = self.pause_said = ""
        self.closed |= {*self.refused.values()} - {passed}
        for session in self.refused.values():
            head = self.heads.get(session)
            if head and head.refusal and head.token is None:
                head.due = True
        self.refused.clear()

    def due(self) -> set[str]:
        return {session for session, head in self.heads.items() if head.due}

    def ready(self) -> set[str]:
        """What may be claimed now, but for slots, holds and pauses."""
        due = self.due()
        if not self.down:
            return due
        probe = self.heads.get(self.probe) if self.probe is not None else None
        if probe is not None and probe.token is not None and not probe.due:
            return set()
        fresh = due - self.failed
        if fresh and (self.fresh_is_due or self.probe_is_due):
            return fresh
        return due if self.probe_is_due else set()

    def claimed(self, delivery: Delivery) -> None:
        head = self.heads[delivery.session]
        if head.token is not None:
            head.tries, head.crashes = head.tries + 1, head.crashes + 1
            self.totals["retried_total"] += 1
        assert delivery.token > self.last_token
        expected = (self.mail[delivery.session][0], head.tries, head.crashes, head.cursor, head.refusal)
        given = (delivery.payload, delivery.tries, delivery.crashes, delivery.cursor, delivery.refusal)
        assert given == expected
        head.token, head.due = delivery.token, False
        self.last_token = delivery.token

    def any_settle(self) -> st.SearchStrategy[Settle]:
        zombies, holders = self.claims[-12:], [each for each in self.claims if self.valid(each)]
        delivery = st.sampled_from(holders or zombies) | st.sampled_from(zombies)
        seconds = st.sampled_from([0.0, 3600.0])
        said = st.sampled_from(get_args(Said))
        return st.one_of(
            st.builds(Ack, delivery, said),
            st.builds(Park, delivery, seconds, cursors, st.booleans(), said),
            st.builds(Bury, delivery, st.just("rejected"), st.just(""), said),
            st.builds(Refuse, delivery, st.just("no"), st.sampled_from("xyz"), st.just(b"1"), seldom),
        )

    # ---- what can happen ----

    @rule(data=st.data())
    def something(self, data: st.DataObject) -> None:
        """One rule for all: of many, hypothesis leaves some out in each run."""
        what: list[Callable[[st.DataObject], None]] = [
            *[self.push] * 4,
            *[self.turn] * 6,
            *[self.time_passes] * 2,
        ]
        what += [self.hold, self.pause, self.scripts_are_flushed]
        what += [self.beat] if self.claims else []
        what += [self.replay] * 2 if self.letters else []
        what += [self.the_wait_for_a_probe_ends] * 3 if self.down else []
        data.draw(st.sampled_from(what))(data)

    def push(self, data: st.DataObject) -> None:
        """A new event, or (again) a repeat of a former one, to whatever session."""
        session, again = data.draw(sessions), data.draw(st.integers(0, 9))
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
            self.run(self.next_ms())
            self.append(session, payload)
            self.pushed.append(payload)

    async def next_ms(self) -> None:
        """What is pushed later was accepted later."""
        now = await self.hands.now()
        while await self.hands.now() == now:
            pass

    def turn(self, data: st.DataObject) -> None:
        """Settles by the holders, by zombies, or twice, in any mixture; then claims."""
        slots, worker = data.draw(st.integers(0, 4)), data.draw(st.integers(0, 1))
        settles = data.draw(st.lists(self.any_settle(), max_size=4)) if self.claims else []
        self.pause_said, self.resumed = "", False
        refused = {
            (settle.delivery.session, settle.delivery.token) for settle in settles if not self.settle(settle)
        }
        open_ = not self.paused and not self.held
        ready = self.ready() if open_ else set()
        turn = self.run(self.workers[worker].turn(settles, slots))
        assert turn.refused == refused
        assert (turn.pause.partition(":")[0], turn.resumed) == (self.pause_said, self.resumed)
        assert len(turn.deliveries) == min(slots, 1 if self.down else slots, len(ready))
        assert {delivery.session for delivery in turn.deliveries} <= ready
        for delivery in turn.deliveries:
            self.claimed(delivery)
        self.claims += turn.deliveries
        if self.down and turn.deliveries:
            self.probe, self.probe_is_due = turn.deliveries[0].session, False
        assert turn.paused == bool(self.paused)
        left = open_ and bool(self.ready())
        assert (turn.next_due_seconds == 0) == left
        assert (turn.next_due_seconds is None) == (bool(self.paused) or not self.heads)
        assert self.run(self.hands.do("LLEN", self.workers[0].wake_key)) == left

    def beat(self, data: st.DataObject) -> None:
        chosen = data.draw(st.lists(st.tuples(st.sampled_from(self.claims[-12:]), cursors), max_size=4))
        lost = self.run(self.workers[0].beat([Beat(*each) for each in chosen]))
        assert lost == {(each.session, each.token) for each, _ in chosen if not self.valid(each)}
        for delivery, cursor in chosen:
            if self.valid(delivery):
                head = self.heads[delivery.session]
                head.due = False
                head.cursor, head.stored = (head.cursor, head.stored) if cursor is None else (cursor, True)

    def time_passes(self, data: st.DataObject) -> None:
        """A park ends; or the holder has crashed, or is frozen, and its lease ends."""
        session = data.draw(sessions)
        self.run(self.hands.time_passes(session))
        if session in self.heads:
            self.heads[session].due = True

    def the_wait_for_a_probe_ends(self, data: st.DataObject) -> None:
        self.run(self.hands.probe_is_due())
        self.probe_is_due = self.fresh_is_due = True

    def hold(self, data: st.DataObject) -> None:
        held = data.draw(seldom)
        self.run(self.workers[1].hold(3600) if held else self.hands.hold_ends())
        self.held = held

    def pause(self, data: st.DataObject) -> None:
        paused = data.draw(seldom)
        self.run(self.workers[1].pause("why") if paused else self.workers[1].resume())
        if paused:
            self.paused = self.paused or "why"
            return
        self.down, self.probe = False, None
        if self.paused and (self.refused or self.denied):
            self.down = self.probe_is_due = self.fresh_is_due = True
            for session in (*self.refused.values(), *self.denied):
                self.failed.add(session)
                if head := self.heads.get(session):
                    head.refusal, head.due = "", head.due or head.token is None
            self.denied.clear()
        self.paused = ""

    def replay(self, data: st.DataObject) -> None:
        session, payload, _ = self.letters.pop(0)
        assert self.run(self.workers[1].replay(self.run(self.workers[0].dead(limit=1)))) == 1
        self.insert(session, payload)

    def scripts_are_flushed(self, data: st.DataObject) -> None:
        self.run(self.hands.do("SCRIPT", "FLUSH"))

    # ---- what is always true ----

    @invariant()
    def stats_are_those_of_the_model(self) -> None:
        stats = self.run(self.workers[1].stats())
        leased = [head for head in self.heads.values() if head.token is not None]
        assert stats.depth == sum(map(len, self.mail.values()))
        assert (stats.sessions, stats.ready) == (len(self.mail), len(self.due()))
        assert stats.in_flight == len(leased)
        if not any(head.due for head in leased):
            assert stats.parked == stats.sessions - stats.ready - stats.in_flight
        assert stats.paused.partition(":")[0] == self.paused
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


@pytest.fixture
def _opens_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """And waits for its probes until it is told that they are due, however slow the machine is."""
    turn = rewritten(
        scripts.TURN,
        ("local OPENS_AT = 5", f"local OPENS_AT = {OPENS_AT}"),
        ("local FIRST, LONGEST = 1000, 15000", "local FIRST, LONGEST = 3600000, 3600000"),
    )
    monkeypatch.setattr(scripts, "TURN", turn)


@pytest.mark.usefixtures("_opens_early")
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
