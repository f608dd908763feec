"""Where settings come from: a TOML file, the environment over it, and `${NAME}` and `file:` in any string.

    BRIDGE_INGRESS__PORT=8081            ingress.port
    REDIS_URL=redis://...                redis.url
    token = "${TELEGRAM_TOKEN}"          the variable's value; "$${" is a plain "${"
    api_key = "file:/run/secrets/key"    the file's text without its last line end; relative to the TOML file

Only names with "__" are settings: Kubernetes makes a variable BRIDGE_PORT for a service called "bridge".
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from bridge.errors import ConfigError

KeyPath: TypeAlias = tuple[str | int, ...]
Tree: TypeAlias = dict[str, Any]

PREFIX: Final = "BRIDGE_"
DELIMITER: Final = "__"
FILE: Final = "file:"
_VARIABLE: Final = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def read(path: Path) -> Tree:
    """The file's tables. Raises ConfigError, naming the file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8: save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from None


def variables(environ: Mapping[str, str]) -> Iterator[tuple[KeyPath, str]]:
    """The variables that are settings: key path and name."""
    if "REDIS_URL" in environ:
        yield ("redis", "url"), "REDIS_URL"
    for name in sorted(environ):
        if name.startswith(PREFIX) and DELIMITER in name:
            yield tuple(name.removeprefix(PREFIX).lower().split(DELIMITER)), name


def overlay(tree: Tree, path: KeyPath, value: str) -> None:
    """Sets one value in the tree; tables on its way are made, anything else there gives way."""
    for key in path[:-1]:
        if not isinstance(tree.get(str(key)), dict):
            tree[str(key)] = {}
        tree = tree[str(key)]
    tree[str(path[-1])] = value


class Expansion:
    """Expands every string of a tree and collects what could not be."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self.problems: list[tuple[KeyPath, str]] = []
        self._environ = environ
        self._folder = folder

    def expand(self, value: Any, path: KeyPath = ()) -> Any:
        match value:
            case dict():
                return {key: self.expand(inner, (*path, key)) for key, inner in value.items()}
            case list():
                return [self.expand(inner, (*path, index)) for index, inner in enumerate(value)]
            case str() if value.startswith(FILE):
                return self._file(self._variables(value.removeprefix(FILE), path), path)
            case str():
                return self._variables(value, path)
            case _:
                return value

    def _variables(self, text: str, path: KeyPath) -> str:
        def one(match: re.Match[str]) -> str:
            name = match[1]
            if name is None:
                return "${"
            if name not in self._environ:
                self.problems.append((path, f"the environment variable {name} is not set: set it"))
            return self._environ.get(name, match[0])

        return _VARIABLE.sub(one, text)

    def _file(self, name: str, path: KeyPath) -> str:
        try:
            text = (self._folder / name).read_text(encoding="utf-8")
        except OSError as error:
            self.problems.append((path, f"the file {name} cannot be read: {error.strerror}"))
        except (UnicodeDecodeError, ValueError):
            self.problems.append((path, f"the file {name} is no UTF-8 text"))
        else:
            return text.removesuffix("\n").removesuffix("\r")
        return FILE + name
