"""The spool's folder: a queue of frames on disk that outlives its process, for one process at a time.

    lock                  held while the process lives; holds its process id
    0000000001.frames     segments, oldest first
    position              up to where frames are settled: segment and offset
    *.damaged             segments with bytes that are no frame

Read on with `read`, go back to what is not settled with `rewind`, give up what was read with `settle`. Files
are made for the owner alone. Everything here blocks: the spool calls it in a thread of its own, one call at a
time; the figures may be read from anywhere.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog

from bridge.errors import ConfigError
from bridge.ingress.spool.frames import Frame, pack
from bridge.ingress.spool.segment import DAMAGED, SUFFIX, Segment

SEGMENT_BYTES: Final = 16 * 1024 * 1024
READ_BYTES: Final = 4 * 1024 * 1024
"""Frames read at once, where several are asked for."""
KEY: Final = "ingress.spool"

POSITION: Final = "position"

_OWN: Final = ("lock", POSITION, f"{POSITION}.new")
_log: Final = structlog.get_logger(__name__)


class Log:
    """`events` and `size` (bytes) count what is not settled, `oldest_at` is when the first of it arrived."""

    def __init__(self, folder: Path) -> None:
        """Raises ConfigError when the folder cannot be used, or another ingress uses it."""
        self.events = self.size = 0
        self.oldest_at: int | None = None
        self._folder: Final = folder
        self._segments: dict[int, Segment] = {}
        self._settled = self._next = (1, 0)
        """Segment and offset."""
        self._read_events = self._read_bytes = 0
        self._read_until_at: int | None = None
        self._lock = _locked(folder)
        try:
            self._recover()
        except OSError as error:
            self.close()
            raise ConfigError(f"{KEY}: {folder} cannot be read: {error.strerror or error}") from None
        except BaseException:
            self.close()
            raise

    @property
    def read_all(self) -> bool:
        """Whether there is nothing that was not read."""
        return all((number, segment.end) <= self._next for number, segment in self._segments.items())

    # ---- writing ---------------------------------------------------------------------------------------

    def append(self, frames: Sequence[Frame]) -> None:
        """Returns once they are on disk. Raises OSError: then none of them counts."""
        data = b"".join(map(pack, frames))
        segment = self._last()
        try:
            segment.append(data)
        except OSError:
            if segment.end:
                self._begin(segment.number + 1)  # what a disk does with a file it failed on is not known
            raise
        if not self.events:
            self.oldest_at = frames[0].arrived_at
        self.events += len(frames)
        self.size += len(data)

    def _last(self) -> Segment:
        number = max(self._segments, default=0)
        if not number:
            return self._begin(self._next[0])
        segment = self._segments[number]
        return segment if segment.end < SEGMENT_BYTES else self._begin(number + 1)

    def _begin(self, number: int) -> Segment:
        segment = self._segments[number] = Segment(self._folder, number, new=True)
        _sync_folder(self._folder)
        return segment

    # ---- reading ---------------------------------------------------------------------------------------

    def read(self, most: int) -> list[Frame]:
        """The next frames, at most so many; none when all are read."""
        found: list[Frame] = []
        size = 0
        for number in sorted(each for each in self._segments if each >= self._next[0]):
            at = self._next[1] if number == self._next[0] else 0
            for frame, end in self._segments[number].frames(at):
                size += end - at
                at, self._next, self._read_until_at = end, (number, end), frame.arrived_at
                found.append(frame)
                if len(found) >= most or size >= READ_BYTES:
                    break
            else:
                if self._cut_short(self._segments[number], at):
                    self._count()
                continue
            break
        self._read_events += len(found)
        self._read_bytes += size
        return found

    def rewind(self) -> None:
        """The next frames are those that are not settled."""
        self._next = self._settled
        self._read_events = self._read_bytes = 0

    def settle(self) -> None:
        """What was read is no longer needed. Raises OSError: then a later process may read it once more."""
        self.events -= self._read_events
        self.size -= self._read_bytes
        self.oldest_at = self._read_until_at if self.events else None
        if self.read_all:
            self._next = (max(self._segments, default=self._next[0]) + 1, 0)
        self._settled = self._next
        self._read_events = self._read_bytes = 0
        for done in [number for number in self._segments if number < self._settled[0]]:
            self._segments.pop(done).forget()
        self._write_position()

    # ---- beginning and end -----------------------------------------------------------------------------

    def _recover(self) -> None:
        """Finds what an earlier process left."""
        numbers = Segment.numbers(self._folder)
        number, offset = self._position() or (min(numbers, default=1), 0)
        self._settled = self._next = (number, offset) if number in numbers else (number + 1, 0)
        for number in numbers:
            segment = Segment(self._folder, number, new=False)
            if number < self._settled[0]:
                segment.forget()  # the process ended before it could
            else:
                self._segments[number] = segment
        self._count()
        if self.events:
            _log.warning("spool.found", events=self.events, bytes=self.size, advice="they go to Redis first")

    def _count(self) -> None:
        """Looks at all that is not settled."""
        self.events, self.size, self.oldest_at = 0, 0, None
        for number, segment in sorted(self._segments.items()):
            start = at = self._settled[1] if number == self._settled[0] else 0
            for frame, end in segment.frames(start):
                at = end
                self.events += 1
                self.oldest_at = self.oldest_at or frame.arrived_at
            self.size += at - start
            self._cut_short(segment, at)

    @staticmethod
    def _cut_short(segment: Segment, at: int) -> bool:
        """Whether a segment goes on with what is no frame: what was being written, and was not acknowledged,
        when the machine lost its power; else the disk has forgotten something."""
        if at >= segment.end:
            return False
        lost = segment.give_up(at)
        _log.error("spool.damaged", file=segment.path.name, bytes=lost, advice=f"it is kept as *{DAMAGED}")
        return True

    def close(self) -> None:
        """Lets another process have the folder."""
        for segment in self._segments.values():
            segment.close()
        self._segments.clear()
        os.close(self._lock)

    def _position(self) -> tuple[int, int] | None:
        """None: there is none, or it was torn. What is read once more is recognised as a repeat."""
        try:
            number, offset = (self._folder / POSITION).read_text().split()
            return int(number), int(offset)
        except (FileNotFoundError, ValueError):
            return None

    def _write_position(self) -> None:
        beside = self._folder / f"{POSITION}.new"
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123 -- by its number
            file.write("{} {}\n".format(*self._settled))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._folder / POSITION)


def _locked(folder: Path) -> int:
    """The lock's file; it is let go of when the process ends, however that is."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _keep_private(folder)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(f"{KEY}: {folder} cannot be used: {error.strerror or error}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner = os.pread(lock, 32, 0).decode(errors="replace").strip() or "?"
        os.close(lock)
        raise ConfigError(
            f"{KEY}: {folder} is in use by another ingress (process {owner}): give each a folder of its own"
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def _keep_private(folder: Path) -> None:
    """Closes a folder of ours to others; one that holds other things is left as it is, and named."""
    if not folder.stat().st_mode & 0o077:
        return
    foreign = [
        each.name
        for each in folder.iterdir()
        if each.name not in _OWN and each.suffix not in (SUFFIX, DAMAGED)
    ]
    if not foreign:
        with contextlib.suppress(PermissionError):
            folder.chmod(0o700)
            return
    _log.warning("spool.folder_open", folder=str(folder), advice="others may list it: chmod 700")


def _sync_folder(folder: Path) -> None:
    """A new file's name is on disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
