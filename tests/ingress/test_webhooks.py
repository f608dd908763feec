"""Webhooks: for every kind of request its answer, and where the event ended up."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest
import structlog
from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader
from aiohttp.test_utils import make_mocked_request

from bridge.embedded import EmbeddedServer
from bridge.ingress import listening, reception
from bridge.ingress.outcome import STATUS, Outcome, Refused
from bridge.ingress.signature import HEADER, sign
from bridge.queue import Queue, connect
from bridge.secret import Secret
from tests.ingress.conftest import ECHO, SECRET, Ingress, Serve
from tests.seed import Payload, payloads

EVENT = b'{"event_type": "message:brain_send", "session_id": "s", "timestamp": 1704067200000}'
LIMIT = 8_388_608


def event(**fields: object) -> bytes:
    return json.dumps({"event_type": "message:brain_send", "session_id": "s"} | fields).encode()


async def test_an_accepted_event_is_in_its_session_byte_for_byte(ingress: Ingress) -> None:
    body = b'  {"session_id" : "s",\n"text": "\\u00e9\xc3\xa9"}  '
    assert await ingress.post(body) == (200, b'{"status":"accepted"}')
    assert await ingress.queued() == [("s", body)]
    assert await ingress.dead() == []
    assert (
        'moveo_bridge_events_total{integration="support",outcome="accepted"} 1.0' in await ingress.metrics()
    )
    assert 'moveo_bridge_ingress_seconds_count{integration="support"} 1.0' in await ingress.metrics()


@pytest.mark.parametrize("payload", payloads(), ids=lambda payload: payload.name)
async def test_every_payload_of_moveos_page_is_taken(ingress: Ingress, payload: Payload) -> None:
    assert await ingress.post(payload.raw) == (200, b'{"status":"accepted"}')
    assert await ingress.queued() == [("sess-456", payload.raw)]


async def test_a_repeat_is_answered_200_and_queued_once(ingress: Ingress) -> None:
    await ingress.post(EVENT)
    assert await ingress.post(EVENT) == (200, b'{"status":"duplicate"}')
    assert (await ingress.queue().stats()).depth == 1
    assert (
        'moveo_bridge_events_total{integration="support",outcome="duplicate"} 1.0' in await ingress.metrics()
    )


@pytest.mark.parametrize(
    ("body", "session"),
    [
        pytest.param(event(session_id="a", external_session_id="b"), "a", id="session-id"),
        pytest.param(event(session_id="", external_session_id="b"), "b", id="external-session-id"),
        pytest.param(event(session_id=None, external_session_id="b"), "b", id="null-session-id"),
        pytest.param(event(timestamp=2**70), "s", id="huge-integer"),
        pytest.param(event(timestamp="soon"), "s", id="wrong-type"),
        pytest.param(b'{"session_id": "s", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}", "s", id="deep"),
        pytest.param(b'\xef\xbb\xbf{"session_id": "s"}', "s", id="byte-order-mark"),
        pytest.param(b'{"session_id": "s", "text": "\xff\xfe"}', "s", id="invalid-utf-8"),
        pytest.param(b'{"session_id": "s", "text": "\\ud800"}', "s", id="lone-surrogate"),
        pytest.param(b'{"session_id": "s", "x": 1e999, "y": NaN}', "s", id="no-json-numbers"),
        pytest.param(event(session_id="é\n\x00{}"), "é\n\x00{}", id="odd-session"),
        pytest.param(event(padding="x" * (LIMIT - 100)), "s", id="as-large-as-allowed"),
    ],
)
async def test_odd_but_signed_events_are_taken(ingress: Ingress, body: bytes, session: str) -> None:
    assert await ingress.post(body) == (200, b'{"status":"accepted"}')
    assert await ingress.queued() == [(session, body)]


@pytest.mark.parametrize("session", ['"\\ud800"', '"' + "x" * 512 + '"'])
async def test_any_session_is_kept_apart(ingress: Ingress, session: str) -> None:
    body = b'{"session_id": %b}' % session.encode()
    assert (await ingress.post(body))[0] == 200
    assert [payload for _, payload in await ingress.queued()] == [body]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "undecodable", id="empty"),
        pytest.param(b"hello", "undecodable", id="no-json"),
        pytest.param(b"[1]", "undecodable", id="no-object"),
        pytest.param(b'{"session_id": "s"', "undecodable", id="cut-off"),
        pytest.param(b"[" * 100_000, "undecodable", id="bottomless"),
        pytest.param(bytes(range(256)), "undecodable", id="bytes"),
        pytest.param(b"{}", "unroutable", id="no-session"),
        pytest.param(event(session_id=""), "unroutable", id="empty-session"),
        pytest.param(event(session_id={"a": 1}), "unroutable", id="no-text-as-session"),
        pytest.param(event(session_id="x" * 513), "unroutable", id="endless-session"),
    ],
)
async def test_signed_bodies_without_a_place_are_kept_as_dead_letters(
    ingress: Ingress, body: bytes, reason: str
) -> None:
    assert await ingress.post(body) == (200, b'{"status":"%b"}' % reason.encode())
    assert await ingress.queued() == []
    assert await ingress.dead() == [(reason, body)]
    assert f'outcome="{reason}"}} 1.0' in await ingress.metrics()


@pytest.mark.parametrize(
    ("offset_seconds", "outcome"),
    [
        pytest.param(0, "accepted", id="now"),
        pytest.param(-250, "accepted", id="late"),
        pytest.param(250, "accepted", id="early"),
        pytest.param(-350, "stale", id="too-late"),
        pytest.param(350, "stale", id="too-early"),
        pytest.param(None, "accepted", id="no-time"),
    ],
)
async def test_outside_the_window_is_a_dead_letter(
    serve: Serve, offset_seconds: float | None, outcome: str
) -> None:
    ingress = await serve(ingress={"window_seconds": 300})
    at = None if offset_seconds is None else int((time.time() + offset_seconds) * 1000)
    body = event(timestamp=at)
    assert await ingress.post(body) == (200, b'{"status":"%b"}' % outcome.encode())
    assert await ingress.queued() == ([("s", body)] if outcome == "accepted" else [])
    assert await ingress.dead() == ([("stale", body)] if outcome == "stale" else [])
    letters = await ingress.queue().dead()
    assert [letter.session for letter in letters] == ["s"] * len(letters)


@pytest.mark.parametrize(
    "body", [b"[1]", b"{}", event(timestamp=1)], ids=["no-object", "no-session", "stale"]
)
async def test_who_repeats_a_signed_body_gets_one_dead_letter(serve: Serve, body: bytes) -> None:
    ingress = await serve(ingress={"window_seconds": 300})
    await ingress.post(body)
    assert await ingress.post(body) == (200, b'{"status":"duplicate"}')
    assert [payload for _, payload in await ingress.dead()] == [body]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="missing"),
        pytest.param({HEADER: ""}, id="empty"),
        pytest.param({HEADER: sign(Secret("wrong"), EVENT)}, id="wrong-secret"),
        pytest.param({HEADER: sign(Secret(SECRET), EVENT + b" ")}, id="another-body"),
        pytest.param({HEADER: "sha256=" + sign(Secret(SECRET), EVENT)}, id="prefixed"),
        pytest.param({HEADER: "é" * 64}, id="no-ascii"),
        pytest.param({HEADER: "zz" * 32}, id="no-hex"),
    ],
)
async def test_a_wrong_signature_is_a_fixed_401_and_leaves_nothing(
    ingress: Ingress, headers: dict[str, str]
) -> None:
    assert await ingress.post(EVENT, secret="", **headers) == (401, b'{"status":"unsigned"}')
    assert await ingress.queued() == []
    assert await ingress.dead() == []


async def test_each_of_several_secrets_is_enough(serve: Serve) -> None:
    ingress = await serve(integrations={"support": {"channel": ECHO, "secrets": ["old", "new"]}})
    assert [(await ingress.post(event(n=n), secret=s))[0] for n, s in enumerate(("old", "new", "other"))] == [
        200,
        200,
        401,
    ]


async def test_an_unsigned_integration_takes_what_comes(serve: Serve) -> None:
    ingress = await serve(integrations={"support": {"channel": ECHO, "unsigned": True}})
    assert (await ingress.post(EVENT, secret=""))[0] == 200


async def test_other_integrations_and_methods_are_not_there(ingress: Ingress) -> None:
    assert (await ingress.post(EVENT, name="other"))[0] == 404
    async with ingress.http.get(f"{ingress.addresses.url}/moveo/support") as response:
        assert response.status == 405
    assert await ingress.queued() == []


@pytest.mark.parametrize("coding", ["gzip", "br", "identity"])
async def test_an_encoded_body_is_refused_unread(ingress: Ingress, coding: str) -> None:
    body = gzip.compress(EVENT)
    assert await ingress.post(body, **{"Content-Encoding": coding}) == (415, b'{"status":"encoded"}')
    assert await ingress.dead() == []


async def test_a_body_over_the_limit_is_refused(ingress: Ingress) -> None:
    assert await ingress.post(b"x" * (LIMIT + 1)) == (413, b'{"status":"too_large"}')


async def test_a_chunked_body_over_the_limit_is_refused(serve: Serve) -> None:
    ingress = await serve(ingress={"max_body_bytes": 100})

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 10

    async with ingress.http.post(f"{ingress.addresses.url}/moveo/support", data=chunks()) as response:
        assert (response.status, await response.read()) == (413, b'{"status":"too_large"}')


async def talk(ingress: Ingress, sent: bytes) -> bytes:
    """What comes back on a connection of its own until the server closes it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", ingress.port)
    writer.write(sent)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return answer


