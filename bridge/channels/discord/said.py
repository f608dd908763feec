"""What a user says to a bot that hears nothing but its commands: by the command, or in the form it opens.

https://docs.discord.com/developers/interactions/application-commands. Discord shows the others in the channel
only that the command was used; so the answer to it is the user's words, quoted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import msgspec

from bridge.channels import Attachment, mime, text
from bridge.channels.discord.markdown import escaped
from bridge.channels.discord.messages import TEXT
from bridge.channels.links import web_address

MESSAGE: Final = "message"
FILE: Final = "file"
LONGEST: Final = 4000
"""The most that one field of a form holds."""
_FILE_OPTION: Final = 11
_TEXT_INPUT: Final = 4
_QUOTABLE: Final = TEXT // 3 - 1
"""Each character may need a backslash, each line end the mark of a quote: so many fit in any case."""
_SUPPRESS_EMBEDS: Final = 4


class Option(msgspec.Struct, frozen=True):
    """A parameter with its value, or a subcommand with parameters of its own."""

    name: str = ""
    type: int = 0
    value: Any = None
    options: tuple[Option, ...] = ()


class File(msgspec.Struct, frozen=True):
    url: str = ""
    filename: str | None = None
    content_type: str | None = None


class Field(msgspec.Struct, frozen=True):
    """A part of a form, perhaps with parts in it."""

    type: int = 0
    value: Any = None
    component: Field | None = None
    components: tuple[Field, ...] = ()


def words(command: str, options: Collection[Option], own: str) -> str:
    """What the command says: to our own the message alone, to any other as it would be typed."""
    if command == own:
        given = {option.name: option.value for option in options}
        return _clean(given.get(MESSAGE))
    return " ".join(filter(None, (f"/{command}", *_parts(options))))


def _parts(options: Collection[Option]) -> Iterator[str]:
    for option in options:
        if option.options:
            yield option.name
            yield from _parts(option.options)
        elif option.type != _FILE_OPTION:
            yield option.name if option.value is None else _clean(option.value)


def _clean(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case str() | int() | float():
            return text.clean(str(value)).strip()
        case _:
            return ""


def files(options: Collection[Option], given: Mapping[str, File]) -> Iterator[Attachment]:
    """The files among the parameters. Their addresses are public, for a day or so."""
    for option in options:
        yield from files(option.options, given)
        file = given.get(option.value) if isinstance(option.value, str) else None
        url = web_address(file.url) if file and option.type == _FILE_OPTION else None
        if file and url:
            mime_type = mime.mime_type(file.content_type or "")
            name = text.clean(file.filename or "")
            yield Attachment(type=mime.kind(mime_type), url=url, mime_type=mime_type, filename=name)


def filled_in(fields: Collection[Field]) -> str:
    """The texts of a form, one under the other."""
    return "\n".join(filter(None, _filled_in(fields)))


def _filled_in(fields: Collection[Field]) -> Iterator[str]:
    for field in fields:
        if field.type == _TEXT_INPUT:
            yield _clean(field.value)
        yield from _filled_in([*([field.component] if field.component else []), *field.components])


# ---- what Discord is answered ------------------------------------------------------------------------------


def quoted(said: str, attachments: Collection[Attachment] = ()) -> dict[str, Any]:
    """A message with the words as a quote, and the files by their names. It mentions nobody."""
    names = [f"[{each.type}: {each.filename}]" if each.filename else f"[{each.type}]" for each in attachments]
    content = _quote("\n".join(filter(None, (said, *names))))
    return {"content": content, "flags": _SUPPRESS_EMBEDS, "allowed_mentions": {"parse": []}}


def _quote(said: str) -> str:
    lines = "\n".join(f"> {line}" for line in escaped(said).split("\n"))
    return lines if len(lines) <= TEXT else _quote(text.cut(said, _QUOTABLE))


def form() -> dict[str, Any]:
    """A form with room for several lines."""
    return {
        "custom_id": MESSAGE,
        "title": "Your message",
        "components": [
            {
                "type": 18,
                "label": "Message",
                "component": {
                    "type": _TEXT_INPUT,
                    "custom_id": MESSAGE,
                    "style": 2,
                    "max_length": LONGEST,
                    "required": True,
                },
            }
        ],
    }
