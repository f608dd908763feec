"""Child processes of a benchmark: started with a role and its arguments, they say a JSON line when ready."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Child:
    """One role of `tests.benchmarks.roles` in a process of its own."""

    def __init__(self, role: str, **arguments: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.roles", role, json.dumps(arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def again(self) -> Any:
        """Tells it to go on (to do a round, to say its CPU) and gives what it says."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self.ask()

    def ask(self) -> Any:
        """Its next JSON line."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the benchmark's child ended with {self._process.wait()}")
        return json.loads(line)

    def end(self) -> None:
        """Closing its input ends a child; it is waited for."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


@contextmanager
def child(role: str, **arguments: Any) -> Iterator[Child]:
    started = Child(role, **arguments)
    try:
        yield started
    finally:
        started.end()
