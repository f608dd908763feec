"""What the commands share: options that show their environment variable, settings, and errors of one line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.core import ParameterSource

from bridge.errors import BridgeError, ConfigError

if TYPE_CHECKING:
    from bridge.config import Integration, Settings

F = TypeVar("F", bound=Callable[..., Any])

CONTEXT: Final = {
    "auto_envvar_prefix": "BRIDGE",
    "help_option_names": ["-h", "--help"],
    "max_content_width": 110,
    "show_default": True,
}
_CONFIG: Final = "bridge.config"
_AGO: Final = re.compile(r"(\d+)([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}

option = partial(click.option, show_envvar=True)


class Failure(click.ClickException):
    """What could not be done, a line each, on standard error."""

    def show(self, file: Any = None) -> None:
        for line in self.message.splitlines():
            click.echo(f"moveo-bridge: {line}", file=file, err=True)


class WrongSetting(Failure):
    exit_code = 2


class Commands(click.Group):
    """Commands in the order they were added; what the bridge raises on purpose becomes exit code and line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            raise WrongSetting(str(error)) from error
        except BridgeError as error:
            raise Failure(str(error)) from error


def _remember(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> None:
    """Keeps the path for `settings`: that after the command, else that before it, else the variable's."""
    source = ctx.get_parameter_source(parameter.name or "")
    if value is not None and (source is ParameterSource.COMMANDLINE or _CONFIG not in ctx.meta):
        ctx.meta[_CONFIG] = value


def config_option(command: F) -> F:
    """`--config`, before or after the command's name."""
    return option(
        "-c",
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="BRIDGE_CONFIG",
        expose_value=False,
        callback=_remember,
        help="The settings file; without it ./bridge.toml, if there is one.",
    )(command)


def settings(changes: Mapping[str, str | None] = {}, *, or_demo: bool = False) -> Settings:
    """The settings, with `changes` (variables of the environment, None: no change) over them.

    `or_demo`: when nothing at all is configured and the demo is running, its settings.
    """
    from bridge.config import load

    path: Path | None = click.get_current_context().meta.get(_CONFIG)
    environ = os.environ | {name: value for name, value in changes.items() if value is not None}
    if or_demo and path is None and (found := _of_demo(environ)):
        click.echo(f"nothing is configured here: using the running demo's {found}", err=True)
        path = found
    return load(path, environ)


def _of_demo(environ: Mapping[str, str]) -> Path | None:
    from bridge.config import DEFAULT_FILE
    from bridge.config.sources import variables
    from bridge.demo import default_folder, running

    if Path(DEFAULT_FILE).is_file() or any(variables(environ)):
        return None
    return running(default_folder())


def integration_of(found: Settings, name: str | None) -> Integration:
    """The integration of that name, or the only one. Raises ConfigError that lists those there are."""
    known = ", ".join(found.integrations)
    if not known:
        raise ConfigError("no integration is configured: add [integrations.NAME] to bridge.toml")
    if name is None:
        if len(found.integrations) > 1:
            raise ConfigError(f"several integrations are configured: choose one with --integration: {known}")
        return next(iter(found.integrations.values()))
    if name not in found.integrations:
        raise ConfigError(f"no integration is called {name!r}: there is {known}")
    return found.integrations[name]


def ingress_url(found: Settings) -> str:
    """Where the ingress of the settings is, seen from this machine."""
    host = found.ingress.host
    if host in ("0.0.0.0", "::"):  # noqa: S104 -- a server's "everywhere" is no address to connect to
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{found.ingress.port}"


def moment(value: str) -> datetime:
    """An option's type: "90s", "30m", "2h", "7d" ago, or ISO 8601 (local time unless it names a zone)."""
    try:
        if match := _AGO.fullmatch(value):
            return datetime.now(UTC) - timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{value!r} is neither like 30m, 2h or 7d (ago) nor like 2026-01-31T12:00"
        ) from None
