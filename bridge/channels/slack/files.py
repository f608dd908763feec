"""Users' files, which only the bot may load: files.info says where one is (scope files:read).

https://docs.slack.dev/reference/objects/file-object#authentication. The event has the address too, but not
whether the bot may have the file: without the scope, the page to sign in by would come in its place.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import msgspec

from bridge.channels import Reply
from bridge.channels.links import web_address
from bridge.channels.slack.replies import check
from bridge.errors import Rejected, Unavailable, Uncertain

HOME: Final = "slack.com"


class _File(msgspec.Struct, frozen=True):
    url_private_download: str | None = None
    url_private: str | None = None


class _Info(msgspec.Struct, frozen=True):
    error: str = ""
    file: _File = _File()


def address(located: Reply, api_url: str) -> str:
    """Where files.info says the file is. Raises the SendError that fits, Rejected for a place elsewhere."""
    info = _read(located)
    if info.error == "missing_scope":  # only files are missing then: no reason to hold all messages back
        raise Rejected("files.info: missing_scope")
    try:
        check(located)
    except Uncertain as error:  # asking twice does no harm
        raise Unavailable(str(error)) from None
    where = web_address(info.file.url_private_download or info.file.url_private or "")
    if where is None or not _is_slacks(where, api_url):
        raise Rejected("files.info: the file is not with Slack")
    return where


def _read(reply: Reply) -> _Info:
    try:
        return msgspec.json.decode(reply.body, type=_Info)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Info()


def _is_slacks(where: str, api_url: str) -> bool:
    """Whether the bot's token may be shown there: to Slack by TLS, and to what is set in Slack's place."""
    there, api = urlsplit(where), urlsplit(api_url)
    if (there.scheme, there.netloc) == (api.scheme, api.netloc):
        return True
    homes = (HOME, api.hostname or HOME)
    return there.scheme == "https" and any(f".{there.netloc}".endswith(f".{home}") for home in homes)
