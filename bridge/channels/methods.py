"""The methods of a channel: what each takes, where it is written, and what is wrong with it.

Used when a plug-in is loaded (bridge.channels.registry) and to name its file and line when it fails later
(bridge.channels.guard).
"""

from __future__ import annotations

import importlib
import inspect
import traceback
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Final

ARGUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "render": ("content", "to"),
    "request": ("call",),
    "check": ("reply",),
    "upload": ("file",),
    "uploaded": ("reply",),
    "verify": ("inbound",),
    "read": ("inbound",),
    "locate": ("source",),
    "download": ("source", "located"),
    "identify": (),
    "identified": ("reply",),
    "connect": ("url",),
    "steps": ("url",),
}
"""The arguments that the bridge passes to each method, all by position."""
TOGETHER: Final = (
    ("upload", "uploaded"),
    ("verify", "read"),
    ("locate", "download"),
    ("identify", "identified", "connect", "steps"),
)
"""Methods that are of use only together: the optional protocols of bridge.channels."""


def wrong_methods(channel: object) -> Iterator[str]:
    """Say for each method that cannot be called as the bridge calls it: place, name and what to change."""
    name = type(channel).__name__
    # None in the place of a method says that there is none: so a subclass can do without it.
    for method, arguments in ARGUMENTS.items():
        found = getattr(channel, method, None)
        if found is not None and (problem := misuse(found, arguments)):
            yield f"{where(found if callable(found) else type(channel))}: {name}.{method} {problem}"
    for group in TOGETHER:
        missing = [method for method in group if not hasattr(channel, method)]
        if missing and len(missing) < len(group):
            present = ", ".join(method for method in group if method not in missing)
            yield f"{where(type(channel))}: {name} has {present} but no {', '.join(missing)}: add or rename"


def misuse(function: object, arguments: Sequence[str]) -> str:
    """Say why `function` cannot be called with these arguments for a plain result; "" if it can."""
    if not callable(function):
        return f"must be a method, not {type_name(function)}"
    # An object that can be called is judged by its method __call__.
    for each in (function, getattr(type(function), "__call__", None)):  # noqa: B004 -- the method is meant
        if inspect.iscoroutinefunction(each):
            return "must be a plain function, not async: remove `async`, and do no I/O in it"
        if inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each):
            return "must be a plain function, not a generator: return the result, do not yield it"
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError, NameError):  # written in C, or its annotations cannot be resolved
        return ""
    try:
        signature.bind(*arguments)
    except TypeError:
        return f"must take the arguments ({', '.join(arguments)}), given by position"
    return ""


def type_name(refused: object) -> str:
    """Name the type of a value, and never the value: it may be a secret, or what a person wrote.

    A coroutine is ended, so that Python does not warn that nobody awaited it.
    """
    if inspect.iscoroutine(refused):
        refused.close()
        return "a coroutine (is the function async?)"
    return "None" if refused is None else type(refused).__name__


# ---- where it is -------------------------------------------------------------------------------------------


def where(thing: object) -> str:
    """The file and line where a function or class is written; the file or name where that is all there is."""
    while isinstance(thing, partial):
        thing = thing.func
    function = inspect.unwrap(thing) if callable(thing) else thing
    code = getattr(function, "__code__", None)
    if inspect.iscode(code):
        return f"{code.co_filename}:{code.co_firstlineno}"
    written = function if isinstance(function, type) else type(function)
    try:
        return f"{inspect.getfile(written)}:{inspect.getsourcelines(written)[1]}"
    except (OSError, TypeError):  # its source is not there
        return f"{written.__module__}.{written.__qualname__}"


def raised_at(error: BaseException, owner: str | type) -> str:
    """The file and line that an error comes from; "" if no code but the bridge's loading was involved.

    That is the innermost frame in the package of `owner`, a module or a class; without one the place of the
    class, or the innermost frame.
    """
    if isinstance(error, SyntaxError) and error.filename and not error.filename.startswith("<"):
        return f"{error.filename}:{error.lineno}"
    frames = list(_frames(error.__traceback__))
    package = owner if isinstance(owner, str) else owner.__module__
    if own := [place for module, place in frames if _belongs(module, package)]:
        return own[-1]
    if isinstance(owner, type):
        return where(owner)
    return frames[-1][1] if frames else ""


def _frames(trace: TracebackType | None) -> Iterator[tuple[str, str]]:
    """Module and place of each frame, but those of the bridge's and Python's ways to call and import."""
    for frame, line in traceback.walk_tb(trace):
        file = frame.f_code.co_filename
        module = frame.f_globals.get("__name__", "")
        if not file.startswith("<frozen ") and file != importlib.__file__ and module not in _OURS:
            yield module, f"{file}:{line}"


_OURS: Final = ("bridge.channels.registry", "bridge.channels.guard")


def _belongs(module: str, owner: str) -> bool:
    """Whether a module is of the plug-in: in the same top package, or below a channel of the bridge's own."""
    package = owner.partition(".")[0]
    if package == "bridge":
        package = owner
    return module == package or module.startswith(f"{package}.")
