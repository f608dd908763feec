"""Users' files, which only the bot may load: files.info says where one is (scope files:read).

https://docs.slack.dev/reference/objects/file-object#authentication. The event has the address too, but not
whether the bot may have the file: without the scope, the page to sign in by would come in its place.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import msgspec

from bridge.channels import Reply
from bridge.channels.links import belongs, web_address
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
    homes = (HOME, urlsplit(api_url).hostname or HOME)  # what is set in Slack's place has files below it too
    if where is None or not belongs(where, api_url, *homes):
        raise Rejected("files.info: the file is not with Slack")
    return where


def _read(reply: Reply) -> _Info:
    try:
        return msgspec.json.decode(reply.body, type=_Info)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Info()
