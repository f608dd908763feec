"""What a channel makes of every content, as text to compare and to read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import orjson

from bridge.channels import Call, Channel, Wait
from bridge.plan import plan
from bridge.testing.corpus import corpus

LONG: Final = 160
"""Longer texts are abbreviated, with their length and digest, so that the file stays readable."""


def golden(channel: Channel, *, to: str = "1234567") -> str:
    """One line of JSON for each content of the corpus: its name, the steps, the losses."""
    return "".join(_line(name, plan((content,), channel, to, key=name)) for name, content in corpus().items())


def _line(name: str, made: Any) -> str:
    steps = [_call(step) if isinstance(step, Call) else _wait(step) for step in made.steps]
    losses = [[loss.content, loss.lost, loss.shown] for loss in made.losses]
    return orjson.dumps({"content": name, "steps": steps, "losses": losses}).decode() + "\n"


def _wait(step: Wait) -> dict[str, Any]:
    return {"wait": step.seconds, "typing": step.typing}


def _call(call: Call) -> dict[str, Any]:
    """The call without what the plan stamped on it."""
    shown = {"op": call.op, "body": _brief(call.body)}
    if call.keep:
        shown["keep"] = _brief(call.keep)
    if call.numbers:
        shown["numbers"] = _brief([choice.text for choice in call.numbers])
    if call.upload:
        shown["upload"] = call.upload.url
    if call.fallback:
        shown["fallback"] = [_call(other) for other in call.fallback]
    if call.ephemeral:
        shown["ephemeral"] = True
    return shown


def _brief(value: Any) -> Any:
    match value:
        case str() if len(value) > LONG:
            digest = hashlib.blake2b(value.encode(), digest_size=6).hexdigest()
            return f"{value[: LONG // 2]}… ({len(value)} characters, {digest})"
        case Mapping():
            return {key: _brief(part) for key, part in value.items()}
        case list() | tuple():
            return [_brief(part) for part in value]
        case msgspec.Struct():
            return _brief(msgspec.to_builtins(value))
        case _:
            return value
