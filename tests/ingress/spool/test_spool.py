"""The spool: what Redis does not take is safe, goes there first, and in order."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
from redis.exceptions import NoPermissionError

from bridge.errors import StoreUnavailable
from bridge.ingress.spool import Frame, Log, Spool
from bridge.ingress.spool import spool as module
from bridge.queue import NotReplicated
from tests.workers.bench import until


class Store:
    """Redis, as the spool sees it: `error` is what it answers, while it is set."""

    def __init__(self) -> None:
        self.error: Callable[[], Exception] | None = None
        self.took: list[int] = []
        """Each event once, as Redis knows what it has."""
        self.asked = 0
        self.seconds = 0.0

    async def place(self, frames: Sequence[Frame]) -> None:
        self.asked += 1
        await asyncio.sleep(self.seconds)
        error = self.error and self.error()
        if error is None or isinstance(error, NotReplicated):
            self.took += [each.arrived_at for each in frames if each.arrived_at not in self.took]
        if error:
            raise error


def away() -> Exception:
    return StoreUnavailable("away")


def frame(n: int, payload: bytes = b"") -> Frame:
    return Frame("support", "out", b"s", payload, n)


@pytest.fixture
def store() -> Store:
    return Store()


@asynccontextmanager
async def running(folder: Path, store: Store, most_bytes: int = 10**9) -> AsyncIterator[Spool]:
    spool = Spool(Log(folder), store.place, most_bytes=most_bytes)
    run = asyncio.create_task(spool.run())
    try:
        yield spool
    finally:
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        await spool.close()


@pytest.fixture
async def spool(tmp_path: Path, store: Store) -> AsyncIterator[Spool]:
    async with running(tmp_path / "spool", store) as made:
        yield made


async def emptied(spool: Spool) -> None:
    await until(lambda: not spool.holding)


async def test_it_takes_nothing_while_redis_does(spool: Spool) -> None:
    assert not await spool.takes()


async def test_it_takes_all_until_redis_has_the_last_of_it(spool: Spool, store: Store) -> None:
    store.error = away
    await spool.put(frame(1))
    for n in (2, 3):
        assert await spool.takes()
        await spool.put(frame(n))
    assert (spool.log.events, store.took) == (3, [])
    store.error = None
    await emptied(spool)
    assert (spool.log.events, store.took) == (0, [1, 2, 3])
    assert not await spool.takes()


async def test_what_was_left_by_another_process_goes_first(tmp_path: Path, store: Store) -> None:
    store.error = away
    async with running(tmp_path, store) as spool:
        await spool.put(frame(1))
    store.error = None
    async with running(tmp_path, store) as spool:
        assert await spool.takes()
        await spool.put(frame(2))
        await emptied(spool)
    assert store.took == [1, 2]


@pytest.mark.parametrize("error", [away, lambda: NoPermissionError("NOPERM")], ids=["not-now", "forbidden"])
async def test_whatever_redis_says_it_is_asked_again(
    spool: Spool, store: Store, error: Callable[[], Exception]
) -> None:
    store.error = error
    await spool.put(frame(1))
    await until(lambda: store.asked >= 3)
    assert spool.log.events == 1
    store.error = None
    await emptied(spool)
    assert store.took == [1]


async def test_a_fault_of_ours_is_said_and_survived(spool: Spool, store: Store) -> None:
    with structlog.testing.capture_logs() as logs:
        store.error = lambda: ZeroDivisionError("a bug")
        await spool.put(frame(1))
        await until(lambda: store.asked >= 2)
    store.error = None
    await emptied(spool)
    assert store.took == [1]
    assert "spool.fault" in [each["event"] for each in logs]


async def test_many_share_a_write_to_the_disk(
    spool: Spool, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[int] = []
    append = spool.log.append

    def counted(frames: Sequence[Frame]) -> None:
        writes.append(len(frames))
        append(frames)

    monkeypatch.setattr(spool.log, "append", counted)
    store.error = away
    await asyncio.gather(*(spool.put(frame(n)) for n in range(500)))
    assert sum(writes) == 500
    assert len(writes) <= 3
    store.error = None
    await emptied(spool)
    assert store.took == list(range(500))


async def test_it_comes_to_an_end_while_events_keep_coming(spool: Spool, store: Store) -> None:
    """New ones wait a moment for the last of the old ones: else there would always be one more on disk."""
    direct: list[int] = []
    stop = asyncio.Event()

    async def sender(start: int) -> None:
        n = start
        while not stop.is_set():
            n += 1
            if await spool.takes():
                await spool.put(frame(n))
            else:
                direct.append(n)
                await asyncio.sleep(0.001)

    store.error = away
    await spool.put(frame(0))
    senders = [asyncio.create_task(sender(1_000_000 * each)) for each in range(1, 20)]
    await until(lambda: spool.log.events > 200)
    store.error = None
    await emptied(spool)
    await until(lambda: len(direct) > 50)
    stop.set()
    await asyncio.gather(*senders)
    assert store.took[0] == 0


async def test_who_waits_for_the_last_of_it_waits_a_moment_only(
    spool: Spool, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis goes away again just then: the event goes to disk."""
    monkeypatch.setattr(module, "CLOSING_SECONDS", 0.05)
    spool._opened.clear()
    assert await spool.takes()
    spool._opened.set()


