"""Failpoints: places by name at which a test makes a process kill itself, to reach each window for sure.

MOVEO_BRIDGE_FAILPOINT=worker.sent ends the process, as kill -9 does, when it first comes there;
worker.sent:3 the third time. Without the variable a failpoint does nothing.
"""

from __future__ import annotations

import os
import signal
from itertools import count
from typing import Final

VARIABLE: Final = "MOVEO_BRIDGE_FAILPOINT"

_name, _, _times = os.environ.get(VARIABLE, "").partition(":")
_passed: Final = count(1)


def reach(name: str) -> None:
    """The process is at the place of that name."""
    if name == _name and next(_passed) >= int(_times or 1):
        os.kill(os.getpid(), signal.SIGKILL)
