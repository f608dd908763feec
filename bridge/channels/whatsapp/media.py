"""A user's file: WhatsApp tells for five minutes where it is, and shows it to the account alone.

https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlsplit

from bridge.channels import Reply, Request, graph
from bridge.channels.links import web_address
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
        case {"url": str(url)} if _known(web_address(url) or "", api_url):
            return Request(method="GET", url=url, headers=graph.bearer(token))
        case _:
            raise Rejected("the file has no address of Meta's")


def _failed(failure: graph.Failure) -> SendError | None:
    """An id that is not known (any more) says nothing of the account."""
    return Rejected(failure.reason) if failure.code == PARAMETER else replies.failed(failure)


def _known(url: str, api_url: str) -> bool:
    there, api = urlsplit(url), urlsplit(api_url)
    if (there.scheme, there.netloc) == (api.scheme, api.netloc):
        return True
    return there.scheme == "https" and f".{there.hostname}".endswith(f".{HOST}")