async def test_while_redis_is_slow_it_is_not_asked_directly(
    spool: Spool, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PROMPT_SECONDS", 0.02)
    store.seconds = 0.05
    store.error = away
    await spool.put(frame(1))
    store.error = None
    await until(lambda: not spool.log.events)
    assert spool.holding
    await spool.put(frame(2))
    await until(lambda: not spool.log.events)
    assert spool.holding
    store.seconds = 0
    await spool.put(frame(3))
    await emptied(spool)
    assert store.took == [1, 2, 3]


# ---- bounds ------------------------------------------------------------------------------------------------


async def test_a_full_spool_refuses_and_goes_on_when_there_is_room(tmp_path: Path, store: Store) -> None:
    store.error = away
    async with running(tmp_path, store, most_bytes=10_000) as spool:
        for n in range(4):
            await spool.put(frame(n, b"x" * 2400))
        with pytest.raises(StoreUnavailable, match="the spool is full"):
            await spool.put(frame(4, b"x" * 2400))
        assert spool.refusing
        assert spool.log.size <= 10_000
        store.error = None
        await emptied(spool)
        assert not spool.refusing
        store.error = away
        await spool.put(frame(5, b"x" * 2400))


async def test_what_is_on_its_way_to_the_disk_counts_too(tmp_path: Path, store: Store) -> None:
    store.error = away
    async with running(tmp_path, store, most_bytes=10_000) as spool:
        ends = await asyncio.gather(
            *(spool.put(frame(n, b"x" * 1000)) for n in range(100)), return_exceptions=True
        )
        assert ends.count(None) < 10
        assert spool.log.events == ends.count(None)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(OSError(errno.EIO, "Input/output error"), "Input/output error"), (MemoryError(), "MemoryError")],
    ids=["disk", "anything"],
)
async def test_a_disk_that_refuses_is_no_false_promise(
    spool: Spool, store: Store, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def refuse(_: object) -> None:
        raise error

    store.error = away
    with monkeypatch.context() as broken:
        broken.setattr(spool.log, "append", refuse)
        with pytest.raises(StoreUnavailable, match=f"disk of the spool refuses: {reason}"):
            await spool.put(frame(1))
        assert spool.refusing
    await spool.put(frame(2))
    assert not spool.refusing
    store.error = None
    await emptied(spool)
    assert store.took == [2]


async def test_a_disk_that_refuses_keeps_nobody_from_redis(
    spool: Spool, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing on it, the spool lets events go to Redis again, which may be back."""

    def refuse(_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(module, "SETTLE_SECONDS", 0.05)
    monkeypatch.setattr(spool.log, "append", refuse)
    with pytest.raises(StoreUnavailable):
        await spool.put(frame(1))
    await emptied(spool)


async def test_a_position_that_cannot_be_written_only_repeats(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store.error = away
    async with running(tmp_path, store) as spool:
        await spool.put(frame(1))
        monkeypatch.setattr(Log, "_write_position", refuse)
        store.error = None
        await emptied(spool)
    assert store.took == [1]


async def test_a_sender_that_has_gone_changes_nothing(spool: Spool, store: Store) -> None:
    store.error = away
    puts = [asyncio.create_task(spool.put(frame(n))) for n in range(3)]
    await asyncio.sleep(0)
    puts[1].cancel()
    await asyncio.gather(*puts, return_exceptions=True)
    store.error = None
    await emptied(spool)
    assert store.took == [0, 1, 2]


# ---- replicas ----------------------------------------------------------------------------------------------


async def test_without_replicas_events_are_delivered_and_stay_on_disk(
    spool: Spool, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    store.error = lambda: NotReplicated("0 of 1")
    for n in range(5):
        await spool.put(frame(n))
    await until(lambda: store.took == [0, 1, 2, 3, 4])
    assert spool.log.events == 5
    await spool.put(frame(5))
    await until(lambda: 5 in store.took)
    store.took.clear()  # another server took over, without them
    store.error = None
    await emptied(spool)
    assert (store.took, spool.log.events) == ([0, 1, 2, 3, 4, 5], 0)
