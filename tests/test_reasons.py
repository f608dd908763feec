"""Every reason a letter can have is explained in the README, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from bridge.ingress.outcome import STATUS, TAKEN, Outcome

ROOT = Path(__file__).parent.parent
NOTHING_KEPT = {*TAKEN, Outcome.DUPLICATE, Outcome.SHED}


def of_workers() -> set[str]:
    """What workers bury for; it is written where it happens: Bury(delivery, reason) or bury(reason)."""
    found = set()
    for file in (ROOT / "workers").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case (
                    ast.Call(func=ast.Name("Bury"), args=[_, ast.Constant(str() as reason), *_])
                    | ast.Call(func=ast.Name("bury"), args=[ast.Constant(str() as reason), *_])
                ):
                    found.add(reason)
    return found


def of_ingress() -> set[str]:
    """What is signed and answered 200 and not to be delivered."""
    return {
        outcome.value for outcome, status in STATUS.items() if status == 200 and outcome not in NOTHING_KEPT
    }


def test_the_readme_explains_every_reason() -> None:
    section = (ROOT / "README.md").read_text().partition("\n## Dead letters\n")[2].partition("\n## ")[0]
    explained = re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)
    assert len(of_workers()) > 5
    assert sorted(explained) == sorted(of_workers() | of_ingress())
