"""What a file is: by its bytes where it is shown, by a short list of names where it is only given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.emulator.files import MEDIA
from bridge.web.kinds import HEAD, SHOWN, UNKNOWN, kind_of
from tests.browser import media

HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
EBML = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81"


@pytest.mark.parametrize(
    ("head", "told", "found"),
    [
        pytest.param(media.png(8, 8), "", "image/png", id="png"),
        pytest.param(media.png(8, 8), "text/html", "image/png", id="png told to be HTML"),
        pytest.param(b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg", "image/jpeg", id="jpeg"),
        pytest.param(b"GIF89a\x01\x00", "", "image/gif", id="gif"),
        pytest.param(b"RIFF\x24\x00\x00\x00WEBPVP8 ", "", "image/webp", id="webp"),
        pytest.param(b"\x00\x00\x00\x1cftypavif\x00", "", "image/avif", id="avif"),
        pytest.param(b"\x00\x00\x00\x18ftypheic\x00", "image/heic", "image/heic", id="heic"),
        pytest.param(b"\x00\x00\x00\x18ftypmp42\x00", "", "video/mp4", id="mp4"),
        pytest.param(b"\x00\x00\x00\x18ftypqt  \x00", "", "video/quicktime", id="mov"),
        pytest.param(b"\x00\x00\x00\x18ftypM4A \x00", "", "audio/mp4", id="m4a"),
        pytest.param(b"\x00\x00\x00\x18ftypmp42\x00", "audio/mp4", "audio/mp4", id="a sound in an mp4"),
        pytest.param(EBML, "video/webm;codecs=vp8", "video/webm", id="webm"),
        pytest.param(EBML, "audio/webm", "audio/webm", id="a recorded voice"),
        pytest.param(EBML, "text/html", "audio/webm", id="webm told to be HTML"),
        pytest.param(b"OggS\x00\x02", "", "audio/ogg", id="ogg"),
        pytest.param(b"ID3\x04\x00", "", "audio/mpeg", id="mp3 with a tag"),
        pytest.param(b"\xff\xfb\x90\x64", "", "audio/mpeg", id="mp3"),
        pytest.param(b"\xff\xf1\x50\x80", "", "audio/aac", id="aac"),
        pytest.param(b"fLaC\x00", "", "audio/flac", id="flac"),
        pytest.param(media.wav(0.01), "audio/x-wav", "audio/wav", id="wav"),
        pytest.param(b"%PDF-1.7", "", "application/pdf", id="pdf"),
        pytest.param(b"%PDF-1.7", "image/png", "application/pdf", id="pdf told to be a picture"),
        pytest.param(b"a,b\n1,2\n", "text/csv; charset=utf-8", "text/csv", id="csv"),
        pytest.param(b"\xff\xfeh\x00i\x00", "text/plain", "text/plain", id="text in UTF-16"),
        pytest.param(b"PK\x03\x04", "application/zip", "application/zip", id="zip"),
        pytest.param(HTML, "text/html", UNKNOWN, id="HTML"),
        pytest.param(HTML, "image/png", UNKNOWN, id="HTML told to be a picture"),
        pytest.param(HTML, "text/plain", "text/plain", id="HTML told to be a text"),
        pytest.param(SVG, "image/svg+xml", UNKNOWN, id="SVG"),
        pytest.param(b"<?xml version='1.0'?>", "application/xhtml+xml", UNKNOWN, id="XHTML"),
        pytest.param(b"%PDF", "application/pdf", UNKNOWN, id="no PDF"),
        pytest.param(b"anything", "no type", UNKNOWN, id="told nothing"),
        pytest.param(b"", "", UNKNOWN, id="nothing"),
    ],
)
def test_kind_of(head: bytes, told: str, found: str) -> None:
    assert kind_of(head, told) == found


@pytest.mark.parametrize(
    ("name", "found"),
    [("hills.png", "image/png"), ("sunrise.mp4", "video/mp4"), ("chime.wav", "audio/wav"),
     ("guide.pdf", "application/pdf"), ("form.html", UNKNOWN)],
)  # fmt: skip
def test_real_files_are_known_whatever_they_are_told_to_be(name: str, found: str) -> None:
    head = (MEDIA / name).read_bytes()[:HEAD]
    assert {kind_of(head, told) for told in ("", "text/html", "image/svg+xml", "what/ever")} == {found}


@given(st.binary(max_size=40), st.sampled_from(sorted(SHOWN)))
def test_a_word_alone_shows_nothing(rest: bytes, told: str) -> None:
    assert kind_of(b"<" + rest, told) not in SHOWN or rest[3:7] == b"ftyp"


def test_nothing_that_is_shown_runs_anything() -> None:
    assert {kind.partition("/")[0] for kind in SHOWN} == {"image", "audio", "video"}
    assert not any("xml" in kind for kind in SHOWN)
