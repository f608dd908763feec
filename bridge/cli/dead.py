"""The dead letters: what could not be delivered, with its reason."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import click
import msgspec

from bridge.cli.options import Commands, Failure, config_option, integration_of, moment, option, settings
from bridge.cli.store import DIRECTIONS, connected, queues
from bridge.cli.table import table

if TYPE_CHECKING:
    from bridge.queue import DeadLetter, Queue

F = TypeVar("F", bound=Callable[..., Any])
BATCH: Final = 500
COLUMNS: Final = ("id", "session", "reason", "tries", "died_at", "error")
_ID: Final = re.compile(r"[a-z0-9_-]+/(out|in)/\d+-\d+")

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

    @property
    def query(self) -> dict[str, Any]:
        """The arguments of Queue.dead."""
        return {
            "session": self.session,
            "reason": self.reason,
            "since_at": _ms(self.since),
            "until_at": _ms(self.until),
        }


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


@click.group(cls=Commands)
def dead() -> None:
    """What could not be delivered: list, show, replay, purge.

    A dead letter is an event, or a user's message, that was given up: refused by the platform, too old,
    without a recipient, signed but unreadable. It is kept as it came, and can be replayed once the cause is
    gone.

    \b
    Example:
      moveo-bridge dead list --since 2h
      moveo-bridge dead replay --integration support --reason rejected
    """


@dead.command("list")
@option("--limit", type=click.IntRange(1), default=50, help="At most so many of each queue.")
@option(
    "--json",
    "as_json",
    is_flag=True,
    envvar="BRIDGE_DEAD_LIST_JSON",
    help="One JSON object a letter and line, without its body.",
)
@filters
def list_(limit: int, as_json: bool, **chosen: Any) -> None:
    """Lists dead letters, oldest first.

    \b
    Example:
      moveo-bridge dead list --integration support --since 1d
    """
    asyncio.run(_list(Filters(**chosen), limit, as_json))


async def _list(chosen: Filters, limit: int, as_json: bool) -> None:
    rows: list[dict[str, Any]] = []
    async with _queues(chosen) as (places, _):
        for queue in places:
            rows += [_row(queue, letter) for letter in await queue.dead(**chosen.query, limit=limit)]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
    elif rows:
        click.echo(table(COLUMNS, [[row[name] for name in COLUMNS] for row in rows]))
    else:
        click.echo("no dead letters")


@dead.command()
@click.argument("wanted", metavar="ID", type=letter_id)
@filters
def show(wanted: str, **chosen: Any) -> None:
    """Shows one dead letter with its body, as indented JSON.

    The body is what was received: it holds what people wrote.

    \b
    Example:
      moveo-bridge dead show support/out/1767225600000-0
    """
    asyncio.run(_show(Filters(**chosen), wanted))


async def _show(chosen: Filters, wanted: str) -> None:
    async with _queues(chosen) as (places, _):
        for queue in places:
            for letter in await queue.dead(**chosen.query, ids=_own(queue, [wanted])):
                shown = _row(queue, letter) | {"body": _body(letter.payload)}
                click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
                return
    raise Failure(f"no dead letter {wanted}")


@dead.command()
@click.argument("ids", nargs=-1, metavar="[ID]...", type=letter_id)
@option("--all", "everything", is_flag=True, envvar="BRIDGE_DEAD_REPLAY_ALL", help="All there are.")
@filters
def replay(ids: tuple[str, ...], everything: bool, **chosen: Any) -> None:
    """Puts dead letters back into their queues.

    Behind what waits there, in the order in which they died. Name letters, or choose them by the options, or
    say --all. The exit code is 1 when a letter that was named is not there.

    \b
    Example:
      moveo-bridge dead replay support/out/1767225600000-0
      moveo-bridge dead replay --reason rejected --since 1h
    """
    sure = _sure(Filters(**chosen), ids, everything)
    _say("replayed", asyncio.run(_each(sure, ids, "replay")), ids)


@dead.command()
@click.argument("ids", nargs=-1, metavar="[ID]...", type=letter_id)
@option("--all", "everything", is_flag=True, envvar="BRIDGE_DEAD_PURGE_ALL", help="All there are.")
@option("--yes", is_flag=True, help="Do not ask.")
@filters
def purge(ids: tuple[str, ...], everything: bool, yes: bool, **chosen: Any) -> None:
    """Deletes dead letters for good.

    Name letters, or choose them by the options, or say --all. The exit code is 1 when a letter that was named
    is not there.

    \b
    Example:
      moveo-bridge dead purge --session 4f1c --yes
    """
    sure = _sure(Filters(**chosen), ids, everything)
    if not yes:
        click.confirm("Delete these dead letters for good?", abort=True)
    _say("purged", asyncio.run(_each(sure, ids, "purge")), ids)


def _say(done: str, number: int, ids: Sequence[str]) -> None:
    click.echo(f"{done} {number}")
    if missing := len(set(ids)) - number if ids else 0:
        raise Failure(f"{missing} of the letters that were named: not there")


def _sure(chosen: Filters, ids: Sequence[str], everything: bool) -> Filters:
    if not (ids or everything or chosen.any()):
        raise click.UsageError("say which: IDs, an option that chooses, or --all")
    return chosen


async def _each(chosen: Filters, ids: Sequence[str], verb: Literal["replay", "purge"]) -> int:
    """Does it to every chosen letter that is dead by now, not to those that die again meanwhile."""
    done = 0
    async with _queues(chosen) as (places, now):
        query = chosen.query
        query["until_at"] = min(now, query["until_at"] or now)
        for queue in places:
            own = _own(queue, ids) if ids else None
            while letters := await queue.dead(**query, ids=own, limit=BATCH):
                done += await (queue.replay(letters) if verb == "replay" else queue.purge(letters))
    return done


@asynccontextmanager
async def _queues(chosen: Filters) -> AsyncIterator[tuple[list[Queue], int]]:
    """The queues the letters may be in, and the server's time in ms."""
    found = settings(or_demo=True)
    only = integration_of(found, chosen.integration).name if chosen.integration else None
    async with connected(found) as redis:
        seconds, micros = await redis.time()
        yield (
            [
                queue
                for integration, queue in queues(found, redis)
                if only in (None, integration.name) and chosen.direction in (None, queue.direction)
            ],
            seconds * 1000 + micros // 1000,
        )


def _id(queue: Queue, stream_id: str) -> str:
    return f"{queue.name}/{queue.direction}/{stream_id}"


def _own(queue: Queue, ids: Sequence[str]) -> list[str]:
    """The stream ids of those that are in this queue."""
    return [each.removeprefix(_id(queue, "")) for each in ids if each.startswith(_id(queue, ""))]


def _row(queue: Queue, letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": _id(queue, letter.id),
        "integration": queue.name,
        "direction": queue.direction,
        "session": letter.session,
        "reason": letter.reason,
        "tries": letter.tries,
        "accepted_at": _iso(letter.accepted_at),
        "died_at": _iso(letter.died_at),
        "error": letter.error,
    }


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def _body(payload: bytes) -> Any:
    """The JSON it is, else its text."""
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")
