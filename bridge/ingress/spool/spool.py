"""The spool: events that Redis does not take now are safe on disk, and go to Redis before any newer one.

    direct    events go to Redis, as long as it takes them
    holding   one was not taken: all go to disk, and from there to Redis, in order, once it is back
    closing   nearly all have gone: new events wait for the last of them, a moment, then it is direct again

Many events share a write to the disk, as many share a round trip to Redis: whatever comes while one is under
way goes with the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

import structlog
from redis.exceptions import RedisError

from bridge.errors import StoreUnavailable
from bridge.failpoints import reach
from bridge.ingress.spool.frames import HEAD, Frame
from bridge.ingress.spool.log import Log
from bridge.queue import NotReplicated

P = ParamSpec("P")
T = TypeVar("T")
Place = Callable[[Sequence[Frame]], Awaitable[None]]
"""Gives events to their queues, in order; done when they are safe there. With none it asks whether those
before are. Raises what a queue raises."""

BATCH: Final = 512
PROBE_SECONDS: Final = (0.05, 0.15)
"""Between two tries while Redis is away: each ingress at times of its own."""
PROMPT_SECONDS: Final = 0.1
"""A round trip that takes longer is no sign that Redis is as it was."""
SETTLE_SECONDS: Final = 1.0
"""After this long with nothing to tell by, Redis is tried again."""
CLOSING_SECONDS: Final = 0.2
"""How long a new event waits for the last of the old ones."""
SAY_SECONDS: Final = 30.0

_log: Final = structlog.get_logger(__name__)


class Spool:
    """Shared by all queues of an ingress. `most_bytes` bound what is held, on disk and on its way there."""

    def __init__(self, log: Log, place: Place, *, most_bytes: int) -> None:
        self.log: Final = log
        self.refusing = ""
        """Why an event was not taken last, "" when it was."""
        self._place = place
        self._most = most_bytes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._waiting: list[tuple[Frame, asyncio.Future[None]]] = []
        self._waiting_bytes = 0
        self._writer: asyncio.Task[None] | None = None
        self._holding = asyncio.Event()
        self._written = asyncio.Event()
        self._opened = asyncio.Event()
        """Set except while closing."""
        self._opened.set()
        self._since = self._say_at = 0.0
        if log.events:
            self._hold("it was not empty at the start")

    @property
    def holding(self) -> bool:
        return self._holding.is_set()

    async def takes(self) -> bool:
        """Whether a new event goes here, and not to Redis."""
        if not self._opened.is_set():
            try:
                async with asyncio.timeout(CLOSING_SECONDS):
                    await self._opened.wait()
            except TimeoutError:
                return True
        return self._holding.is_set()

    async def put(self, frame: Frame, reason: str = "") -> None:
        """Returns once it is on disk; `reason` is why Redis did not take it.

        Raises StoreUnavailable when there is no room, or the disk refuses.
        """
        size = _size(frame)
        if self.log.size + self._waiting_bytes + size > self._most:
            raise self._refused("the spool is full")
        if not self._holding.is_set():
            self._hold(reason)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((frame, done))
        self._waiting_bytes += size
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await done

    async def run(self) -> None:
        """Gives Redis what it did not take, whenever it takes it, until cancelled."""
        while True:
            await self._holding.wait()
            try:
                await self._drain()
            except Exception as error:  # noqa: BLE001 -- said loudly; what is on disk stays there
                _log.error("spool.fault", error=repr(type(error)), exc_info=True)
                await self._away()
            finally:
                self._opened.set()

    async def close(self) -> None:
        """What is being written gets written; then another process may have the folder."""
        if self._writer is not None:
            await asyncio.wait([self._writer])
        await self._in_thread(self.log.close)
        self._thread.shutdown()
        if self.log.events:
            _log.warning("spool.left", events=self.log.events, advice="an ingress on this folder takes it up")

    # ---- to the disk -----------------------------------------------------------------------------------

    def _hold(self, reason: str) -> None:
        self._since = asyncio.get_running_loop().time()
        self._holding.set()
        _log.error("spool.holding", reason=reason, advice="events are kept on disk until Redis takes them")

    def _refused(self, reason: str) -> StoreUnavailable:
        self.refusing = reason
        return StoreUnavailable(reason)

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                frames = [frame for frame, _ in batch]
                error = None
                try:
                    await self._in_thread(self.log.append, frames)
                except Exception as failed:  # noqa: BLE001 -- whatever it is, nobody is left waiting for it
                    reason = getattr(failed, "strerror", None) or type(failed).__name__
                    error = self._refused(f"the disk of the spool refuses: {reason}")
                else:
                    self.refusing = ""
                    reach("spool.synced")
                self._waiting_bytes -= sum(map(_size, frames))
                for _, done in batch:
                    _tell(done, error)
                self._written.set()
        finally:
            self._writer = None

    # ---- to Redis --------------------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Returns when all is in Redis, and new events may go there directly."""
        prompt = unsafe = False
        await self._in_thread(self.log.rewind)
        while True:
            self._written.clear()
            frames = await self._in_thread(self.log.read, BATCH)
            if not frames and not unsafe:
                if await self._emptied(prompt):
                    return
                prompt = True  # or nothing says otherwise
                continue
            started = asyncio.get_running_loop().time()
            try:
                await self._place(frames)
            except NotReplicated as error:
                # They are in Redis and will be delivered; whether replicas have them is asked when all are.
                unsafe = True
                if not frames:
                    await self._away(error)
            except (StoreUnavailable, RedisError) as error:
                await self._away(error)
                await self._in_thread(self.log.rewind)
            else:
                if unsafe:  # what was placed before this has to be seen there once more
                    unsafe = False
                    await self._in_thread(self.log.rewind)
                    continue
                reach("spool.placed")
                await self._settle()
                prompt = asyncio.get_running_loop().time() - started < PROMPT_SECONDS
                if prompt and len(frames) < BATCH:
                    self._opened.clear()

    async def _settle(self) -> None:
        try:
            await self._in_thread(self.log.settle)
        except OSError as error:  # the events are in Redis; read once more, they are recognised
            _log.error("spool.unsettled", reason=error.strerror or str(error))
        self.refusing = ""  # there is room again, or will be seen not to be

    async def _emptied(self, prompt: bool) -> bool:
        """Whether all is in Redis, and Redis is quick enough to be asked directly."""
        if not prompt:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_SECONDS):
                    await self._written.wait()
            return False
        if self._writer is not None:
            await self._written.wait()
            return False
        if not self.log.read_all:
            return False
        self._holding.clear()
        self.refusing = ""
        _log.info("spool.emptied", seconds=round(asyncio.get_running_loop().time() - self._since, 1))
        return True

    async def _away(self, error: Exception | None = None) -> None:
        """Redis did not take it: some time passes, a different one for each ingress."""
        self._opened.set()
        now = asyncio.get_running_loop().time()
        if error is not None and now >= self._say_at:
            self._say_at = now + SAY_SECONDS
            _log.warning("spool.waits", events=self.log.events, reason=str(error))
        await asyncio.sleep(random.uniform(*PROBE_SECONDS))

    async def _in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(call, *args, **kwargs))


def _size(frame: Frame) -> int:
    """About what it takes on disk."""
    return HEAD + len(frame.payload) + len(frame.session)


def _tell(done: asyncio.Future[None], error: Exception | None) -> None:
    if done.done():
        return  # the sender has gone
    if error:
        done.set_exception(error)
    else:
        done.set_result(None)
