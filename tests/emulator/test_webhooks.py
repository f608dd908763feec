"""Webhooks are signed, retried as Moveo retries, and in order within a session."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
import socket
import sys
import time

import aiohttp
import pytest

from bridge.emulator import EmulatorConfig
from bridge.emulator.outbox import signature
from bridge.events import decode
from bridge.secret import Secret
from tests.emulator.conftest import Client, Receiver, Start


async def idle(moveo: Client) -> dict[str, int]:
    """The counts once nothing is under way."""
    async with asyncio.timeout(10):
        while (counts := await moveo.status())["busy"]:
            await asyncio.sleep(0.005)
    return counts


def test_the_signature_is_hex_of_hmac_sha256() -> None:
    """The value is that of `openssl dgst -sha256 -hmac key`."""
    expected = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
    assert signature(Secret("key"), b"The quick brown fox jumps over the lazy dog") == expected


async def test_every_webhook_is_signed_and_readable(moveo: Client, receiver: Receiver) -> None:
    """Through the whole script; the receiver computes the signature by itself."""
    session = await moveo.open()
    for text in ("hello", "everything", "handover", "a question", "bye", "again", "expire"):
        assert await moveo.say(session, text) == 202
    counts = await idle(moveo)
    assert receiver.unsigned == 0
    assert (
        len(receiver.events) == counts["delivered"] == len({event["request_id"] for event in receiver.events})
    )
    assert counts["failed"] == 0
    for body in receiver.bodies:
        assert decode(body).losses == ()


async def test_without_a_secret_nothing_is_signed(start: Start, receiver: Receiver) -> None:
    moveo = await start(secret=None)
    await moveo.say(await moveo.open(), "hi")
    await receiver.received(2)
    assert receiver.unsigned == 2


async def test_the_timestamp_is_now_in_ms(moveo: Client, receiver: Receiver) -> None:
    before = time.time() * 1000
    await moveo.say(await moveo.open(), "hi")
    await receiver.received(1)
    assert before - 1 <= receiver.events[0]["timestamp"] <= time.time() * 1000 + 1


@pytest.mark.parametrize(
    ("answers", "tries", "arrives"),
    [
        pytest.param([500], 2, True, id="500 once"),
        pytest.param([503, 502, 500, 504, 599], 6, True, id="five times, the sixth passes"),
        pytest.param([500] * 6, 6, False, id="six times: given up"),
        pytest.param([400], 1, False, id="400: never again"),
        pytest.param([401], 1, False, id="401: never again"),
        pytest.param([429], 1, False, id="429: never again"),
        pytest.param([307], 1, False, id="a redirect is not followed"),
        pytest.param([500, 404], 2, False, id="404 on the retry"),
        pytest.param([204], 1, False, id="204 is a success that this receiver does not note"),
    ],
)
async def test_a_webhook_is_retried_on_5xx_only(
    moveo: Client, receiver: Receiver, answers: list[int | None], tries: int, arrives: bool
) -> None:
    """Identical bytes each time; what follows in the session comes through in any case."""
    receiver.answers = list(answers)
    await moveo.say(await moveo.open(), "hi")
    counts = await idle(moveo)
    assert len(set(receiver.bodies[:tries])) == 1
    assert len(receiver.bodies) == tries + 1
    types = [event["event_type"] for event in receiver.events]
    assert types == ["message:delivered"] * arrives + ["message:brain_send"]
    assert counts["failed"] == (0 if arrives or answers == [204] else 1)


async def test_a_webhook_that_is_not_answered_in_time_is_retried(start: Start, receiver: Receiver) -> None:
    moveo = await start(timeout_seconds=0.1)
    receiver.answers = [None, None]
    await moveo.say(await moveo.open(), "hi")
    assert await receiver.received(2) == ["message:delivered", "message:brain_send"]
    assert len(receiver.bodies) == 4
    assert len(set(receiver.bodies[:3])) == 1


async def test_nobody_listening_is_retried_too(start: Start, receiver: Receiver) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        moveo = await start(webhook_url=f"http://127.0.0.1:{taken.getsockname()[1]}/")
        await moveo.say(await moveo.open(), "hi")
        assert await idle(moveo) == {"sessions": 1, "busy": 0, "delivered": 0, "failed": 2}


async def test_between_tries_it_waits_by_the_schedule(start: Start, receiver: Receiver) -> None:
    waits = (0.02, 0.04, 0.06, 0.08, 0.1)
    moveo = await start(backoff_seconds=waits)
    receiver.answers = [500] * 6
    await moveo.say(await moveo.open(), "hi")
    await receiver.received(1)
    at = receiver.arrived_at[:6]
    gaps = [later - earlier for earlier, later in itertools.pairwise(at)]
    assert all(gap >= wait for gap, wait in zip(gaps, waits, strict=True))


def test_the_settings_are_moveos() -> None:
    """30 s for an answer, 5 retries from 250 ms to 2 s, sessions of 24 hours; no secret shows."""
    config = EmulatorConfig(
        webhook_url="u", integration_id="i", api_key=Secret("hidden"), secret=Secret("hidden")
    )
    assert config.timeout_seconds == 30
    assert len(config.backoff_seconds) == 5
    assert (config.backoff_seconds[0], max(config.backoff_seconds)) == (0.25, 2.0)
    assert config.session_seconds == 86_400
    assert "hidden" not in repr(config)


async def test_a_session_keeps_its_order_while_its_head_is_retried(moveo: Client, receiver: Receiver) -> None:
    """Every third try fails and messages keep coming: the events come in the order they were made."""
    receiver.answers = [200, 200, 500] * 20
    session = await moveo.open()
    for number in range(20):
        await moveo.say(session, f"question {number}" if number else "handover")
    await idle(moveo)
    asked = [event["body"]["text"] for event in receiver.events if event["event_type"] == "message:send"]
    numbers = [text.split("question ")[1].split("”")[0] for text in asked if "question" in text]
    assert numbers == [str(number) for number in range(1, 20)]
    stamps = [event["timestamp"] for event in receiver.events]
    assert stamps == sorted(stamps)


async def test_sessions_do_not_wait_for_each_other(start: Start, receiver: Receiver) -> None:
    """One session's webhook hangs; a hundred others go on."""
    moveo = await start()
    receiver.answers = [None]
    slow = await moveo.open("slow")
    await moveo.say(slow, "hi")
    await receiver.until(lambda: len(receiver.bodies) == 1)
    for number in range(100):
        await moveo.say(await moveo.open(f"chat-{number}"), "text")
    await receiver.received(200)
    assert slow not in {event["session_id"] for event in receiver.events}
    assert (await moveo.status())["busy"] == 1
    receiver.gate.set()
    counts = await idle(moveo)
    assert counts == {"sessions": 101, "busy": 0, "delivered": 202, "failed": 0}


