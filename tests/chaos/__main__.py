"""`python -m tests.chaos`: a long run with the figures of README.

`--outage SECONDS`: Redis is away for that long, while 50 events/s go on; none may be answered but with 2xx.
`--mutants`: what the checker catches, and how soon.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Final

from tests.chaos.checker import Finding
from tests.chaos.platform import moody
from tests.chaos.report import table
from tests.chaos.run import Conditions, Outcome, run
from tests.chaos.schedule import Schedule, Setup, Stroke, draw, steady
from tests.chaos.trials import judged, mutants_table

SHOWN: Final = 50
OUTAGE_PER_SECOND: Final = 50.0


def main() -> int:
    asked = _arguments()
    if asked.folder and asked.folder.exists() and any(asked.folder.iterdir()):
        print(
            f"--folder {asked.folder}: name an empty one; what a run has left would be delivered in this one"
        )
        return 2
    if asked.mutants:
        trials = asyncio.run(judged())
        print(mutants_table(trials))
        return 0 if all(trial.good for trial in trials) else 1
    if asked.outage:
        return _told(asyncio.run(_outage(asked.outage, asked.folder)), no_refusals=True)
    setup = Setup(
        events=asked.events, kills=asked.kills, per_second=asked.per_second, lease_seconds=asked.lease,
        sessions=max(20, asked.events // 25),
    )  # fmt: skip
    conditions = Conditions(
        lease_seconds=asked.lease,
        manners=moody(asked.seed),
        spool=asked.spool,
        sticky=asked.spool,
        patience_seconds=60,
    )
    print(f"seed {asked.seed}, about {setup.seconds:.0f} s", file=sys.stderr)
    return _told(asyncio.run(run(draw(asked.seed, setup), conditions, asked.folder)))


async def _outage(seconds: float, folder: Path | None) -> Outcome:
    """Any of two ingresses gets any event, three workers; for ten seconds before and after as well."""
    events = steady(int((seconds + 20) * OUTAGE_PER_SECOND), sessions=100, per_second=OUTAGE_PER_SECOND)
    down = Stroke(10.0, "server", "kill", seconds=seconds)
    return await run(Schedule(events, (down,)), Conditions(spool=True, patience_seconds=60), folder)


def _told(outcome: Outcome, *, no_refusals: bool = False) -> int:
    """Prints it; the exit code."""
    print(table(outcome))
    wrong: list[Finding | str] = [*outcome.verdict.findings, *outcome.troubles]
    if no_refusals and outcome.refused:
        wrong.append(f"{outcome.refused} posts were not answered with 2xx")
    for each in wrong[:SHOWN]:
        print(each)
    return 1 if wrong or outcome.stats.dead else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-second", type=float, default=100.0)
    parser.add_argument("--lease", type=float, default=5.0, help="lease_seconds of the workers")
    parser.add_argument("--spool", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--folder", type=Path, help="where logs and data stay; else they are deleted")
    parser.add_argument("--outage", type=float, metavar="SECONDS", help="Redis away, nothing else")
    parser.add_argument("--mutants", action="store_true", help="runs the bridge with one rule broken each")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
