"""A process that has imported the bridge and is forked for each start: a tenth of the cost of a new one.

For mutants, of which there are many and short-lived. What is forked is a process of its own like any other,
with its own pid, signals and exit code. Only the death of one is learned from its parent, which is this one:

    in   {"mutant", "role", "env", "log"}        one JSON object a line
    out  [pid] for each of them, [pid, code] at the end of one
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

ROOT: Final = Path(__file__).parents[2]
WAIT_SECONDS: Final = 0.005


class Forked:
    """As much of a Popen as a member of the fleet needs."""

    def __init__(self, zygote: Zygote, pid: int) -> None:
        self.returncode: int | None = None
        self._zygote = zygote
        self._pid = pid

    def poll(self) -> int | None:
        if self.returncode is None:
            self._zygote.look()
            self.returncode = self._zygote.codes.get(self._pid)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self) -> int:
        while self.poll() is None:
            time.sleep(WAIT_SECONDS)
        assert self.returncode is not None
        return self.returncode


class Zygote:
    """A context manager; ended, it ends what it forked."""

    def __init__(self) -> None:
        self.codes: dict[int, int] = {}
        self._new: list[int] = []
        self._rest = b""

    def fork(self, mutant: str, role: str, env: dict[str, str], log: Path) -> Forked:
        asked = json.dumps({"mutant": mutant, "role": role, "env": env, "log": str(log)})
        os.write(self._in, asked.encode() + b"\n")
        while not self._new:
            select.select([self._out], [], [])
            self.look()
        return Forked(self, self._new.pop())

    def look(self) -> None:
        """Reads what it said meanwhile."""
        while select.select([self._out], [], [], 0)[0]:
            said = os.read(self._out, 65_536)
            if not said:
                raise RuntimeError("the zygote has ended")
            *lines, self._rest = (self._rest + said).split(b"\n")
            for line in lines:
                pid, *code = json.loads(line)
                if code:
                    self.codes[pid] = code[0]
                else:
                    self._new.append(pid)

    def __enter__(self) -> Self:
        command = (sys.executable, "-m", "tests.chaos.zygote")
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin
        assert self._process.stdout
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


# ---- inside ------------------------------------------------------------------------------------------------


def _serve() -> None:
    for module in ("bridge.cli", "bridge.ingress.server", "workers.settings", "tests.chaos.mutants"):
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


def _become(mutant: str, role: str, env: dict[str, str], log: str) -> None:
    """Never returns; `mutant` "" is the bridge as it is."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(source, target)
    os.environ.update(env)
    code: Any = 1
    try:
        from bridge import failpoints
        from bridge.cli import main
        from tests.chaos.mutants import MUTANTS

        importlib.reload(failpoints)  # it read the environment when it was imported
        if mutant:
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
