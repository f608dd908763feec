"""`sessions`: which chat talks in which session, what is kept of a person, and its erasure."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

import click
from msgspec import to_builtins

from bridge.cli.options import Commands, Failure, config_option, integration_of, option, settings
from bridge.cli.store import connected
from bridge.cli.table import duration, table

if TYPE_CHECKING:
    from bridge.chats import About, Link
    from bridge.config import Settings

COLUMNS: Final = ("integration", "chat", "session", "idle")
_integration = option(
    "--integration", metavar="NAME", help="Of this integration; needed where there are several."
)
_as_json = option("--json", "as_json", is_flag=True, help="JSON instead of a table, an object a line.")


@click.group(cls=Commands)
def sessions() -> None:
    """Shows which chat has which session, and forgets people.

    A chat is the channel's address of a conversation, a session is Moveo's. They find each other by what is
    kept here, which expires by itself when neither is used.

    \b
    Example:
      moveo-bridge sessions list
      moveo-bridge sessions forget 4711 --integration support
    """


@sessions.command("list")
@_integration
@option("--limit", type=click.IntRange(1), default=100, help="Chats shown at most, the last used first.")
@_as_json
@config_option
def list_(integration: str | None, limit: int, as_json: bool) -> None:
    """Lists the chats that have a session.

    \b
    Example:
      moveo-bridge sessions list --integration support
    """
    found = settings(or_demo=True)
    names = [integration_of(found, integration).name] if integration else list(found.integrations)
    links = asyncio.run(_list(found, names))
    links.sort(key=lambda each: each[1].idle_seconds)
    for name, link in links[:limit] if as_json else ():
        click.echo(json.dumps({"integration": name, **to_builtins(link)}))
    if not as_json:
        rows = [(name, link.chat, link.session, duration(link.idle_seconds)) for name, link in links[:limit]]
        click.echo(table(COLUMNS, rows) if rows else "no chat has a session")
        if len(links) > limit:
            click.echo(f"{len(links) - limit} more: raise --limit")


@sessions.command()
@click.argument("name")
@_integration
@config_option
def show(name: str, integration: str | None) -> None:
    """Shows what is kept of a chat, as JSON.

    NAME is the chat, or a session of Moveo's: its sessions, what its buttons and numbers stand for (how
    many), what the last message brought along, and how many events wait or are dead letters.

    \b
    Example:
      moveo-bridge sessions show 4711 --integration support
    """
    about = asyncio.run(_about(settings(or_demo=True), integration, name, forget=False))
    click.echo(json.dumps(to_builtins(about), indent=2, ensure_ascii=False))


@sessions.command()
@click.argument("name")
@_integration
@option("--yes", is_flag=True, help="Do not ask.")
@config_option
def forget(name: str, integration: str | None, yes: bool) -> None:
    """Erases all that is kept of a chat, for good.

    NAME is the chat, or a session of Moveo's. Its sessions, buttons, numbers, events that wait, dead letters
    and history in the web chat are erased; what the channel's platform and Moveo keep is not. Events of it
    that are being delivered still arrive.

    \b
    Example:
      moveo-bridge sessions forget 4711 --integration support
    """
    found = settings(or_demo=True)
    if not yes:
        click.confirm(f"Erase all that is kept of {name!r}?", abort=True)
    was = asyncio.run(_about(found, integration, name, forget=True))
    click.echo(
        f"forgotten: {len(was.sessions)} sessions, {was.buttons} buttons, {was.waiting} waiting events, "
        f"{was.dead} dead letters"
    )


async def _list(found: Settings, names: list[str]) -> list[tuple[str, Link]]:
    from bridge.chats import Chats

    async with connected(found) as redis:
        return [(name, link) for name in names async for link in Chats(redis, name).links()]


async def _about(found: Settings, integration: str | None, name: str, *, forget: bool) -> About:
    from bridge.chats import Chats

    of = integration_of(found, integration).name
    async with connected(found) as redis:
        chats = Chats(redis, of)
        chat = await chats.find(name)
        if chat is None:
            raise Failure(f"nothing is kept of a chat or session {name!r} of {of}")
        return await (chats.forget(chat) if forget else chats.about(chat))
