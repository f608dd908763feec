"""`new-channel`: a channel of one's own to begin with, and its test."""

from __future__ import annotations

import importlib.util
import keyword
import re
from importlib.resources import files
from pathlib import Path
from typing import Final

import click

from bridge.cli.options import Failure, option

EXAMPLE: Final = "pager"
"""What the templates call their channel."""
FILES: Final = (f"{EXAMPLE}.py", f"test_{EXAMPLE}.py")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")


def _name(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    """A name for a module, a class and a table, that nothing else has."""
    from bridge.channels import registry

    if not _NAME.fullmatch(value) or keyword.iskeyword(value):
        raise click.BadParameter(f"{value!r} has to be a word of a-z, 0-9 and _ that Python can import")
    if value in registry.BUILT_IN:
        raise click.BadParameter(f"there is a channel {value!r} already: choose another name")
    return value


@click.command()
@click.argument("name", callback=_name)
@option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default="here",
    help="Where to write; made if it is not there.",
)
def new_channel(name: str, folder: Path) -> None:
    """Writes a channel of your own to begin with, and its test.

    NAME.py is a whole channel that sends texts to an imagined API with a token; test_NAME.py holds it to the
    contract of every channel. Make it your platform's: its address in `request`, its answers in `check`, then
    what it can show in `capabilities` and `render`. Overwrites nothing.

    \b
    Example:
      moveo-bridge new-channel pager
      moveo-bridge new-channel pager --folder channels
    """
    written = {folder / _called(file, name): _called(_template(file), name) for file in FILES}
    for path in written:
        if path.exists():
            raise Failure(f"{path} is there already: choose another name or --folder")
    if found := importlib.util.find_spec(name):
        raise Failure(f"Python has a module {name!r} already, {found.origin}: choose another name")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in written.items():
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise Failure(f"{error.filename}: cannot be written: {error.strerror}") from error
    click.echo(_next(name, folder, list(written)))


def _template(file: str) -> str:
    return (files("bridge.cli") / "templates" / f"{file}.txt").read_text("utf-8")


def _called(text: str, name: str) -> str:
    """The template's text for a channel of that name."""
    return text.replace(EXAMPLE.title(), _class(name)).replace(EXAMPLE, name)


def _class(name: str) -> str:
    return "".join(map(str.capitalize, name.split("_")))


def _next(name: str, folder: Path, written: list[Path]) -> str:
    kind = f"{name}:{_class(name)}"
    channel, test = written
    enter = "" if folder.resolve() == Path.cwd() else f"  cd {folder}\n"
    return f"""\
{channel} and {test} are written. Next:

{enter}  python -m pytest {test.name}
  moveo-bridge render event.json --channel {kind}

To use it, in bridge.toml, and starting the bridge in the folder of {channel.name} (or with it in PYTHONPATH):

[integrations.{name}]
channel = "{kind}"
secrets = ["${{MOVEO_SECRET}}"]

[integrations.{name}.{name}]
token = "${{{name.upper()}_TOKEN}}"
"""
