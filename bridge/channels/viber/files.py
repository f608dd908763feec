"""Files that users send: Viber gives their address, which anybody may load from for an hour.

https://developers.viber.com/docs/api/rest-bot-api/#receive-message-from-user. That is too short for whoever
reads the chat later, so the bridge loads them. What is elsewhere than with Viber goes on as an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bridge.channels import Attachment, Request
from bridge.channels.links import belongs, web_address
from bridge.channels.mime import Kind
from bridge.errors import Rejected

KINDS: Final[Mapping[str, Kind]] = {
    "picture": "image",
    "video": "video",
    "file": "file",
    "sticker": "image",
}
HOME: Final = "viber.com"


def attached(kind: str, media: str, name: str, api_url: str) -> tuple[Attachment, ...]:
    """The message's file, if it has one; its source is its address."""
    url = web_address(media)
    if kind not in KINDS or not url:
        return ()
    if belongs(url, api_url, HOME):
        return (Attachment(type=KINDS[kind], source=url, filename=name),)
    return (Attachment(type=KINDS[kind], url=url, filename=name),)


def load(source: str, api_url: str) -> Request:
    """Raises Rejected for an address that is not Viber's: the bridge goes to no other."""
    if not belongs(source, api_url, HOME):
        raise Rejected("the file is not with Viber")
    return Request(method="GET", url=source)
