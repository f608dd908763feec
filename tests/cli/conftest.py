"""Commands as a person runs them: in an empty folder, with nothing of the tester's own settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.cli import main

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("BRIDGE_") or name == "REDIS_URL":
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run() -> Run:
    """run("status", "--json", env={...}, input=...): what came out, and the exit code."""

    def run(*arguments: str, env: dict[str, str] | None = None, input: str | bytes | None = None) -> Result:  # noqa: A002
        result = CliRunner().invoke(main, arguments, input=input, env=env, prog_name="moveo-bridge")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception  # a person would have seen a traceback
        return result

    return run
