"""A user's file: WhatsApp tells for five minutes where it is, and shows it to the account alone.

https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from bridge.channels import Reply, Request, graph
from bridge.channels.links import belongs, web_address
from bridge.channels.whatsapp import replies
from bridge.errors import Rejected, SendError
from bridge.secret import Secret

HOST: Final = "fbsbx.com"
"""Where Meta keeps files (lookaside.fbsbx.com): no other host is shown the token, but the API's own."""
PARAMETER: Final = 100


def located(api_url: str, token: Secret, source: str) -> Request:
    return graph.get(api_url, quote(source, safe=""), token)


def loaded(api_url: str, token: Secret, reply: Reply | None) -> Request:
    """Raises Rejected for a file that is gone, or at no address of Meta's."""
    match reply and graph.answer(reply, _failed):
        case {"url": str(url)} if (there := web_address(url)) and belongs(there, api_url, HOST):
            return Request(method="GET", url=there, headers=graph.bearer(token))
        case _:
            raise Rejected("the file has no address of Meta's")


def _failed(failure: graph.Failure) -> SendError | None:
    """An id that is not known (any more) says nothing of the account."""
    return Rejected(failure.reason) if failure.code == PARAMETER else replies.failed(failure)
