"""A platform that signs JWTs and publishes its keys, as Google and Microsoft do."""

from __future__ import annotations

import base64
import json
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa


def _number(value: int) -> str:
    octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Issuer:
    """Makes its key when it is first needed: that takes a moment."""

    def __init__(self, key_id: str = "key-1") -> None:
        self.key_id = key_id

    @cached_property
    def private_key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(65537, 2048)

    @cached_property
    def jwk(self) -> dict[str, Any]:
        numbers = self.private_key.public_key().public_numbers()
        known = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id}
        return {**known, "n": _number(numbers.n), "e": _number(numbers.e)}

    def token(self, claims: dict[str, Any], *, algorithm: str = "RS256", **headers: Any) -> str:
        return jwt.encode(claims, self.private_key, algorithm, headers={"kid": self.key_id, **headers})

    def jws(self, claims: object) -> str:
        """The same of what need not be claims: jwt.encode is choosy about them."""
        head = {"alg": "RS256", "kid": self.key_id}
        return jwt.PyJWS().encode(json.dumps(claims).encode(), self.private_key, "RS256", headers=head)
