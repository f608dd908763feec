"""Every error the bridge raises, as one tree. The class of a SendError says what to do next.

BridgeError
├── ConfigError            a setting is wrong; its message is one line that says what to change
├── PayloadError           a body is no event of Moveo's at all (no JSON object); nothing can be read from it
├── ChannelFault           a channel's code failed or returned the wrong type: mend that code
├── StoreUnavailable       Redis is not there, or says "not now"; whatever was asked may be asked again
│   └── StoreFull          Redis has no memory for this write; reads, and scripts whose first write cannot
│                          grow, still pass
└── SendError              a call to a platform or to Moveo did not go through
    ├── Rejected           it never will: keep it as a dead letter, go on with the session
    │   └── ContentRefused the platform refuses this form of it (a file it cannot fetch, markup it cannot
    │                      parse): send the call's fallback in its place, without one it is Rejected
    ├── Unavailable        not now: try again; after `retry_after` if the platform named a time
    ├── Uncertain          it may have arrived (the reply was lost after the request was written)
    ├── Unauthorized       the credentials are refused: pause the whole integration, loudly
    ├── Forbidden          the platform refuses, and does not say whether it means this chat or the whole
    │                      account: wait for what other chats meet
    └── Moved              the chat has a new address: send there from now on
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Scope: TypeAlias = Literal["chat", "channel"]


class BridgeError(Exception):
    """The root: everything the bridge raises on purpose."""


class ConfigError(BridgeError):
    """A setting is wrong. The message is shown to the operator as it is, one line a problem."""


class PayloadError(BridgeError):
    """A body from which no event can be read."""


class ChannelFault(BridgeError):
    """A channel's code failed or returned the wrong type. The message names file and line, no value."""


class StoreUnavailable(BridgeError):
    """Redis cannot be reached, refuses writes, or does not answer in time."""


class StoreFull(StoreUnavailable):
    """Redis refuses this write because its memory is used up. It answers, and takes other commands."""


class SendError(BridgeError):
    """A call did not go through. `str(error)` is the platform's reason, without secrets or anyone's text."""


class Rejected(SendError):
    """The platform will never take it: bad request, blocked user, chat gone."""


class ContentRefused(Rejected):
    """The platform refuses the form, not the message: a simpler form in its place may pass."""


class Unavailable(SendError):
    """Not now. `retry_after` (seconds) is obeyed exactly and costs no try; None means back off.

    `scope` says what has to wait: this "chat" (the platform is up, and other chats go on), the whole
    "channel" (a limit of the account, or an outage), or None where the platform does not say. Failures of
    several chats without a scope count as an outage of the platform.
    """

    def __init__(self, reason: str, *, retry_after: float | None = None, scope: Scope | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.scope = scope


class Uncertain(SendError):
    """The request was written and its outcome is unknown."""


class Unauthorized(SendError):
    """Token or key refused: every other call of the integration would be refused too."""


class Forbidden(SendError):
    """The platform refuses, for this chat or for the whole account: its answer fits both."""


class Moved(SendError):
    """The chat lives on under the address `to`."""

    def __init__(self, reason: str, *, to: str) -> None:
        super().__init__(reason)
        self.to = to
