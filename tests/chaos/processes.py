"""The processes of a run: each started by its role, known by a name of its own, and ended by pid."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias

from bridge.embedded import DURABLE, EmbeddedServer
from bridge.failpoints import VARIABLE
from tests.chaos.history import Fault, History
from tests.chaos.proxy import Proxy
from tests.chaos.sender import SECRET

NAME: Final = "support"
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 12.0
LOOK_SECONDS: Final = 0.02
ROOT: Final = Path(__file__).parents[2]
CONFIG: Final = """
[redis]
url = "{redis}"
[ingress]
host = "127.0.0.1"
port = {port}
admin_port = 0
{ingress}
[worker]
admin_port = 0
lease_seconds = {lease_seconds}
[log]
format = "json"
[integrations.{name}]
channel = "webhook"
secrets = ["{secret}"]
[integrations.{name}.webhook]
url = "{platform}/{member}"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""


class Running(Protocol):
    """What is used of a Popen."""

    returncode: int | None

    def poll(self) -> int | None: ...
    def send_signal(self, number: int, /) -> None: ...
    def kill(self) -> None: ...
    def wait(self) -> int: ...


Launch: TypeAlias = Callable[[str, dict[str, str], Path], Running]
"""Starts a process: its role, what is added to its environment, where it logs to."""


def bridge(role: str, env: dict[str, str], log: Path) -> Running:
    """`python -m bridge`, as one starts it."""
    command = (sys.executable, "-m", "bridge", role)
    with log.open("wb") as stream:
        return subprocess.Popen(command, env={**os.environ, **env}, cwd=ROOT, stdout=stream, stderr=stream)


