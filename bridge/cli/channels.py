"""`channels`: what is installed, and what each channel can show, computed from what it declares."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import click

from bridge.cli.options import option
from bridge.cli.table import table
from bridge.errors import ConfigError

if TYPE_CHECKING:
    from bridge.channels.capabilities import Capabilities
    from bridge.content import Content

NATIVE: Final = "native"
NOT_SHOWN: Final = "-"


@click.command()
@option(
    "--json",
    "as_json",
    is_flag=True,
    envvar="BRIDGE_CHANNELS_JSON",
    help="One JSON object on one line instead of a table.",
)
def channels(as_json: bool) -> None:
    """Lists the channels and how each shows every content.

    native is as it is; anything else is what the user sees instead; - is not shown. What is lost is reported,
    by `render` and in the metrics. Plug-ins are entry points of the group "bridge.channels"; a broken one is
    named with its reason.

    \b
    Example:
      moveo-bridge channels
      moveo-bridge channels --json | jq '.channels.telegram.carousel'
    """
    from bridge.channels import registry

    shown: dict[str, dict[str, str]] = {}
    broken: dict[str, str] = {}
    for name, found in registry.installed().items():
        if isinstance(found, ConfigError):
            broken[name] = str(found)
        else:
            shown[name] = matrix(registry.placeholder(name).capabilities)
    if as_json:
        click.echo(json.dumps({"channels": shown, "broken": broken}))
        return
    kinds = list(next(iter(shown.values()), {}))
    click.echo(table(("content", *shown), [(kind, *(row[kind] for row in shown.values())) for kind in kinds]))
    for name, reason in broken.items():
        click.echo(f"{name}: {reason}", err=True)


def matrix(can: Capabilities) -> dict[str, str]:
    """How a channel with these capabilities shows every kind of content there is in Moveo's events."""
    return {kind: _how(kind, content, can) for kind, content in _contents().items()}


def _how(kind: str, content: Content, can: Capabilities) -> str:
    from bridge.channels.degrade import fit
    from bridge.content import kind as kind_of

    shown, losses = fit(content, can)
    if not shown:
        return NOT_SHOWN
    if instead := [loss.shown for loss in losses if loss.content == kind and loss.shown]:
        return ", ".join(instead)
    become = {kind_of(each) for each in shown}
    return NATIVE if kind in become else f"as {', '.join(sorted(become))}"


def _contents() -> dict[str, Content]:
    """The first content of each kind in samples of everything Moveo sends."""
    from bridge.content import kind
    from bridge.events import EVENT_TYPES, decode
    from bridge.events.responses import RESPONSE_TYPES
    from bridge.samples import BRAIN_SEND, sample
    from bridge.translate import translate

    asked: list[tuple[str, str | None]] = [(BRAIN_SEND, response_type) for response_type in RESPONSE_TYPES]
    asked += [(event_type, None) for event_type in EVENT_TYPES]
    found: dict[str, Content] = {}
    for event_type, response_type in asked:
        event = sample(event_type, response_type=response_type, session="sample", number=1, now_ms=1)
        for content in translate(decode(json.dumps(event).encode()).event).contents:
            found.setdefault(kind(content), content)
    return found
