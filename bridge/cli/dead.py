"""The dead letters: what could not be delivered, with its reason."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import click

from bridge.cli.letters import Filters, body, filters, letter_id, places, told
from bridge.cli.options import Commands, Failure, option
from bridge.cli.table import table

COLUMNS: Final = ("id", "session", "reason", "tries", "died_at", "error")


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

    `tries` are those that failed before the last one. Those of an integration that is configured no more are
    listed too.

    \b
    Example:
      moveo-bridge dead list --integration support --since 1d
    """
    asyncio.run(_list(Filters(**chosen), limit, as_json))


async def _list(chosen: Filters, limit: int, as_json: bool) -> None:
    rows: list[list[Any]] = []
    async with places(chosen) as found:
        for place in found:
            count = 0
            async for letter in place.queue.letters(place.wanted):
                if count == limit:
                    click.echo(f"more than {limit} of {place.name}: raise --limit", err=True)
                    break
                count += 1
                row = told(place, letter)
                if as_json:
                    click.echo(json.dumps(row))
                else:
                    rows.append([row[name] for name in COLUMNS])
    if not as_json:
        click.echo(table(COLUMNS, rows) if rows else "no dead letters")


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
    async with places(chosen, [wanted]) as found:
        for place in found:
            async for letter in place.queue.letters(place.wanted):
                shown = told(place, letter) | {"body": body(letter.payload)}
                click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
                return
    raise Failure(f"no dead letter {wanted}")


@dead.command()
@click.argument("ids", nargs=-1, metavar="[ID]...", type=letter_id)
@option("--all", "everything", is_flag=True, envvar="BRIDGE_DEAD_REPLAY_ALL", help="All there are.")
@filters
def replay(ids: tuple[str, ...], everything: bool, **chosen: Any) -> None:
    """Puts dead letters back into their queues.

    Each takes its old place in its session: before what was accepted after it and still waits. It is sent
    from its first part on, its tries and its age count anew, and if it dies again it is a new letter. Name
    letters, or choose them by the options, or say --all. The exit code is 1 when one that was named is not
    there, or belongs to an integration that is configured no more.

    \b
    Example:
      moveo-bridge dead replay support/out/1767225600000-0
      moveo-bridge dead replay --reason rejected --since 1h
    """
    done, left = asyncio.run(_replay(_sure(Filters(**chosen), ids, everything), ids))
    click.echo(f"replayed {done}")
    problems = [
        f"{number} of {name} stay: nobody would deliver them without [integrations.{name}]"
        for name, number in left.items()
    ]
    if missing := _missing(done + left.total(), ids):
        problems.append(missing)
    if problems:
        raise Failure("\n".join(problems))


async def _replay(chosen: Filters, ids: Sequence[str]) -> tuple[int, Counter[str]]:
    """How many were put back, and how many were left of each integration that is configured no more."""
    from bridge.queue import dead as letters

    done, left = 0, Counter[str]()
    async with places(chosen, ids) as found:
        for place in found:
            if place.configured:
                done += await letters.replay(place.queue, place.wanted)
            elif number := await letters.count(place.queue, place.wanted):
                left[place.queue.name] += number
    return done, left


@dead.command()
@click.argument("ids", nargs=-1, metavar="[ID]...", type=letter_id)
@option("--all", "everything", is_flag=True, envvar="BRIDGE_DEAD_PURGE_ALL", help="All there are.")
@option("--yes", is_flag=True, help="Do not ask.")
@filters
def purge(ids: tuple[str, ...], everything: bool, yes: bool, **chosen: Any) -> None:
    """Deletes dead letters for good.

    Name letters, or choose them by the options, or say --all; it says how many there are and asks. The exit
    code is 1 when a letter that was named is not there.

    \b
    Example:
      moveo-bridge dead purge --session 4f1c --yes
    """
    sure = _sure(Filters(**chosen), ids, everything)
    if not yes and (number := asyncio.run(_count(sure, ids))):
        click.confirm(f"Delete {number} dead letters for good?", abort=True)
    done = asyncio.run(_purge(sure, ids))
    click.echo(f"purged {done}")
    if missing := _missing(done, ids):
        raise Failure(missing)


async def _count(chosen: Filters, ids: Sequence[str]) -> int:
    from bridge.queue import dead as letters

    async with places(chosen, ids) as found:
        return sum([await letters.count(place.queue, place.wanted) for place in found])


async def _purge(chosen: Filters, ids: Sequence[str]) -> int:
    from bridge.queue import dead as letters

    async with places(chosen, ids) as found:
        return sum([await letters.purge(place.queue, place.wanted) for place in found])


def _missing(found: int, ids: Sequence[str]) -> str:
    """What to say of letters that were named and are not there."""
    missing = len(set(ids)) - found if ids else 0
    return f"{missing} of the letters that were named: not there" if missing else ""


def _sure(chosen: Filters, ids: Sequence[str], everything: bool) -> Filters:
    if not (ids or everything or chosen.any()):
        raise click.UsageError("say which: IDs, an option that chooses, or --all")
    return chosen
