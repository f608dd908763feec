"""Who sent a request, by the JWT of its header `Authorization: Bearer`, where a platform publishes its keys.

The rules it keeps:
- RS256 alone, whatever the token says of itself, and only by the key that the token names.
- The time is that of the request (Inbound.at); a token without an end is none.
- What goes wrong is no reason to say which part of it: there are claims, or there are none.

https://www.rfc-editor.org/rfc/rfc7519; PyJWT checks the signature (an extra of this package, so it is
imported when it is needed).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from bridge.channels.incoming import Inbound

SKEW_SECONDS: Final = 60.0
"""How far the platform's clock and ours may be apart."""
ALGORITHM: Final = "RS256"


def claims(
    inbound: Inbound, *, audience: str, issuers: Collection[str], skew_seconds: float = SKEW_SECONDS
) -> Mapping[str, Any] | None:
    """What the token says, if one of the issuers has signed it for this audience and it is good now."""
    scheme, _, token = inbound.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not audience:
        return None
    found = _signed(token.strip(), inbound.keys)
    if found is None:
        return None
    match found:
        case {"iss": str(issuer), "aud": to, "exp": int() | float() as end} if (
            issuer in issuers
            and (to == audience or (isinstance(to, list) and audience in to))
            and end > inbound.at - skew_seconds
            and all(_since(found.get(name)) <= inbound.at + skew_seconds for name in ("iat", "nbf"))
        ):
            return found
        case _:
            return None


def _since(moment: object) -> float:
    """From when it is good: always, where it does not say; never, where it says no time."""
    if moment is None:
        return 0.0
    return moment if isinstance(moment, int | float) else float("inf")


def _signed(token: str, keys: Collection[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The claims of a token that one of the keys has signed; None for any other."""
    import jwt

    try:
        key_id = jwt.get_unverified_header(token).get("kid")
        for key in keys:
            if key_id and key.get("kid") == key_id:
                public = jwt.PyJWK.from_dict(dict(key), algorithm=ALGORITHM)
                payload = jwt.PyJWS().decode(token, public, algorithms=[ALGORITHM])
                return msgspec.json.decode(payload, type=dict[str, Any])
    except (jwt.PyJWTError, msgspec.DecodeError, ValueError, TypeError, RecursionError):
        pass  # of a stranger's token, or of a key that is none
    return None
