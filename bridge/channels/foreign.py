"""What a reply means that is not the platform's own: a proxy, a gateway or a login page answered instead.

Whatever its status, it is not the platform's word on the message: nothing of it is a refusal.
"""

from __future__ import annotations

from typing import Final

from bridge.channels.call import Reply
from bridge.channels.retry_after import retry_after
from bridge.errors import Unavailable, Uncertain

PASSED_ON: Final = frozenset({502, 504})
"""A gateway that had no answer, or none in time, to what it may have passed on.

https://www.rfc-editor.org/rfc/rfc9110#section-15.6.3 and 15.6.5
"""


def foreign(reply: Reply, whose: str) -> Unavailable | Uncertain:
    """The error for it. `whose` names what is missing, as "Viber's JSON"."""
    reason = f"HTTP {reply.status} without {whose}"
    if 200 <= reply.status < 300 or reply.status in PASSED_ON:
        return Uncertain(reason)
    return Unavailable(reason, retry_after=retry_after(reply.headers))
