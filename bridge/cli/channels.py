"""`channels`: what is installed, and what each channel can show, computed from what it declares."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping

import click

from bridge.cli.options import option
from bridge.cli.table import folded, markdown
from bridge.errors import ConfigError


@click.command()
@option(
    "--json",
    "as_json",
    is_flag=True,
    envvar="BRIDGE_CHANNELS_JSON",
    help="One JSON object on one line instead of a table.",
)
@option(
    "--markdown",
    "as_markdown",
    is_flag=True,
    envvar="BRIDGE_CHANNELS_MARKDOWN",
    help="The table as Markdown, as it stands in README.md.",
)
def channels(as_json: bool, as_markdown: bool) -> None:
    """Lists the channels and how each shows every content.

    ✓ (in JSON: native) is as it is, perhaps with the most that one message holds or the formats it may have;
    - is not at all; anything else is what the user sees instead. "options" are quick replies, "agent's name"
    is that of a human agent, "shown once" says whether a call that has to be repeated is shown once. What is
    lost is reported, by `render` and in the metrics.

    Plug-ins are entry points of the group "bridge.channels"; a broken one is named with its reason.

    \b
    Example:
      moveo-bridge channels
      moveo-bridge channels --json | jq '.channels.telegram.carousel'
    """
    from bridge.channels import registry
    from bridge.cli.matrix import matrix

    if as_json and as_markdown:
        raise click.UsageError("choose one of --json and --markdown")
    shown: dict[str, dict[str, str]] = {}
    broken: dict[str, str] = {}
    for name, found in registry.installed().items():
        try:
            if isinstance(found, ConfigError):
                raise found
            channel = registry.placeholder(name)
            try:
                shown[name] = matrix(channel.capabilities)
            except Exception as error:  # of its capabilities' own code
                raise registry.broken(name, error, type(channel)) from error
        except ConfigError as error:
            broken[name] = str(error)
    if as_json:
        click.echo(json.dumps({"channels": shown, "broken": broken}))
        return
    header, rows = ticked(shown)
    if as_markdown:
        click.echo(markdown(header, rows))
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
        click.echo(folded(header, rows, width))
    for name, reason in broken.items():
        click.echo(f"{name}: {reason}", err=True)


def ticked(shown: Mapping[str, Mapping[str, str]]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table: a channel a row, with a tick for what is native."""
    from bridge.cli.matrix import NATIVE

    contents = list(next(iter(shown.values()), {}))
    rows = [[name, *(row[each].replace(NATIVE, "✓") for each in contents)] for name, row in shown.items()]
    return ["channel", *contents], rows
