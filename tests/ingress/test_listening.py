"""The bound of connections, where many come between two looks of the process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from bridge.ingress.listening import Server, know

MOST = 50


async def test_however_many_come_at_once_no_more_are_open_than_may_be() -> None:
    """Who came first has spoken, and is heard."""

    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    server, address = await _started(hello)
    with contextlib.ExitStack() as crowd, structlog.testing.capture_logs() as logs:
        # No await: all of them wait at the door before it opens.
        all_of_them = [crowd.enter_context(socket.create_connection(address)) for _ in range(4 * MOST)]
        all_of_them[0].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.1)  # noqa: ASYNC251 -- nothing is to run meanwhile
        await asyncio.sleep(0.5)
        assert all_of_them[0].recv(1000).endswith(b"hello")
        for each in all_of_them:
            each.setblocking(False)
        assert sum(map(_open, all_of_them)) == MOST
    assert [log["event"] for log in logs] == ["connections.crowded"]
    await server.stop()


async def test_who_has_signed_something_is_the_last_to_make_room() -> None:
    """However long it has been idle, and however often strangers come."""

    async def hello(request: web.Request) -> web.Response:
        know(request)
        return web.Response(text="hello")

    server, address = await _started(hello)
    reader, writer = await asyncio.open_connection(*address)
    with contextlib.ExitStack() as crowd:
        for pause in (0.0, 0.005):  # all of them at once, and one by one
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"hello")
            strangers = []
            for _ in range(3 * MOST):
                strangers.append(crowd.enter_context(socket.create_connection(address)))
                if pause:
                    await asyncio.sleep(pause)
            await asyncio.sleep(0.3)
            for each in strangers:
                each.setblocking(False)
            assert 0 < sum(map(_open, strangers)) < MOST
            assert not reader.at_eof()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"hello")
    writer.close()
    await server.stop()


async def _started(
    answer: Callable[[web.Request], Awaitable[web.Response]],
) -> tuple[Server, tuple[str, int]]:
    """A server that gives this answer to whoever asks, and where it listens."""
    app = web.Application()
    app.router.add_get("/", answer)
    server = Server(app, "127.0.0.1", 0, key="ingress.port", connections=MOST)
    await server.start()
    return server, ("127.0.0.1", int(server.url.rpartition(":")[2]))


def _open(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
