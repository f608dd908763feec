"""What a channel has to do to show contents: the steps of one event, in order.

Pure: the same contents, channel and key give the same steps with the same ids, so a delivery that was
interrupted makes the same plan again and goes on at its cursor. An error in a channel's renderer is a
ChannelFault: the delivery becomes a dead letter with its reason, and can be replayed once that is mended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from bridge.channels import Call, Channel, Step, Wait, guard
from bridge.channels.degrade import fit_all
from bridge.content import Content, Loss, Pause, Receipt, Text, Typing, kind

RENEW: Final = 0.8
"""A typing sign is renewed after this part of the time it is shown, so that it does not flicker."""
SHORTEST_MS: Final = 500
"""A typing sign is renewed no more often than this."""


class Plan(msgspec.Struct, frozen=True):
    """The steps of one event, and what the channel cannot show of it."""

    steps: tuple[Step, ...] = ()
    losses: tuple[Loss, ...] = ()

    @property
    def digest(self) -> str:
        """Sixteen hex digits that tell this plan from another: a stored cursor is good for one plan only."""
        return hashlib.blake2b(msgspec.json.encode(self.steps), digest_size=8).hexdigest()


def plan(
    contents: Iterable[Content], channel: Channel, to: str, *, key: str, pause_max_seconds: float = 30.0
) -> Plan:
    """The steps that show `contents` in the chat `to`.

    `key` is the event's own (the hex digest of its raw body); with a step's place it makes its call's id.
    """
    steps: list[Step] = []
    losses: list[Loss] = []
    for piece in _pieces(contents, channel, to, pause_max_seconds):
        match piece:
            case Loss():
                losses.append(piece)
            case Call():
                steps.append(_stamped(piece, to, key, str(len(steps))))
            case Wait():
                steps.append(piece)
    return Plan(tuple(steps), tuple(losses))


def _pieces(
    contents: Iterable[Content], channel: Channel, to: str, pause_max_seconds: float
) -> Iterator[Step | Loss]:
    contents = tuple(contents)
    for content, (shown, losses) in zip(contents, fit_all(contents, channel.capabilities), strict=True):
        if isinstance(content, Pause):
            yield from _paused(content, channel, to, pause_max_seconds)
            continue
        yield from losses
        for each in shown:
            calls = list(guard.render(channel, each, to))
            if isinstance(each, Text) and each.numbered:
                calls[-1:] = [msgspec.structs.replace(call, numbers=each.numbered) for call in calls[-1:]]
            if not calls and not isinstance(each, Typing | Receipt):
                yield Loss(kind(each), f"the {kind(each)}: the channel rendered nothing for it")
            yield from calls


def _paused(pause: Pause, channel: Channel, to: str, pause_max_seconds: float) -> Iterator[Step | Loss]:
    """The wait, in pieces as long as one typing sign lasts where typing is to be seen."""
    if pause.seconds > pause_max_seconds:
        yield Loss("pause", "the end of a pause", "a shorter pause")
    can = channel.capabilities
    typing = pause.typing and Typing in can.shows
    if pause.typing and not typing:
        yield Loss("pause", "the typing sign", "the pause alone")
    lasts = round(1000 * can.typing_seconds) if typing and can.typing_seconds else None
    left = round(1000 * min(max(0.0, pause.seconds), pause_max_seconds))
    while left > 0:
        if typing:
            sign = guard.render(channel, Typing(on=True), to)
            yield from (msgspec.structs.replace(call, ephemeral=True) for call in sign)
        wait = left if lasts is None or left <= lasts else min(left, max(round(lasts * RENEW), SHORTEST_MS))
        yield Wait(wait / 1000, typing)
        left -= wait


def _stamped(call: Call, to: str, key: str, place: str) -> Call:
    """The call with its address and id; so are its fallbacks, each with an id of its own."""
    return msgspec.structs.replace(
        call,
        to=to,
        id=hashlib.blake2b(f"{key}:{place}".encode(), digest_size=16).hexdigest(),
        fallback=tuple(
            _stamped(other, to, key, f"{place}.{number}") for number, other in enumerate(call.fallback)
        ),
    )
