"""The pages in deploy/channels are true: their settings are the channel's, and all of them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from bridge.channels import registry

PAGES = sorted((Path(__file__).parent.parent / "deploy" / "channels").glob("*.md"))
DUMMY = "0" * 64


def tables(page: Path) -> list[dict[str, object]]:
    """The channel's own table in each example; a secret's value is a word without a meaning."""
    found: list[dict[str, object]] = []
    for block in re.findall(r"^```toml\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        text = re.sub(r'"(\$\{\w+\}|file:[^"]*)"', f'"{DUMMY}"', block)
        integrations = tomllib.loads(text).get("integrations", {})
        found += [integration.get(page.stem, {}) for integration in integrations.values()]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_make_its_channel(page: Path) -> None:
    examples = tables(page)
    assert examples
    for table in examples:
        registry.build(page.stem, {page.stem: table} if table else {})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_every_setting_of_its_channel(page: Path) -> None:
    declared = getattr(registry.load(page.stem), "Settings", None)
    fields = {field.encode_name for field in msgspec.structs.fields(declared)} if declared else set()
    assert fields - {name for table in tables(page) for name in table} == set()