HEAD = b"POST /moveo/support HTTP/1.1\r\nHost: h\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "outcome"),
    [
        pytest.param(HEAD + b"Content-Length: 10\r\n\r\n12345", b"408", "timeout", id="a-body-that-stops"),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
            b"408",
            "timeout",
            id="chunks-that-stop",
        ),
        pytest.param(
            HEAD + b"Content-Length: 9000000\r\n\r\n1", b"413", "too_large", id="too-large-by-its-head"
        ),
        pytest.param(
            HEAD + b"X-Moveo-Signature: \xff\xfe\xc3\x28\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
            b"401",
            "unsigned",
            id="a-signature-of-any-bytes",
        ),
    ],
)
async def test_slow_and_broken_requests_are_ended(
    ingress: Ingress, monkeypatch: pytest.MonkeyPatch, sent: bytes, status: bytes, outcome: str
) -> None:
    monkeypatch.setattr(reception, "BODY_SECONDS", 0.1)
    assert (await talk(ingress, sent)).startswith(b"HTTP/1.1 " + status)
    assert f'outcome="{outcome}"}} 1.0' in await ingress.metrics()
    assert await ingress.dead() == []


async def test_a_chunk_that_breaks_on_its_way_ends_the_connection(
    ingress: Ingress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "BODY_SECONDS", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", ingress.port)
    writer.write(HEAD + b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"5\r\n12345\r\nzz\r\n")
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 4")
    assert await ingress.dead() == []


@pytest.mark.parametrize("error", [web.RequestPayloadError("canary"), ConnectionResetError("gone")], ids=type)
async def test_a_body_that_cannot_be_read_is_malformed(error: Exception) -> None:
    content = StreamReader(BaseProtocol(asyncio.get_running_loop()), 2**16)
    content.set_exception(error)
    with pytest.raises(Refused) as caught:
        await reception.body(make_mocked_request("POST", "/", payload=content))
    assert caught.value.outcome is Outcome.MALFORMED
    assert STATUS[Outcome.MALFORMED] == 400


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(HEAD + b"Content-Le", id="half-a-head"),
    ],
)
async def test_a_connection_that_asks_nothing_is_closed(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(listening, "STRANGER_SECONDS", 0.1)
    monkeypatch.setattr(listening, "LOOK_SECONDS", 0.1)
    assert await talk(await serve(), sent) == b""


@pytest.mark.parametrize(
    ("secret", "stays"), [(SECRET, True), ("another", False)], ids=["signed", "unsigned"]
)
async def test_an_idle_connection_stays_open_for_who_has_signed_something(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, secret: str, stays: bool
) -> None:
    """So that no request of a proxy's crosses with the end of its connection."""
    monkeypatch.setattr(listening, "STRANGER_SECONDS", 0.1)
    monkeypatch.setattr(listening, "LOOK_SECONDS", 0.1)
    ingress = await serve()
    signature = sign(Secret(secret), EVENT)
    said = HEAD + f"Content-Length: {len(EVENT)}\r\n{HEADER}: {signature}\r\n\r\n".encode() + EVENT
    reader, writer = await asyncio.open_connection("127.0.0.1", ingress.port)
    writer.write(said)
    assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200" if stays else b"HTTP/1.1 401")
    await asyncio.sleep(0.5)
    assert reader.at_eof() is not stays
    writer.write(said)
    assert bool(await reader.read(1)) is stays
    writer.close()


async def test_what_is_no_http_is_a_400(ingress: Ingress) -> None:
    assert (await talk(ingress, b"\x16\x03\x01canary\r\n\r\n")).startswith(b"HTTP/1.0 400")


@pytest.mark.parametrize("kind", ["message:compose", "message:read", "message:delivered"])
async def test_a_flooded_session_sheds_signs_first_and_keeps_the_rest_as_dead_letters(
    serve: Serve, kind: str
) -> None:
    ingress = await serve(queue={"session_depth": 2})
    assert await ingress.post(event(n=0)) == (200, b'{"status":"accepted"}')
    assert await ingress.post(event(event_type=kind)) == (200, b'{"status":"shed"}')
    assert await ingress.post(event(n=1)) == (200, b'{"status":"accepted"}')
    assert await ingress.post(event(n=2)) == (200, b'{"status":"flood"}')
    assert await ingress.post(event(event_type=kind, session_id="calm")) == (200, b'{"status":"accepted"}')
    assert await ingress.dead() == [("flood", event(n=2))]
    assert (await ingress.queue().stats()).depth == 3
    counted = await ingress.metrics()
    for outcome in ("shed", "flood"):
        assert f'moveo_bridge_events_total{{integration="support",outcome="{outcome}"}} 1.0' in counted


async def test_a_full_queue_is_a_503(serve: Serve) -> None:
    ingress = await serve(queue={"depth": 1})
    await ingress.post(EVENT)
    url, body = f"{ingress.addresses.url}/moveo/support", event(n=1)
    async with ingress.http.post(url, data=body, headers={HEADER: sign(Secret(SECRET), body)}) as response:
        assert (response.status, await response.read()) == (503, b'{"status":"full"}')
        assert response.headers["Retry-After"] == "1"
    assert await ingress.queued() == [("s", EVENT)]
    assert await ingress.post(EVENT) == (200, b'{"status":"duplicate"}')


async def test_without_redis_it_is_a_quick_503_until_redis_is_back(
    serve: Serve, own_server: EmbeddedServer
) -> None:
    ingress = await serve(own_server.url)
    assert (await ingress.post(event(n=1)))[0] == 200
    own_server.kill()
    started = time.monotonic()
    assert await ingress.post(event(n=2)) == (503, b'{"status":"unavailable"}')
    assert await ingress.post(b"{}") == (503, b'{"status":"unavailable"}')
    assert time.monotonic() - started < 1
    own_server.start()
    assert await ingress.post(event(n=2)) == (200, b'{"status":"accepted"}')
    assert await ingress.post(event(n=1)) == (200, b'{"status":"duplicate"}')


async def test_a_redis_that_forbids_the_push_is_a_503_with_its_reason(
    serve: Serve, own_server: EmbeddedServer
) -> None:
    client = connect(own_server.url)
    await client.acl_setuser("guest", enabled=True, nopass=True, commands=["+@all", "-evalsha"], keys=["*"])
    await client.aclose()
    with structlog.testing.capture_logs() as logs:
        ingress = await serve(f"{own_server.url}?username=guest&password=canary")
        assert await ingress.post(EVENT) == (503, b'{"status":"unavailable"}')
    (line,) = (log for log in logs if log["event"] == "event.refused")
    assert "permissions" in line["reason"]
    assert "canary" not in repr(logs)


async def test_a_frozen_redis_is_a_503_within_the_bound(serve: Serve, own_server: EmbeddedServer) -> None:
    ingress = await serve(own_server.url)
    assert (await ingress.post(event(n=1)))[0] == 200
    os.kill(own_server.pid, signal.SIGSTOP)
    started = time.monotonic()
    assert (await ingress.post(event(n=2)))[0] == 503
    assert 0.15 < time.monotonic() - started < 0.9
    os.kill(own_server.pid, signal.SIGCONT)
    async with asyncio.timeout(10):
        while (await ingress.post(event(n=2)))[0] != 200:
            pass
    client = connect(own_server.url)
    assert (await Queue(client, "support", "out").stats()).depth == 2
    await client.aclose()


async def test_logs_name_what_was_refused_and_repeat_nothing_of_it(serve: Serve) -> None:
    with structlog.testing.capture_logs() as logs:
        ingress = await serve()
        body = event(session_id="s-1", text="canary-text")
        await ingress.post(body)
        for _ in range(5):
            await ingress.post(body, secret="canary-guess")
        await ingress.post(b"{canary-text")
        text = await ingress.metrics()
    assert [
        (log["event"], log.get("outcome"), log.get("session")) for log in logs if "event." in log["event"]
    ] == [
        ("event.accepted", "accepted", "s-1"),
        ("event.refused", "unsigned", None),
        ("event.kept", "undecodable", None),
    ]
    assert "canary" not in repr(logs) + text


async def test_a_line_of_the_log_says_how_often_it_happened() -> None:
    line = reception._Line()
    assert [line.due(now) for now in (10.0, 10.1, 10.2, 11.0, 11.5, 12.5)] == [1, 0, 0, 3, 0, 2]
