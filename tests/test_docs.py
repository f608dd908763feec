"""README is true: what it names exists, what exists is named, and its examples run."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bridge.channels import registry
from bridge.cli import main
from bridge.cli.channels import ticked
from bridge.cli.matrix import matrix
from bridge.cli.table import markdown
from bridge.config import Settings, load
from bridge.config.models import Integration
from bridge.metrics import PREFIX, Metrics

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
MARKERS = ("<!-- channels -->", "<!-- /channels -->")
TICKED = set(re.findall(r"`([^`\n]+)`", README))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    assert isinstance(main, click.Group)
    return sorted(main.commands)


@pytest.mark.parametrize("command", commands())
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"| `moveo-bridge {command}` |" in README


def test_the_readme_names_no_command_that_is_not_there() -> None:
    named = set(re.findall(r"(?m)(?:^|[`/])moveo-bridge ([a-z-]+)", README))
    assert named - set(commands()) == set()


def settings() -> list[tuple[str, str]]:
    tables = {
        f"[{name}]": field.annotation
        for name, field in Settings.model_fields.items()
        if name != "integrations"
    }
    keys = [(table, key) for table, model in tables.items() for key in model.model_fields]  # type: ignore[union-attr]
    own = [key for key in Integration.model_fields if key not in ("name", "extra")]
    return keys + [("[integrations.NAME]", key) for key in own]


@pytest.mark.parametrize(("table", "key"), settings(), ids="".join)
def test_every_setting_is_in_the_readme(table: str, key: str) -> None:
    [row] = [line for line in README.splitlines() if line.startswith(f"| `{table}` |")]
    assert f"`{key}`" in row


@pytest.mark.parametrize("kind", sorted(registry.installed()))
def test_every_channel_and_its_settings_are_in_the_readme(kind: str) -> None:
    [row] = [line for line in README.splitlines() if line.startswith(f"| `{kind}` |")]
    fields: tuple[str, ...] = getattr(getattr(registry.load(kind), "Settings", None), "__struct_fields__", ())
    assert [field for field in fields if f"`{field}`" not in row] == []


def test_the_matrix_of_channels_is_what_the_code_gives() -> None:
    """UPDATE_GOLDEN=1 writes it anew."""
    shown = {kind: matrix(registry.placeholder(kind).capabilities) for kind in sorted(registry.BUILT_IN)}
    written = f"{MARKERS[0]}\n{markdown(*ticked(shown))}\n{MARKERS[1]}"
    before, _, rest = README.partition(MARKERS[0])
    if os.environ.get("UPDATE_GOLDEN"):
        (ROOT / "README.md").write_text(before + written + rest.partition(MARKERS[1])[2])
    elif written not in README:
        pytest.fail(
            "README.md has another matrix than the code; write it anew and read the difference:\n"
            "    UPDATE_GOLDEN=1 pytest tests/test_docs.py -k matrix && git diff README.md"
        )


async def test_every_metric_is_in_the_readme() -> None:
    exposed = (await Metrics().render([])).decode()
    families = {family.name for family in text_string_to_metric_families(exposed)}
    ours = {name for name in families if name.startswith(PREFIX)}
    assert [name for name in ours if name not in TICKED and f"{name}_total" not in TICKED] == []


async def test_the_readme_names_no_metric_that_is_not_there() -> None:
    exposed = (await Metrics().render([])).decode()
    source = (ROOT / "bridge/metrics.py").read_text()  # the queues' gauges are there only with queues
    for name in (word for word in TICKED if re.fullmatch(rf"{PREFIX}_\w+", word)):
        short = name.removeprefix(f"{PREFIX}_")
        assert name.removesuffix("_total") in exposed or f"}}_{short}" in source, name


def test_the_settings_example_is_valid(tmp_path: Path) -> None:
    [example] = blocks("toml")
    (tmp_path / "bridge.toml").write_text(example)
    secrets = dict.fromkeys(re.findall(r"\$\{(\w+)\}", example), "s")
    loaded = load(tmp_path / "bridge.toml", secrets)
    registry.build("telegram", loaded.integrations["support"].extra)
    assert tomllib.loads(example)["integrations"].keys() == loaded.integrations.keys()


def test_the_channel_of_the_readme_keeps_the_contract() -> None:
    channel, proof = blocks("python")
    names: dict[str, Any] = {}
    exec(channel + proof, names)  # noqa: S102 -- the README is ours
    names["test_the_pager_keeps_the_contract"]()


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_every_link_into_the_tree_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