async def test_an_end_is_posted_after_everything_before_it(moveo: Client, receiver: Receiver) -> None:
    """The session is gone at once, its last events still come in order."""
    receiver.answers = [500, 500]
    session = await moveo.open()
    await moveo.say(session, "text")
    await moveo.say(session, "expire")
    assert await moveo.say(session, "text") == 404
    await idle(moveo)
    assert [event["event_type"] for event in receiver.events] == [
        "message:delivered", "message:brain_send", "message:brain_send", "session:expired",
    ]  # fmt: skip


PROCESS = """
import asyncio, sys
from bridge.emulator import EmulatorConfig, run
from bridge.errors import ConfigError
from bridge.secret import Secret

config = EmulatorConfig(
    port=int(sys.argv[1]), webhook_url=sys.argv[2], integration_id="intg-1", api_key=Secret("key-1"), pace=0
)
try:
    asyncio.run(run(config))
except ConfigError as error:
    sys.exit(str(error))
"""


async def process(port: int, webhook_url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROCESS, str(port), webhook_url, env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def port_of(child: asyncio.subprocess.Process) -> int:
    """The port it listens on, by its log."""
    assert child.stdout
    while line := await child.stdout.readline():
        if found := re.search(rb"emulator\.started.*port=(\d+)", line):
            return int(found[1])
    pytest.fail("the process never listened")


@pytest.mark.usefixtures("hangups")
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=["SIGTERM", "SIGINT", "SIGHUP"]
)
async def test_the_process_serves_until_it_is_told_to_end(receiver: Receiver, number: signal.Signals) -> None:
    """Even with a webhook under way it ends at once, with 0 and without a traceback."""
    receiver.answers = [None]
    child = await process(0, receiver.url)
    try:
        async with asyncio.timeout(20), aiohttp.ClientSession() as http:
            moveo = Client(http, f"http://127.0.0.1:{await port_of(child)}")
            await moveo.say(await moveo.open(), "hi")
            await receiver.until(lambda: len(receiver.bodies) == 1)
            child.send_signal(number)
            _, errors = await child.communicate()
        assert child.returncode == 0
        assert errors == b""
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def test_a_taken_port_is_one_line(receiver: Receiver) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        child = await process(port, receiver.url)
        async with asyncio.timeout(20):
            _, errors = await child.communicate()
    assert child.returncode == 1
    assert errors.decode().startswith(f"the emulator cannot listen on 127.0.0.1:{port}: ")
    assert errors.count(b"\n") == 1
