"""Dead letters as the stream holds them: which are wanted, and how they are read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from msgspec import Struct

from bridge.queue.commit import GroupCommit
from bridge.queue.keys import decode
from bridge.queue.mail import unwrap
from bridge.queue.values import DeadLetter

PAGE: Final = 50
"""Letters read at once: a body may be megabytes."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Those that match all that is given; None: any. Times are those of death in ms, inclusive."""

    session: str | None = None
    reason: str | None = None
    since_at: int | None = None
    until_at: int | None = None
    ids: Sequence[str] | None = None
    """In this order; each has to match the session and the reason too, but no time."""

    def spans(self) -> list[tuple[str, str]]:
        """What to read of the stream: first and last id, or time."""
        if self.ids is not None:
            return [(each, each) for each in self.ids]
        since, until = self.since_at, self.until_at
        return [("-" if since is None else str(since), "+" if until is None else str(until))]

    def matches(self, letter: DeadLetter) -> bool:
        """Whether the session and the reason are those."""
        return self.session in (None, letter.session) and self.reason in (None, letter.reason)


async def read_pages(
    commit: GroupCommit, stream: bytes, wanted: Wanted
) -> AsyncIterator[Sequence[DeadLetter]]:
    """The letters that are wanted, oldest first, each page read when it is asked for.

    Where it goes on does not depend on what became of those it gave: they may be gone by then.
    """
    for start, end in wanted.spans():
        while True:
            page = await commit.command("XRANGE", stream, start, end, "COUNT", PAGE)
            yield [letter for letter in map(_letter, page) if wanted.matches(letter)]
            if len(page) < PAGE:
                break
            start = f"({page[-1][0].decode()}"  # noqa: PLW2901 -- the rest of the span


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
