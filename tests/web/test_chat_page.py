"""The page: a policy that lets nothing in, files that are plain and safe, settings that cannot break out."""

from __future__ import annotations

import re

import pytest

from bridge.channels.webchat import WebChatSettings
from bridge.web import page

SCRIPTS = {name: file.body.decode() for name, file in page.files().items() if name.endswith(".js")}


def test_the_policy_runs_nothing_but_the_pages_own_files() -> None:
    policy = dict(part.split(" ", 1) for part in page.policy(WebChatSettings(), loopback=False).split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self'"
    assert "http:" not in f"{policy} ".replace("https:", "")


def test_plain_http_is_for_a_page_on_this_machine_only() -> None:
    assert "img-src 'self' https: http:" in page.policy(WebChatSettings(), loopback=True)


def test_sites_that_may_embed_are_named_in_the_policy() -> None:
    settings = WebChatSettings(origins=("https://shop.example", "https://www.shop.example"))
    assert "frame-ancestors 'self' https://shop.example https://www.shop.example;" in page.policy(
        settings, loopback=False
    )


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1:8080", True), ("localhost:1", True), ("[::1]:8080", True), ("chat.example", False),
     ("127.0.0.1.evil.example", False), ("", False), ("[::1", False), ("[]", False), ("a:b:c", False)],
)  # fmt: skip
def test_loopback(host: str, expected: bool) -> None:
    assert page.is_loopback(host) is expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://chat.example", True),
        ("https://shop.example", True),
        ("https://evil.example", False),
        ("https://chat.example.evil.example", False),
        ("null", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_only_the_page_and_its_sites_speak(origin: str, expected: bool) -> None:
    settings = WebChatSettings(origins=("https://shop.example",))
    assert page.same_site(origin, "chat.example", settings) is expected


def test_no_host_is_no_site() -> None:
    assert not page.same_site("null", "", WebChatSettings())


def test_settings_stay_inside_their_attributes() -> None:
    evil = '"><script>alert(1)</script>'
    settings = WebChatSettings(title=evil, subtitle=evil, greeting=evil, starters=(evil, "$title"))
    made = page.page("support", settings, "v1", loopback=False).decode()
    assert "<script>alert" not in made
    assert made.count("<script ") == 1


def test_the_version_follows_the_files() -> None:
    found = page.files()
    changed = found | {"app.js": page.File(b"other", "text/javascript")}
    assert page.version(found) == page.version(page.files()) != page.version(changed)


def test_the_page_loads_only_files_that_are_there() -> None:
    made = page.page("support", WebChatSettings(), "v1", loopback=False).decode()
    asked = set(re.findall(r"support/static/v1/([\w.]+)", made))
    for source in SCRIPTS.values():
        asked |= set(re.findall(r'from "\./([\w.]+)"', source))
    assert asked <= set(page.files())
    assert asked >= set(page.files()) - {"embed.js"}


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_no_script_parses_markup_or_code(name: str) -> None:
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|srcdoc"
    )
    assert not re.search(forbidden, SCRIPTS[name])


@pytest.mark.parametrize("name", sorted(page.files()))
def test_no_file_loads_anything_from_elsewhere(name: str) -> None:
    text = page.files()[name].body.decode()
    assert set(re.findall(r"https?://[\w.]+", text)) <= {
        "http://www.w3.org",
        "https://bridge.example",
        "https://a.example",
    }
