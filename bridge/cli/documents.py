"""Files of events: one event, however it is laid out, or one event a line."""

from __future__ import annotations

from collections.abc import Iterator


def documents(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Each event with the number of its first line.

    A file that is one JSON object is one event. Of the rest, a file with any line that is a JSON object is
    read line by line (the other lines are then broken events), and one without is a single broken event.
    """
    lines = [(number, line.strip()) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip()]
    if not lines:
        return
    if not _event(raw) and any(_event(line) for _, line in lines):
        yield from lines
    else:
        yield lines[0][0], raw.strip()


def _event(raw: bytes) -> bool:
    from bridge.errors import PayloadError
    from bridge.events import decode

    try:
        decode(raw)
    except PayloadError:
        return False
    return True
