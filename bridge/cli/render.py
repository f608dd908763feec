"""`render`: what would be sent for an event, without sending and without a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import parse_qs

import click

from bridge.cli.documents import documents
from bridge.cli.options import config_option, integration_of, option, settings
from bridge.errors import ConfigError, PayloadError
from bridge.secret import MASK

if TYPE_CHECKING:
    from bridge.channels import Call, Channel, Request, Step
    from bridge.config import Integration

ANY_CHAT: Final = "chat"
"""The recipient of an event that names none."""
FORM: Final = "application/x-www-form-urlencoded"


@click.command()
@click.argument("file", type=click.File("rb"))
@option("--integration", metavar="NAME", help="As this integration of the settings would.")
@option("--channel", metavar="KIND", help="As this channel would, without settings.")
@config_option
def render(file: BinaryIO, integration: str | None, channel: str | None) -> None:
    """Shows what would be sent for events, sending nothing.

    FILE (or - for standard input) holds one event, or one event a line. For each, one line of JSON: the steps
    in the order they would happen, calls and waits, with secrets masked, and what the channel cannot show:

    \b
      {"steps": [{"call": {"op", "method", "url", "headers", "body"}}, {"wait": {"seconds", "typing"}}],
       "losses": [{"content", "lost", "shown"}]}

    What is no event at all, or more than a plug-in can take, is named on standard error, and the exit code
    is 1.

    \b
    Example:
      moveo-bridge render event.json --channel telegram
      moveo-bridge render - --integration support < events.jsonl
    """
    from bridge.channels import registry

    if (integration is None) == (channel is None):
        raise click.UsageError("say which: --integration NAME or --channel KIND")
    if channel is not None:
        renderer = Renderer(registry.placeholder(channel), None)
    else:
        chosen = integration_of(settings(), integration)
        renderer = Renderer(registry.build(chosen.channel, chosen.extra, masked=True), chosen)
    broken = 0
    for line, raw in documents(file.read()):
        try:
            shown = renderer.show(raw)
        except (PayloadError, ConfigError) as error:
            broken += 1
            click.echo(f"line {line}: {error}", err=True)
        else:
            click.echo(json.dumps(shown, ensure_ascii=False))
    if broken:
        raise click.exceptions.Exit(1)


class Renderer:
    """A channel as the worker would use it: for an integration, or (None) with all settings at default."""

    def __init__(self, channel: Channel, integration: Integration | None) -> None:
        self._channel = channel
        self._integration = integration

    def show(self, raw: bytes) -> dict[str, Any]:
        """The event's line. Raises PayloadError for what is no event, ConfigError where the channel fails."""
        from msgspec import to_builtins

        from bridge.channels.registry import broken
        from bridge.events import decode
        from bridge.plan import plan
        from bridge.translate import DEFAULT_TEXTS, translate
        from workers.recipient import recipient

        of = self._integration
        decoded = decode(raw)
        translated = translate(decoded.event, of.texts if of else DEFAULT_TEXTS)
        to = recipient(decoded.event, of.recipient if of else "external_session_id") or ANY_CHAT
        key = blake2b(raw, digest_size=16).hexdigest()
        try:
            planned = plan(
                translated.contents,
                self._channel,
                to,
                key=key,
                pause_max_seconds=of.pause_max_seconds if of else 30,
            )
            steps = [shown for step in planned.steps for shown in self._shown(step)]
        except Exception as error:
            raise broken(self._channel.name, error, type(self._channel)) from error
        losses = (*decoded.losses, *translated.losses, *planned.losses)
        return {"steps": steps, "losses": to_builtins(losses)}

    def _shown(self, step: Step) -> Iterator[dict[str, Any]]:
        """The step; before a call with a file the upload. What only a chat knows is named in braces."""
        from msgspec.structs import replace

        from bridge.channels import Loaded, Uploads, Wait, guard

        if isinstance(step, Wait):
            yield {"wait": {"seconds": step.seconds, "typing": step.typing}}
            return
        if step.upload and isinstance(self._channel, Uploads):
            request = guard.upload(self._channel, Loaded(name=step.upload.name))
            yield _call("upload", request, {"file": step.upload.url})
        memo = {name: f"{{{name}}}" for name in step.recall}
        request = guard.request(self._channel, replace(step, memo=memo))
        yield _call(step.op, request, _body(request, step))


def _call(op: str, request: Request, body: Any) -> dict[str, Any]:
    headers = dict(request.headers)
    if request.grant:
        headers["authorization"] = f"Bearer {MASK}"
    call = {"op": op, "method": request.method, "url": request.url, "headers": headers, "body": body}
    return {"call": call}


def _body(request: Request, call: Call) -> Any:
    """As JSON, or a form's fields, or text: whichever it is; None without one.

    A field that may stand more than once is a list, as it is in the call.
    """
    if not request.body:
        return None
    kind = next((value for name, value in request.headers.items() if name.lower() == "content-type"), "")
    text = request.body.decode("utf-8", "replace")
    if kind.startswith(FORM):
        fields = parse_qs(text, keep_blank_values=True)
        return {
            name: values[0] if len(values) == 1 and not isinstance(call.body.get(name), list) else values
            for name, values in fields.items()
        }
    try:
        return json.loads(text)
    except ValueError:
        return text
