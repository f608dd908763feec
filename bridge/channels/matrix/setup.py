"""What helps to set a bot up: who its token belongs to, and the registration of the application service.

https://spec.matrix.org/latest/application-service-api/#registration
A homeserver is told of an application service in a file of its own, so no call can do it. What calls can do
afterwards: the bot gets its account (without one it can talk, but has no name to set), and the homeserver
says whether it reaches the bridge and both have the same hs_token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from bridge.channels import Reply
from bridge.channels.foreign import foreign
from bridge.channels.matrix import replies
from bridge.errors import Unauthorized

WHOAMI: Final = "/_matrix/client/v3/account/whoami"
REGISTER: Final = "/_matrix/client/v3/register"


def localpart(user_id: str) -> str:
    return user_id.removeprefix("@").partition(":")[0]


def service_id(user_id: str) -> str:
    """The application service's name among those of the homeserver."""
    return "moveo-bridge-" + re.sub(r"[^A-Za-z0-9._=-]", "-", localpart(user_id))


def ping_path(user_id: str) -> str:
    return f"/_matrix/client/v1/appservice/{service_id(user_id)}/ping"


def account(user_id: str) -> dict[str, Any]:
    """The bot's account; the answer that it is there already is a yes."""
    return {"type": "m.login.application_service", "username": localpart(user_id), "inhibit_login": True}


def whose(reply: Reply, user_id: str) -> str:
    """The user that the token belongs to, who must be the bot."""
    match replies.answer(reply):
        case {"user_id": str(found)} if found == user_id:
            return found
        case {"user_id": str(found)}:
            raise Unauthorized(f"the token is that of {found[:255]}: user_id must be the same")
        case _:
            raise foreign(reply, "a user's id")


def registration(url: str, user_id: str) -> Mapping[str, Any]:
    return {
        "id": service_id(user_id),
        "url": url,
        "as_token": "<token>",
        "hs_token": "<hs_token>",
        "sender_localpart": localpart(user_id),
        "rate_limited": False,
        "receive_ephemeral": True,
        "namespaces": {"users": [], "aliases": [], "rooms": []},
    }


def steps(url: str, user_id: str, *, complete: bool) -> str:
    """By hand, one a line; JSON is YAML, and fits a line."""
    missing = (
        "In the settings choose hs_token, a long random word, not that of token. Start the processes again.\n"
    )
    file = orjson.dumps(registration(url, user_id)).decode()
    return f"""\
{"" if complete else missing}\
On the homeserver make a file, moveo-bridge.yaml say, of the next line, with the two tokens put in.
{file}
Synapse: name the file in homeserver.yaml under app_service_config_files, and restart. Others have a manual.
Connect again: the bot gets its account, and the homeserver says whether it reaches the bridge.
Invite {user_id} to a room without encryption, and write there."""
