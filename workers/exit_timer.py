"""A timer of the kernel that ends the process, also while C code holds the interpreter's lock.

No Python code can run then, so the C library calls its own `_exit` in a thread of its own (SIGEV_THREAD). The
time is the processor time of the process, which stands still while the process is stopped (SIGSTOP).
https://man7.org/linux/man-pages/man2/timer_create.2.html
"""

from __future__ import annotations

import ctypes
import math
import os
from typing import Final

_CLOCK_PROCESS_CPUTIME_ID: Final = 2
_SIGEV_THREAD: Final = 2
_REST_BYTES: Final = 40
"""What is left of the 64 bytes of struct sigevent; zero means the default attributes of a thread."""


class _Sigevent(ctypes.Structure):
    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("function", ctypes.c_void_p),
        ("rest", ctypes.c_byte * _REST_BYTES),
    )


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class ExitTimer:
    """Ends the process with an exit code, once `set` was called and so much processor time has passed.

    Where the C library has no such timers (macOS), it does nothing.
    """

    def __init__(self, exit_code: int) -> None:
        self._library = ctypes.CDLL(None, use_errno=True)
        self._timer: ctypes.c_void_p | None = None
        if not hasattr(self._library, "timer_create"):
            return
        # _exit takes an int, which is what the value of the event is.
        function = ctypes.cast(self._library._exit, ctypes.c_void_p).value  # noqa: SLF001 -- its name in C
        event = _Sigevent(value=exit_code, notify=_SIGEV_THREAD, function=function)
        timer = ctypes.c_void_p()
        self._call("timer_create", _CLOCK_PROCESS_CPUTIME_ID, ctypes.byref(event), ctypes.byref(timer))
        self._timer = timer

    def set(self, seconds: float) -> None:
        """Start the timer anew; 0 stops it."""
        if self._timer is None:
            return
        fraction, whole = math.modf(seconds)
        spec = _Itimerspec(value=_Timespec(int(whole), int(fraction * 1e9)))
        self._call("timer_settime", self._timer, 0, ctypes.byref(spec), None)

    def _call(self, name: str, *arguments: object) -> None:
        if getattr(self._library, name)(*arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"{name}: {os.strerror(number)}")
