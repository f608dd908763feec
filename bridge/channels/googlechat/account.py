"""A Google service account's key, and the tokens it signs for itself.

Google's APIs take a JWT signed by the account in place of an access token: https://google.aip.dev/auth/4111.
So nobody has to be asked for one, as it follows from the key and the time alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import msgspec
import orjson

SCOPE: Final = "https://www.googleapis.com/auth/chat.bot"
LIFE: Final = 3600
"""Seconds a token is good for: the most Google allows."""
RENEWAL: Final = 1800
"""Seconds after which the next one is used. All calls in between have the same, so it is signed once."""
SHORTEST: Final = 1024
"""Bits of a key; Google's have 2048."""
SKEW: Final = 60
"""Seconds Google's clock may be behind ours."""
SHA256: Final = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 digest in an RSA signature (RFC 8017, section 9.2)."""


class Account(msgspec.Struct, frozen=True):
    """A service account that can sign."""

    email: str
    key_id: str
    modulus: int
    exponent: int

    def __repr__(self) -> str:
        """Without the key."""
        return f"Account({self.email!r})"

    def token(self, at: float) -> str:
        """The bearer token for a call at this Unix time."""
        return _signed(self, int(at - SKEW) // RENEWAL * RENEWAL)


class _File(msgspec.Struct, frozen=True):
    client_email: str
    private_key: str
    private_key_id: str = ""


def read(file: str) -> Account:
    """The account of a key file, the JSON that the console gives out. Raises ValueError for any other."""
    try:
        found = msgspec.json.decode(file, type=_File)
    except msgspec.DecodeError as error:
        raise ValueError("is not the JSON of a service account's key") from error
    body = "".join(line for line in found.private_key.splitlines() if not line.startswith("-----"))
    try:
        _, _, key = _parts(next(_parts(base64.b64decode(body, validate=True))))
        _, modulus, _, exponent, *_ = _parts(next(_parts(key)))
    except (ValueError, binascii.Error, StopIteration, IndexError) as error:
        raise ValueError("has a private_key that is no RSA key in PKCS #8") from error
    if _number(modulus).bit_length() < SHORTEST:
        raise ValueError("has a private_key that is too short")
    return Account(found.client_email, found.private_key_id, _number(modulus), _number(exponent))


def _parts(der: bytes) -> Iterator[bytes]:
    """The contents of the DER values one after another (X.690), whatever their tags."""
    start = 0
    while start < len(der):
        length, body = der[start + 1], start + 2
        if length >= 0x80:
            body += length & 0x7F
            length = _number(der[start + 2 : body])
        if body + length > len(der):
            raise ValueError("cut off")
        yield der[body : body + length]
        start = body + length


def _number(octets: bytes) -> int:
    return int.from_bytes(octets, "big")


@lru_cache(maxsize=8)
def _signed(account: Account, issued: int) -> str:
    """RS256 (RFC 7518, section 3.3), which needs no randomness: the same every time."""
    header = {"alg": "RS256", "typ": "JWT", **({"kid": account.key_id} if account.key_id else {})}
    claims = {
        "iss": account.email,
        "sub": account.email,
        "scope": SCOPE,
        "iat": issued,
        "exp": issued + LIFE,
    }
    said = f"{_base64(orjson.dumps(header))}.{_base64(orjson.dumps(claims))}"
    size = (account.modulus.bit_length() + 7) // 8
    digest = SHA256 + hashlib.sha256(said.encode()).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    signature = pow(_number(padded), account.exponent, account.modulus)
    return f"{said}.{_base64(signature.to_bytes(size, 'big'))}"


def _base64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
