"""The signature is Moveo's, over raw bytes, and no header can break its check."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from bridge.ingress.signature import sign, verify
from bridge.secret import Secret

BODY = b'{"a": "\xff"}'
GOOD = sign(Secret("two"), BODY)


def test_it_is_the_lower_case_hex_of_an_hmac_sha256() -> None:
    assert hmac.new(b"two", BODY, hashlib.sha256).hexdigest() == GOOD


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        pytest.param(GOOD, True, id="good"),
        pytest.param(GOOD.upper(), True, id="upper-case-hex"),
        pytest.param(sign(Secret("one"), BODY), True, id="the-other-secret"),
        pytest.param(sign(Secret("three"), BODY), False, id="a-strange-secret"),
        pytest.param(sign(Secret("two"), BODY + b" "), False, id="another-body"),
        pytest.param(GOOD[:-2], False, id="short"),
        pytest.param(GOOD + "00", False, id="long"),
        pytest.param("sha256=" + GOOD, False, id="prefixed"),
        pytest.param("", False, id="empty"),
        pytest.param("é" * 64, False, id="no-ascii"),
        pytest.param("\udcff" * 64, False, id="no-utf-8"),
        pytest.param("0" * 63, False, id="odd"),
    ],
)
def test_any_of_the_secrets_matches_and_nothing_else(signature: str, expected: bool) -> None:
    assert verify([Secret("one"), Secret("two")], BODY, signature) is expected


def test_no_secret_matches_nothing() -> None:
    assert not verify([], BODY, GOOD)


def test_a_secret_of_any_bytes_signs() -> None:
    odd = Secret(b"\xff\xfe".decode("utf-8", "surrogateescape"))
    assert sign(odd, BODY) == hmac.new(b"\xff\xfe", BODY, hashlib.sha256).hexdigest()
