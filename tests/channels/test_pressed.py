"""What stands behind a button whose label the platform does not tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.channels.pressed import behind, is_token, pressed

LIMIT = 250
words = st.text(st.characters(codec="utf-8"), max_size=400)


@given(words.filter(bool), words)
def test_a_press_gives_the_payload_back_and_the_label_of_a_token(value: str, label: str) -> None:
    shown, keep = behind(value, label, LIMIT)
    payload, seen = pressed(shown)
    assert len(shown.encode()) <= LIMIT
    assert is_token(shown) == bool(keep)
    if keep:
        assert keep == {payload: value}
        assert label.startswith(seen.removesuffix("…").rstrip())
    else:
        assert (payload, seen) == (value, "")


@pytest.mark.parametrize(
    ("label", "seen"),
    [("Yes, please", "Yes, please"), ("a  b\nc", "a  b\nc"), ("", ""), ("x" * 300, "x" * 223 + "…")],
    ids=["words", "spaces", "none", "long"],
)
def test_a_label_goes_along_as_far_as_there_is_room(label: str, seen: str) -> None:
    shown, keep = behind("v" * 300, label, LIMIT)
    assert pressed(shown) == (next(iter(keep)), seen)


@pytest.mark.parametrize("said", ["", "~", "~hi", "~ 1", "buy ~" + "a" * 22, "~" + "a" * 22 + "b"])
def test_what_is_no_token_is_what_it_is(said: str) -> None:
    assert not is_token(said)
    assert pressed(said) == (said, "")
