"""The wheel holds what is not Python too: a script or page left out would show only where it is installed."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("dist")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    [path] = folder.glob("moveo_bridge-*.whl")
    return zipfile.ZipFile(path)


def test_every_file_of_the_packages_is_in_it(wheel: zipfile.ZipFile) -> None:
    here = {
        path.relative_to(ROOT).as_posix()
        for package in ("bridge", "workers")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert inside == here


@pytest.mark.parametrize("package", ["bridge", "workers"])
def test_it_is_typed(wheel: zipfile.ZipFile, package: str) -> None:
    assert f"{package}/py.typed" in wheel.namelist()


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("bridge/queue/lua", ".lua"),
        ("bridge/web", ".html"),
        ("bridge/web", ".js"),
        ("bridge/emulator/media", ""),
        ("bridge/cli/templates", ".txt"),
    ],
)
def test_it_holds_more_than_python(wheel: zipfile.ZipFile, folder: str, kind: str) -> None:
    """Guards the test above against looking where nothing is."""
    found = [name for name in wheel.namelist() if name.startswith(f"{folder}/") and name.endswith(kind)]
    assert [name for name in found if not name.endswith(".py")]


def test_the_command_and_the_licence_are_in_it(wheel: zipfile.ZipFile) -> None:
    [info] = {name.partition("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert "moveo-bridge = bridge.cli:main" in wheel.read(f"{info}/entry_points.txt").decode()
    assert "MIT License" in wheel.read(f"{info}/licenses/LICENSE").decode()