class Member:
    """One place in the fleet, `worker 0` or `ingress 1`; who fills it has a new name after every start."""

    def __init__(
        self,
        role: Literal["worker", "ingress"],
        number: int,
        proxy: Proxy,
        folder: Path,
        launch: Launch,
    ) -> None:
        self.role = role
        self.proxy = proxy
        self.busy = asyncio.Lock()
        """Held while something is done to it."""
        self.point = ""
        self._place = f"{role[0]}{number}"
        self._starts = 0
        self._folder = folder
        self._launch = launch
        self._process: Running | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]

    @property
    def name(self) -> str:
        return f"{self._place}.{self._starts}"

    @property
    def spool(self) -> Path:
        return self._folder / f"{self._place}.spool"

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def code(self) -> int | None:
        return self._process.returncode if self._process else None

    @property
    def _log(self) -> Path:
        return self._folder / f"{self.name}.log"

    async def start(self, platform: str, lease_seconds: float, point: str = "", ingress: str = "") -> None:
        """Returns once it works."""
        self._starts += 1
        self.point = point
        config = self._folder / f"{self.name}.toml"
        config.write_text(CONFIG.format(
            redis=self.proxy.url, port=self.port, lease_seconds=lease_seconds, name=NAME,
            secret=SECRET.reveal(), platform=platform, member=self.name, ingress=ingress,
        ))  # fmt: skip
        env = {"BRIDGE_CONFIG": str(config), VARIABLE: point}
        self._log.touch()
        self._process = self._launch(self.role, env, self._log)
        async with asyncio.timeout(START_SECONDS):
            while f"{self.role}.started".encode() not in self._log.read_bytes():
                if not self.alive:
                    if point:  # it came to its failpoint before it could say so
                        return
                    raise RuntimeError(f"{self.name} ended with {self.code}: {self._log.read_text()}")
                await asyncio.sleep(0.03)

    def signal(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(number)

    async def ended(self) -> bool:
        """Returns when it has; False: it did not in time, and was killed."""
        try:
            async with asyncio.timeout(STOP_SECONDS):
                while self.alive:
                    await asyncio.sleep(0.01)
        except TimeoutError:
            self.put_down()
            return False
        return True

    def put_down(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


class Fleet:
    """Server, ingresses and workers. Everything that is done to them is written down."""

    def __init__(
        self,
        folder: Path,
        history: History,
        *,
        lease_seconds: float,
        launch: Launch = bridge,
        spool: bool = False,
    ) -> None:
        self.server = EmbeddedServer(folder / "server", options=DURABLE)
        self.members: dict[str, list[Member]] = {"ingress": [], "worker": []}
        self.troubles: list[str] = []
        """What no fault explains: exit codes, ends of processes, complaints in logs."""
        self.platform = ""
        self._folder = folder
        self._history = history
        self._lease_seconds = lease_seconds
        self._launch = launch
        self._spool = spool
        # A server started by a thread ends with it: this one lives as long as the fleet.
        self._hand = ThreadPoolExecutor(1, thread_name_prefix="server")
        self._server_busy = asyncio.Lock()
        self._ending = False

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def everyone(self) -> list[Member]:
        return [*self.members["ingress"], *self.members["worker"]]

    async def start(
        self, ingresses: int, workers: int, proxies: Sequence[Proxy], points: Mapping[str, Sequence[str]]
    ) -> None:
        """`proxies` are one a member, the ingresses' first; `points` are of the first of a role."""
        await self._in_hand(self.server.start)
        waiting = iter(proxies)
        for role, count in (("ingress", ingresses), ("worker", workers)):
            for number in range(count):
                member = Member(role, number, next(waiting), self._folder, self._launch)  # type: ignore[arg-type]
                self.members[role].append(member)
        beginnings = []
        for role, members in self.members.items():
            given = iter(points.get(role, ()))
            beginnings += [self._begin(member, next(given, "")) for member in members]
        await asyncio.gather(*beginnings)

    async def _begin(self, member: Member, point: str = "") -> None:
        spool = self._spool and member.role == "ingress"
        ingress = f'spool = "{member.spool}"' if spool else ""
        await member.start(self.platform, self._lease_seconds, point, ingress)

    async def _in_hand(self, act: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._hand, act)

    # ---- faults ----------------------------------------------------------------------------------------

    async def kill(self, member: Member, seconds: float = 0.0, point: str = "") -> None:
        async with member.busy:
            from_at = self._now
            member.signal(signal.SIGKILL)
            await member.ended()
            self._note(f"{member.role}.kill", member.name, from_at)
            await asyncio.sleep(seconds)
            await self._begin(member, point)

    async def term(self, member: Member, seconds: float = 0.0, point: str = "") -> None:
        async with member.busy:
            from_at = self._now
            member.signal(signal.SIGTERM)
            await self._end(member)
            kind = "term" if self._in_order(member) else "point"
            self._note(f"{member.role}.{kind}", member.name, from_at)
            await asyncio.sleep(seconds)
            await self._begin(member, point)

    async def freeze(self, member: Member, seconds: float) -> None:
        async with member.busy:
            await self._frozen(member.role, member.name, [member.signal], seconds)

    async def link(self, member: Member, seconds: float) -> None:
        """It may be killed meanwhile; then its successor has the rest of it."""
        from_at, name = self._now, member.name
        member.proxy.freeze()
        await asyncio.sleep(seconds)
        member.proxy.thaw()
        for each in dict.fromkeys((name, member.name)):
            self._note(f"{member.role}.link", each, from_at)

    async def cut(self, member: Member) -> None:
        from_at = self._now
        member.proxy.cut()
        self._note(f"{member.role}.cut", member.name, from_at)

    async def kill_server(self, seconds: float) -> None:
        async with self._server_busy:
            from_at = self._now
            await self._in_hand(self.server.kill)
            await asyncio.sleep(seconds)
            await self._in_hand(self.server.start)
            self._note("server.kill", "server", from_at)

    async def freeze_server(self, seconds: float) -> None:
        async with self._server_busy:
            await self._frozen("server", "server", [partial(os.kill, self.server.pid)], seconds)

    async def freeze_machine(self, seconds: float) -> None:
        """All processes but the test's own; nothing else may be done to any of them meanwhile."""
        everything: list[Callable[[signal.Signals], None]] = [member.signal for member in self.everyone]
        everything.append(partial(os.kill, self.server.pid))
        await self._frozen("machine", "machine", everything, seconds)

    async def _frozen(
        self, role: str, target: str, processes: Sequence[Callable[[signal.Signals], None]], seconds: float
    ) -> None:
        """Each of `processes` sends its process a signal."""
        from_at = self._now
        for send in processes:
            send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        for send in processes:
            send(signal.SIGCONT)
        self._note(f"{role}.freeze", target, from_at)

    async def _end(self, member: Member) -> None:
        if not await member.ended():
            self.troubles.append(f"{member.name} did not end in {STOP_SECONDS:g} s")

    def _in_order(self, member: Member) -> bool:
        """How it ended; at a failpoint is no trouble, but not in order."""
        if member.point and member.code == -signal.SIGKILL:
            return False
        if member.code:
            self.troubles.append(f"{member.name} ended with {member.code}")
        return True

    def _note(self, kind: str, target: str, from_at: float) -> None:
        self._history.faults.append(Fault(kind, target, from_at, self._now))

    async def watch(self) -> None:
        """Starts again who ended at a failpoint; who ends without one is a trouble."""
        looked_at = self._now
        async with asyncio.TaskGroup() as starts:
            while not self._ending:
                since, looked_at = looked_at, self._now
                for member in self.everyone:
                    if not (member.busy.locked() or member.alive):
                        starts.create_task(self._again(member, since))
                await asyncio.sleep(LOOK_SECONDS)
                late = self._now - looked_at - LOOK_SECONDS
                self._history.lag_seconds = max(self._history.lag_seconds, late)

    async def _again(self, member: Member, seen_alive_at: float) -> None:
        async with member.busy:
            if member.alive or self._ending:
                return
            if self._in_order(member):
                self.troubles.append(f"{member.name} ended by itself")
            self._note(f"{member.role}.point", member.name, seen_alive_at)
            await self._begin(member)

    # ---- the end ---------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """All in order: with SIGTERM, the server last."""
        self._ending = True
        for member in self.everyone:
            async with member.busy:  # one that is just starting again gets to that
                member.signal(signal.SIGTERM)
        for member in self.everyone:
            await self._end(member)
            self._in_order(member)
        await self._in_hand(self.server.stop)
        for log in sorted(self._folder.glob("*.log")):
            text = log.read_text(errors="replace")
            for complaint in ("Traceback", "worker.fault", "delivery.abandoned"):
                if complaint in text:
                    self.troubles.append(f"{log.name}: {complaint}")

    def put_down(self) -> None:
        """Whatever still runs, however the run went."""
        for member in self.everyone:
            member.put_down()
        self.server.kill()
        self._hand.shutdown()
