"""Logs: one JSON object a line, whoever wrote it, with nothing in it that was not meant to be."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from aiohttp import ClientConnectionResetError
from aiohttp.http_exceptions import BadStatusLine

from bridge.config import LogConfig
from bridge.log import configure


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield io.StringIO()
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_json_line_with_its_fields(stream: io.StringIO) -> None:
    configure(LogConfig(), stream)
    structlog.get_logger().info("delivery.sent", integration="support", session="s\n\u2028\ud800")
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "delivery.sent",
        "level": "info",
        "integration": "support",
        "session": "s\n\u2028\ud800",
    }


def test_a_field_that_is_no_json_is_shown_by_its_repr(stream: io.StringIO) -> None:
    configure(LogConfig(), stream)
    structlog.get_logger().info("event.odd", thing=b"x")
    assert lines(stream)[0]["thing"] == "b'x'"


@pytest.mark.parametrize(
    ("level", "events"),
    [
        ("debug", ["a", "b", "c", "d"]),
        ("info", ["b", "c", "d"]),
        ("warning", ["c", "d"]),
        ("error", ["d"]),
    ],
)
def test_the_level_bounds_what_is_shown(stream: io.StringIO, level: str, events: list[str]) -> None:
    configure(LogConfig.model_validate({"level": level}), stream)
    log = structlog.get_logger()
    log.debug("a")
    log.info("b")
    log.warning("c")
    log.error("d")
    assert [line["event"] for line in lines(stream)] == events


def test_libraries_come_out_in_the_same_form_from_warnings_on(stream: io.StringIO) -> None:
    configure(LogConfig(), stream)
    logging.getLogger("arq.worker").info("hidden")
    logging.getLogger("arq.worker").warning("worker %s", "late")
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["logger"]) == ("worker late", "warning", "arq.worker")


@pytest.mark.parametrize("format_", ["json", "console"])
def test_a_traceback_shows_no_local_variables(stream: io.StringIO, format_: str) -> None:
    configure(LogConfig.model_validate({"format": format_}), stream)
    hidden = "can" + "ary"
    try:
        raise ValueError(len(hidden))
    except ValueError:
        structlog.get_logger().exception("step.failed")
        logging.getLogger("lib").exception("failed")
    assert stream.getvalue().count("ValueError: 6") == 2
    assert "canary" not in stream.getvalue()


@pytest.mark.parametrize(("level", "count"), [("debug", 1), ("info", 0)])
@pytest.mark.parametrize(
    ("error", "event"),
    [
        pytest.param(BadStatusLine("canary"), "request.malformed: BadStatusLine", id="malformed"),
        pytest.param(
            ClientConnectionResetError("Cannot write to closing transport"),
            "request.abandoned: ClientConnectionResetError",
            id="left before the answer",
        ),
    ],
)
def test_what_strangers_bring_about_is_named_and_never_quoted(
    stream: io.StringIO, error: Exception, event: str, level: str, count: int
) -> None:
    configure(LogConfig.model_validate({"level": level}), stream)
    logging.getLogger("aiohttp.server").error("Error handling request from %s", "canary", exc_info=error)
    assert [line["event"] for line in lines(stream)] == [event] * count


def test_auto_is_json_where_nobody_watches_and_console_on_a_terminal(stream: io.StringIO) -> None:
    configure(LogConfig(), stream)
    structlog.get_logger().info("a")
    assert stream.getvalue().startswith("{")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    configure(LogConfig(), terminal)
    structlog.get_logger().info("a")
    assert not terminal.getvalue().startswith("{")
