"""README is true: what it names exists, what exists is named, and its examples run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

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
    assert f"(deploy/channels/{kind}.md)" in row
    assert (ROOT / "deploy" / "channels" / f"{kind}.md").is_file()


def test_the_matrix_of_channels_is_what_the_code_gives() -> None:
    """UPDATE_GOLDEN=1 writes it anew."""
    shown = {kind: matrix(registry.placeholder(kind).capabilities) for kind in sorted(registry.BUILT_IN)}
    written = f"{MARKERS[0]}\n{markdown(*ticked(shown))}\n{MARKERS[1]}"
    if os.environ.get("UPDATE_GOLDEN"):
        before, _, rest = (ROOT / "README.md").read_text().partition(MARKERS[0])
        (ROOT / "README.md").write_text(before + written + rest.partition(MARKERS[1])[2])
    elif written not in README:
        pytest.fail(
            "README.md has another matrix than the code; write it anew and read the difference:\n"
            "    UPDATE_GOLDEN=1 pytest tests/test_docs.py -k matrix && git diff README.md"
        )


async def exposed_metrics() -> str:
    """As ingress shows them, with a spool."""
    metrics = Metrics()
    metrics.watch_spool(SimpleNamespace(events=0, size=0, oldest_at=None))
    return (await metrics.render([])).decode()


async def test_every_metric_is_in_the_readme() -> None:
    exposed = await exposed_metrics()
    families = {family.name for family in text_string_to_metric_families(exposed)}
    ours = {name for name in families if name.startswith(PREFIX)}
    assert [name for name in ours if name not in TICKED and f"{name}_total" not in TICKED] == []


async def test_the_readme_names_no_metric_that_is_not_there() -> None:
    exposed = await exposed_metrics()
    source = (ROOT / "bridge/metrics.py").read_text()  # the queues' gauges are there only with queues
    for name in (word for word in TICKED if re.fullmatch(rf"{PREFIX}_\w+", word)):
        short = name.removeprefix(f"{PREFIX}_")
        assert name.removesuffix("_total") in exposed or f"}}_{short}" in source, name


def test_the_settings_example_is_valid(tmp_path: Path) -> None:
    example, _ = blocks("toml")
    (tmp_path / "bridge.toml").write_text(example)
    secrets = dict.fromkeys(re.findall(r"\$\{(\w+)\}", example), "s")
    loaded = load(tmp_path / "bridge.toml", secrets)
    registry.build("telegram", loaded.integrations["support"].extra)
    assert tomllib.loads(example)["integrations"].keys() == loaded.integrations.keys()


# ---- the tutorial: writing a channel -----------------------------------------------------------------------

EVENT = {
    "event_type": "message:brain_send",
    "external_session_id": "42",
    "output": {"responses": [{"type": "image", "url": "https://example.com/hills.png", "name": "Hills"}]},
}


def shell(script: str, folder: Path, stdin: str = "") -> str:
    """What the script prints; it has to succeed, in that folder, with the commands of this environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder, env=environ | {"PATH": path}, input=stdin, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def changed(text: str, difference: str) -> str:
    """The text with the difference applied; each part of it has to fit in one place."""
    for part in difference.split("@@\n"):
        lines = part.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        assert text.count(old) == 1, old
        text = text.replace(old, "".join(line[1:] for line in lines if line[0] in " +"))
    return text


def test_the_tutorial_works_as_it_is_written(tmp_path: Path) -> None:
    [begin] = [block for block in blocks("sh") if "new-channel" in block]
    out = shell(begin, tmp_path)
    assert " passed" in out
    rendered = json.loads(out.splitlines()[-1])
    assert rendered["steps"][0]["call"]["body"]["text"].startswith("This chat has ended")

    [shown] = blocks("python")
    file = tmp_path / "pager.py"
    assert file.read_text().endswith(f"\n\n\n{shown}")

    _, configured = blocks("toml")
    assert configured in out, "the command says what the README says"
    (tmp_path / "bridge.toml").write_text(configured)
    render = "moveo-bridge render - --integration pager"
    secrets = "export MOVEO_SECRET=s PAGER_TOKEN=t; "
    before = json.loads(shell(secrets + render, tmp_path, json.dumps(EVENT)))
    assert [step["call"]["op"] for step in before["steps"]] == ["messages"]
    assert before["losses"] == [{"content": "image", "lost": "the image itself", "shown": "a link to it"}]

    [difference] = blocks("diff")
    file.write_text(changed(file.read_text(), difference))
    assert " passed" in shell("python -m pytest test_pager.py", tmp_path)
    after = json.loads(shell(secrets + render, tmp_path, json.dumps(EVENT)))
    assert [step["call"]["body"] for step in after["steps"]] == [
        {"to": "42", "url": "https://example.com/hills.png", "text": "Hills"}
    ]
    assert after["losses"] == []


@pytest.mark.parametrize("test", sorted(set(re.findall(r"`(tests/[^`]+\.py)`", README))))
def test_every_test_that_the_readme_names_is_there(test: str) -> None:
    assert (ROOT / test).is_file()


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_every_link_into_the_tree_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
