"""Finds channels by name and makes them from their settings.

A name is one of the built-in ones, an import string ("mypackage.viber:Viber", one file beside bridge.toml is
enough), or an entry point of the group "bridge.channels". What is wrong with one channel, wherever it comes
from, is a ConfigError that says file and reason, and stops no other.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final

import msgspec

from bridge.channels import Channel
from bridge.channels.capabilities import Capabilities
from bridge.channels.methods import raised_at, type_name, where, wrong_methods
from bridge.errors import ChannelFault, ConfigError
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
_NAME: Final = re.compile("[a-z0-9][a-z0-9_-]{0,63}")

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
    with _others_code(kind, module_name):
        module = importlib.import_module(module_name)
    found = getattr(module, attribute, None)
    if not isinstance(found, type):
        classes = [name for name, value in vars(module).items() if isinstance(value, type)]
        raise ConfigError(
            f'channel "{kind}": {module.__file__} has no class "{attribute}"{_meant(attribute, classes)}'
        )
    with _others_code(kind, module_name):  # a metaclass
        if problem := _wrong_class(found):
            raise ConfigError(f'channel "{kind}": {problem}')
    return found


@contextmanager
def _others_code(kind: str, owner: str | type) -> Iterator[None]:
    """Turns whatever a plug-in's code raises into a ConfigError of one line."""
    try:
        yield
    except ConfigError:
        raise
    except (Exception, SystemExit) as error:
        raise broken(kind, error, owner) from error


def _wrong_class(cls: type) -> str:
    """What is wrong with a class, with its place; "" for nothing."""
    missing = [method for method in _METHODS if getattr(cls, method, None) is None]
    name = getattr(cls, "name", None)
    if not isinstance(name, str):
        missing.insert(0, "name")
    if missing:
        return f"{where(cls)}: {cls.__name__} has no {', '.join(missing)}"
    if not _NAME.fullmatch(str(name)):
        return f"{where(cls)}: {cls.__name__}.name must be a word of a-z, 0-9, - and _"
    settings = getattr(cls, "Settings", msgspec.Struct)
    if not (isinstance(settings, type) and issubclass(settings, msgspec.Struct)):
        found = f"the class {settings.__name__}" if isinstance(settings, type) else type_name(settings)
        return f"{where(cls)}: {cls.__name__}.Settings must be a subclass of msgspec.Struct, not {found}"
    for maker in (getattr(cls, "__new__"), getattr(cls, "__init__")):  # noqa: B009 -- of any class
        if inspect.iscoroutinefunction(maker) or inspect.isgeneratorfunction(maker):
            return f"{where(maker)}: {cls.__name__}.{maker.__name__} must be a plain function, not async"
    return ""


def broken(kind: str, error: BaseException, owner: str | type) -> ConfigError:
    """What a channel's own code raised, as one line that names the channel, the place and the reason.

    `owner` is the channel's module or class.
    """
    if isinstance(error, ChannelFault):
        if error.__cause__ is None:
            return ConfigError(f'channel "{kind}": {error}')
        error = error.__cause__
    place = raised_at(error, owner)
    reason = next(iter(f"{type(error).__name__}: {error}".splitlines()))
    return ConfigError(f'channel "{kind}": {f"{place}: " if place else ""}{reason}')


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
    with _others_code(kind, cls):
        settings = _settings(cls, tables.get(cls.name, {}))
    return _made(kind, cls, _masked(settings) if masked else settings)


def placeholder(kind: str, *, secret: str = MASK) -> Channel:
    """The channel with stand-ins for all it requires: to see how it renders without having an account."""
    cls = load(kind)
    stand_ins: dict[Any, Any] = {int: 1, float: 1.0, bool: True, Secret: secret}
    with _others_code(kind, cls):
        table = {
            field.encode_name: stand_ins.get(field.type, PLACEHOLDER_URL if "url" in field.name else MASK)
            for field in _fields(cls)
            if field.required
        }
        settings = _settings(cls, table)
    return _made(kind, cls, settings)


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


def _made(kind: str, cls: type[Channel], settings: msgspec.Struct | None) -> Channel:
    make: Callable[..., Channel] = cls
    with _others_code(kind, cls):
        try:
            channel = make() if settings is None else make(settings)
        except ConfigError as error:
            lines = str(error).splitlines()
            raise ConfigError("\n".join(f"{cls.name}.{line}" for line in lines)) from error
        if problem := next(wrong_channel(channel), ""):
            raise ConfigError(f'channel "{kind}": {problem}')
    return channel


def wrong_channel(channel: Channel) -> Iterator[str]:
    """What keeps a channel from being used, each problem in a line with its place."""
    cls = type(channel)
    if inspect.getattr_static(channel, "capabilities", None) is None:
        yield f"{where(cls)}: {cls.__name__} has no capabilities"
        return
    can: object = channel.capabilities
    if not isinstance(can, Capabilities):
        yield f"{where(cls)}: {cls.__name__}.capabilities must be a Capabilities, not {type_name(can)}"
    if inspect.getattr_static(channel, "key_urls", None) is not None:
        urls: object = getattr(channel, "key_urls")  # noqa: B009 -- what has it need be no Keyed
        if not isinstance(urls, list | tuple) or not all(isinstance(url, str) for url in urls):
            yield f"{where(cls)}: {cls.__name__}.key_urls must be a tuple of str, not {type_name(urls)}"
    yield from wrong_methods(channel)
