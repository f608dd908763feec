"""What is to be set up for a Discord bot: its address, its command, and its way into a server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bridge.channels import Reply
from bridge.channels.discord.replies import check
from bridge.channels.discord.said import FILE, LONGEST, MESSAGE
from bridge.channels.text import clean
from bridge.errors import Uncertain

PERMISSIONS: Final = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 38
"""View channels, send messages, embed links, send messages in threads.

https://docs.discord.com/developers/topics/permissions#permissions-bitwise-permission-flags
"""
_CHAT_INPUT, _STRING, _FILE = 1, 3, 11
_GUILD_INSTALL: Final = 0
_GUILD, _BOT_DM = 0, 1


def command(name: str) -> dict[str, Any]:
    """The command by which people speak to the bot: in the servers it is in, and in direct messages with it.

    Creating it again changes the one there is, and no other:
    https://docs.discord.com/developers/interactions/application-commands#create-global-application-command
    """
    return {
        "name": name,
        "type": _CHAT_INPUT,
        "description": "Say something; without a message, a form opens",
        "options": [
            {
                "type": _STRING,
                "name": MESSAGE,
                "description": "What you want to say",
                "max_length": LONGEST,
            },
            {"type": _FILE, "name": FILE, "description": "A file that goes with it"},
        ],
        "integration_types": [_GUILD_INSTALL],
        "contexts": [_GUILD, _BOT_DM],
    }


def identified(reply: Reply) -> str:
    """The answer of GET /users/@me."""
    check(reply)
    match reply.json():
        case {"username": str(name)}:
            return clean(name)
        case _:
            raise Uncertain("/users/@me names nobody")


def steps(url: str, *, has_key: bool, application_id: str) -> str:
    """By hand, one a line."""
    return "\n".join(_steps(url, has_key, application_id))


def _steps(url: str, has_key: bool, application_id: str) -> Iterator[str]:
    page = "https://discord.com/developers/applications > the application > General Information"
    if not has_key:
        yield f"{page}: the Public Key is the setting public_key; then start ingress, and connect again"
    if not application_id:
        yield f"{page}: the Application ID is the setting application_id; then connect again"
    yield f"{page}: the Interactions Endpoint URL is to be {url} (ingress must run when it is saved)"
    client = application_id or "APPLICATION_ID"
    where = f"https://discord.com/oauth2/authorize?client_id={client}&permissions={PERMISSIONS}"
    yield f"Add the bot to your server: {where}&scope=bot+applications.commands"
