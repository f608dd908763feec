"""Logs: one line an event on standard error, with a dotted name and ids; never a body, never a secret.

    log.info("delivery.sent", integration="support", session="...", tries=0)

What libraries log through the standard module comes out in the same form, warnings and worse. Tracebacks show
no local variables, and a request that is no HTTP is named, never quoted.
"""

from __future__ import annotations

import logging
import sys
from typing import Final, TextIO

import structlog
from aiohttp import ClientConnectionResetError
from aiohttp.http_exceptions import HttpProcessingError
from structlog.typing import Processor

from bridge.config import LogConfig

_LEVELS: Final = logging.getLevelNamesMapping()


def configure(config: LogConfig, stream: TextIO | None = None) -> None:
    """Sets up logging for the process; `stream` is standard error if not given.

    A logger keeps the settings of the time it was bound: call this before anything is built.
    """
    stream = stream or sys.stderr
    level = _LEVELS[config.level.upper()]
    console = config.format == "console" or (config.format == "auto" and stream.isatty())
    head: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    tail: list[Processor] = _console() if console else _json()
    structlog.configure(
        processors=[*head, *tail],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )

    libraries = logging.StreamHandler(stream)
    libraries.addFilter(_Noise(level))
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*head, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail],
        )
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[libraries], force=True)


def _console() -> list[Processor]:
    return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]


def _json() -> list[Processor]:
    """ASCII, so that no text can end the line early or fail to be written."""
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=True, default=repr),
    ]


class _Noise(logging.Filter):
    """aiohttp quotes what it could not parse, and calls it an error when a client has left before its answer:
    both are for strangers to bring about, and the internet has many.
    """

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        match error:
            case HttpProcessingError():
                record.msg = "request.malformed: %s"
            case ClientConnectionResetError():
                record.msg = "request.abandoned: %s"
            case _:
                return True
        record.args = (type(error).__name__,)
        record.exc_info = record.exc_text = None
        return self._level <= logging.DEBUG
