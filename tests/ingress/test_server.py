"""The process as a whole: it says where it listens, reports its health, and ends in order."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import structlog

from bridge.config import Settings
from bridge.embedded import EmbeddedServer
from bridge.errors import ConfigError
from bridge.ingress.server import run, serving
from bridge.ingress.signature import HEADER, sign
from bridge.queue import Queue, connect
from bridge.secret import Secret
from tests.ingress.children import process, said
from tests.ingress.conftest import ECHO, SECRET, Serve, settings

BODY = b'{"session_id": "s", "text": "canary-text"}'


@pytest.mark.usefixtures("hangups")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_lets_the_request_in_flight_finish(redis_url: str, number: signal.Signals) -> None:
    async with process(redis_url) as ingress:
        started, log = await said(ingress, "ingress.started")
        port = int(started["url"].rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        signature = sign(Secret(SECRET), BODY)
        writer.write(
            f"POST /moveo/support HTTP/1.1\r\nHost: h\r\n{HEADER}: {signature}\r\n"
            f"Content-Length: {len(BODY)}\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        writer.write(BODY[:10])
        await writer.drain()

        ingress.send_signal(number)
        stopping, read = await said(ingress, "ingress.stopping")
        assert stopping["signal"] == number.name
        log += read
        async with asyncio.timeout(5):
            while await _answers(port):
                pass
        writer.write(BODY[10:])
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await writer.wait_closed()
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"Connection: close" in answer
        log += (await said(ingress, "ingress.stopped"))[1]
        assert await asyncio.wait_for(ingress.wait(), 10) == 0

    client = connect(redis_url)
    (delivery,) = (await Queue(client, "support", "out").turn([], 1)).deliveries
    await client.aclose()
    assert delivery.payload == BODY
    assert '"event.accepted"' in log
    assert "canary" not in log


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def test_an_idle_process_ends_at_once(redis_url: str) -> None:
    async with process(redis_url) as ingress:
        await said(ingress, "ingress.started")
        ingress.terminate()
        assert await asyncio.wait_for(ingress.wait(), 5) == 0


async def test_nohup_keeps_a_process_running(redis_url: str) -> None:
    async with process(redis_url, limit="trap '' HUP") as ingress:
        await said(ingress, "ingress.started")
        ingress.send_signal(signal.SIGHUP)
        ingress.send_signal(signal.SIGTERM)
        stopping, _ = await said(ingress, "ingress.stopping")
        assert stopping["signal"] == "SIGTERM"
        assert await asyncio.wait_for(ingress.wait(), 5) == 0


async def test_probes_tell_life_from_readiness(serve: Serve, own_server: EmbeddedServer) -> None:
    ingress = await serve(own_server.url)

    async def get(path: str) -> tuple[int, dict[str, Any]]:
        async with ingress.http.get(ingress.addresses.admin_url + path) as response:
            return response.status, await response.json()

    assert await get("/livez") == (200, {"live": True})
    assert await get("/readyz") == (200, {"ready": True, "problems": [], "degraded": []})
    own_server.kill()
    assert await get("/livez") == (200, {"live": True})
    away = {"ready": False, "problems": ["redis: ConnectionError"], "degraded": []}
    assert await get("/readyz") == (503, away)
    own_server.start()
    assert await get("/readyz") == (200, {"ready": True, "problems": [], "degraded": []})
    os.kill(own_server.pid, signal.SIGSTOP)
    assert await get("/readyz") == (
        503,
        {"ready": False, "problems": ["redis: no answer within 0.25 s"], "degraded": []},
    )
    os.kill(own_server.pid, signal.SIGCONT)


@pytest.mark.parametrize("hangs", ["from the start", "later"])
async def test_it_ends_though_redis_hangs(own_server: EmbeddedServer, hangs: str) -> None:
    """With a web chat, whose one connection may just be connecting."""
    if hangs == "from the start":
        os.kill(own_server.pid, signal.SIGSTOP)
    try:
        async with process(own_server.url, "webchat") as ingress:
            await said(ingress, "ingress.started")
            os.kill(own_server.pid, signal.SIGSTOP)
            ingress.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(ingress.wait(), 10) == 0
    finally:
        os.kill(own_server.pid, signal.SIGCONT)


async def test_metrics_are_on_the_admin_port_only(serve: Serve) -> None:
    ingress = await serve()
    assert 'moveo_bridge_queue_depth{direction="in",integration="support"} 0.0' in await ingress.metrics()
    for path in ("/metrics", "/livez", "/readyz"):
        async with ingress.http.get(ingress.addresses.url + path) as response:
            assert response.status == 404


async def test_the_web_chat_is_there_for_the_channel_webchat_alone(serve: Serve) -> None:
    ingress = await serve(
        integrations={
            "support": {"channel": ECHO, "secrets": [SECRET]},
            "web": {"channel": "webchat", "secrets": ["s"]},
        }
    )
    for path, status in (("/chat/web", 200), ("/chat/support", 404), ("/channels/web", 404)):
        async with ingress.http.get(ingress.addresses.url + path) as response:
            assert response.status == status, path


async def test_it_starts_without_redis_and_says_so(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        async with serving(settings(f"unix://{tmp_path}/nowhere.sock?password=canary")):
            pass
    line = logs[-1]
    assert (line["event"], line["url"]) == ("redis.unreachable", f"unix://{tmp_path}/nowhere.sock")
    assert "canary" not in repr(logs)


async def test_the_start_warns_of_what_may_not_be_meant(redis_url: str) -> None:
    changed = settings(
        redis_url,
        ingress={"window_seconds": 451},
        integrations={"support": {"channel": ECHO, "unsigned": True}},
    )
    with structlog.testing.capture_logs() as logs:
        async with serving(changed):
            pass
    assert [log["event"] for log in logs] == [
        "ingress.no_spool",
        "ingress.window_too_wide",
        "ingress.unsigned",
        "redis.not_durable",
    ]


@pytest.mark.parametrize(
    ("integrations", "message"),
    [
        pytest.param(
            {"a": {"channel": "nope", "secrets": ["s"]}, "b": {"channel": "nope", "secrets": ["s"]}},
            r'integrations\.a\.channel: there is no "nope".*\nintegrations\.b\.channel: ',
            id="unknown-channel",
        ),
        pytest.param(
            {"a": {"channel": ECHO, "secrets": ["s"], "echo": {"tokn": "canary"}}},
            r"integrations\.a\.echo\.tokn: ",
            id="unknown-key-of-the-channel",
        ),
    ],
)
async def test_a_wrong_channel_is_a_line_of_its_own(integrations: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        async with serving(Settings.model_validate({"integrations": integrations})):
            pass
    assert "canary" not in str(caught.value)


async def test_a_taken_port_is_one_line(serve: Serve, redis_url: str) -> None:
    taken = (await serve()).port
    changed = settings(redis_url, ingress={"port": taken})
    with pytest.raises(ConfigError, match=f"^ingress.port: cannot listen on 127.0.0.1 port {taken}: "):
        async with serving(changed):
            pass


def test_nothing_configured_does_not_start() -> None:
    with pytest.raises(ConfigError, match="integrations: none is configured"):
        run(Settings())
