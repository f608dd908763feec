"""The form in which an event waits in its mailbox: a header, then the raw payload.

    byte 0       the magic byte 177
    byte 1       the version, "1" or "2"
    bytes 2-14   when it was accepted: ms of the server's clock, 13 decimal digits
    bytes 15-27  version 2 alone, of what was a dead letter: when it was replayed, in the same form
    the rest     the payload, opaque

Old and new processes run side by side during an upgrade. So every later version keeps the first 15 bytes,
and a value this one cannot read comes out whole as its own payload: no event decodes from it, so the worker
buries it, and the dead letter holds it unchanged.
"""

from __future__ import annotations

from typing import Final

MAGIC: Final = b"\xb1"
HEADER: Final = 15
LONG_HEADER: Final = 28


def unwrap(value: bytes) -> tuple[int, int, bytes]:
    """When the value was accepted, from when its age counts (0: it does not say), and its payload."""
    stamp = value[2:HEADER]
    if value[:1] != MAGIC or len(value) < HEADER or not stamp.isdigit():
        return 0, 0, value
    accepted_at = int(stamp)
    match value[1:2]:
        case b"1":
            return accepted_at, accepted_at, value[HEADER:]
        case b"2" if (
            len(replayed := value[HEADER:LONG_HEADER]) == LONG_HEADER - HEADER and replayed.isdigit()
        ):
            return accepted_at, int(replayed), value[LONG_HEADER:]
        case _:
            return accepted_at, accepted_at, value
