"""How a process runs."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import subprocess
import sys

from bridge.runtime import FILES, GC_THRESHOLD, end, event_loop


def test_uvloop_is_used_where_it_is_installed() -> None:
    factory = event_loop()
    assert factory is not None
    with contextlib.closing(factory()) as loop:
        assert type(loop).__module__.startswith("uvloop")


def test_what_is_there_at_the_start_is_not_looked_at_again() -> None:
    assert gc.get_freeze_count() == 0
    said = "import gc; from bridge.runtime import settle_memory; settle_memory(); "
    said += "print(gc.get_freeze_count() > 1000, gc.get_threshold()[0])"
    run = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", str(GC_THRESHOLD)]


def test_as_many_files_may_be_open_as_the_system_allows() -> None:
    said = "import resource; from bridge.runtime import lift_file_limit; kind = resource.RLIMIT_NOFILE; "
    said += "resource.setrlimit(kind, (100, resource.getrlimit(kind)[1])); lift_file_limit(); "
    said += "print(resource.getrlimit(kind)[0])"
    run = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert int(run.stdout) == (FILES if hard == resource.RLIM_INFINITY else min(hard, FILES))


async def test_who_does_not_hear_that_it_is_over_is_told_again() -> None:
    """As a client of Redis may, right when it has its answer."""
    told = 0

    async def deaf_at_first() -> None:
        nonlocal told
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                told += 1
                if told > 1:
                    raise

    task = asyncio.create_task(deaf_at_first())
    await asyncio.sleep(0)
    await asyncio.wait_for(end(task), 10)
    assert task.cancelled()
    assert told == 2
