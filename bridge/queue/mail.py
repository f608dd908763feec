"""The form in which an event waits in its mailbox: a header of 15 bytes, then the raw payload.

    byte 0      the magic byte 177
    byte 1      the version, "1"
    bytes 2-14  when it was accepted: ms of the server's clock, 13 decimal digits
    bytes 15-   the payload, opaque

Old and new processes run side by side during an upgrade. So every later version keeps the first 15 bytes,
and a value this one cannot read comes out whole as its own payload: no event decodes from it, so the worker
buries it, and the dead letter holds it unchanged.
"""

from __future__ import annotations

from typing import Final

MAGIC: Final = b"\xb1"
VERSION: Final = b"1"
HEADER: Final = 15


def unwrap(value: bytes) -> tuple[int, bytes]:
    """When the value was accepted (0: it does not say), and its payload."""
    stamp = value[2:HEADER]
    if value[:1] != MAGIC or len(value) < HEADER or not stamp.isdigit():
        return 0, value
    return int(stamp), value[HEADER:] if value[1:2] == VERSION else value
