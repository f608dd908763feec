"""JWTs of platforms: which are taken, and by whose word."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.channels import Inbound, bearer
from tests.channels.issuer import Issuer

NOW = 1_700_000_000.0
PLATFORM = Issuer()
GOOD = {"iss": "platform", "aud": "us", "iat": NOW - 10, "exp": NOW + 3590}


def request(authorization: str | None, *keys: Any, at: float = NOW) -> Inbound:
    headers = {} if authorization is None else {"authorization": authorization}
    url = "https://bridge.example/channels/x"
    return Inbound(method="POST", url=url, headers=headers, at=at, keys=keys or (PLATFORM.jwk,))


def said(inbound: Inbound, audience: str = "us") -> Any:
    return bearer.claims(inbound, audience=audience, issuers={"platform"})


def test_what_an_issuer_signed_for_us_is_told() -> None:
    token = PLATFORM.token({**GOOD, "serviceurl": "https://x.example"})
    assert said(request(f"Bearer {token}")) == {**GOOD, "serviceurl": "https://x.example"}
    assert said(request(f"bearer  {token}")) == said(request(f"Bearer {token}"))


def test_the_key_is_found_by_its_name() -> None:
    other, same = Issuer("key-2"), Issuer("key-1")
    inbound = request(f"Bearer {PLATFORM.token(GOOD)}", other.jwk, {"kid": 7}, {}, PLATFORM.jwk)
    assert said(inbound) == GOOD
    assert said(request(f"Bearer {PLATFORM.token(GOOD)}", other.jwk)) is None
    assert said(request(f"Bearer {PLATFORM.token(GOOD)}", same.jwk)) is None
    assert said(request(f"Bearer {PLATFORM.token(GOOD, kid='key-2')}", other.jwk, PLATFORM.jwk)) is None


def test_without_an_audience_nothing_is_taken() -> None:
    assert said(request(f"Bearer {PLATFORM.token({**GOOD, 'aud': ''})}"), audience="") is None


@pytest.mark.parametrize(
    ("changed", "taken"),
    [
        ({"aud": "them"}, False),
        ({"aud": ["them", "us"]}, True),
        ({"aud": ["them"]}, False),
        ({"aud": {"us": 1}}, False),
        ({"aud": None}, False),
        ({"iss": "somebody"}, False),
        ({"iss": ["platform"]}, False),
        ({"iss": None}, False),
        ({"exp": NOW - 59}, True),
        ({"exp": NOW - 60}, False),
        ({"exp": str(NOW + 60)}, False),
        ({"exp": None}, False),
        ({"iat": NOW + 60}, True),
        ({"iat": NOW + 61}, False),
        ({"iat": "now"}, False),
        ({"iat": None}, True),
        ({"nbf": NOW + 60}, True),
        ({"nbf": NOW + 61}, False),
        ({"nbf": [NOW]}, False),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_every_claim_counts(changed: dict[str, Any], taken: bool) -> None:
    claims = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    inbound = request(f"Bearer {PLATFORM.jws(claims)}")
    assert (said(inbound) is not None) == taken


def unsigned(head: object, body: object = GOOD) -> str:
    parts = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (head, body)
    )
    return ".".join((*parts, ""))


def test_no_other_algorithm_is_taken() -> None:
    public = PLATFORM.private_key.public_key()
    assert said(request(f"Bearer {PLATFORM.token(GOOD, algorithm='RS512')}")) is None
    assert said(request(f"Bearer {unsigned({'alg': 'none', 'kid': 'key-1'})}")) is None
    by_public_key = jwt.encode(GOOD, "n" * 64, "HS256", headers={"kid": "key-1"})
    secret = {"kty": "oct", "kid": "key-1", "k": base64.urlsafe_b64encode(b"n" * 64).decode()}
    assert said(request(f"Bearer {by_public_key}", secret)) is None
    assert said(request(f"Bearer {by_public_key}")) is None
    assert jwt.decode(PLATFORM.token(GOOD), public, ["RS256"], audience="us", options={"verify_exp": False})


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic dXM6cGxhdGZvcm0=",
        "Bearer a.b.c",
        "Bearer a.b",
        "Bearer \udcff.\u20ac.é",
        f"Bearer {unsigned({'alg': 'RS256', 'kid': 'key-1'})}",
        f"Bearer {unsigned({'alg': 'RS256', 'kid': ['key-1']})}",
        f"Bearer {unsigned([])}",
        f"Bearer {unsigned(None)}",
        "Bearer " + base64.urlsafe_b64encode(b"[" * 6000).decode() + ".e30.AA",
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_token_of_the_platform_says_nothing(authorization: str | None) -> None:
    assert said(request(authorization)) is None


@pytest.mark.parametrize(
    "key",
    [
        {**PLATFORM.jwk, "n": "!"},
        {**PLATFORM.jwk, "n": 5},
        {**PLATFORM.jwk, "kty": "EC"},
        {"kid": "key-1"},
        {"kid": "key-1", "kty": "RSA"},
    ],
    ids=["no-base64", "number", "elliptic", "empty", "without-numbers"],
)
def test_a_key_that_is_none_verifies_nothing(key: dict[str, Any]) -> None:
    assert said(request(f"Bearer {PLATFORM.token(GOOD)}", key)) is None


@given(st.integers(0, 3000), st.sampled_from("AZaz09-_."))
def test_no_letter_of_a_token_may_be_changed(place: int, letter: str) -> None:
    token = PLATFORM.token(GOOD)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    signature = token.rindex(".") < place  # its last letter has bits that say nothing
    assert said(request(f"Bearer {changed}")) is None or changed == token or signature
