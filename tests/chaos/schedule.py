"""One seed gives the load and everything that will be done to the processes, before any of it begins."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from tests.chaos.history import Event

Role: TypeAlias = Literal["worker", "ingress", "server", "machine"]
What: TypeAlias = Literal["kill", "term", "freeze", "link", "cut"]
POINTS: Final = ("worker.sending", "worker.sent", "worker.stored", "worker.settling", "worker.settled")
"""Where a worker may be told to kill itself: see bridge.failpoints."""


class Stroke(Struct, frozen=True):
    """`what` is done to the `number`-th of a `role` at that time after the start.

    kill, term   ended, and `seconds` later started again, perhaps with a failpoint
    freeze       stopped for `seconds`; of a machine all of its processes are
    link, cut    its connections to the server are frozen for `seconds`, or reset
    """

    at: float
    role: Role
    what: What
    number: int = 0
    seconds: float = 0.0
    point: str = ""


class Setup(Struct, frozen=True, kw_only=True):
    """How large a run is."""

    events: int = 5_000
    kills: int = 40
    per_second: float = 110.0
    sessions: int = 200
    workers: int = 3
    ingresses: int = 2
    lease_seconds: float = 2.0

    @property
    def seconds(self) -> float:
        """How long the load lasts."""
        return self.events / self.per_second


class Schedule(Struct, frozen=True):
    events: tuple[Event, ...]
    strokes: tuple[Stroke, ...]


def draw(seed: int, setup: Setup) -> Schedule:
    dice = random.Random(seed)
    strokes = (*_kills(dice, setup), *_others(dice, setup))
    return Schedule(tuple(_events(dice, setup)), tuple(sorted(strokes, key=lambda stroke: stroke.at)))


def _events(dice: random.Random, setup: Setup) -> Iterator[Event]:
    """Of five, three have one part; of the others a few are told with pauses."""
    numbers = [0] * setup.sessions
    for n in range(setup.events):
        session = dice.randrange(setup.sessions)
        parts = dice.choice((1, 1, 1, 2, 3))
        pause = 0.06 if parts > 1 and dice.random() < 0.2 else 0.0
        yield Event(f"s{session}", numbers[session], parts, n / setup.per_second, pause)
        numbers[session] += 1


def steady(events: int, *, sessions: int, per_second: float, parts: int = 1) -> tuple[Event, ...]:
    """A load without chance: the sessions in turn."""
    return tuple(Event(f"s{n % sessions}", n // sessions, parts, n / per_second) for n in range(events))


def _kills(dice: random.Random, setup: Setup) -> Iterator[Stroke]:
    """A fifth of the server, a fifth of ingresses, the others of workers; on top of that failpoints."""
    fifth = setup.kills // 5
    counts: dict[Role, int] = {"server": fifth, "ingress": fifth, "worker": setup.kills - 2 * fifth}
    roles = [role for role, count in counts.items() for _ in range(count)]
    dice.shuffle(roles)
    workers = [n for n, role in enumerate(roles) if role == "worker"]
    pointed = set(dice.sample(workers, min(fifth, len(workers))))
    for n, role in enumerate(roles):
        at = _moment(dice, setup, n, len(roles))
        match role:
            case "server":
                yield Stroke(at, role, "kill", seconds=dice.uniform(0.0, 0.8))
            case "ingress":
                yield Stroke(at, role, "kill", dice.randrange(setup.ingresses), dice.uniform(0.0, 0.3))
            case "worker":
                point = f"{dice.choice(POINTS)}:{dice.randint(1, 9)}" if n in pointed else ""
                number = dice.randrange(setup.workers)
                yield Stroke(at, role, "kill", number, dice.uniform(0.0, 0.5), point)


def _others(dice: random.Random, setup: Setup) -> Iterator[Stroke]:
    """Half as many faults that kill nobody."""
    lease, count = setup.lease_seconds, setup.kills // 2
    for n in range(count):
        at = _moment(dice, setup, n, count)
        worker, ingress = dice.randrange(setup.workers), dice.randrange(setup.ingresses)
        match n % 8:
            case 0 | 4:
                yield Stroke(at, "worker", "freeze", worker, lease * dice.uniform(1.1, 1.6))
            case 1:
                yield Stroke(at, "worker", "link", worker, lease * dice.uniform(0.3, 1.5))
            case 2:
                yield Stroke(at, "worker", "cut", worker)
            case 3:
                yield Stroke(at, "worker", "term", worker)
            case 5:
                yield Stroke(at, "ingress", "link", ingress, dice.uniform(0.3, 1.2))
            case 6:
                yield Stroke(at, "server", "freeze", seconds=lease * dice.uniform(0.5, 1.5))
            case _:
                yield Stroke(at, "ingress", dice.choice(("term", "cut")), ingress)


def _moment(dice: random.Random, setup: Setup, n: int, count: int) -> float:
    """The n-th of so many moments: once the load has begun, and while it lasts."""
    return 0.5 + max(0.0, setup.seconds - 1.0) * (n + dice.random()) / max(1, count)
