"""`check`: whether what is configured can work, before anything runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from enum import Enum
from typing import TYPE_CHECKING, Final

import click

from bridge.cli.options import config_option, option, settings
from bridge.cli.store import connected
from bridge.errors import ConfigError

if TYPE_CHECKING:
    from bridge.channels import SetUp
    from bridge.config import Integration, Settings


class Grade(Enum):
    """How grave a finding is; FAIL is the exit code 1."""

    OK = "green"
    WARN = "yellow"
    FAIL = "red"


Finding = tuple[Grade, str]
ASK_SECONDS: Final = 5.0
"""How long a platform may take to say whose the credentials are."""


@click.command()
@option("--offline", is_flag=True, help="Do not ask the platforms whose the credentials are.")
@config_option
def check(offline: bool) -> None:
    """Checks settings, channels, credentials, and Redis.

    One line a finding: OK, WARN for what weakens the promise that an accepted event is never lost, FAIL for
    what cannot work. The exit code is 1 when anything fails. Sends no message and changes nothing; platforms
    are asked whose the credentials are.

    \b
    Example:
      moveo-bridge check --config bridge.toml
    """
    if asyncio.run(_check(offline)):
        raise click.exceptions.Exit(1)


async def _check(offline: bool) -> bool:
    """Prints the findings; whether any is FAIL."""
    failed = False
    async for grade, finding in _findings(offline):
        failed |= grade is Grade.FAIL
        click.echo(f"{click.style(f'{grade.name:<5}', fg=grade.value)}{finding}")
    return failed


async def _findings(offline: bool) -> AsyncIterator[Finding]:
    try:
        found = settings(or_demo=True)
    except ConfigError as error:
        for line in str(error).splitlines():
            yield Grade.FAIL, line
        return
    if not found.integrations:
        yield Grade.FAIL, "integrations: none is configured: add a table [integrations.NAME] to bridge.toml"
    for integration in found.integrations.values():
        async for finding in _integration(integration, offline):
            yield finding
    yield _spool(found)
    async for finding in _redis(found):
        yield finding


def _spool(found: Settings) -> Finding:
    """Whether ingress could keep events while Redis is away; nothing is made there."""
    folder = found.ingress.spool
    if folder is None:
        return (
            Grade.WARN,
            "ingress.spool: is not set, so while Redis is away events are refused and soon given up",
        )
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Grade.FAIL, f"ingress.spool: {folder} cannot be used: no folder that may be written"
    return Grade.OK, f"ingress.spool: {folder}"


async def _integration(integration: Integration, offline: bool) -> AsyncIterator[Finding]:
    from bridge.channels import SetUp, TwoWay, registry

    place = f"integrations.{integration.name}"
    try:
        channel = registry.build(integration.channel, integration.extra)
    except ConfigError as error:
        for line in str(error).splitlines():
            yield Grade.FAIL, f"{place}.{line}"
        return
    yield Grade.OK, f"{place}: channel {integration.channel}"
    if integration.unsigned:
        yield Grade.WARN, f"{place}.unsigned: whoever reaches the port may post events"
    if isinstance(channel, TwoWay) and not integration.api_key:
        yield Grade.WARN, f"{place}.api_key: is not set, so what users write does not reach Moveo"
    can = channel.capabilities
    for of, own in (("chat", can.chat_pace), ("channel", can.channel_pace)):
        rate = f"{of}_per_second"
        if own is None and getattr(integration, f"{of}_burst") and getattr(integration, rate) is None:
            yield Grade.WARN, f"{place}.{of}_burst: has no effect without {rate}: the channel has no pace"
    if isinstance(channel, SetUp) and not offline:
        yield await _credentials(place, channel)


async def _credentials(place: str, channel: SetUp) -> Finding:
    """What the platform says to "who am I"."""
    from bridge.channels import guard
    from bridge.errors import ChannelFault, Forbidden, Rejected, SendError, Unauthorized
    from bridge.sender import Sender, open_http

    try:
        async with open_http(total_seconds=ASK_SECONDS) as http:
            name = guard.identified(channel, await Sender(http).send(guard.identify(channel)))
    except (Unauthorized, Forbidden, Rejected) as error:
        return Grade.FAIL, f"{place}: {channel.name} refuses the credentials: {error}"
    except ChannelFault as error:
        return Grade.FAIL, f"{place}: {error}"
    except SendError as error:
        return Grade.WARN, f"{place}: {channel.name} could not be asked: {error}"
    return Grade.OK, f"{place}: {channel.name} knows the account as {name}"


async def _redis(found: Settings) -> AsyncIterator[Finding]:
    from bridge.persistence import persistence_warnings

    try:
        async with connected(found) as redis:
            warnings = await persistence_warnings(redis, found.redis.replicas)
    except click.ClickException as error:
        yield Grade.FAIL, error.message
        return
    yield Grade.OK, f"Redis at {found.redis.shown} answers"
    for warning in warnings:
        yield Grade.WARN, f"Redis: {warning}"
    if not warnings:
        yield Grade.OK, "Redis keeps what it acknowledges"
