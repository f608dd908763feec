"""Only a link that opens what it seems to open becomes one."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.channels.links import belongs, place
from bridge.channels.text import link


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://localhost:8080/x",
        "https://example.com/a?b=c&d=%20e#f",
        "https://xn--hxajbheg2az3al.gr/",
        "http://[2001:db8::1]:80/x",
        "mailto:shop@example.com",
        "mailto:shop@example.com?subject=hi",
        "tel:+302101234567",
    ],
)
def test_a_good_link_stays_as_it_is(url: str) -> None:
    assert link(url) == url


@pytest.mark.parametrize(
    ("url", "better"),
    [
        ("  https://example.com\n", "https://example.com"),
        ("HTTPS://example.com/X", "https://example.com/X"),
        ("https://example.com/a file.pdf", "https://example.com/a%20file.pdf"),
        ("https://example.com/50%", "https://example.com/50%25"),
        ("https://example.com/?q=\"<'>|", "https://example.com/?q=%22%3C'%3E%7C"),
        ("https://παράδειγμα.gr/τιμή", "https://xn--hxajbheg2az3al.gr/%CF%84%CE%B9%CE%BC%CE%AE"),
        ("tel: +30 210 123-4567", "tel:+30210123-4567"),
        ("MAILTO:a@b.example?subject=so long", "mailto:a@b.example?subject=so%20long"),
    ],
)
def test_what_is_wrong_harmlessly_is_put_right(url: str, better: str) -> None:
    assert link(url) == better
    assert link(better) == better


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "example.com",
        "/relative",
        "//example.com",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://example.com",
        "vbscript:x",
        "https:",
        "https://",
        "https:///path",
        "https:example.com",
        "https:/example.com",
        "https://user@example.com",
        "https://example.com:pass@evil.example",
        "https://example.com\\@evil.example",
        "https:\\\\example.com",
        "https://exa mple.com",
        f"https://{'é.' * 200}example.com",
        "https://exam\nple.com",
        "https://example.com:port",
        "https://example.com:70000",
        "https://[::1",
        "https://[no-address]",
        "https://a..b",
        "https://-a.example",
        "https://%65vil.example",
        "https://" + "a" * 300 + ".example",
        "https://\ud800.example",
        "mailto:",
        "mailto:nobody",
        "mailto:a@b@c",
        "tel:",
        "tel:call me",
    ],
)
def test_anything_else_is_no_link(url: str) -> None:
    assert link(url) is None


@given(st.one_of(st.text(), st.text().map("https://".__add__), st.text().map("https://example.com/".__add__)))
def test_a_link_is_an_ascii_uri_and_final(url: str) -> None:
    found = link(url)
    if found is None:
        return
    assert found.isascii()
    assert found.isprintable()
    assert " " not in found
    assert link(found) == found
    assert urlsplit(found).scheme in ("http", "https", "mailto", "tel")
    assert "@" not in urlsplit(found).netloc


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(37.98, 23.73), (-33.86, 151.2), (0.0, -0.0), (1e-05, 179.99)], ids=str
)
def test_a_place_is_a_link(latitude: float, longitude: float) -> None:
    address = place(latitude, longitude)
    assert link(address) == address == f"https://maps.google.com/?q={latitude},{longitude}"


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("https://files.slack.com/a", True),
        ("https://slack.com/a", True),
        ("http://127.0.0.1:8080/files/a", True),
        ("http://files.slack.com/a", False),
        ("https://notslack.com/a", False),
        ("https://slack.com.evil.example/a", False),
        ("https://slack.com:444/a", False),
        ("https://127.0.0.1:8080/a", False),
        ("http://127.0.0.1:8081/a", False),
    ],
)
def test_a_secret_is_shown_to_the_platform_alone(address: str, ours: bool) -> None:
    assert belongs(address, "http://127.0.0.1:8080/api", "slack.com") is ours
