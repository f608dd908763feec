"""Finds channels by name and makes them from their settings.

A name is one of the built-in ones, an import string ("mypackage.viber:Viber", one file beside bridge.toml is
enough), or an entry point of the group "bridge.channels". What is wrong with one channel, wherever it comes
from, is a ConfigError that says file and reason, and stops no other.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final

import msgspec

from bridge.channels import Channel
from bridge.channels.capabilities import Capabilities
from bridge.errors import ConfigError
from bridge.secret import MASK, Secret

GROUP: Final = "bridge.channels"
BUILT_IN: Final[Mapping[str, str]] = {
    "console": "bridge.channels.console:Console",
    "discord": "bridge.channels.discord:Discord",
    "googlechat": "bridge.channels.googlechat:GoogleChat",
    "instagram": "bridge.channels.messenger:Instagram",
    "line": "bridge.channels.line:Line",
    "matrix": "bridge.channels.matrix:Matrix",
    "messenger": "bridge.channels.messenger:Messenger",
    "slack": "bridge.channels.slack:Slack",
    "teams": "bridge.channels.teams:Teams",
    "telegram": "bridge.channels.telegram:Telegram",
    "twilio": "bridge.channels.twilio:Twilio",
    "viber": "bridge.channels.viber:Viber",
    "webchat": "bridge.channels.webchat:WebChat",
    "webhook": "bridge.channels.webhook:Webhook",
    "whatsapp": "bridge.channels.whatsapp:WhatsApp",
}
PLACEHOLDER_URL: Final = "https://example.invalid/"
_METHODS: Final = ("render", "request", "check")

# ---- finding -----------------------------------------------------------------------------------------------


def load(kind: str) -> type[Channel]:
    """The channel's class. Raises ConfigError when there is none of that name, or it is broken."""
    if kind in BUILT_IN:
        return _imported(kind, BUILT_IN[kind])
    if ":" in kind:
        return _imported(kind, kind)
    plugins = _plugins()
    if kind in plugins:
        return _imported(kind, plugins[kind].value)
    known = sorted({*BUILT_IN, *plugins})
    raise ConfigError(
        f'channel: there is no "{kind}"{_meant(kind, known)}; '
        f"installed: {', '.join(known)}; a class of your own is named as module:Class"
    )


def installed() -> dict[str, type[Channel] | ConfigError]:
    """Every channel that needs no import string to be named; for a broken one, what is wrong with it."""
    found: dict[str, type[Channel] | ConfigError] = {}
    for kind in sorted({*BUILT_IN, *_plugins()}):
        try:
            found[kind] = load(kind)
        except ConfigError as error:
            found[kind] = error
    return found


def _plugins() -> dict[str, EntryPoint]:
    return {plugin.name: plugin for plugin in entry_points(group=GROUP)}


def _imported(kind: str, where: str) -> type[Channel]:
    module_name, _, attribute = where.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:  # a console script's path begins with its own folder, not with the current one
        sys.path.append(here)
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever somebody's file does when it is imported
        raise broken(kind, error) from error
    found = getattr(module, attribute, None)
    if not isinstance(found, type):
        classes = [name for name, value in vars(module).items() if isinstance(value, type)]
        raise ConfigError(
            f'channel "{kind}": {module.__file__} has no class "{attribute}"{_meant(attribute, classes)}'
        )
    missing = [method for method in _METHODS if not callable(getattr(found, method, None))]
    if not isinstance(getattr(found, "name", None), str):
        missing.insert(0, "name")
    if missing:
        raise ConfigError(f'channel "{kind}": {module.__file__}: {attribute} has no {", ".join(missing)}')
    return found


def broken(kind: str, error: BaseException) -> ConfigError:
    """What a channel's own code raised, as one line that names the channel, the place and the reason."""
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    return ConfigError(f'channel "{kind}": {_place(error)}{reason}')


def _place(error: BaseException) -> str:
    """The file and line an error comes from; nothing when only this file was involved."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: "
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen ") and frame.filename not in (__file__, importlib.__file__)
    ]
    return f"{frames[-1].filename}:{frames[-1].lineno}: " if frames else ""


def _meant(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, known, 1)
    return f'; did you mean "{near[0]}"?' if near else ""


# ---- making ------------------------------------------------------------------------------------------------


def build(kind: str, tables: Mapping[str, Mapping[str, Any]], *, masked: bool = False) -> Channel:
    """The channel, made of the table that is named after it.

    With `masked`, of the same settings with every secret replaced by "***": for showing what would be sent.
    Raises ConfigError, one line a problem.
    """
    cls = load(kind)
    strays = [name for name in tables if name not in (cls.name, *BUILT_IN)]
    if strays:
        raise ConfigError("\n".join(f"{name}: is no setting{_meant(name, [cls.name])}" for name in strays))
    settings = _settings(cls, tables.get(cls.name, {}))
    return _made(kind, cls, _masked(settings) if masked else settings)


def placeholder(kind: str, *, secret: str = MASK) -> Channel:
    """The channel with stand-ins for all it requires: to see how it renders without having an account."""
    cls = load(kind)
    stand_ins: dict[Any, Any] = {int: 1, float: 1.0, bool: True, Secret: secret}
    table = {
        field.encode_name: stand_ins.get(field.type, PLACEHOLDER_URL if "url" in field.name else MASK)
        for field in _fields(cls)
        if field.required
    }
    return _made(kind, cls, _settings(cls, table))


def _fields(cls: type[Channel]) -> tuple[msgspec.structs.FieldInfo, ...]:
    declared = getattr(cls, "Settings", None)
    return msgspec.structs.fields(declared) if declared else ()


def _settings(cls: type[Channel], table: Mapping[str, Any]) -> msgspec.Struct | None:
    """The table as `cls.Settings`, with all its problems at once; None for a channel without settings."""
    fields = {field.encode_name: field for field in _fields(cls)}
    problems = [f"{cls.name}.{key}: is no setting{_meant(key, fields)}" for key in table if key not in fields]
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if key in table:
            try:
                values[field.name] = msgspec.convert(table[key], field.type, strict=False, dec_hook=_secret)
            except msgspec.ValidationError as error:
                problems.append(f"{cls.name}.{key}: {error}")
        elif field.required:
            problems.append(f"{cls.name}.{key}: is missing")
    if not problems and hasattr(cls, "Settings"):
        try:
            made: msgspec.Struct = cls.Settings(**values)
        except (ValueError, TypeError) as error:  # of its __post_init__
            problems.append(f"{cls.name}: {error}")
        else:
            return made
    if problems:
        raise ConfigError("\n".join(problems))
    return None


def _secret(wanted: type, value: object) -> Secret:
    if wanted is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError("Expected `str`")


def _masked(value: Any) -> Any:
    match value:
        case Secret():
            return Secret(MASK)
        case tuple() | list():
            return type(value)(map(_masked, value))
        case msgspec.Struct():
            parts = {name: _masked(getattr(value, name)) for name in value.__struct_fields__}
            return msgspec.structs.replace(value, **parts)
        case _:
            return value


def _made(kind: str, cls: Callable[..., Channel], settings: msgspec.Struct | None) -> Channel:
    try:
        channel = cls() if settings is None else cls(settings)
        can = getattr(channel, "capabilities", None)
    except ConfigError as error:
        name = load(kind).name
        raise ConfigError("\n".join(f"{name}.{line}" for line in str(error).splitlines())) from error
    except (Exception, SystemExit) as error:  # whatever somebody's class does when it is made
        raise broken(kind, error) from error
    if not isinstance(can, Capabilities):
        raise ConfigError(f'channel "{kind}": its class has no capabilities')
    return channel
