"""What a run measured: how long sessions stood still. Pure, as the checker is."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence

from msgspec import Struct

from tests.chaos.history import Fault, History, Receipt


class Recovery(Struct, frozen=True):
    """Seconds, one a session or a restart; all sorted."""

    worker: tuple[float, ...]
    """A worker was killed with a part in flight -> its next part comes, from another worker. Where that is
    of an event that was accepted only then, nobody had to wait, and nothing is measured."""
    quiet: tuple[float, ...]
    """Of these, the ones during which nothing else happened to workers or server."""
    server: tuple[float, ...]
    """The server answers again -> the first part comes, unless something is done to the server before."""


def recovery(history: History) -> Recovery:
    by_session: dict[str, list[Receipt]] = defaultdict(list)
    by_worker: dict[str, list[Receipt]] = defaultdict(list)
    for receipt in history.receipts:
        by_session[receipt.session].append(receipt)
        by_worker[receipt.worker].append(receipt)
    accepted = {
        (post.session, post.number): post.until_at for post in reversed(history.posts) if post.accepted
    }
    every, quiet, server = [], [], []
    for fault in history.faults:
        if fault.kind == "server.kill":
            later = [receipt.at for receipt in history.receipts if receipt.at >= fault.until_at]
            if later and not _again(history.faults, fault, min(later)):
                server.append(min(later) - fault.until_at)
        elif fault.is_kill and fault.kind.startswith("worker."):
            for held in _held(by_worker[fault.target], fault.from_at):
                then = _next(by_session[held.session], fault.from_at, fault.target)
                if then is None or (
                    then.number != held.number
                    and accepted.get((then.session, then.number), math.inf) > fault.from_at
                ):
                    continue
                every.append(then.at - fault.from_at)
                if not _disturbed(history.faults, fault, then.at):
                    quiet.append(then.at - fault.from_at)
    return Recovery(tuple(sorted(every)), tuple(sorted(quiet)), tuple(sorted(server)))


def _held(receipts: Sequence[Receipt], at: float) -> list[Receipt]:
    """What a worker had in flight at that time."""
    return [receipt for receipt in receipts if receipt.at <= at <= receipt.until_at]


def _next(receipts: Sequence[Receipt], at: float, but: str) -> Receipt | None:
    first = bisect_right([receipt.at for receipt in receipts], at)
    return next((receipt for receipt in receipts[first:] if receipt.worker != but), None)


def _disturbed(faults: Sequence[Fault], own: Fault, until_at: float) -> bool:
    return any(
        other is not own
        and not other.kind.startswith("ingress.")
        and other.from_at <= until_at
        and other.until_at >= own.from_at
        for other in faults
    )


def _again(faults: Sequence[Fault], own: Fault, until_at: float) -> bool:
    """Whether the server, once it was back, was struck again before that time."""
    return any(
        other is not own and other.target == "server" and own.until_at <= other.from_at <= until_at
        for other in faults
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Of sorted values; 0 where there are none."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def kills(history: History) -> Counter[str]:
    """How many of each kind there were."""
    return Counter(fault.kind for fault in history.faults)
