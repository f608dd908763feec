"""A process that has imported the bridge and is forked for each start: a tenth of the cost of a new one.

What is forked is a process of its own like any other, with its own pid, signals and exit code, and goes the
way of `moveo-bridge ROLE` from there on. Only its end is learned from its parent, which is this one:

    in   {"role", "env", "log", "mutant"}        one JSON object a line
    out  [pid] for each of them, [pid, code] at the end of one
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
WAIT_SECONDS: Final = 0.005


class Forked:
    """As much of a Popen as tests need."""

    def __init__(self, zygote: Zygote, pid: int) -> None:
        self.returncode: int | None = None
        self.pid: Final = pid
        self._zygote = zygote

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._zygote.code(self.pid)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float = 60.0) -> int:
        """The exit code. Raises TimeoutExpired."""
        until = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(WAIT_SECONDS)
        return code


class Zygote:
    """Ends, and ends what it forked, when it is closed or its owner is gone."""

    def __init__(self) -> None:
        self._codes: dict[int, int] = {}
        self._new: list[int] = []
        self._rest = b""
        self._one = threading.Lock()
        command = (sys.executable, "-m", "tests.zygote")
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin
        assert self._process.stdout
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()

    def fork(self, role: str, env: Mapping[str, str], log: Path, mutant: str = "") -> Forked:
        """`moveo-bridge ROLE` with this added to the environment; `mutant` is what is broken in it."""
        asked = {"role": role, "env": {**os.environ, **env}, "log": str(log), "mutant": mutant}
        with self._one:
            os.write(self._in, json.dumps(asked).encode() + b"\n")
            while not self._new:
                select.select([self._out], [], [])
                self._look()
            return Forked(self, self._new.pop())

    def code(self, pid: int) -> int | None:
        """With which that one ended; None: it has not."""
        with self._one:
            self._look()
            return self._codes.get(pid)

    def _look(self) -> None:
        """Reads what it said meanwhile."""
        while select.select([self._out], [], [], 0)[0]:
            said = os.read(self._out, 65_536)
            if not said:
                raise RuntimeError("the zygote has ended")
            *lines, self._rest = (self._rest + said).split(b"\n")
            for line in lines:
                pid, *code = json.loads(line)
                if code:
                    self._codes[pid] = code[0]
                else:
                    self._new.append(pid)

    def close(self) -> None:
        self._process.communicate()


@cache
def zygote() -> Zygote:
    """The one of this process."""
    made = Zygote()
    atexit.register(made.close)
    return made


# ---- inside ------------------------------------------------------------------------------------------------


def _serve() -> None:
    for module in ("bridge.cli", "bridge.ingress.server", "workers.settings"):
        importlib.import_module(module)
    children: set[int] = set()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    rest, ended = b"", False
    while not ended:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _reap(children)
        if 0 in ready:
            asked = os.read(0, 65_536)
            ended = not asked
            *lines, rest = (rest + asked).split(b"\n")
            for line in lines:
                pid = os.fork()
                if not pid:
                    os.close(woken)
                    os.close(wake)
                    _become(**json.loads(line))
                children.add(pid)
                _say(pid)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _reap(children: set[int]) -> None:
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            children.discard(pid)
            _say(pid, os.waitstatus_to_exitcode(status))


def _say(*numbers: int) -> None:
    os.write(1, json.dumps(numbers).encode() + b"\n")


def _become(role: str, env: dict[str, str], log: str, mutant: str) -> None:
    """Never returns; `mutant` "" is the bridge as it is."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(env)
    code: Any = 1
    try:
        from bridge import failpoints
        from bridge.cli import main

        importlib.reload(failpoints)  # it read the environment when it was imported
        if mutant:
            from tests.chaos.mutants import MUTANTS

            MUTANTS[mutant].break_it()
        main([role], prog_name="moveo-bridge")
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 -- said where the test looks
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    _serve()
