"""The command `moveo-bridge`. One file a group of commands; each imports what it needs only when it runs.

So `--help` is instant, and a broken part stops only the commands that use it. A wrong setting is exit code 2
and one line a problem; what cannot be reached is exit code 1 and one line; neither is ever a traceback.
"""

from __future__ import annotations

import click

from bridge import __version__
from bridge.cli.channels import channels
from bridge.cli.check import check
from bridge.cli.connect import connect
from bridge.cli.dead import dead
from bridge.cli.new_channel import new_channel
from bridge.cli.options import CONTEXT, Commands, config_option
from bridge.cli.processes import demo, emulator, ingress, worker
from bridge.cli.queues import resume, status
from bridge.cli.render import render
from bridge.cli.sessions import sessions
from bridge.cli.trigger import trigger


@click.group(cls=Commands, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="moveo-bridge", message="%(prog)s %(version)s")
@config_option
def main() -> None:
    """Takes Moveo.AI's webhook events to a chat app, and what the user answers back to Moveo.

    \b
    Try it:       moveo-bridge demo
    Run it:       moveo-bridge ingress     and, as often as you like, moveo-bridge worker
    Look at it:   moveo-bridge status --watch, moveo-bridge dead list

    Settings come from bridge.toml (or --config) and from the environment over it: BRIDGE_INGRESS__PORT=8081
    is `port` in the table [ingress], REDIS_URL is `url` in [redis]. `moveo-bridge check` says what is wrong.
    """


for command in (
    demo, ingress, worker, emulator, trigger, render, status, channels, new_channel, check, connect, sessions,
    dead, resume,
):  # fmt: skip
    main.add_command(command)
