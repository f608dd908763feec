"""Every installed channel keeps the contract, and makes of every content what its golden file says.

After a change that is meant, write the files anew and read the difference:

    UPDATE_GOLDEN=1 pytest tests/channels/test_contract.py && git diff tests/channels/golden
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bridge.channels import Channel, registry
from bridge.testing import golden, problems

GOLDEN = Path(__file__).parent / "golden"
SECRET = "s3cret-of-this-test"
TABLES: dict[str, dict[str, Any]] = {
    "matrix": {
        "api_url": "https://matrix.example.org",
        "user_id": "@support:example.org",
        "token": SECRET,
        "hs_token": SECRET,
    },
    "slack": {"token": SECRET, "signing_secret": SECRET},
    "telegram": {"token": SECRET, "secret_token": SECRET},
}
"""Settings beyond what a channel requires."""


def made(kind: str) -> Channel:
    if kind in TABLES:
        return registry.build(kind, TABLES)
    return registry.placeholder(kind, secret=SECRET)


@pytest.mark.parametrize("kind", registry.BUILT_IN)
def test_keeps_the_contract(kind: str) -> None:
    assert problems(made(kind), secrets=[SECRET]) == []


@pytest.mark.parametrize("kind", registry.BUILT_IN)
def test_renders_as_the_golden_file_says(kind: str) -> None:
    file = GOLDEN / f"{kind}.jsonl"
    lines = golden(made(kind))
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(lines)
    assert lines.splitlines() == file.read_text().splitlines()


def test_there_is_no_golden_file_without_a_channel() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} == set(registry.BUILT_IN)
