"""Canaries: words in the tests' secrets and people's texts, to be seen in nothing that operators read.

In every test all is heard that is logged (below the level that is shown too), the messages of the bridge's
errors, the metrics, and what is printed; then the logs of the processes that the test started are
read, the names of the keys in Redis, and what dead letters say of their errors. A test that lets one be seen
fails. A command that shows texts on purpose (`dead show`, `render`) may show those, and no secret.
"""

from __future__ import annotations

import copy
import logging
import re
import sys
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import click.testing
import pytest
import redis
import structlog

from bridge.errors import BridgeError
from bridge.log import _Noise
from bridge.metrics import Metrics

CANARY: Final = re.compile(
    r".{0,60}(?:canary|must-never-be-seen|never-to-be-seen).{0,60}", re.IGNORECASE | re.DOTALL
)
TEXT: Final = "canary-text"
"""What a person says in the tests."""


class Listener:
    """`seen` has each place with a canary in it, with what stands around it."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def hear(self, where: str, said: object) -> None:
        found = CANARY.search(said if isinstance(said, str) else repr(said))
        if found:
            self.seen.append(f"{where}: {found[0]!r}")

    # ---- what is said while the test runs --------------------------------------------------------------

    def listen(self, patch: pytest.MonkeyPatch) -> None:
        self._to_errors(patch)
        self._to_logs(patch)
        self._to_metrics(patch)
        self._to_commands(patch)

    def _to_errors(self, patch: pytest.MonkeyPatch) -> None:
        def made(error: BridgeError, *args: object) -> None:
            Exception.__init__(error, *args)
            self.hear("an error's message", args)

        patch.setattr(BridgeError, "__init__", made)

    def _to_logs(self, patch: pytest.MonkeyPatch) -> None:
        process = structlog.BoundLoggerBase._process_event
        handle, noise = logging.Logger.handle, _Noise(logging.INFO)

        def event(logger: Any, level: str, name: str | None, fields: dict[str, Any]) -> Any:
            raised = sys.exc_info()[1] if fields.get("exc_info") else None
            self.hear("the log", (name, fields, dict(logger._context), *_messages(raised)))
            return process(logger, level, name, fields)

        def record(logger: logging.Logger, record: logging.LogRecord) -> None:
            shown = copy.copy(record)
            if record.levelno >= logging.WARNING and noise.filter(shown):
                raised = shown.exc_info[1] if shown.exc_info else None
                self.hear("the log of a library", (shown.getMessage(), *_messages(raised)))
            handle(logger, record)

        patch.setattr(structlog.BoundLoggerBase, "_process_event", event)
        patch.setattr(logging.Logger, "handle", record)

    def _to_metrics(self, patch: pytest.MonkeyPatch) -> None:
        render = Metrics.render

        async def rendered(metrics: Metrics, *args: Any) -> bytes:
            text = await render(metrics, *args)
            self.hear("the metrics", text.decode())
            return text

        patch.setattr(Metrics, "render", rendered)

    def _to_commands(self, patch: pytest.MonkeyPatch) -> None:
        invoke = click.testing.CliRunner.invoke

        def invoked(runner: click.testing.CliRunner, *args: Any, **given: Any) -> click.testing.Result:
            result = invoke(runner, *args, **given)
            self.hear("a command", result.output.replace(TEXT, "a text"))
            return result

        patch.setattr(click.testing.CliRunner, "invoke", invoked)

    # ---- what is left of it ----------------------------------------------------------------------------

    def look_at_logs(self, folder: Path) -> None:
        for log in folder.rglob("*.log"):
            if log.is_file():
                self.hear(log.name, log.read_text("utf-8", "backslashreplace"))

    def look_at_redis(self, url: str) -> None:
        """At names and errors: what waits is of course in there."""
        with redis.Redis.from_url(url) as client:
            for key in client.scan_iter(count=1000):
                self.hear("the name of a key", key.decode("utf-8", "backslashreplace"))
                if key.endswith(b":dead") and client.type(key) == b"stream":
                    for _, fields in client.xrange(key):
                        self.hear("a dead letter's error", (fields.get(b"reason"), fields.get(b"error")))


def _messages(raised: BaseException | None) -> Iterable[str]:
    """What a traceback says, without the lines of code in it, in which a test may name its canary."""
    if raised is None:
        return ()
    chain = traceback.TracebackException.from_exception(raised)
    return [line for each in _chain(chain) for line in each.format_exception_only()]


def _chain(error: traceback.TracebackException | None) -> Iterable[traceback.TracebackException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def printed(sections: Mapping[str, str]) -> list[str]:
    """What a test printed with a canary in it, by section of its report."""
    listener = Listener()
    for name, text in sections.items():
        listener.hear(name, text)
    return listener.seen
