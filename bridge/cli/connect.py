"""`connect`: tells the platform where the ingress is, or the person what to paste where."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import click

from bridge.cli.options import Failure, config_option, integration_of, option, settings
from bridge.errors import ConfigError, SendError

if TYPE_CHECKING:
    from bridge.channels import Channel, SetUp
    from bridge.config import Integration, Settings

PATH: Final = "/channels/"


@click.command()
@click.argument("name")
@option(
    "--url",
    metavar="URL",
    help="Where the platform reaches the ingress, as https://bridge.example.com; else ingress.public_url.",
)
@option("--dry-run", is_flag=True, help="Only say what is to be done.")
@config_option
def connect(name: str, url: str | None, dry_run: bool) -> None:
    """Registers an integration's webhook with its platform.

    Where the platform's API lets nobody do so, or not all of it, the steps that are left are printed, with
    the address to paste.

    \b
    Example:
      moveo-bridge connect support --url https://bridge.example.com
    """
    from bridge.channels import SetUp, registry

    found = settings()
    integration = integration_of(found, name)
    channel = registry.build(integration.channel, integration.extra)
    there = _public(found, url) + PATH + integration.name
    if not isinstance(channel, SetUp):
        click.echo(_without(channel, integration, there))
        return
    try:
        if not dry_run:
            asyncio.run(_connect(channel, there))
    except SendError as error:
        _say_steps(channel, there)
        raise Failure(f"{name}: {error}") from error
    _say_steps(channel, there)


async def _connect(channel: SetUp, url: str) -> None:
    from bridge.channels import guard
    from bridge.sender import Sender, open_http

    async with open_http() as http:
        send = Sender(http).send
        name = guard.identified(channel, await send(guard.identify(channel)))
        click.echo(f"credentials are good: {name}")
        requests = guard.connect(channel, url)
        for request in requests:
            guard.check(channel, await send(request))
        if requests:
            click.echo(f"registered: {url}")


def _say_steps(channel: SetUp, url: str) -> None:
    from bridge.channels import guard

    if steps := guard.steps(channel, url).strip():
        click.echo("to do:")
        for number, step in enumerate(steps.splitlines(), 1):
            click.echo(f"{number:>3}. {step}")


def _public(found: Settings, url: str | None) -> str:
    public = (url or found.ingress.public_url).rstrip("/")
    if not public:
        raise ConfigError(
            "ingress.public_url: is needed to say where the platform finds the ingress; "
            "set it, or say --url https://bridge.example.com"
        )
    if not public.startswith(("https://", "http://")):
        raise ConfigError("--url: must be an address that starts with https://")
    return public.partition(PATH)[0]


def _without(channel: Channel, integration: Integration, url: str) -> str:
    from bridge.channels import TwoWay
    from bridge.channels.webchat import WebChat

    if isinstance(channel, WebChat):
        return f"nothing to register: the chat is at {url.partition(PATH)[0]}/chat/{integration.name}"
    if isinstance(channel, TwoWay):
        return f"nothing to register: what users say is posted to {url}"
    return f"nothing to register: {channel.name} brings nothing back"
