"""Dead letters on the command line: which are meant, where they are, and what is told of one."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click
import msgspec

from bridge.cli.options import config_option, integration_of, moment, option, settings
from bridge.cli.store import DIRECTIONS, connected

if TYPE_CHECKING:
    from bridge.queue import DeadLetter, Queue, Wanted

F = TypeVar("F", bound=Callable[..., Any])
_ID: Final = re.compile(r"[a-z0-9_-]+/(out|in)/\d+-\d+")
_NAMES: Final = {
    "out": {"event": "event_type", "message": "request_id", "chat": "external_session_id"},
    "in": {"event": "type", "message": "id", "chat": "chat"},
}
"""Where a payload says what it is, by which id Moveo or the platform knows it, and in which chat."""

_FILTERS: Final = (
    option("--integration", metavar="NAME", help="Of this integration."),
    option("--direction", type=click.Choice(DIRECTIONS), help="For the channel (out) or for Moveo (in)."),
    option("--session", metavar="ID", help="Of this session; with --direction in, of this chat."),
    option("--reason", metavar="REASON", help="With this reason, as the list shows it."),
    option("--since", type=moment, metavar="TIME", help="Died at or after: 30m, 2h, 7d (ago) or ISO 8601."),
    option("--until", type=moment, metavar="TIME", help="Died at or before."),
    config_option,
)


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters a command is about; None: any."""

    integration: str | None
    direction: str | None
    session: str | None
    reason: str | None
    since: datetime | None
    until: datetime | None

    def any(self) -> bool:
        return any(value is not None for value in msgspec.structs.astuple(self))

    def wanted(self, ids: Sequence[str] | None, now: int) -> Wanted:
        """Of one queue. Not those that die from `now` (ms) on: what is replayed may die again meanwhile."""
        from bridge.queue import Wanted

        since, until = _ms(self.since), _ms(self.until)
        until = now if until is None else min(now, until)
        return Wanted(session=self.session, reason=self.reason, since_at=since, until_at=until, ids=ids)


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


def letter_id(value: str) -> str:
    """An argument's type. A stream's id alone may be that of another queue's letter too."""
    if _ID.fullmatch(value):
        return value
    raise click.BadParameter(f"{value!r} is no id as `dead list` shows them: support/out/1767225600000-0")


def filters(command: F) -> F:
    """The options that choose letters: `Filters(**chosen)`."""
    for decorate in reversed(_FILTERS):
        command = decorate(command)
    return command


class Place(NamedTuple):
    """A queue that may have letters, and those that are wanted of it."""

    queue: Queue
    wanted: Wanted
    configured: bool
    """Whether its integration is in the settings, so that somebody delivers what is put back."""

    @property
    def name(self) -> str:
        return f"{self.queue.name}/{self.queue.direction}"


@asynccontextmanager
async def places(chosen: Filters, ids: Sequence[str] = ()) -> AsyncIterator[list[Place]]:
    """Where the letters may be; with `ids` those alone are wanted.

    An integration that was taken out of the settings leaves its letters behind: they are found as well.
    """
    from bridge.queue import Queue, dead, server_ms

    found = settings(or_demo=True)
    async with connected(found) as redis:
        queues = [(name, direction) for name in found.integrations for direction in DIRECTIONS]
        if chosen.integration not in found.integrations:
            queues += [each for each in await dead.with_letters(redis) if each not in queues]
        if chosen.integration and chosen.integration not in {name for name, _ in queues}:
            integration_of(found, chosen.integration)  # says that there is none
        now = await server_ms(redis)
        yield [
            Place(
                Queue(redis, name, direction),
                chosen.wanted(_own(f"{name}/{direction}/", ids), now),
                name in found.integrations,
            )
            for name, direction in queues
            if chosen.integration in (None, name) and chosen.direction in (None, direction)
        ]


def _own(start: str, ids: Sequence[str]) -> list[str] | None:
    """The stream ids of those that are in one queue, each once; None when none is named at all."""
    return (
        [each.removeprefix(start) for each in dict.fromkeys(ids) if each.startswith(start)] if ids else None
    )


def told(place: Place, letter: DeadLetter) -> dict[str, Any]:
    """What a letter says but its body, as JSON."""
    return {
        "id": f"{place.name}/{letter.id}",
        "integration": place.queue.name,
        "direction": place.queue.direction,
        "session": letter.session,
        **_named(_NAMES[place.queue.direction], letter.payload),
        "reason": letter.reason,
        "tries": letter.tries,
        "accepted_at": _iso(letter.accepted_at),
        "died_at": _iso(letter.died_at),
        "error": letter.error,
    }


def _named(names: dict[str, str], payload: bytes) -> dict[str, str]:
    """The texts that the payload has under these names, "" where it has none."""
    from bridge.errors import PayloadError
    from bridge.events.salvage import parse

    try:
        value, _ = parse(payload)
    except PayloadError:
        value = {}
    found = {name: value.get(key) for name, key in names.items()}
    return {name: text if isinstance(text, str) else "" for name, text in found.items()}


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def body(payload: bytes) -> Any:
    """The JSON it is, else its text."""
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")
