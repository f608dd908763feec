"""A cheap HTTP/1.1 sender: prepared requests over kept connections, as Moveo's side of the benchmark."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from typing import Final

import orjson

SECRET: Final = "benchmark"
RETRIES: Final = 20


def event(number: int, session: int | str) -> bytes:
    """A message:brain_send of about 1 kB, as the upstream's page shows it."""
    return orjson.dumps({
        "event_type": "message:brain_send", "request_id": f"req-{number}", "session_id": f"sess-{session}",
        "external_session_id": f"chat-{session}", "integration_id": "intg-001", "desk_id": "desk-456",
        "context": {"user": {"user_id": f"user-{session}", "display_name": "Maria Papadopoulou"}},
        "timestamp": 1704067200000,
        "output": {"responses": [{
            "type": "text", "text": "Your order is on its way. " * 24,
            "options": [{"label": "Track order", "text": "Track my order"}],
        }]},
    })  # fmt: skip


def request(path: str, body: bytes) -> bytes:
    """The signed POST as it goes over the wire."""
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"X-Moveo-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes
) -> tuple[int, bytes]:
    """Sends one request and reads its reply: status and body."""
    writer.write(data)
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    length = next((int(line[15:]) for line in lines if line[:15].lower() == b"content-length:"), 0)
    return int(lines[0][9:12]), await reader.readexactly(length)


async def get(port: int, path: str) -> bytes:
    """One GET on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    _, body = await exchange(reader, writer, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    writer.close()
    await writer.wait_closed()
    return body


async def post_all(port: int, requests: Iterable[bytes], *, connections: int = 32) -> None:
    """Posts every request over kept connections, again where the answer is 503 (a disk that stalls).

    Raises RuntimeError on any other answer.
    """
    waiting: Iterator[bytes] = iter(requests)

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for data in waiting:
            status, body = await exchange(reader, writer, data)
            for _ in range(RETRIES):
                if status != 503:
                    break
                await asyncio.sleep(0.1)
                status, body = await exchange(reader, writer, data)
            if status != 200:
                raise RuntimeError(f"the server answered {status}: {body[:200]!r}")
        writer.close()
        await writer.wait_closed()

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(connection())
