"""From the three logs to findings: a pure function, which is all that decides whether a run was good.

The rules:
- lost        every part of every accepted event is taken by the platform
- reordered   per session, parts come first in the order in which their events were accepted
- repeated    a part comes again only right after itself, and only where it was refused, its answer was cut
              off, or the worker that sent it (or the server, or the link between the two) failed meanwhile
- invented    nothing comes that was not posted
- key         a part has one idempotency key, which is nobody else's
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from tests.chaos.history import Fault, History, Receipt

Kind: TypeAlias = Literal["lost", "reordered", "repeated", "invented", "key"]
SLACK_SECONDS: Final = 1.0
"""Between two ends of a connection things are seen at different times, and machines are busy."""


class Finding(Struct, frozen=True):
    """One part with which the promise was broken."""

    kind: Kind
    session: str
    number: int
    part: int
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.session}/{self.number}/{self.part} {self.detail}".rstrip()


class Verdict(Struct, frozen=True):
    """`repeats` counts the explained ones by their explanation."""

    findings: tuple[Finding, ...]
    repeats: Counter[str]

    def count(self, kind: Kind) -> int:
        return sum(finding.kind == kind for finding in self.findings)

    @property
    def kinds(self) -> set[Kind]:
        return {finding.kind for finding in self.findings}


def check(history: History) -> Verdict:
    """The order of `history.receipts` is that of receipt."""
    posted: dict[str, dict[int, int]] = defaultdict(dict)
    accepted: dict[str, set[int]] = defaultdict(set)
    for post in history.posts:
        posted[post.session][post.number] = post.parts
        if post.accepted:
            accepted[post.session].add(post.number)
    received: dict[str, list[Receipt]] = defaultdict(list)
    for receipt in history.receipts:
        received[receipt.session].append(receipt)
    findings: list[Finding] = list(_keys(history.receipts))
    repeats: Counter[str] = Counter()
    faults = _Faults(history.faults, SLACK_SECONDS + history.lag_seconds)
    for session in posted | received:
        line = _Line(session, posted[session], accepted[session], faults)
        findings += line.follow(received[session])
        repeats += line.repeats
    return Verdict(tuple(findings), repeats)


class _Faults:
    """What was done to whom, for the question whether that explains a repeat."""

    def __init__(self, faults: Iterable[Fault], slack: float) -> None:
        self._slack = slack
        self._of: dict[str, list[Fault]] = defaultdict(list)
        for fault in faults:
            self._of[fault.target].append(fault)

    def explain(self, first: Receipt, again: Receipt) -> str | None:
        """Why the same part came again; None: for no good reason."""
        if first.answer == "refused" and again.at >= first.until_at:
            return "refused"
        if first.answer == "cut" and again.at >= first.until_at:
            return "uncertain"
        slack = self._slack
        could_say_at = self._awake(first.until_at + slack)
        for fault in (*self._of[first.worker], *self._of["server"]):
            if fault.kind == "server.freeze":
                continue  # whoever lives says afterwards what it had done
            if fault.kind == "worker.term" and self._awake(fault.until_at) <= fault.until_at:
                continue  # it had the time to say so
            if fault.from_at <= could_say_at and first.at <= fault.until_at + slack:
                return fault.kind
        return None

    def _awake(self, at: float) -> float:
        """That time, or when the server has heard what it was told while it stood still."""
        still = [f for f in self._of["server"] if f.kind == "server.freeze" and f.from_at <= at]
        return max([at, *(f.until_at + self._slack for f in still)])


class _Line:
    """One session's parts as they should come, and how far they have come."""

    def __init__(self, session: str, posted: dict[int, int], accepted: set[int], faults: _Faults) -> None:
        self._session = session
        self._posted = posted
        self._expected = [(number, part) for number in sorted(accepted) for part in range(posted[number])]
        self._place = {name: place for place, name in enumerate(self._expected)}
        self._faults = faults
        self.repeats: Counter[str] = Counter()

    def follow(self, receipts: Sequence[Receipt]) -> list[Finding]:
        at, last, taken = -1, dict[tuple[int, int], Receipt](), set[tuple[int, int]]()
        findings = []

        def found(kind: Kind, number: int, part: int, detail: str = "") -> None:
            findings.append(Finding(kind, self._session, number, part, detail))

        for receipt in receipts:
            name = number, part = receipt.number, receipt.part
            first, place = last.get(name), self._place.get(name)
            last[name] = receipt
            if receipt.answer != "refused":
                taken.add(name)
            if part >= self._posted.get(number, 0):
                found("invented", number, part, f"from {receipt.worker}")
            elif place is None:
                # Never accepted, so it has no place; that it came at all is no fault: the answer was lost.
                if first is not None:
                    self.repeats["not accepted"] += 1
            elif place > at:
                at = place  # what was left out is late when it comes, or lost
            elif first is None:
                found("reordered", number, part, f"after {self._expected[at]}, from {receipt.worker}")
            elif place < at and first.answer == "refused":
                found("reordered", number, part, f"refused, and again after {self._expected[at]}")
            elif place == at and (reason := self._faults.explain(first, receipt)):
                self.repeats[reason] += 1
            else:
                found("repeated", number, part, _told(first, receipt, self._expected[at]))
        for name in self._expected:
            if name not in taken:
                found("lost", *name)
        return findings


def _told(first: Receipt, again: Receipt, newest: tuple[int, int]) -> str:
    return (
        f"by {again.worker} at {again.at:.3f}, by {first.worker} from {first.at:.3f} to {first.until_at:.3f}"
        f" ({first.answer}), newest {newest}"
    )


def _keys(receipts: Iterable[Receipt]) -> Iterable[Finding]:
    key_of: dict[tuple[str, int, int], str] = {}
    owner: dict[str, tuple[str, int, int]] = {}
    for receipt in receipts:
        name = (receipt.session, receipt.number, receipt.part)
        if key_of.setdefault(name, receipt.key) != receipt.key or owner.setdefault(receipt.key, name) != name:
            yield Finding("key", *name, "another idempotency key than before")
