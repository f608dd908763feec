"""`trigger`: what Moveo would post, signed and posted by hand."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import closing
from typing import BinaryIO, Final
from urllib.parse import quote, urlsplit

import click
import msgspec

from bridge.cli.documents import documents
from bridge.cli.options import (
    Failure,
    config_option,
    ingress_url,
    integration_of,
    option,
    settings,
)
from bridge.errors import ConfigError
from bridge.secret import Secret

TIMEOUT_SECONDS: Final = 30.0  # Moveo's
REASON_CHARACTERS: Final = 200


@click.command()
@click.argument("event", required=False, default="message:brain_send")
@option(
    "--type",
    "response_type",
    metavar="TYPE",
    envvar="BRIDGE_TRIGGER_TYPE",
    help="Response type: text, image, carousel, pause, ...",
)
@option("--session", metavar="ID", default="demo-session", help="Session and chat the event belongs to.")
@option("--count", type=click.IntRange(1), default=1, help="How many, one after another.")
@option(
    "--file",
    type=click.File("rb"),
    help="Post these as they are: one event, or one a line; - is stdin.",
)
@option("--integration", metavar="NAME", help="Whose webhook and secret; needed when there are several.")
@option("--url", metavar="URL", help="Post there.  [default: the ingress of the settings]")
@option(
    "--secret",
    metavar="SECRET",
    help="Sign with it. Others can see a command line: prefer the variable.",
)
@config_option
def trigger(
    event: str,
    response_type: str | None,
    session: str,
    count: int,
    file: BinaryIO | None,
    integration: str | None,
    url: str | None,
    secret: str | None,
) -> None:
    """Signs sample events and posts them, as Moveo would.

    EVENT is message:brain_send (the default, whose answer --type chooses), message:send, message:compose,
    message:read, message:delivered, conversation:member_join, conversation:member_leave, conversation:closed,
    conversation:reopened, session:closed or session:expired.

    Prints the answer to each; the exit code is 1 unless all were accepted. Where nothing is configured it
    finds the running demo.

    \b
    Example:
      moveo-bridge trigger --type carousel --session my-chat-1
      moveo-bridge trigger conversation:member_join
      moveo-bridge trigger --file events.jsonl --url https://bridge.example.com/moveo/support
    """
    to = _target(integration, url, secret)
    bodies = _as_they_are(file) if file else _samples(event, response_type, session, count, to.media_url)
    with closing(_Webhook(to.url, to.secret)) as webhook:
        statuses = [webhook.post(body, name) for name, body in bodies]
    if to.chat and not file:
        click.echo(f"to be seen at {to.chat}?session={quote(session)}", err=True)
    if not all(200 <= status < 300 for status in statuses):
        raise click.exceptions.Exit(1)


class _Target(msgspec.Struct, frozen=True):
    """Where to post and what to sign with; where there are such, the page that shows what becomes of it, and
    media that it can show."""

    url: str
    secret: Secret | None
    chat: str = ""
    media_url: str = ""


def _target(integration: str | None, url: str | None, secret: str | None) -> _Target:
    """The settings are asked only for what is not given."""
    if url and secret:
        return _Target(url, Secret(secret))
    found = settings(or_demo=True)
    chosen = integration_of(found, integration)
    key = Secret(secret) if secret else next(iter(chosen.secrets), None)
    media = _media_url(chosen.moveo_url or found.moveo.url)
    if url:
        return _Target(url, key, media_url=media)
    ours = ingress_url(found)
    chat = f"{ours}/chat/{chosen.name}" if chosen.channel == "webchat" else ""
    return _Target(f"{ours}/moveo/{chosen.name}", key, chat, media)


def _media_url(moveo: str) -> str:
    """A Moveo on this machine is the emulator, as the demo's is, and has what the samples show; else ""."""
    from bridge.config import loopback

    return f"{moveo.rstrip('/')}/media" if loopback(urlsplit(moveo).hostname or "") else ""


def _samples(
    event: str, response_type: str | None, session: str, count: int, media_url: str
) -> Iterator[tuple[str, bytes]]:
    from bridge.samples import MEDIA_URL, sample

    name = f"{event} {response_type}" if response_type else event
    for number in range(1, count + 1):
        now_ms = time.time_ns() // 1_000_000
        made = sample(
            event,
            response_type=response_type,
            session=session,
            number=number,
            now_ms=now_ms,
            media_url=media_url or MEDIA_URL,
        )
        yield name, json.dumps(made).encode()


def _as_they_are(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    return ((f"line {number}", body) for number, body in documents(file.read()))


class _Webhook:
    """One connection, kept open, to one webhook."""

    def __init__(self, url: str, secret: Secret | None) -> None:
        parts = urlsplit(url)
        kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        if parts.scheme not in kinds or not parts.hostname:
            raise ConfigError(f"{url} is no address that starts with http:// or https://")
        self._url = url
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._secret = secret
        self._connection = kinds[parts.scheme](parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
        self.close = self._connection.close

    def post(self, body: bytes, name: str) -> int:
        """Posts the body, prints the answer, gives its status. What cannot be reached is a Failure."""
        from bridge.ingress.signature import HEADER, sign

        headers = {"Content-Type": "application/json"}
        if self._secret:
            headers[HEADER] = sign(self._secret, body)
        try:
            self._connection.request("POST", self._path, body, headers)
            response = self._connection.getresponse()
            said = response.read().decode("utf-8", "replace").strip()
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"{self._url} does not answer: {str(error) or type(error).__name__}") from error
        status = int(response.status)
        click.echo(f"{status} {name}" + ("" if status < 300 else f": {said[:REASON_CHARACTERS]}"))
        return status
