"""The command as a whole: help that teaches, errors of one line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bridge import __version__
from bridge.cli import main
from tests.cli.conftest import Run

PROMISED = {
    "demo", "ingress", "worker", "emulator", "trigger", "render", "status", "channels", "new-channel",
    "check", "connect", "sessions", "dead", "resume",
}  # fmt: skip
HEAVY = (
    "aiohttp",
    "redis",
    "arq",
    "pydantic",
    "structlog",
    "prometheus_client",
    "bridge.config",
    "bridge.queue",
)


def commands(
    group: click.Group = main, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


EVERY = [pytest.param(path, command, id=" ".join(path)) for path, command in commands()]


def test_every_promised_command_is_there(run: Run) -> None:
    assert set(main.commands) == PROMISED
    helped = run("--help").stdout
    assert all(f"\n  {name} " in helped for name in PROMISED)


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_help_has_an_example_and_says_what_it_does_on_one_line(
    run: Run, path: tuple[str, ...], command: click.Command
) -> None:
    helped = run(*path, "--help").stdout
    assert "Example:" in helped
    assert f"moveo-bridge {path[0]}" in helped.partition("Example:")[2]
    assert not command.get_short_help_str(limit=62).endswith("..."), "cut off in the list of commands"


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_every_option_shows_its_variable_and_obeys_it(
    run: Run, path: tuple[str, ...], command: click.Command
) -> None:
    helped = "".join(run(*path, "--help").stdout.split())
    parent = click.Context(main, info_name="moveo-bridge", auto_envvar_prefix="BRIDGE")
    for name in path[:-1]:
        parent = click.Context(main.commands[name], parent, info_name=name)
    context = click.Context(command, parent, info_name=path[-1])
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            variable = parameter.envvar or f"{context.auto_envvar_prefix}_{str(parameter.name).upper()}"
            assert f"envvar:{variable}" in helped, parameter.name
            flag = parameter.opts[-1].removeprefix("--").replace("-", "_").upper()
            assert str(variable).endswith(flag), "the variable is called after the option"


def test_an_option_can_be_given_by_its_variable(run: Run) -> None:
    result = run(
        "render", "-", env={"BRIDGE_RENDER_CHANNEL": "console"}, input='{"event_type": "session:expired"}'
    )
    assert result.exit_code == 0, result.stderr
    assert "stdout:" in result.stdout


def test_version(run: Run) -> None:
    assert run("--version").stdout == f"moveo-bridge {__version__}\n"


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bridge", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"moveo-bridge {__version__}\n"


def test_help_imports_nothing_that_takes_time() -> None:
    script = (
        "import sys; from bridge.cli import main; main(['demo', '--help'], standalone_mode=False); "
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        pytest.param(
            "[ingress]\nprot = 1\n",
            'moveo-bridge: ingress.prot: unknown key: did you mean "port"?',
            id="unknown key",
        ),
        pytest.param("[ingress\n", "moveo-bridge: bridge.toml: is not valid TOML", id="no TOML"),
        pytest.param("", "moveo-bridge: integrations: none is configured", id="no integration"),
    ],
)
@pytest.mark.parametrize("command", ["ingress", "worker"])
def test_a_wrong_setting_is_one_line_and_exit_code_2(
    run: Run, folder: Path, command: str, settings: str, line: str
) -> None:
    (folder / "bridge.toml").write_text(settings)
    result = run(command)
    assert result.exit_code == 2
    assert result.stderr.startswith(line)
    assert result.stderr.count("\n") == 1


def test_every_wrong_setting_has_its_line(run: Run, folder: Path) -> None:
    (folder / "bridge.toml").write_text('[ingress]\nport = "x"\n[worker]\nconcurrency = 0\n')
    result = run("ingress")
    assert result.exit_code == 2
    assert [line.split(":")[1].strip() for line in result.stderr.splitlines()] == [
        "ingress.port",
        "worker.concurrency",
    ]


def test_an_option_over_a_setting_is_checked_like_the_setting(run: Run) -> None:
    result = run("worker", "--concurrency", "none")
    assert result.exit_code == 2
    assert "worker.concurrency (from BRIDGE_WORKER__CONCURRENCY)" in result.stderr


def test_a_settings_file_that_is_not_there_is_named(run: Run) -> None:
    result = run("--config", "none.toml", "status")
    assert result.exit_code == 2
    assert result.stderr == "moveo-bridge: none.toml: cannot be read: No such file or directory\n"


@pytest.mark.parametrize(
    ("arguments", "variable", "read"),
    [
        pytest.param(["-c", "a.toml", "ingress"], None, "a", id="before the command"),
        pytest.param(["ingress", "-c", "a.toml"], None, "a", id="after the command"),
        pytest.param(["-c", "a.toml", "ingress", "-c", "b.toml"], None, "b", id="the later one wins"),
        pytest.param(["ingress"], "a.toml", "a", id="variable"),
        pytest.param(["-c", "b.toml", "ingress"], "a.toml", "b", id="before, over the variable"),
        pytest.param(["ingress", "-c", "b.toml"], "a.toml", "b", id="after, over the variable"),
        pytest.param(["ingress"], None, "bridge", id="the default"),
    ],
)
def test_which_settings_file_is_read(
    run: Run, folder: Path, arguments: list[str], variable: str | None, read: str
) -> None:
    for name in ("a", "b", "bridge"):
        (folder / f"{name}.toml").write_text(f"[{name}]\n")
    result = run(*arguments, env={"BRIDGE_CONFIG": variable} if variable else None)
    assert result.stderr.startswith(f"moveo-bridge: {read}: unknown key")


@pytest.mark.parametrize("command", [("status",), ("dead", "list"), ("resume", "support")], ids=" ".join)
def test_redis_that_cannot_be_reached_is_one_line_and_exit_code_1(
    run: Run, folder: Path, command: tuple[str, ...]
) -> None:
    (folder / "bridge.toml").write_text('[integrations.support]\nchannel = "console"\nsecrets = ["s"]\n')
    result = run(*command, env={"REDIS_URL": "redis://user:canary@127.0.0.1:1/0"})
    assert result.exit_code == 1
    assert result.stderr.startswith("moveo-bridge: Redis at redis://***@127.0.0.1:1/0: ")
    assert result.stderr.count("\n") == 1
    assert "canary" not in result.stderr
