"""A segment: one file of frames, written at its end and read from its beginning."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bridge.failpoints import reach
from bridge.ingress.spool.frames import HEAD, Frame, body_length, unpack

SUFFIX: Final = ".frames"
DAMAGED: Final = ".damaged"
_sync: Final = getattr(os, "fdatasync", os.fsync)


class Segment:
    """`end` is where the last whole frame ends that is safely written."""

    def __init__(self, folder: Path, number: int, *, new: bool) -> None:
        """Raises OSError."""
        self.number: Final = number
        self.path: Final = folder / f"{number:010}{SUFFIX}"
        self._file: Final = os.open(self.path, os.O_RDWR | (os.O_CREAT | os.O_EXCL if new else 0), 0o600)
        self.end = os.fstat(self._file).st_size
        self._damaged = False

    @staticmethod
    def numbers(folder: Path) -> list[int]:
        """Those in the folder, oldest first."""
        return sorted(int(path.stem) for path in folder.glob(f"*{SUFFIX}") if path.stem.isdigit())

    def append(self, data: bytes) -> None:
        """Returns once it is on disk. Raises OSError: then nothing was added."""
        view, at = memoryview(data), self.end
        try:
            while view:
                written = os.pwrite(self._file, view, at)
                view, at = view[written:], at + written
            reach("spool.written")
            _sync(self._file)
        except OSError:
            self._cut()
            raise
        self.end = at

    def _cut(self) -> None:
        """Takes back what was not safely written; where the disk refuses even that it is not read."""
        try:
            os.ftruncate(self._file, self.end)
        except OSError:
            self._damaged = True

    def frames(self, start: int) -> Iterator[tuple[Frame, int]]:
        """Each frame from `start` on with its end, up to the first bytes that are no whole frame."""
        at = start
        while at < self.end:
            head = os.pread(self._file, HEAD, at)
            length = body_length(head)
            if length is None or at + HEAD + length > self.end:
                return
            frame = unpack(head, os.pread(self._file, length, at + HEAD))
            if frame is None:
                return
            at += HEAD + length
            yield frame, at

    def give_up(self, end: int) -> int:
        """What lies behind `end` is no frame, and nothing follows it; returns how many bytes that is."""
        lost, self.end, self._damaged = self.end - end, end, True
        return lost

    def close(self) -> None:
        os.close(self._file)

    def forget(self) -> None:
        """Deletes the file; one with bytes that nobody could read stays, under another name."""
        self.close()
        if self._damaged:
            self.path.replace(self.path.with_suffix(DAMAGED))
        else:
            self.path.unlink(missing_ok=True)
