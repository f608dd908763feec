from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest

from bridge.channels import Reply, Request
from bridge.errors import Rejected, Unavailable, Uncertain
from bridge.sender import BEFORE_WRITING, REPLY_BYTES, Sender, open_http, stdout
from tests.workers.platform import Answer, Platform, platform

CANARY = "CANARY-token-in-the-path"
Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
async def there() -> AsyncIterator[Platform]:
    async with platform() as started:
        yield started


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_http() as session:
        yield session


@pytest.fixture
async def hasty() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_http(total_seconds=1.0) as session:
        yield session


@asynccontextmanager
async def raw_server(handle: Handle) -> AsyncIterator[str]:
    """A server that says on its sockets what aiohttp's would not."""

    async def handled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handled, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{port}/{CANARY}"
    finally:
        server.close()


async def test_a_request_goes_out_as_it_is_and_the_reply_comes_back(
    there: Platform, http: aiohttp.ClientSession
) -> None:
    there.answer = lambda *_: Answer(status=201, body=b'{"id":1}', headers={"X-Id": "Seven"})
    request = Request(
        method="PUT", url=f"{there.url}/a/b?c=d", headers={"webhook-id": "1"}, body=b"caf\xc3\xa9"
    )
    reply = await Sender(http).send(request)
    assert (reply.status, reply.body, reply.headers["x-id"]) == (201, b'{"id":1}', "Seven")
    (received,) = there.received
    assert (received.path, received.body, received.headers["webhook-id"]) == ("/a/b", b"caf\xc3\xa9", "1")
    assert received.headers["user-agent"].startswith("moveo-bridge/")


@pytest.mark.parametrize("status", [302, 307, 401, 429, 500, 503])
async def test_whatever_the_platform_answers_is_a_reply(
    there: Platform, http: aiohttp.ClientSession, status: int
) -> None:
    there.answer = lambda *_: Answer(status=status, headers={"Location": f"{there.url}/elsewhere"})
    assert (await Sender(http).send(Request(url=f"{there.url}/x"))).status == status
    assert [each.path for each in there.received] == ["/x"], "a redirect is not followed"


async def test_a_refusal_that_repeats_a_secret_is_masked(
    there: Platform, http: aiohttp.ClientSession
) -> None:
    """Of the path, the query or a header, as it is or quoted; what a success says is left alone."""
    request = Request(
        url=f"{there.url}/bot1:{CANARY}/send?key=CANARY%20in-the-query",
        headers={"x-auth": f"Bearer {CANARY}s"},
    )
    said = (
        f'{{"error": "{CANARY}", "sent": "CANARY%20in-the-query", "by": "{CANARY}s", "to": "send"}}'.encode()
    )
    there.answer = lambda received, number: Answer(status=400 if number == 0 else 200, body=said)
    refused, taken = [await Sender(http).send(request) for _ in range(2)]
    assert refused.json() == {"error": "***", "sent": "***", "by": "***", "to": "send"}
    assert taken.body == said


async def test_cookies_are_not_kept(there: Platform, http: aiohttp.ClientSession) -> None:
    there.answer = lambda *_: Answer(headers={"Set-Cookie": "a=b"})
    for _ in range(2):
        await Sender(http).send(Request(url=there.url))
    assert "cookie" not in there.received[1].headers


async def test_a_reply_is_read_up_to_a_bound(there: Platform, http: aiohttp.ClientSession) -> None:
    there.answer = lambda *_: Answer(body=b"x" * (3 * REPLY_BYTES))
    reply = await Sender(http).send(Request(url=there.url))
    assert (reply.status, len(reply.body)) == (200, REPLY_BYTES)
    assert (await Sender(http).send(Request(url=there.url))).status == 200, "the session is still of use"


async def _unread(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def _half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
    await writer.drain()


async def _babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"\x00\x01 this is no HTTP\r\n\r\n")
    await writer.drain()


async def _silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b".")
        try:
            await writer.drain()
        except ConnectionError:
            return
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("handle", [_unread, _half, _babble, _silence, _drip])
async def test_what_was_written_and_not_answered_is_uncertain(
    hasty: aiohttp.ClientSession, handle: Handle
) -> None:
    async with raw_server(handle) as url, asyncio.timeout(5):
        with pytest.raises(Uncertain) as caught:
            await Sender(hasty).send(Request(url=url, body=b"x"))
    assert CANARY not in repr(caught.value)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_a_refused_connection_is_unavailable(http: aiohttp.ClientSession) -> None:
    with pytest.raises(Unavailable, match=r"^connection refused$"):
        await Sender(http).send(Request(url=f"http://127.0.0.1:{_free_port()}/{CANARY}"))


async def test_an_unknown_name_is_unavailable(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nowhere)
    with pytest.raises(Unavailable, match=r"^the host name does not resolve$"):
        await Sender(http).send(Request(url=f"https://nowhere.invalid/{CANARY}"))


async def test_a_peer_without_tls_is_unavailable(there: Platform, http: aiohttp.ClientSession) -> None:
    with pytest.raises(Unavailable) as caught:
        await Sender(http).send(Request(url=f"{there.url.replace('http', 'https')}/{CANARY}"))
    assert CANARY not in repr(caught.value)
    assert not there.received


async def test_no_connection_in_time_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
    async with open_http(total_seconds=0.2) as http:
        with pytest.raises(Unavailable, match=r"^no connection in time$"):
            await Sender(http).send(Request(url="https://slow.invalid/"))


@pytest.mark.parametrize("url", ["http://", "http://[1::", "https://:443/x", "gopher://a/", "no-url", ""])
async def test_a_url_that_nothing_can_carry_is_rejected(http: aiohttp.ClientSession, url: str) -> None:
    with pytest.raises(Rejected):
        await Sender(http).send(Request(url=url))


async def test_another_scheme_has_its_own_transport(http: aiohttp.ClientSession) -> None:
    async def chat(request: Request) -> Reply:
        return Reply(status=200, body=request.url.encode())

    assert (await Sender(http, {"chat": chat}).send(Request(url="chat:a%20b"))).body == b"chat:a%20b"


async def test_stdout_prints_each_body_as_a_line(
    http: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str]
) -> None:
    sender = Sender(http, {"stdout": stdout})
    for body in (b"one\n", b"tw\xff"):
        assert (await sender.send(Request(url="stdout:", body=body))).status == 200
    assert capsys.readouterr().out == "one\ntw�\n"


async def test_certificates_are_verified(http: aiohttp.ClientSession) -> None:
    connector = http.connector
    assert isinstance(connector, aiohttp.TCPConnector)
    assert connector._ssl is True


async def test_a_request_is_held_back_up_to_the_moment_of_writing(
    there: Platform, http: aiohttp.ClientSession
) -> None:
    """The time between a decision to send and the writing may be long: a connection has to be made."""
    asked: list[str] = []

    async def ask() -> None:
        asked.append("again")
        if len(asked) == 2:
            raise RuntimeError("it slept too long")

    BEFORE_WRITING.set(ask)
    request = Request(url=there.url, body=b"a body")
    assert (await Sender(http).send(request)).status == 200
    with pytest.raises(Uncertain):
        await Sender(http).send(request)
    assert (await Sender(http).send(request)).status == 200
    assert [received.body for received in there.received] == [b"a body", b"a body"]
