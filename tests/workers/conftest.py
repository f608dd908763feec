"""Logging as in production: at info, so that a test's own output stays readable."""

from __future__ import annotations

import pytest

from bridge.config import LogConfig
from bridge.log import configure


@pytest.fixture(autouse=True, scope="package")
def _log() -> None:
    configure(LogConfig(level="info", format="console"))
