"""Commands on the queues as a whole: status and resume."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click
from msgspec.structs import asdict

from bridge.cli.options import config_option, integration_of, option, settings
from bridge.cli.store import connected, queues
from bridge.cli.table import duration, table
from bridge.runtime import cancelled

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from bridge.config import Settings

Row = dict[str, Any]
Shown = Mapping[str, Sequence[Row]]

FIGURES: Final = {
    "depth": "depth",
    "sessions": "sessions",
    "ready": "ready",
    "parked": "parked",
    "in_flight": "in flight",
    "oldest_age_seconds": "oldest",
    "dead": "dead",
    "delivered_total": "delivered",
    "retried_total": "retried",
    "duplicates_total": "repeated",
    "paused": "paused",
    "held_seconds": "held",
    "down_seconds": "down",
}
"""Fields of bridge.queue.Stats, in the order of the columns, and their headings."""


@click.command()
@option(
    "--json",
    "as_json",
    is_flag=True,
    envvar="BRIDGE_STATUS_JSON",
    help="One JSON object on one line instead of a table.",
)
@option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@option("--interval", type=click.FloatRange(0.1), default=2.0, metavar="SECONDS", help="Between looks.")
@config_option
def status(as_json: bool, watch: bool, interval: float) -> None:
    """Shows each queue: waiting, dead, done; and the workers.

    A queue is one integration and direction: out to the channel, in to Moveo. Ready sessions wait for a
    worker, parked ones for a time (a pause, a retry, a rate limit), those in flight are being delivered. A
    queue that is paused, with the reason, delivers nothing until `moveo-bridge resume`. One that is held
    waits for as long as the platform asked; while the other side is down, one delivery at a time probes.

    \b
    Example:
      moveo-bridge status --watch
      moveo-bridge status --json | jq '.queues[] | select(.dead > 0)'
    """
    found = settings(or_demo=True)
    try:
        asyncio.run(_status(found, as_json, interval if watch else None))
    except KeyboardInterrupt:
        if not watch:
            raise


async def _status(found: Settings, as_json: bool, interval: float | None) -> None:
    async with connected(found) as redis:
        while True:
            shown = await look(found, redis)
            if interval is not None and not as_json:
                click.clear()
            click.echo(json.dumps(shown) if as_json else lines(shown))
            if interval is None or cancelled():
                return
            await asyncio.sleep(interval)


async def look(found: Settings, redis: Redis) -> Shown:
    """One look at all queues and workers: what `status --json` prints."""
    from bridge.queue import present

    rows = []
    for integration, queue in queues(found, redis):
        stats = await queue.stats()
        rows.append(
            {"integration": integration.name, "direction": queue.direction, "channel": integration.channel}
            | {figure: getattr(stats, figure) for figure in FIGURES}
        )
    return {"queues": rows, "workers": [asdict(worker) for worker in await present(redis)]}


def lines(shown: Shown) -> str:
    """The same for people."""
    queues = table(
        ("integration", "dir", "channel", *FIGURES.values()),
        [
            (row["integration"], row["direction"], row["channel"], *(_figure(row, name) for name in FIGURES))
            for row in shown["queues"]
        ],
    )
    workers = table(
        ("worker", "seen", "in flight"),
        [
            (row["id"], f"{duration(row['seen_seconds_ago'])} ago", row["in_flight"])
            for row in shown["workers"]
        ],
    )
    return (
        (queues if shown["queues"] else "no integration is configured")
        + "\n\n"
        + (workers if shown["workers"] else "no worker is running")
    )


def _figure(row: Row, name: str) -> str | int:
    value: str | int = row[name]
    match name:
        case "oldest_age_seconds":
            return duration(row[name]) if row["depth"] else "-"
        case "held_seconds" | "down_seconds":
            return duration(row[name]) if row[name] else "-"
        case "paused":
            return value or "-"
        case _:
            return value


@click.command()
@click.argument("name")
@config_option
def resume(name: str) -> None:
    """Lets a paused integration go on, at once.

    An integration pauses when its credentials or three chats in a row are refused, so that its events do
    not all become dead letters; `status` shows why. Correct the cause, restart the workers if the settings
    changed, then resume. One delivery goes first, to a chat that was not refused if there is one. Where the
    platform was down, resume does not wait for the next probe. A time that the platform asked to wait is
    still waited for.

    \b
    Example:
      moveo-bridge resume support
    """
    found = settings(or_demo=True)
    asyncio.run(_resume(found, integration_of(found, name).name))


async def _resume(found: Settings, name: str) -> None:
    async with connected(found) as redis:
        for integration, queue in queues(found, redis):
            if integration.name == name:
                reason = (await queue.stats()).paused
                await queue.resume()
                was = f"was paused: {reason}" if reason else "was not paused"
                click.echo(f"{name} {queue.direction}: {was}")
