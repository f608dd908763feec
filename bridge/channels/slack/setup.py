"""What is to be set up for a Slack app: whose token it is, and the steps at api.slack.com/apps.

No API that takes the bot's token can set any of it, so all is done by hand. An app that is new is made of a
manifest, which has every setting in it: https://docs.slack.dev/reference/app-manifest.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from bridge.channels import Reply
from bridge.channels.slack.replies import check
from bridge.channels.text import clean
from bridge.errors import Uncertain

SCOPES: Final = ("app_mentions:read", "chat:write", "files:read", "im:history")
EVENTS: Final = ("app_mention", "message.im")


def identified(reply: Reply) -> str:
    """The answer of auth.test: the bot and its workspace."""
    check(reply)
    match reply.json():
        case {"user": str(user), "team": str(team)}:
            return clean(f"{user} in {team}")
        case _:
            raise Uncertain("auth.test names nobody")


def steps(url: str, *, signed: bool) -> str:
    """By hand, one a line. `signed` says that the signing secret is set already."""
    events, page = "Event Subscriptions", "https://api.slack.com/apps"
    basics = "Basic Information > App Credentials: the Signing Secret is the setting signing_secret"
    lines = [
        f"Open {page} and choose the app. For a new one: Create New App > From a manifest > JSON, and paste",
        manifest(url),
        *([] if signed else [basics]),
        f"OAuth & Permissions > Scopes > Bot Token Scopes: add {', '.join(SCOPES)}",
        "App Home > Show Tabs: switch the Messages Tab on, and allow users to send messages from it",
        f"{events}: switch them on, paste the Request URL {url} (ingress must run) and wait for Verified",
        f"{events} > Subscribe to bot events: add {', '.join(EVENTS)}; Save Changes",
        f"Interactivity & Shortcuts: switch it on, paste the Request URL {url}; Save Changes",
        "Install App: install it to the workspace, and again after each change of its scopes",
    ]
    return "\n".join(lines)


def manifest(url: str) -> str:
    app: dict[str, Any] = {
        "display_information": {"name": "Assistant"},
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Assistant", "always_online": True},
        },
        "oauth_config": {"scopes": {"bot": SCOPES}},
        "settings": {
            "event_subscriptions": {"request_url": url, "bot_events": EVENTS},
            "interactivity": {"is_enabled": True, "request_url": url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": False,
            "token_rotation_enabled": False,
        },
    }
    return orjson.dumps(app).decode()
