"""`new-channel`: what it writes works as it is, under any name, and nothing is overwritten."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.channels import registry
from bridge.config import load
from bridge.testing import check_channel
from tests.cli.conftest import Run

SECRETS = {"MOVEO_SECRET": "s", "NIGHT_PAGER_TOKEN": "s3cret"}


@pytest.fixture(autouse=True)
def _imports_nothing_for_good(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test imports from its folder is forgotten after it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("night_pager", None)


def test_what_it_writes_passes_its_own_test_in_an_empty_folder(run: Run, folder: Path) -> None:
    result = run("new-channel", "night_pager")
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["night_pager.py", "test_night_pager.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error"],
        cwd=folder, env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout


def test_what_it_says_comes_next_works(run: Run, folder: Path) -> None:
    said = run("new-channel", "night_pager").stdout
    assert "python -m pytest test_night_pager.py" in said
    (folder / "bridge.toml").write_text(said[said.index("[integrations.") :])
    settings = load(folder / "bridge.toml", SECRETS)
    integration = settings.integrations["night_pager"]
    check_channel(registry.build(integration.channel, integration.extra), secrets=["s3cret"])

    assert "render event.json --channel night_pager:NightPager" in said
    event = {"event_type": "session:expired", "external_session_id": "42"}
    rendered = run("render", "-", "--channel", "night_pager:NightPager", input=json.dumps(event))
    [step] = json.loads(rendered.stdout)["steps"]
    assert step["call"]["body"]["to"] == "42"
    assert step["call"]["headers"]["authorization"] == "Bearer ***"


def test_another_folder_is_made_and_named(run: Run, folder: Path) -> None:
    said = run("new-channel", "night_pager", "--folder", "my/channels").stdout
    assert "cd my/channels" in said
    assert {path.name for path in (folder / "my/channels").iterdir()} == {
        "night_pager.py", "test_night_pager.py",
    }  # fmt: skip


@pytest.mark.parametrize("there", ["night_pager.py", "test_night_pager.py"])
def test_nothing_is_overwritten(run: Run, folder: Path, there: str) -> None:
    (folder / there).write_text("mine")
    result = run("new-channel", "night_pager")
    assert result.exit_code == 1
    assert result.stderr == f"moveo-bridge: {there} is there already: choose another name or --folder\n"
    assert [path.read_text() for path in folder.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        pytest.param("telegram", 2, "there is a channel 'telegram' already", id="built in"),
        pytest.param("json", 1, "Python has a module 'json' already", id="a module"),
        pytest.param("Pager", 2, "has to be a word", id="capitals"),
        pytest.param("night-pager", 2, "has to be a word", id="hyphen"),
        pytest.param("2nd", 2, "has to be a word", id="digit first"),
        pytest.param("class", 2, "has to be a word", id="keyword"),
        pytest.param("../pager", 2, "has to be a word", id="path"),
        pytest.param("p" * 33, 2, "has to be a word", id="too long"),
    ],
)
def test_a_name_that_cannot_be(run: Run, folder: Path, name: str, code: int, reason: str) -> None:
    result = run("new-channel", name)
    assert result.exit_code == code
    assert reason in result.stderr
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_is_one_line(run: Run, folder: Path) -> None:
    (folder / "file").write_text("")
    result = run("new-channel", "night_pager", "--folder", "file/inside")
    assert result.exit_code == 1
    assert result.stderr == "moveo-bridge: file/inside: cannot be written: Not a directory\n"
