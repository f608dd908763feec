"""Row 5: from the webhook to the channel, through the real processes, on an idle system at 100 events/s."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web

from tests.benchmarks.load import SECRET, event, exchange, get, request
from tests.benchmarks.rows import Row, store

RATE: Final = 100
SECONDS: Final = 20
CONFIG: Final = """
[redis]
url = "{redis}"
[ingress]
host = "127.0.0.1"
port = {port}
admin_port = {admin}
window_seconds = 0
[worker]
admin_port = 0
[log]
level = "warning"
[integrations.bench]
channel = "webhook"
secrets = ["{secret}"]
[integrations.bench.webhook]
url = "http://127.0.0.1:{sink}/"
secret = "whsec_YmVuY2htYXJr"
"""


def latency_rows() -> list[Row]:
    """Half and the slowest hundredth, in ms, from the request written to the message at the platform."""
    took = asyncio.run(_measure())
    cuts = statistics.quantiles(took, n=100)
    detail = f"{RATE} events/s for {SECONDS} s, webhook channel"
    return [
        Row("posted -> on the wire, idle: p50", statistics.median(took) * 1000, 5, detail, unit=" ms"),
        Row("posted -> on the wire, idle: p99", cuts[98] * 1000, 25, detail, unit=" ms"),
    ]


async def _measure() -> list[float]:
    async with through() as (port, arrived):
        sent = await _post(port, arrived)
    return [arrived[chat] - at for chat, at in sent.items()]


@asynccontextmanager
async def through() -> AsyncIterator[tuple[int, dict[str, float]]]:
    """The whole way, as processes: the port of the ingress, and when something last arrived for each chat."""
    arrived: dict[str, float] = {}

    async def handle(posted: web.Request) -> web.Response:
        arrived[(await posted.json())["chat"]] = time.perf_counter()
        return web.Response()

    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port, admin = _free_ports(2)
    with store() as server, tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "bridge.toml"
        config.write_text(CONFIG.format(
            redis=server.url, port=port, admin=admin, secret=SECRET, sink=runner.addresses[0][1]
        ))  # fmt: skip
        processes = [_start(config, "ingress"), _start(config, "worker")]
        try:
            await _until_ready(admin)
            yield port, arrived
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            for process in processes:
                process.wait(20)
            await runner.cleanup()


async def _post(port: int, arrived: dict[str, float]) -> dict[str, float]:
    """One event each 10 ms; those of the first two seconds warm up and do not count."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sent: dict[str, float] = {}
    start = time.perf_counter()
    for number in range(RATE * (SECONDS + 2)):
        await asyncio.sleep(max(0, start + number / RATE - time.perf_counter()))
        if number >= RATE * 2:
            sent[f"chat-{number}"] = time.perf_counter()
        status, _ = await exchange(reader, writer, request("/moveo/bench", event(number, number)))
        if status != 200:
            raise RuntimeError(f"the ingress answered {status}")
    async with asyncio.timeout(30):
        while not sent.keys() <= arrived.keys():
            await asyncio.sleep(0.05)
    writer.close()
    return sent


def _start(config: Path, command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "bridge", "--config", str(config), command], env=os.environ
    )


async def _until_ready(admin: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                if json.loads(await get(admin, "/readyz"))["ready"]:
                    return
            except OSError:
                await asyncio.sleep(0.1)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
