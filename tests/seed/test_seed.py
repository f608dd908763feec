"""The seed page is cut completely: no payload of it is missing from the tests."""

from __future__ import annotations

import json

from tests.seed import PAGE, blocks, payloads


def test_every_payload_of_the_page_is_cut() -> None:
    """11 events and 8 response objects (the page shows none for a pause)."""
    found = blocks(PAGE.read_text())
    assert [("event_type" in block) for block in found].count(True) == 11
    assert len(found) == 19


def test_nothing_json_is_left_on_the_page() -> None:
    """Written the page's way, each block stands on it verbatim; without them no brace and no key is left."""
    page = PAGE.read_text()
    for block in blocks(page):
        written = json.dumps(block, indent=0, ensure_ascii=False)
        assert written in page
        page = page.replace(written, "", 1)
    assert "{" not in page
    assert '":' not in page


def test_names_tell_payloads_apart() -> None:
    names = [payload.name for payload in payloads()]
    assert len(set(names)) == 19


def test_responses_stand_in_the_pages_own_envelope() -> None:
    for payload in payloads():
        assert payload.data["session_id"] == "sess-456"
        assert payload.data["event_type"] == payload.name.split()[0]
