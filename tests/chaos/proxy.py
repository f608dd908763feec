"""A link to the server that can be frozen and cut: TCP on 127.0.0.1 to the server's Unix socket."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Self


class Proxy:
    """One for each process, so that one process alone may be cut off. An async context manager."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._open = asyncio.Event()
        self._open.set()
        self._links: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = {}

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"

    def freeze(self) -> None:
        """Nothing comes through any more, and nobody is told."""
        self._open.clear()

    def thaw(self) -> None:
        self._open.set()

    def cut(self) -> None:
        """Every connection is reset."""
        for writers in self._links.values():
            for writer in writers:
                writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._links[task] = (writer,)
        try:
            there, back = await asyncio.open_unix_connection(self._socket)
        except OSError:  # the server is down
            writer.transport.abort()
            del self._links[task]
            return
        self._links[task] = (writer, back)
        pumps = [asyncio.create_task(self._pump(*each)) for each in ((reader, back), (there, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            for each in (writer, back):
                each.transport.abort()
            del self._links[task]

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                await self._open.wait()
                target.write(data)
                await target.drain()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self._open.set()
        self.cut()
        await asyncio.gather(*self._links)
