"""A Google service account's key, and the tokens it signs for itself.

Google's APIs take a JWT signed by the account in place of an access token: https://google.aip.dev/auth/4111.
So nobody has to be asked for one, as it follows from the key and the time alone. PyJWT signs it (the extra
"googlechat"); it is imported when a key is read, since nobody else needs it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import msgspec

from bridge.errors import ConfigError

SCOPE: Final = "https://www.googleapis.com/auth/chat.bot"
LIFE: Final = 3600
"""Seconds a token is good for: the most Google allows."""
RENEWAL: Final = 1800
"""Seconds after which the next one is used. All calls in between have the same, so it is signed once."""
SHORTEST: Final = 1024
"""Bits of a key; Google's have 2048."""
SKEW: Final = 60
"""Seconds Google's clock may be behind ours."""


class Account:
    """A service account that can sign. `key` is an RSA private key of the package cryptography."""

    def __init__(self, email: str, key_id: str, key: Any) -> None:
        self.email: Final = email
        self._key_id = key_id
        self._key = key
        self._signed = lru_cache(maxsize=2)(self._sign)

    def token(self, at: float) -> str:
        """The bearer token for a call at this Unix time."""
        return self._signed(int(at - SKEW) // RENEWAL * RENEWAL)

    def _sign(self, issued: int) -> str:
        import jwt

        claims = {
            "iss": self.email,
            "sub": self.email,
            "scope": SCOPE,
            "iat": issued,
            "exp": issued + LIFE,
        }
        named = {"kid": self._key_id} if self._key_id else None
        return jwt.encode(claims, self._key, algorithm="RS256", headers=named)


class _File(msgspec.Struct, frozen=True):
    client_email: str
    private_key: str
    private_key_id: str = ""


def read(file: str) -> Account:
    """The account of a key file, the JSON that the console gives out. Raises ConfigError for any other."""
    try:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as error:
        raise ConfigError("token: signing needs PyJWT: pip install 'moveo-bridge[googlechat]'") from error
    try:
        found = msgspec.json.decode(file, type=_File)
    except msgspec.DecodeError as error:
        raise ConfigError("token: is not the JSON of a service account's key") from error
    try:
        key = load_pem_private_key(found.private_key.encode(), password=None)
    except (ValueError, TypeError) as error:  # what is no key, and what has a password
        raise ConfigError("token: has a private_key that is no RSA key in PEM") from error
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError("token: has a private_key that is no RSA key in PEM")
    if key.key_size < SHORTEST:
        raise ConfigError("token: has a private_key that is too short")
    return Account(found.client_email, found.private_key_id, key)
