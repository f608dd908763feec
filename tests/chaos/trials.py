"""The trial of the checker: every mutant in its situation, and every situation without a mutant."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

from msgspec import Struct

from tests.chaos.mutants import MUTANTS, SITUATIONS, caught_at
from tests.chaos.run import Outcome, run
from tests.zygote import zygote

AT_ONCE: Final = 3


class Trial(Struct, frozen=True):
    """`mutant` "" is the bridge as it is."""

    situation: str
    mutant: str
    outcome: Outcome

    @property
    def good(self) -> bool:
        """The mutant was caught as what it is; the bridge was not."""
        verdict = self.outcome.verdict
        if not self.mutant:
            return not verdict.findings and not self.outcome.troubles and not self.outcome.stats.dead
        return bool(verdict.kinds & MUTANTS[self.mutant].caught_as)

    @property
    def caught_at(self) -> int:
        """The first event with which the rule was broken, counted from 1."""
        if not self.mutant:
            return 0
        names = [(post.session, post.number) for post in self.outcome.history.posts if post.accepted]
        caught_as = MUTANTS[self.mutant].caught_as
        hit = [
            (each.session, each.number) for each in self.outcome.verdict.findings if each.kind in caught_as
        ]
        return caught_at(names, hit)


async def judged(names: Sequence[str] | None = None) -> list[Trial]:
    """A few at once: they mostly wait for leases to end."""
    room = asyncio.Semaphore(AT_ONCE)
    wanted = list(MUTANTS if names is None else names)
    pairs = [(situation, "") for situation in dict.fromkeys(MUTANTS[name].situation for name in wanted)]
    pairs += [(MUTANTS[name].situation, name) for name in wanted]

    async def trial(situation: str, mutant: str) -> Trial:
        async with room:
            found = SITUATIONS[situation]
            conditions = found.conditions(partial(zygote().fork, mutant=mutant))
            return Trial(situation, mutant, await run(found.schedule, conditions))

    return list(await asyncio.gather(*(trial(*pair) for pair in pairs)))


def mutants_table(trials: Sequence[Trial]) -> str:
    """Markdown; what was not caught, or was and should not have been, is in bold."""
    lines = [
        "| mutant | what was changed | in which situation | caught as | from event |",
        "|---|---|---|---|---|",
    ]
    for trial in trials:
        name, what = trial.mutant or "none", MUTANTS[trial.mutant].what if trial.mutant else "nothing"
        counts = ", ".join(
            f"{kind} {trial.outcome.verdict.count(kind)}" for kind in sorted(trial.outcome.verdict.kinds)
        )
        shown = (counts or "nothing") if trial.good else f"**{counts or 'nothing'}**"
        at = (
            f"{trial.caught_at} of {trial.outcome.accepted}"
            if trial.mutant
            else f"{trial.outcome.accepted} passed"
        )
        lines.append(f"| {name} | {what} | {trial.situation} | {shown} | {at} |")
    return "\n".join(lines)
