"""The error for a platform's own answer that means "later"."""

from __future__ import annotations

from bridge.channels.call import Reply
from bridge.channels.retry_after import retry_after
from bridge.errors import Scope, Unavailable


def later(reply: Reply, reason: str) -> Unavailable:
    """Return Unavailable with the time of the reply's Retry-After header, where it has one.

    The reply must be the platform's own (see bridge.channels.foreign).
    """
    return Unavailable(reason, retry_after=retry_after(reply.headers), scope=scope_of(reply.status))


def scope_of(status: int) -> Scope | None:
    """Return what a well-formed refusal with this HTTP status is about.

    A 4xx (or a 200 with an error inside) shows that the platform is up, so it is about one chat. A 5xx says
    nothing of whom it concerns.
    """
    return "chat" if status // 100 in (2, 4) else None
