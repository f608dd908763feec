"""`python -m tests.chaos`: a long run with the figures of README; `--mutants`: what the checker catches."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from tests.chaos.checker import Finding
from tests.chaos.platform import moody
from tests.chaos.report import table
from tests.chaos.run import Conditions, run
from tests.chaos.schedule import Setup, draw
from tests.chaos.trials import judged, mutants_table

SHOWN = 50


def main() -> int:
    asked = _arguments()
    if asked.mutants:
        trials = asyncio.run(judged())
        print(mutants_table(trials))
        return 0 if all(trial.good for trial in trials) else 1
    setup = Setup(
        events=asked.events, kills=asked.kills, per_second=asked.per_second, lease_seconds=asked.lease,
        sessions=max(20, asked.events // 25),
    )  # fmt: skip
    conditions = Conditions(
        lease_seconds=asked.lease, manners=moody(asked.seed), spool=asked.spool, patience_seconds=60
    )
    print(f"seed {asked.seed}, about {setup.seconds:.0f} s", file=sys.stderr)
    outcome = asyncio.run(run(draw(asked.seed, setup), conditions, asked.folder))
    print(table(outcome))
    wrong: list[Finding | str] = [*outcome.verdict.findings, *outcome.troubles]
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
    parser.add_argument("--mutants", action="store_true", help="runs the bridge with one rule broken each")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
