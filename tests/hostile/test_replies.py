"""Whatever a platform answers, a call ends in time and bounded memory, as a Reply or what is known of it."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from bridge.channels import Reply, Request
from bridge.errors import SendError, Unavailable, Uncertain
from bridge.fetch import open_fetcher
from bridge.sender import REPLY_BYTES, Sender, open_http

CANARY: Final = "canary-token-in-the-path"
TOTAL_SECONDS: Final = 1.0
MEMORY: Final = 60 * 2**20
OK: Final = b"HTTP/1.1 200 OK\r\n"
CHUNKED: Final = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LINE: Final = b"X: " + b"y" * 8000 + b"\r\n"


class Script:
    """What a server says: `first`, then `again` without end, with `seconds` before each."""

    def __init__(self, first: bytes, again: bytes = b"", seconds: float = 0.0) -> None:
        self.first = first
        self.again = again
        self.seconds = seconds


def ok(body: bytes, *headers: bytes) -> Script:
    lines = [*headers, b"Content-Length: %d" % len(body)]
    return Script(OK + b"\r\n".join(lines) + b"\r\n\r\n" + body)


def bomb() -> bytes:
    return gzip.compress(b"\0" * 300_000_000, 1)


Outcome: TypeAlias = type[SendError] | tuple[int, int]
"""The error, or the reply's status and length."""
FULL: Final = (200, REPLY_BYTES)
SCRIPTS: Final[dict[str, tuple[Script, Outcome]]] = {
    "headers without end": (Script(OK, LINE), Uncertain),
    "a header without end": (Script(OK + b"X: ", b"y" * 65_536), Uncertain),
    "a status line without end": (Script(b"HTTP/1.1 200 ", b"y" * 65_536), Uncertain),
    "a dripped head": (Script(OK, b"X: y\r\n", 0.1), Uncertain),
    "a dripped body": (Script(OK + b"Content-Length: 1000\r\n\r\n", b"x", 0.1), Uncertain),
    "interim answers without end": (Script(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), Uncertain),
    "early hints without end": (Script(b"", b"HTTP/1.1 103 x\r\nLink: </a>\r\n\r\n" * 100), Uncertain),
    "chunks without end": (Script(CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n"), FULL),
    "an extension without end": (Script(CHUNKED + b"5;", b"x" * 65_536), Uncertain),
    "trailers without end": (Script(CHUNKED + b"0\r\n", LINE), Uncertain),
    "a body without end": (Script(OK + b"\r\n", b"x" * 65_536), FULL),
    "a gzip bomb": (ok(bomb(), b"Content-Encoding: gzip"), FULL),
    "bad gzip": (ok(b"hello", b"Content-Encoding: gzip"), Uncertain),
    "bad deflate": (ok(b"hello", b"Content-Encoding: deflate"), Uncertain),
    "an unknown encoding": (ok(b"hello", b"Content-Encoding: x"), (200, 5)),
    "a length beyond 64 bits": (Script(OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\nx"), Uncertain),
    "a negative length": (Script(OK + b"Content-Length: -5\r\n\r\nx"), Uncertain),
    "two lengths": (Script(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy"), Uncertain),
    "a length and chunks": (Script(CHUNKED[:-2] + b"Content-Length: 1\r\n\r\n0\r\n\r\n"), Uncertain),
    "no size of a chunk": (Script(CHUNKED + b"zz\r\n"), Uncertain),
    "status 0": (Script(b"HTTP/1.1 000 x\r\nContent-Length: 0\r\n\r\n"), Uncertain),
    "status 101": (Script(b"HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc"), Uncertain),
    "status 999": (Script(b"HTTP/1.1 999 x\r\nContent-Length: 0\r\n\r\n"), (999, 0)),
    "status 9999": (Script(b"HTTP/1.1 9999 x\r\nContent-Length: 0\r\n\r\n"), Uncertain),
    "HTTP 2": (Script(b"HTTP/2 200\r\n\r\n"), Uncertain),
    "another protocol": (Script(b"SSH-2.0-OpenSSH_9.7\r\n"), Uncertain),
    "headers of odd bytes": (
        ok(b"{}", b"Retry-After: \xef\xbc\x99", b"Set-Cookie: =;;=\xff", b'Link: <http://[::1>;rel="'),
        (200, 2),
    ),
    "a redirect to nowhere": (
        Script(b"HTTP/1.1 302 x\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n"),
        (302, 0),
    ),
}  # fmt: skip


class Server:
    def __init__(self, script: Script) -> None:
        self._script = script
        self.connections = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(self._script.first)
                await writer.drain()
                while self._script.again:
                    await asyncio.sleep(self._script.seconds)
                    writer.write(self._script.again)
                    await writer.drain()

    def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[tuple[Server, str]]:
    there = Server(script)
    server = await asyncio.start_server(there.handle, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield there, f"http://{host}:{port}/{CANARY}"
    finally:
        server.close()
        there.close()
        await asyncio.sleep(0)


async def bounded(call: Callable[[], Awaitable[Reply]]) -> Outcome:
    """What comes of the call, which has to come in time, in bounded memory, and without a secret."""
    before, started = _memory(), time.monotonic()
    try:
        reply = await call()
    except SendError as error:
        outcome: Outcome = type(error)
        assert CANARY not in repr(error)  # noqa: PT017 -- whichever it is
    else:
        outcome = (reply.status, len(reply.body))
    assert time.monotonic() - started < 10 * TOTAL_SECONDS
    assert _memory() - before < MEMORY
    return outcome


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_call_ends_as_what_is_known_of_it(name: str) -> None:
    script, outcome = SCRIPTS[name]
    async with open_http(total_seconds=TOTAL_SECONDS) as http, serving(script) as (_, url):
        assert await bounded(lambda: Sender(http).send(Request(url=url, body=b"x"))) == outcome


async def test_what_follows_a_reply_is_not_the_next_reply() -> None:
    """A connection with more in it than was asked for is not used again."""
    poison = ok(b"first").first + ok(b"poison").first
    async with open_http() as http, serving(Script(poison)) as (there, url):
        replies = [await Sender(http).send(Request(url=url, body=b"x")) for _ in range(3)]
    assert [reply.body for reply in replies] == [b"first"] * 3
    assert there.connections == 3


async def test_who_never_says_hello_in_tls_is_not_waited_for() -> None:
    """Nothing has left, so it is Unavailable."""
    async with open_http(total_seconds=TOTAL_SECONDS) as http, serving(Script(b"")) as (_, url):
        there = url.replace("http:", "https:")
        assert await bounded(lambda: Sender(http).send(Request(url=there, body=b"x"))) is Unavailable


FILES: Final = (
    *("headers without end", "trailers without end", "chunks without end", "a gzip bomb", "two lengths"),
    *("status 101", "another protocol"),
)


@pytest.mark.parametrize("name", FILES)
async def test_a_file_is_not_to_be_had_from_such_a_server(name: str) -> None:
    async with open_fetcher(["127.0.0.1"]) as fetcher, serving(SCRIPTS[name][0]) as (_, url):

        async def load() -> Reply:
            return Reply(status=200, body=(await fetcher.load(url, 100_000)).body)

        assert await bounded(load) not in (FULL, (200, 0))
