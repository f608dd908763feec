"""MIME types as platforms write them."""

from __future__ import annotations

import pytest

from bridge.channels.mime import kind, mime_type


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("image/png", "image/png"),
        (" Audio/OGG; codecs=opus", "audio/ogg"),
        ("application/vnd.ms-excel", "application/vnd.ms-excel"),
        ("", ""),
        ("png", ""),
        ("image/", ""),
        ("image/png\r\nx: y", ""),
        ("a/b/c", ""),
        ("image/ä", ""),
        ("x" * 65 + "/x", ""),
    ],
)
def test_a_type_is_bare(said: str, found: str) -> None:
    assert mime_type(said) == found


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("image/png", "image"),
        ("image/svg+xml", "file"),
        ("video/mp4", "video"),
        ("audio/ogg", "audio"),
        ("application/pdf", "file"),
        ("imagery/x", "file"),
        ("", "file"),
    ],
)
def test_a_file_is_shown_as_what_it_is(said: str, found: str) -> None:
    assert kind(said) == found
