"""Logging as in production: at info, so that a test's own output stays readable."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from bridge.config import LogConfig
from bridge.log import configure

AS_HERE = LogConfig(level="info", format="console")


@pytest.fixture(autouse=True, scope="package")
def _log() -> None:
    configure(AS_HERE)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What is logged by all that is made from now on; shown when the test fails."""
    stream = io.StringIO()
    configure(AS_HERE, stream)
    yield stream
    configure(AS_HERE)
    print(stream.getvalue())
