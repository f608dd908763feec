"""Meta's Graph API, over which WhatsApp, Messenger and Instagram are sent to: requests, and what came back.

`hub` is the way back: the webhooks that the API sends.

A failure is {"error": {"message", "type", "code", "error_subcode", "fbtrace_id"}}. Its `code` decides,
whatever the HTTP status: https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import orjson

from bridge.channels import Reply, Request, text
from bridge.channels.foreign import foreign
from bridge.channels.later import scope_of
from bridge.channels.retry_after import retry_after
from bridge.errors import ConfigError, ContentRefused, Forbidden, SendError, Unauthorized, Unavailable
from bridge.secret import Secret

URL: Final = "https://graph.facebook.com/v25.0"

NO_SUCH_OBJECT: Final = (100, 33)
"""Code and subcode of an account that does not exist, or not for this token."""
LOCKED_OUT: Final = frozenset({0, 102, 190, 368})
"""Codes of a token that is refused; 368: the account is blocked for policy violations."""
UNCLEAR: Final = frozenset({3, 10, *range(200, 300)})
"""Codes of a permission that is missing: the app's, or for this one person. "This person isn't receiving
messages from you right now" is a 200; with the subcode 2018028 it means all who are not the app's testers."""
MESSAGING: Final = frozenset({"instagram", "messenger", "pages", "whatsapp"})
"""The limits that are about messages, among all that a business may have."""
DAY_MINUTES: Final = 24 * 60


class Failure(msgspec.Struct, frozen=True):
    """What the Graph API says went wrong; `reason` quotes nothing of the message."""

    code: int
    subcode: int
    reason: str
    status: int
    wait: float | None = None

    def later(self) -> Unavailable:
        """Return the error for a failure that may pass by itself (see bridge.channels.later)."""
        return Unavailable(self.reason, retry_after=self.wait, scope=scope_of(self.status))


def checked_token(token: Secret) -> Secret:
    """The setting, or a ConfigError: a token with a line end in it would break the header."""
    if not re.fullmatch(r"[!-~]+", token.reveal()):
        raise ConfigError("token: is no access token")
    return token


def get(api_url: str, path: str, token: Secret) -> Request:
    """What the API is asked for. `path` may have a query."""
    return Request(method="GET", url=f"{api_url}/{path}", headers=bearer(token))


def post(api_url: str, path: str, token: Secret, body: Mapping[str, Any]) -> Request:
    """What the API is told: a message for `{account}/messages`, mostly."""
    headers = {**bearer(token), "content-type": "application/json"}
    return Request(url=f"{api_url}/{path}", headers=headers, body=orjson.dumps(body))


def bearer(token: Secret) -> dict[str, str]:
    return {"authorization": f"Bearer {token.reveal()}"}


def answer(reply: Reply, failed: Callable[[Failure], SendError | None]) -> Mapping[str, Any]:
    """The body of a success. Raises for everything else: for a failure what `failed` makes of it.

    Where `failed` has no word for it, the failure is one that the whole Graph API shares.
    """
    match reply.json():
        case {"error": {"code": int(code), **error}}:
            subcode = error.get("error_subcode")
            failure = Failure(
                code,
                subcode if isinstance(subcode, int) else 0,
                f"{code}: {_quoting_nothing(error.get('message'))}",
                reply.status,
                _wait(reply.headers),
            )
            raise failed(failure) or _shared(failure)
        case dict(body) if 200 <= reply.status < 300 and "error" not in body:
            return body
        case _:
            raise foreign(reply, "the Graph API's JSON")


def _wait(headers: Mapping[str, str]) -> float | None:
    """How long Meta asks us to wait: a limit of a business is over in as many minutes as its header says.

    https://developers.facebook.com/docs/graph-api/overview/rate-limiting#headers-2
    """
    try:
        usages = _usage.decode(headers.get("x-business-use-case-usage", "{}"))
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        usages = {}
    ours = (each for usage in usages.values() for each in usage if each.type in MESSAGING)
    minutes = max((each.estimated_time_to_regain_access for each in ours), default=0)
    return 60.0 * minutes if 0 < minutes <= DAY_MINUTES else retry_after(headers)


class _Usage(msgspec.Struct, frozen=True):
    type: str = ""
    estimated_time_to_regain_access: int = 0


_usage = msgspec.json.Decoder(dict[str, list[_Usage]])


def _shared(failure: Failure) -> SendError:
    if failure.code in LOCKED_OUT or (failure.code, failure.subcode) == NO_SUCH_OBJECT:
        return Unauthorized(failure.reason)
    if failure.code in UNCLEAR:
        return Forbidden(failure.reason)
    if failure.status == 429 or failure.status >= 500:
        return failure.later()
    # Whatever else it dislikes: a simpler form costs one call more, and may pass.
    return ContentRefused(failure.reason)


def _quoting_nothing(message: object) -> str:
    """Meta's sentence without what it quotes of the message, and bounded."""
    if not isinstance(message, str):
        return "no reason given"
    said = re.sub(r"(?:https?|mailto|tel):\S+", "…", text.clean(message))
    return re.sub(r"(['\"]).*\1|“(?:.*”|.*)", "…", said, flags=re.DOTALL)[:200]
