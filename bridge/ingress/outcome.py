"""What became of a request, and the fixed answer to each: no answer repeats anything of the request.

Moveo and most platforms give a message up for good at a 4xx, and come again at a 5xx. So what is properly
signed is answered 2xx or 5xx: what cannot be routed, read or believed is kept as a dead letter first.
"""

from __future__ import annotations

import enum
from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import web

RETRY_AFTER_SECONDS: Final = 1


class Outcome(enum.StrEnum):
    """Also the values of the label `outcome` of moveo_bridge_events_total and moveo_bridge_messages_total."""

    ACCEPTED = "accepted"
    SPOOLED = "spooled"
    """It is safe on the disk of ingress, and goes to Redis before any newer one."""
    DUPLICATE = "duplicate"
    UNROUTABLE = "unroutable"
    """It names no session: a dead letter."""
    UNDECODABLE = "undecodable"
    """It is no JSON object: a dead letter."""
    STALE = "stale"
    """Its time is outside the window: a dead letter."""
    FLOOD = "flood"
    """Its session holds as much as one may: a dead letter."""
    SHED = "shed"
    """A typing sign or a receipt behind so much else that it would come too late; nothing is kept of it."""
    UNSIGNED = "unsigned"
    MALFORMED = "malformed"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    ENCODED = "encoded"
    """It has a Content-Encoding; what was signed is not what would be read."""
    FULL = "full"
    UNAVAILABLE = "unavailable"


STATUS: Final = {
    Outcome.ACCEPTED: HTTPStatus.OK,
    Outcome.SPOOLED: HTTPStatus.OK,
    Outcome.DUPLICATE: HTTPStatus.OK,
    Outcome.UNROUTABLE: HTTPStatus.OK,
    Outcome.UNDECODABLE: HTTPStatus.OK,
    Outcome.STALE: HTTPStatus.OK,
    Outcome.FLOOD: HTTPStatus.OK,
    Outcome.SHED: HTTPStatus.OK,
    Outcome.UNSIGNED: HTTPStatus.UNAUTHORIZED,
    Outcome.MALFORMED: HTTPStatus.BAD_REQUEST,
    Outcome.TIMEOUT: HTTPStatus.REQUEST_TIMEOUT,
    Outcome.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Outcome.ENCODED: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Outcome.FULL: HTTPStatus.SERVICE_UNAVAILABLE,
    Outcome.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
TAKEN: Final = frozenset({Outcome.ACCEPTED, Outcome.SPOOLED})
"""It will be delivered."""
_BODIES: Final = {outcome: orjson.dumps({"status": outcome.value}) for outcome in Outcome}
_JSON: Final = {"Content-Type": "application/json"}
_LATER: Final = {**_JSON, "Retry-After": str(RETRY_AFTER_SECONDS)}


class Refused(Exception):  # noqa: N818 -- no error of the bridge: it ends the handling of one request
    """The request's handling ends here."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def answer(outcome: Outcome) -> web.Response:
    """The response to a request that ended so."""
    status = STATUS[outcome]
    headers = _LATER if status is HTTPStatus.SERVICE_UNAVAILABLE else _JSON
    return web.Response(status=status, body=_BODIES[outcome], headers=headers)
