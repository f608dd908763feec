"""The Lua scripts, one verb a file, read once."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Final


class Script:
    """The source of one verb and the name by which the server knows it."""

    def __init__(self, verb: str, *libraries: str) -> None:
        """`libraries` are files of functions that the verb calls; the source begins with them."""
        self.verb: Final = verb
        folder = files("bridge.queue").joinpath("lua")
        paths = (*(f"lib/{name}.lua" for name in libraries), f"{verb}.lua")
        self.source: Final = b"".join(folder.joinpath(path).read_bytes() for path in paths)
        self.sha: Final = hashlib.sha1(self.source, usedforsecurity=False).hexdigest().encode()


PUSH: Final = Script("push")
TURN: Final = Script("turn", "failures", "breaker", "refusals")
BEAT: Final = Script("beat")
PACE: Final = Script("pace")
HOLD: Final = Script("hold")
PAUSE: Final = Script("pause", "failures", "refusals")
STATS: Final = Script("stats")
REJECT: Final = Script("reject")
PLACE: Final = Script("place", "mailbox")
REPLAY: Final = Script("replay", "mailbox")
DROP: Final = Script("drop")
