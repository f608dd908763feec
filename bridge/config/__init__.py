"""Settings: read once at start, from file and environment, and passed in from there on.

Every problem is reported at once, each on one line with its key path and what to do; no line shows a value.
Nothing configured at all is no problem here: the commands decide what they need.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from bridge.config.models import (
    IngressConfig,
    Integration,
    LogConfig,
    MoveoConfig,
    QueueConfig,
    RedisConfig,
    Settings,
    WorkerConfig,
    loopback,
)
from bridge.config.problems import line, problems
from bridge.config.sources import Expansion, KeyPath, overlay, read, variables
from bridge.errors import ConfigError

__all__ = [
    "IngressConfig",
    "Integration",
    "LogConfig",
    "MoveoConfig",
    "QueueConfig",
    "RedisConfig",
    "Settings",
    "WorkerConfig",
    "load",
    "loopback",
]

DEFAULT_FILE: Final = "bridge.toml"


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of `path`, else of the file BRIDGE_CONFIG names, else of ./bridge.toml if there is one.

    Raises ConfigError with all problems, one line each.
    """
    environ = os.environ if environ is None else environ
    file = path or _file(environ)
    tree = read(file) if file else {}
    origins: dict[KeyPath, str] = {}
    for key_path, variable in variables(environ):
        overlay(tree, key_path, environ[variable])
        origins[key_path] = variable

    expansion = Expansion(environ, file.parent if file else Path())
    tree = expansion.expand(tree)
    found = list(expansion.problems)
    ingress = tree.get("ingress")
    host = ingress.get("host") if isinstance(ingress, dict) else None
    try:
        settings = Settings.model_validate(tree, context={"host": str(host or IngressConfig().host)})
    except ValidationError as error:
        found += problems(error)
    if found:
        raise ConfigError("\n".join(line(key_path, advice, origins) for key_path, advice in found)) from None
    return settings


def _file(environ: Mapping[str, str]) -> Path | None:
    if named := environ.get("BRIDGE_CONFIG"):
        return Path(named)
    default = Path(DEFAULT_FILE)
    return default if default.is_file() else None
