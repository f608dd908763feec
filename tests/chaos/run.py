"""One run: all is started, the load goes in while the strokes fall, and once it is quiet all is judged."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
from msgspec import Struct

from bridge.queue import Queue, Stats, connect
from tests.chaos.checker import Verdict, check
from tests.chaos.history import Event, History
from tests.chaos.platform import Manners, kind, platform
from tests.chaos.processes import NAME, Fleet, Launch, Member, bridge
from tests.chaos.proxy import Proxy
from tests.chaos.schedule import Schedule, Stroke
from tests.chaos.sender import Sender

LINGER_SECONDS: Final = 0.3
"""After the last part: who was frozen may still say something."""


class Conditions(Struct, frozen=True, kw_only=True):
    """Where a schedule is run."""

    ingresses: int = 2
    workers: int = 3
    lease_seconds: float = 2.0
    spool: bool = False
    """Each ingress has one."""
    sticky: bool = False
    """An ingress keeps its sessions: what order demands where one alone is cut off, and spools."""
    manners: Manners = kind
    launch: Launch = bridge
    points: tuple[str, ...] = ()
    """Failpoints with which the first workers start."""
    ingress_points: tuple[str, ...] = ()
    patience_seconds: float = 20.0
    """How long nothing may happen before what is missing counts as lost."""


class Outcome(Struct, frozen=True):
    history: History
    verdict: Verdict
    stats: Stats
    given_up: int
    """Events that the sender was never told 2xx for."""
    troubles: tuple[str, ...]
    seconds: float

    @property
    def accepted(self) -> int:
        return len({(post.session, post.number) for post in self.history.posts if post.accepted})

    @property
    def refused(self) -> int:
        """Posts that were answered with anything but 2xx, or not at all."""
        return sum(not post.accepted for post in self.history.posts)


async def run(schedule: Schedule, conditions: Conditions, folder: Path | None = None) -> Outcome:
    """Everything is over when it returns, also what went wrong. Logs, files and history are in `folder`."""
    async with AsyncExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos")))
        history = History()
        fleet = Fleet(
            folder,
            history,
            lease_seconds=conditions.lease_seconds,
            launch=conditions.launch,
            spool=conditions.spool,
        )
        stack.callback(fleet.put_down)
        there = await stack.enter_async_context(platform(history, conditions.manners))
        fleet.platform = there.url
        socket = Path(fleet.server.url.removeprefix("unix://"))
        count = conditions.ingresses + conditions.workers
        proxies = [await stack.enter_async_context(Proxy(socket)) for _ in range(count)]
        points = {"worker": conditions.points, "ingress": conditions.ingress_points}
        await fleet.start(conditions.ingresses, conditions.workers, proxies, points)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        redis = await stack.enter_async_context(connect(fleet.server.url))
        watching = asyncio.create_task(fleet.watch())
        stack.callback(watching.cancel)

        started_at = asyncio.get_running_loop().time()
        sender = Sender(http, _Route(fleet.members["ingress"], sticky=conditions.sticky), history)
        async with asyncio.TaskGroup() as group:
            group.create_task(sender.send(schedule.events))
            for stroke in schedule.strokes:
                group.create_task(_strike(fleet, stroke))
        queue = Queue(redis, NAME, "out")
        await _quiet(queue, history, conditions.patience_seconds)
        seconds = asyncio.get_running_loop().time() - started_at
        await asyncio.sleep(LINGER_SECONDS)
        stats = await queue.stats()
        await fleet.stop()
        await watching
        (folder / "history.json").write_bytes(msgspec.json.encode(history))
        return Outcome(history, check(history), stats, sender.given_up, tuple(fleet.troubles), seconds)


class _Route:
    """Any ingress may get any try, or each keeps its sessions."""

    def __init__(self, ingresses: Sequence[Member], *, sticky: bool) -> None:
        self._ingresses = ingresses
        self._sticky = sticky

    def __call__(self, event: Event, number: int) -> str:
        session = sum(event.session.encode())
        at = session if self._sticky else session + event.number + number
        return f"http://127.0.0.1:{self._ingresses[at % len(self._ingresses)].port}/moveo/{NAME}"


async def _strike(fleet: Fleet, stroke: Stroke) -> None:
    await asyncio.sleep(stroke.at)
    if stroke.role == "machine":
        await fleet.freeze_machine(stroke.seconds)
        return
    if stroke.role == "server":
        await (fleet.freeze_server if stroke.what == "freeze" else fleet.kill_server)(stroke.seconds)
        return
    member = fleet.members[stroke.role][stroke.number]
    match stroke.what:
        case "kill":
            await fleet.kill(member, stroke.seconds, stroke.point)
        case "term":
            await fleet.term(member, stroke.seconds, stroke.point)
        case "freeze":
            await fleet.freeze(member, stroke.seconds)
        case "link":
            await fleet.link(member, stroke.seconds)
        case "cut":
            await fleet.cut(member)


async def _quiet(queue: Queue, history: History, patience_seconds: float) -> None:
    """Returns when all that was accepted was taken, or nothing has come for that long."""
    loop = asyncio.get_running_loop()
    count, since = len(history.receipts), loop.time()
    while loop.time() - since < patience_seconds:
        if not (await queue.stats()).depth and not _missing(history):
            return
        await asyncio.sleep(0.1)
        if len(history.receipts) != count:
            count, since = len(history.receipts), loop.time()


def _missing(history: History) -> bool:
    taken = {
        (receipt.session, receipt.number, receipt.part)
        for receipt in history.receipts
        if receipt.answer != "refused"
    }
    return any(
        (post.session, post.number, part) not in taken
        for post in history.posts
        if post.accepted
        for part in range(post.parts)
    )
