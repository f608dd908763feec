"""A channel that lies by accident: it lets no stranger in, and costs no message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.queue import Queue, connect
from tests.ingress.children import process, said
from tests.plugin import CHANNEL, install, line_of

VERIFY = "    def verify("
READ = 'Reading((UserMessage(chat="c"'


async def test_an_async_verify_starts_no_ingress(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = install(tmp_path, monkeypatch, VERIFY, "    async def verify(")
    async with process(redis_url, CHANNEL) as ingress:
        _, log = await ingress.communicate()
    place = f"{path}:{line_of(path, 'async def verify')}"
    assert log.decode() == (
        f'moveo-bridge: integrations.support.channel "{CHANNEL}": {place}: '
        "Pager.verify must be a plain function, not async: remove `async`, and do no I/O in it\n"
    )
    assert ingress.returncode == 2


async def answer(started: dict[str, Any], body: bytes, token: str) -> tuple[int, str]:
    url = f"{started['url']}/channels/support"
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, data=body, headers={"x-token": token}) as reply,
    ):
        return reply.status, await reply.text()


@pytest.mark.parametrize(
    ("wrong", "returned"),
    [
        ("    @traced\n    def verify(", "a coroutine (is the function async?)"),
        ("    def verify(self, inbound):\n        return 1\n\n    def other(", "int"),
    ],
    ids=["a coroutine", "a number"],
)
async def test_what_is_not_true_lets_nobody_in(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str, returned: str
) -> None:
    path = install(tmp_path, monkeypatch, VERIFY, wrong)
    async with process(redis_url, CHANNEL) as ingress:
        started, _ = await said(ingress, "ingress.started")
        for token in ("", "s3cret"):
            assert await answer(started, b"hello", token) == (401, '{"status":"unsigned"}')
        told, log = await said(ingress, "message.unverifiable")
    place = line_of(path, wrong.strip().splitlines()[0])
    assert told["error"] == f"{path}:{place}: Pager.verify returned {returned}; expected True or False"
    assert "never awaited" not in log
    async with connect(redis_url) as redis:
        assert (await Queue(redis, "support", "in").stats()).depth == 0


@pytest.mark.parametrize(
    ("wrong", "returned"),
    [
        ('Reading((UserMessage(chat=5', "a wrong Reading: incoming: Expected `str`, got `int` - at `$.chat`"),
        ('((UserMessage(chat="c"', "tuple; expected a Reading"),
    ],
    ids=["a number for a chat", "no Reading"],
)  # fmt: skip
async def test_what_is_not_read_is_kept_with_the_place_in_the_log(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str, returned: str
) -> None:
    path = install(tmp_path, monkeypatch, READ, wrong)
    async with process(redis_url, CHANNEL) as ingress:
        started, _ = await said(ingress, "ingress.started")
        assert await answer(started, b"hello", "s3cret") == (200, '{"status":"undecodable"}')
        told, _ = await said(ingress, "message.unreadable")
    assert told["error"].startswith(f"{path}:{line_of(path, 'def read')}: Pager.read returned {returned}")
    async with connect(redis_url) as redis:
        [letter] = await Queue(redis, "support", "in").dead()
    assert (letter.reason, letter.payload) == ("undecodable", b"hello")
