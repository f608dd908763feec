"""Dead letters as the stream holds them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from bridge.queue.commit import GroupCommit
from bridge.queue.keys import decode
from bridge.queue.mail import unwrap
from bridge.queue.values import DeadLetter

PAGE: Final = 50
"""Letters read at once: a body may be a megabyte."""


async def read_letters(commit: GroupCommit, stream: bytes, start: str, end: str) -> AsyncIterator[DeadLetter]:
    """The letters between two stream ids (or times in ms), both inclusive, oldest first."""
    while True:
        page = await commit.command("XRANGE", stream, start, end, "COUNT", PAGE)
        for entry in page:
            yield _letter(entry)
        if len(page) < PAGE:
            return
        start = f"({page[-1][0].decode()}"


def _letter(entry: tuple[bytes, Sequence[bytes]]) -> DeadLetter:
    """A stream entry as the scripts turn and reject write it. Its id begins with the time of death."""
    name, flat = entry
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    accepted_at, _, payload = unwrap(fields[b"value"])
    return DeadLetter(
        id=name.decode(),
        session=decode(fields[b"session"]),
        reason=fields[b"reason"].decode("utf-8", "replace"),
        error=fields[b"error"].decode("utf-8", "replace"),
        tries=int(fields[b"tries"]),
        accepted_at=accepted_at,
        died_at=int(name.partition(b"-")[0]),
        payload=payload,
    )
