"""What a run says of itself: a table for people."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.figures import kills, percentile, recovery
from tests.chaos.run import Outcome


def table(outcome: Outcome) -> str:
    """Markdown, as README has it."""
    rows = "\n".join(f"| {what} | {figure} |" for what, figure in _rows(outcome))
    return f"| what | figure |\n|---|---|\n{rows}"


def _rows(outcome: Outcome) -> Iterator[tuple[str, str]]:
    verdict, history, counted = outcome.verdict, outcome.history, kills(outcome.history)
    killed = {name: count for name, count in counted.items() if name.endswith((".kill", ".point"))}
    others = {name: count for name, count in counted.items() if name not in killed}
    explained = {name: count for name, count in verdict.repeats.items() if name != "refused"}
    yield "events accepted, in parts", f"{outcome.accepted:,}, {_parts(outcome):,}"
    yield "kills", f"{sum(killed.values())}: {_counts(killed)}"
    yield "other faults", f"{sum(others.values())}: {_counts(others)}"
    yield "lost", str(verdict.count("lost"))
    yield "reordered", str(verdict.count("reordered"))
    yield "repeated without a reason", str(verdict.count("repeated"))
    yield "repeated with a reason, parts", f"{sum(explained.values())}: {_counts(explained)}"
    yield "refused by the platform and sent again, parts", str(verdict.repeats["refused"])
    yield "never sent, or under another key", f"{verdict.count('invented')}, {verdict.count('key')}"
    yield "dead letters", str(outcome.stats.dead)
    yield (
        "posts not answered with 2xx, events given up by the sender",
        f"{outcome.refused:,}, {outcome.given_up}",
    )
    measured = recovery(history)
    for what, values in (
        ("worker killed -> its session's next part", measured.worker),
        ("the same, of those where nothing else was wrong meanwhile", measured.quiet),
        ("server back -> first part", measured.server),
    ):
        if values:
            p50, p99, longest = (percentile(values, share) for share in (0.5, 0.99, 1.0))
            yield f"{what}: p50, p99, max", f"{p50:.2f} s, {p99:.2f} s, {longest:.2f} s ({len(values)} times)"


def _parts(outcome: Outcome) -> int:
    parts = {(post.session, post.number): post.parts for post in outcome.history.posts if post.accepted}
    return sum(parts.values())


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
