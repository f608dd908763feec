"""How a process of the bridge runs: its event loop, its garbage, how many files it may open."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import importlib.util
import resource
import signal
from collections.abc import Callable
from typing import Any, Final

GC_THRESHOLD: Final = 50_000
"""New objects before a look at them. Events are trees without cycles and leave by reference count alone; at
Python's own figure, looking through them was measured at a fifth of a delivery."""
FILES: Final = 65_536
AGAIN_SECONDS: Final = 0.5
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Makes the event loop: uvloop's where it is installed (the extra "fast"), None for Python's own."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    factory: Any = importlib.import_module("uvloop").new_event_loop
    return factory  # type: ignore[no-any-return]


def on_stop_signal(stop: Callable[[str], object]) -> None:
    """Have the running event loop call `stop` with the signal's name at each signal that asks for an end.

    SIGHUP is one of them, unless it was ignored when the process started: nohup means it.
    """
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            loop.add_signal_handler(number, stop, number.name)


def cancelled() -> bool:
    """Whether the task was told to end: asked by loops that run until then.

    asyncio.wait_for, with which Redis is awaited, swallows a cancellation now and then (Python before 3.12).
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def end(task: asyncio.Task[Any]) -> None:
    """Returns when it has ended: it is told so until it hears it (see `cancelled`)."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_SECONDS)


def settle_memory() -> None:
    """Called once, when all is imported: what is there now stays, and is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)


def lift_file_limit() -> None:
    """Lets the process open as many files, which connections are too, as it may: many begin at 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):  # macOS allows less than it says: it stays as it is
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
