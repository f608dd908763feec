"""The header: small, versioned, and readable enough whatever comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.queue.mail import unwrap

AT = 1_700_000_000_000


@pytest.mark.parametrize(
    ("value", "accepted_at", "aged_from", "payload"),
    [
        (b"\xb111700000000000{}", AT, AT, b"{}"),
        (b"\xb111700000000000", AT, AT, b""),
        (b"\xb1217000000000001700000000009{}", AT, AT + 9, b"{}"),
        (b"\xb1217000000000001700000000009", AT, AT + 9, b""),
        (b"\xb1217000000000001700{}", AT, AT, b"\xb1217000000000001700{}"),
        (b"\xb131700000000000{}", AT, AT, b"\xb131700000000000{}"),
        (b"\xb11170000000000", 0, 0, b"\xb11170000000000"),
        (b"\xb11not a number!{}", 0, 0, b"\xb11not a number!{}"),
        (b"{}", 0, 0, b"{}"),
        (b"", 0, 0, b""),
    ],
    ids=[
        "accepted",
        "empty-payload",
        "replayed",
        "replayed-and-empty",
        "replayed-and-torn",
        "later-version",
        "torn",
        "no-time",
        "no-header",
        "nothing",
    ],
)
def test_unwrap(value: bytes, accepted_at: int, aged_from: int, payload: bytes) -> None:
    assert unwrap(value) == (accepted_at, aged_from, payload)


@given(st.one_of(st.binary(max_size=40), st.binary(max_size=40).map(lambda tail: b"\xb11" + tail)))
def test_nothing_makes_it_fail(value: bytes) -> None:
    accepted_at, aged_from, payload = unwrap(value)
    assert accepted_at >= 0
    assert aged_from >= 0
    assert value.endswith(payload)
