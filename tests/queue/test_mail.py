"""The header: small, versioned, and readable enough whatever comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.queue.mail import unwrap


@pytest.mark.parametrize(
    ("value", "accepted_at", "payload"),
    [
        (b"\xb111700000000000{}", 1_700_000_000_000, b"{}"),
        (b"\xb111700000000000", 1_700_000_000_000, b""),
        (b"\xb121700000000000{}", 1_700_000_000_000, b"\xb121700000000000{}"),
        (b"\xb11170000000000", 0, b"\xb11170000000000"),
        (b"\xb11not a number!{}", 0, b"\xb11not a number!{}"),
        (b"{}", 0, b"{}"),
        (b"", 0, b""),
    ],
    ids=["version-1", "empty-payload", "version-2", "torn", "no-time", "no-header", "nothing"],
)
def test_unwrap(value: bytes, accepted_at: int, payload: bytes) -> None:
    assert unwrap(value) == (accepted_at, payload)


@given(st.one_of(st.binary(max_size=40), st.binary(max_size=40).map(lambda tail: b"\xb11" + tail)))
def test_nothing_makes_it_fail(value: bytes) -> None:
    accepted_at, payload = unwrap(value)
    assert accepted_at >= 0
    assert value.endswith(payload)
