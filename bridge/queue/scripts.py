"""The Lua scripts, one verb a file, read once."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Final


class Script:
    """The source of one verb and the name by which the server knows it."""

    def __init__(self, verb: str) -> None:
        self.verb: Final = verb
        self.source: Final = files("bridge.queue").joinpath("lua", f"{verb}.lua").read_bytes()
        self.sha: Final = hashlib.sha1(self.source, usedforsecurity=False).hexdigest().encode()


PUSH: Final = Script("push")
TURN: Final = Script("turn")
BEAT: Final = Script("beat")
PACE: Final = Script("pace")
HOLD: Final = Script("hold")
PAUSE: Final = Script("pause")
STATS: Final = Script("stats")
REJECT: Final = Script("reject")
REPLAY: Final = Script("replay")
DROP: Final = Script("drop")
