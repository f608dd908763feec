"""HTTP by hand: what no client would send, and the answers as they come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec

HEAD_END: Final = b"\r\n\r\n"
ANSWER_SECONDS: Final = 30.0
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Answer(msgspec.Struct, frozen=True):
    status: int
    head: bytes
    body: bytes = b""

    @property
    def closes(self) -> bool:
        return b"connection: close" in self.head.lower() or self.head.startswith(b"HTTP/1.0")


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[Stream]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def answer(reader: asyncio.StreamReader, *, head_only: bool = False) -> Answer:
    """The next answer of the connection, an interim one too. IncompleteReadError where there is none."""
    head = await reader.readuntil(HEAD_END)
    status = int(head.split(b" ", 2)[1])
    lowered = head.lower()
    if head_only or status < 200 or status in (204, 304):
        return Answer(status, head)
    if b"\r\ncontent-length:" in lowered:
        length = int(lowered.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
        return Answer(status, head, await reader.readexactly(length))
    if b"\r\ntransfer-encoding: chunked" in lowered and b"text/event-stream" not in lowered:
        return Answer(status, head, await _chunks(reader))
    return Answer(status, head)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return b"".join(parts)


async def answers(port: int, *pieces: bytes) -> list[Answer]:
    """All that comes back for the bytes, until the server closes."""
    async with connection(port) as (reader, writer), asyncio.timeout(ANSWER_SECONDS):
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        found = []
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                found.append(await answer(reader))
        return found


class Wire:
    """A connection that is kept for as long as the server keeps it, then made anew."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stream: Stream | None = None

    async def ask(self, raw: bytes) -> Answer | None:
        """The answer; None where the server closed without one."""
        kept = self._stream is not None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._ask(raw)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.close()
            return await self.ask(raw) if kept else None  # a kept one may just have been at its end

    async def _ask(self, raw: bytes) -> Answer:
        if self._stream is None:
            self._stream = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        reader, writer = self._stream
        writer.write(raw)
        given = await answer(reader, head_only=raw.startswith(b"HEAD "))
        while given.status < 200:
            given = await answer(reader)
        if given.closes or b"text/event-stream" in given.head:
            self.close()
        return given

    def close(self) -> None:
        if self._stream:
            self._stream[1].transport.abort()
            self._stream = None
