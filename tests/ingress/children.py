"""Real ingress processes, and what they say of themselves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.ingress.conftest import ECHO, SECRET


@contextlib.asynccontextmanager
async def process(
    redis_url: str, channel: str = ECHO, *, limit: str = "true", **env: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """An ingress, ended with the block; `limit` is said to the shell that becomes it."""
    started = await asyncio.create_subprocess_exec(
        "sh", "-c", f'{limit} && exec "$0" -m bridge ingress', sys.executable,
        stderr=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "REDIS_URL": redis_url,
            "BRIDGE_LOG__LEVEL": "debug",
            "BRIDGE_INGRESS__HOST": "127.0.0.1",
            "BRIDGE_INGRESS__PORT": "0",
            "BRIDGE_INGRESS__ADMIN_PORT": "0",
            "BRIDGE_INTEGRATIONS__SUPPORT__CHANNEL": channel,
            "BRIDGE_INTEGRATIONS__SUPPORT__SECRETS": SECRET,
            **env,
        },
    )  # fmt: skip
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def said(process: asyncio.subprocess.Process, event: str) -> tuple[dict[str, Any], str]:
    """The line of the log with that event, and all that was read for it."""
    assert process.stderr is not None
    read = ""
    while line := (await asyncio.wait_for(process.stderr.readline(), 20)).decode():
        read += line
        if line.startswith("{") and (found := json.loads(line))["event"] == event:
            return found, read
    pytest.fail(f"no {event} in:\n{read}")
