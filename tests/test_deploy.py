"""What deploy/ holds fits the code: every setting, every unit, every pinned version."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from pydantic import BaseModel

from bridge.channels import registry
from bridge.config import Integration, Settings, load
from bridge.embedded import DURABLE
from bridge.secret import Secret
from bridge.translate import DEFAULT_TEXTS

DEPLOY: Final = Path(__file__).parent.parent / "deploy"
FILE: Final = DEPLOY / "bridge.toml"
COMMENTED: Final = re.compile(r"^#(?=[\[\"a-z])", re.MULTILINE)
"""A setting that is commented out; prose has a space after its #."""
INTERNAL: Final = {"name", "extra"}


def everything() -> str:
    """The file with every setting in it switched on."""
    return COMMENTED.sub("", FILE.read_text("utf-8"))


def variables(text: str) -> dict[str, str]:
    """A value for each ${NAME} in the settings (not in the comments), in the form of a bot's token."""
    return {name: f"123456:{name:A<35}" for name in re.findall(r'= \[?"\$\{(\w+)\}"', text)}


def defaults(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            yield name, field.default


def test_the_file_is_valid_as_it_is() -> None:
    text = FILE.read_text("utf-8")
    settings = load(FILE, variables(text))
    assert list(settings.integrations) == ["support"]
    assert settings == load(FILE, variables(text) | {"BRIDGE_INGRESS__PORT": "8080"}), (
        "its values are the defaults"
    )


def test_the_file_is_valid_with_everything_in_it(tmp_path: Path) -> None:
    path = tmp_path / "bridge.toml"
    path.write_text(everything(), "utf-8")
    settings = load(path, variables(everything()))
    for integration in settings.integrations.values():
        registry.build(integration.channel, integration.extra)
    assert {integration.channel for integration in settings.integrations.values()} == set(registry.BUILT_IN)


@pytest.mark.parametrize("section", [name for name in Settings.model_fields if name != "integrations"])
def test_every_setting_is_in_it_at_its_default(section: str) -> None:
    model = Settings.model_fields[section].annotation
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    written = tomllib.loads(everything())[section]
    assert set(written) == {name for name, _ in defaults(model)}
    for name, default in defaults(model):
        if default is not None:
            assert written[name] == (list(default) if isinstance(default, tuple) else default), name


def test_every_setting_of_an_integration_is_in_it_at_its_default() -> None:
    support = tomllib.loads(everything())["integrations"]["support"]
    assert set(Integration.model_fields) - INTERNAL - set(support) == set()
    for name, default in defaults(Integration):
        if isinstance(default, bool | int | float | str) and support[name] != "${MOVEO_INTEGRATION_ID}":
            assert support[name] == default, name
    assert support["texts"] == dict(DEFAULT_TEXTS)


@pytest.mark.parametrize("kind", sorted(registry.BUILT_IN))
def test_every_setting_of_a_channel_is_in_it_at_its_default(kind: str) -> None:
    [table] = [
        table for table in tomllib.loads(everything())["integrations"].values() if table["channel"] == kind
    ]
    declared = getattr(registry.load(kind), "Settings", None)
    fields = msgspec.structs.fields(declared) if declared else ()
    written = table.get(registry.load(kind).name, {})
    assert set(written) == {field.encode_name for field in fields}
    for field in fields:
        if not field.required and Secret not in getattr(field.type, "__args__", ()):
            default = list(field.default) if isinstance(field.default, tuple) else field.default
            assert written[field.encode_name] == default, field.name


def test_compose_starts_a_server_that_keeps_the_promise() -> None:
    compose = (DEPLOY / "compose.yaml").read_text("utf-8")
    command = compose.partition("    command:\n")[2].partition("    volumes:")[0]
    words = [line.strip().removeprefix("- ").strip('"') for line in command.splitlines()]
    assert words == ["valkey-server", *DURABLE]


@pytest.mark.skipif(
    not shutil.which("docker")
    or subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0,
    reason="no docker compose",
)
def test_compose_understands_its_file(tmp_path: Path) -> None:
    (tmp_path / ".env").touch()
    command = ["docker", "compose", "-f", str(DEPLOY / "compose.yaml"), "--project-directory", str(tmp_path)]
    subprocess.run([*command, "config", "--quiet"], check=True)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """As they are, but for the program, which is not installed here."""
    units = []
    for unit in (DEPLOY / "systemd").iterdir():
        units.append(tmp_path / unit.name.replace("@.", "@9465."))
        units[-1].write_text(unit.read_text().replace("/opt/moveo-bridge/bin/moveo-bridge", "/bin/true"))
    assert len(units) == 2
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_units_differ_only_in_what_they_run() -> None:
    """Both processes are locked in alike; only ingress has files of its own (the spool)."""

    def directives(name: str) -> set[str]:
        lines = (DEPLOY / "systemd" / name).read_text("utf-8").splitlines()
        return {line for line in lines if "=" in line and not line.startswith("#")}

    ingress, worker = directives("moveo-bridge-ingress.service"), directives("moveo-bridge-worker@.service")
    assert {line.partition("=")[0] for line in ingress ^ worker} <= {
        "Description", "Environment", "ExecStart", "StateDirectory", "StateDirectoryMode", "WorkingDirectory",
    }  # fmt: skip
    assert {
        "DynamicUser=yes",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "UMask=0077",
    } <= ingress & worker


def test_the_pinned_versions_are_those_the_package_allows() -> None:
    pinned = {}
    for line in (DEPLOY / "constraints.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            name, _, version = line.partition("==")
            pinned[_normal(name)] = Version(version)
    wanted = [Requirement(each) for each in requires("moveo-bridge") or ()]
    for extra in ("", "demo", "discord", "fast", "googlechat", "teams"):
        for requirement in wanted:
            if (requirement.marker is None) == (extra == "") and (
                requirement.marker is None or requirement.marker.evaluate({"extra": extra})
            ):
                assert requirement.specifier.contains(pinned[_normal(requirement.name)]), str(requirement)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
