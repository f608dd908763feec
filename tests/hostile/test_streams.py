"""Strangers who hold connections for as long as they can: what is signed is taken all the while."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import time
from collections.abc import AsyncIterator
from itertools import count
from typing import Final

import pytest

from bridge.ingress.signature import HEADER, sign
from bridge.secret import Secret
from tests.hostile.conftest import Serve
from tests.hostile.framing import HOST, get
from tests.hostile.shots import request
from tests.hostile.signers import JSON, SIGNERS
from tests.hostile.target import MOVEO
from tests.hostile.wire import Answer, Stream, answer, answers, connection

FILES: Final = 1024
"""A usual `ulimit -n`; it leaves room for 896 connections."""
STRANGERS: Final = 1100
SECONDS: Final = float(os.environ.get("HOSTILE_SECONDS", "3"))
"""How long webhooks are posted while the strangers hold on."""
ESTABLISHED: Final = 1
"""A connection's state of TCP, which neither end has closed."""
WAIT_SECONDS: Final = 3.0
"""The longest that a webhook may take meanwhile, on a machine that is busy with all of them."""

MOVEO_HEAD: Final = b"POST /moveo/web HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n\r\n"
MESSAGE_HEAD: Final = (
    b"POST /chat/web/messages HTTP/1.1\r\n"
    + HOST
    + b"Content-Type: application/json\r\nContent-Length: 8000\r\n\r\n"
)
MOST: Final = 100
"""Connections that the process may have open where strangers do what costs more than a stream."""
BUSY: Final = {
    "bodies that do not end": MOVEO_HEAD + b"abc",
    "messages that do not end": MESSAGE_HEAD + b"{",
    "files that nobody reads": get(b"/chat/web/files/FILE"),
}


def _webhook(number: int, port: int) -> bytes:
    """Moveo's and a platform's in turn."""
    if number % 2:
        signer = SIGNERS["telegram"]
        body = json.dumps(signer.seeds[0]).encode()
        return request("/channels/telegram", body, {"content-type": JSON, **signer.sign(body, "")}, port=port)
    body = json.dumps({"event_type": "message:brain_send", "session_id": "s", "n": number}).encode()
    return request("/moveo/telegram", body, {HEADER: sign(Secret(MOVEO), body)}, port=port)


async def _webhooks(port: int) -> list[int]:
    """The answers to webhooks, each over a connection of its own; 0 is none, or one that was late."""
    found: list[int] = []
    ends_at = time.monotonic() + SECONDS
    for number in count():
        if time.monotonic() > ends_at:
            return found
        status = 0
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(WAIT_SECONDS), connection(port) as (reader, writer):
                writer.write(_webhook(number, port))
                status = (await answer(reader)).status
        found.append(status)
        await asyncio.sleep(0.02)
    raise AssertionError


async def _open_stream(port: int, number: int, stack: contextlib.AsyncExitStack) -> tuple[Stream, Answer]:
    reader, writer = await stack.enter_async_context(connection(port))
    writer.write(get(b"/chat/web/events?chat=chat-%08d" % number))
    return (reader, writer), await answer(reader)


async def _hold(port: int, said: bytes) -> None:
    """Says something, takes little, and comes again when the server ends it."""
    while True:
        with contextlib.suppress(OSError, TimeoutError), socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
            await asyncio.get_running_loop().sock_sendall(sock, said)
            while sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == ESTABLISHED:
                await asyncio.sleep(1)
        await asyncio.sleep(1)


@contextlib.asynccontextmanager
async def _crowd(port: int, said: bytes) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(_hold(port, said)) for _ in range(MOST + MOST // 2)]
    try:
        await asyncio.sleep(2)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_streams_of_strangers_leave_room_for_webhooks(serve: Serve) -> None:
    """Half of the connections are theirs at most; who comes too late hears of it, and when to come again."""
    ingress = await serve(files=FILES)
    async with contextlib.AsyncExitStack() as stack:
        opened = [await _open_stream(ingress.port, number, stack) for number in range(STRANGERS)]
        statuses = [given.status for _, given in opened]
        found = await _webhooks(ingress.port)
        assert set(found) == {200}
        assert statuses == [200] * 448 + [503] * (STRANGERS - 448)
        assert all(b"retry-after:" in given.head.lower() for _, given in opened[448:])
        assert not any(reader.at_eof() for (reader, _), _ in opened[:448])


@pytest.mark.parametrize("said", BUSY.values(), ids=BUSY)
async def test_whatever_else_strangers_do_leaves_room_for_webhooks(serve: Serve, said: bytes) -> None:
    """Requests that take long make room, the longest first."""
    ingress = await serve(max_connections=MOST)
    brought = request(
        "/chat/web/files?chat=chat-0001", bytes(4_000_000), {"Connection": "close"}, port=ingress.port
    )
    (given,) = await answers(ingress.port, brought)
    file = json.loads(given.body)["id"]
    async with _crowd(ingress.port, said.replace(b"FILE", file.encode())):
        found = await _webhooks(ingress.port)
        assert ingress.files > 0.9 * MOST
    assert set(found) == {200}
