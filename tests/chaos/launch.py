"""`python -m tests.chaos.launch MUTANT ingress|worker`: the bridge's command with one rule broken."""

from __future__ import annotations

import sys

from bridge.cli import main
from tests.chaos.mutants import MUTANTS

if __name__ == "__main__":
    _, mutant, role = sys.argv
    MUTANTS[mutant].break_it()
    main([role], prog_name="moveo-bridge")
