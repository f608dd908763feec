"""What helps to set a bot up: whether its client secret is good, and the steps in Azure and in Teams.

No call of the connector tells a bot its name, so a token is asked for: what only the bot can have.
https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from bridge.channels import Grant, Reply, Request
from bridge.channels.foreign import foreign
from bridge.channels.retry_after import retry_after
from bridge.errors import SendError, Unauthorized, Unavailable

MULTI_TENANT: Final = "botframework.com"
_CODE: Final = re.compile(r"[a-z_]{1,64}")


def token_request(grant: Grant) -> Request:
    fields = {
        "grant_type": "client_credentials",
        "client_id": grant.client_id,
        "client_secret": grant.client_secret.reveal(),
        "scope": grant.scope,
    }
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    return Request(url=grant.url, headers=headers, body=urlencode(fields).encode())


def check_token(reply: Reply) -> None:
    """Raises the SendError that fits, if there is no token; of what Microsoft says the codes alone."""
    match reply.json():
        case {"access_token": str(token)} if reply.status == 200 and token:
            return
        case {"error": str(code), **failure} if reply.status >= 400:
            raise _refused(reply, code, failure)
        case _:
            raise foreign(reply, "a token")


def _refused(reply: Reply, code: str, failure: Mapping[Any, Any]) -> SendError:
    """By OAuth's code, and Microsoft's number where it gives one: AADSTS7000215 is a wrong secret."""
    reason = f"HTTP {reply.status} {code}" if _CODE.fullmatch(code) else f"HTTP {reply.status}"
    match failure.get("error_codes"):
        case [int(number), *_]:
            reason += f" AADSTS{number}"
    if reply.status == 429 or reply.status >= 500:
        return Unavailable(reason, retry_after=retry_after(reply.headers))
    return Unauthorized(reason)


def steps(url: str, app_id: str, tenant: str) -> str:
    """By hand, one a line."""
    whose = "a multi-tenant one" if tenant == MULTI_TENANT else f"a single-tenant one of {tenant}"
    return f"""\
Open https://portal.azure.com and the Azure Bot whose Microsoft App ID is {app_id}, {whose}.
Settings > Configuration: paste the Messaging endpoint {url} and Apply.
Settings > Channels: choose Microsoft Teams, agree, keep Microsoft Teams Commercial, and Apply.
Open https://dev.teams.microsoft.com/apps and New app; fill in Basic information, and Save.
App features > Bot > Enter a bot ID: {app_id}.
There tick Upload and download files and the scope Personal; Team and Group chat for calls by its @name; Save.
Publish > Publish to your org, and have an administrator approve it in the Teams admin center.
Add the app in Teams, and write to it."""
