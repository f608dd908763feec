"""The API answers as Moveo documents it, and refuses as Moveo documents it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from yarl import URL

from tests.emulator.conftest import Client, Receiver, Start


def assert_refused(answer: tuple[int, dict[str, Any]], status: int, code: str) -> None:
    assert (answer[0], answer[1]["error_code"]) == (status, code)
    assert answer[1]["error_message"]
    assert set(answer[1]) == {"error_code", "error_message"}


async def test_a_session_is_created_with_its_context(moveo: Client) -> None:
    """channel_user_id is kept as context.user.custom_psid."""
    status, answer = await moveo.call(
        "sessions",
        {
            "external_session_id": "c",
            "channel_user_id": "u-1",
            "context": {"user": {"email": "a@b.c"}, "tags": ["x"]},
        },
    )
    assert status == 201
    assert set(answer) == {"request_id", "session_id", "context"}
    assert answer["context"] == {"user": {"email": "a@b.c", "custom_psid": "u-1"}, "tags": ["x"]}


async def test_a_session_needs_nothing(moveo: Client) -> None:
    assert (await moveo.call("sessions"))[0] == 201


async def test_a_message_is_accepted_and_answered_by_webhook(moveo: Client, receiver: Receiver) -> None:
    session = await moveo.open("chat-7", context={"user": {"language": "el"}})
    status, answer = await moveo.call(f"sessions/{session}/messages", {"input": {"text": "carousel"}})
    assert (status, set(answer)) == (202, {"request_id"})
    assert await receiver.received(2) == ["message:delivered", "message:brain_send"]
    event = receiver.events[1]
    assert event["session_id"] == session
    assert event["external_session_id"] == "chat-7"
    assert event["integration_id"] == "intg-1"
    assert event["context"] == {"user": {"language": "el"}}
    assert event["desk_id"]
    assert [part["type"] for part in event["output"]["responses"]] == ["carousel"]


async def test_context_is_completed_and_comes_with_the_events(moveo: Client, receiver: Receiver) -> None:
    session = await moveo.open(context={"user": {"language": "el"}, "plan": "free"})
    status, answer = await moveo.call(
        f"sessions/{session}/context",
        {"context": {"user": {"email": "a@b.c"}, "plan": "pro"}},
        method="PATCH",
    )
    expected = {"user": {"language": "el", "email": "a@b.c"}, "plan": "pro"}
    assert (status, answer["context"]) == (200, expected)
    message = {"input": {"text": "hi"}, "context": {"step": 2}}
    assert (await moveo.call(f"sessions/{session}/messages", message))[0] == 202
    await receiver.received(1)
    assert receiver.events[0]["context"] == expected | {"step": 2}


@pytest.mark.parametrize(
    ("path", "posted"),
    [
        ("messages/read", []),
        ("messages/delivered", []),
        ("conversation/close", ["conversation:closed"]),
        ("handover", ["message:brain_send", "conversation:member_join"]),
        ("close", ["session:closed"]),
    ],
)
async def test_other_calls_do_what_they_say(
    moveo: Client, receiver: Receiver, path: str, posted: list[str]
) -> None:
    session = await moveo.open()
    assert (await moveo.call(f"sessions/{session}/{path}"))[0] == 200
    assert await receiver.received(len(posted)) == posted


async def test_a_conversation_is_reopened_once(moveo: Client, receiver: Receiver) -> None:
    """What is closed is not closed again, and what is open is not opened again."""
    session = await moveo.open()
    for path in ("reopen", "close", "close", "reopen", "reopen", "close"):
        assert (await moveo.call(f"sessions/{session}/conversation/{path}"))[0] == 200
    await moveo.call(f"sessions/{session}/close")
    opened, closed = "conversation:reopened", "conversation:closed"
    assert await receiver.received(4) == [closed, opened, closed, "session:closed"]


async def test_a_handover_while_a_human_is_there_brings_no_second_one(
    moveo: Client, receiver: Receiver
) -> None:
    session = await moveo.open()
    for path in ("handover", "handover", "close"):
        await moveo.call(f"sessions/{session}/{path}")
    types = await receiver.received(6)
    assert types.count("conversation:member_join") == 1
    assert types[-1] == "session:closed"


async def test_a_message_of_an_outside_agent_is_taken(moveo: Client) -> None:
    session = await moveo.open()
    said = {"input": {"text": "a"}, "agent": {"agent_id": "x", "agent_name": "X"}}
    assert (await moveo.call(f"sessions/{session}/messages/agent", said))[0] == 202
    assert_refused(
        await moveo.call(f"sessions/{session}/messages/agent", {"input": {"text": "a"}}),
        400,
        "invalid-payload",
    )


@pytest.mark.parametrize(
    "call",
    [
        pytest.param({"key": "wrong"}, id="wrong key"),
        pytest.param({"key": "kéy"}, id="key that is no ASCII"),
        pytest.param({"integration": "other"}, id="another integration"),
    ],
)
async def test_the_key_must_be_right(moveo: Client, call: dict[str, str]) -> None:
    assert_refused(await moveo.call("sessions", **call), 401, "unauthorized")
    assert_refused(await moveo.call("sessions/x/messages", **call), 401, "unauthorized")


async def test_a_key_of_another_scheme_is_refused(moveo: Client) -> None:
    for headers in ({}, {"Authorization": "Bearer key-1"}):
        async with moveo.http.post(f"{moveo.origin}/v1/custom/intg-1/sessions", headers=headers) as reply:
            assert reply.status == 401


PATHS = [
    "messages", "messages/agent", "messages/read", "messages/delivered", "conversation/close",
    "conversation/reopen", "handover", "close", "files/upload-url", "files/download-url",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
async def test_an_unknown_session_is_not_found(moveo: Client, path: str) -> None:
    assert_refused(await moveo.call(f"sessions/nobody/{path}"), 404, "session-not-found")


async def test_the_context_of_an_unknown_session_is_not_found(moveo: Client) -> None:
    assert_refused(await moveo.call("sessions/nobody/context", method="PATCH"), 404, "session-not-found")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"no json", id="no JSON"),
        pytest.param(b'{"input":{"text":"\xff"}}', id="no UTF-8"),
        pytest.param({}, id="no input"),
        pytest.param({"input": {}}, id="nothing said"),
        pytest.param({"input": {"text": ""}}, id="empty text"),
        pytest.param({"input": {"text": 5}}, id="text of another type"),
        pytest.param({"input": {"attachments": [{"type": "sticker", "url": "u"}]}}, id="unknown attachment"),
        pytest.param({"input": {"attachments": [{"type": "file"}]}}, id="attachment without url"),
        pytest.param({"input": {"attachments": [{"type": "file", "id": "x"}]}}, id="unknown upload"),
        pytest.param({"input": {"attachments": [{"type": "file", "url": "a.png"}]}}, id="url without a host"),
        pytest.param({"input": {"attachments": [{"type": "image", "url": "data:,x"}]}}, id="url of no web"),
        pytest.param({"input": {"attachments": [{"type": "image", "url": "http://["}]}}, id="broken url"),
    ],
)
async def test_an_invalid_message_is_refused(moveo: Client, receiver: Receiver, body: object) -> None:
    """And nothing comes of it: the first event is the answer to the next message."""
    session = await moveo.open()
    assert_refused(await moveo.call(f"sessions/{session}/messages", body), 400, "invalid-payload")
    assert await moveo.say(session, "hi") == 202
    assert await receiver.received(1) == ["message:delivered"]


async def test_expire_ends_the_session(moveo: Client, receiver: Receiver) -> None:
    session = await moveo.open()
    assert await moveo.say(session, "expire") == 202
    assert await moveo.say(session, "hello?") == 404
    assert await receiver.received(2) == ["message:brain_send", "session:expired"]
    assert (await moveo.status())["sessions"] == 0


async def test_a_session_without_messages_expires(start: Start, receiver: Receiver) -> None:
    moveo = await start(session_seconds=0.05)
    session = await moveo.open()
    assert await receiver.received(1) == ["session:expired"]
    assert await moveo.say(session, "hello?") == 404


async def test_sessions_of_one_chat_are_different(moveo: Client) -> None:
    assert await moveo.open("same") != await moveo.open("same")


# ---- files and media --------------------------------------------------------------------------------------


async def test_a_file_goes_up_is_sent_and_comes_down(moveo: Client, receiver: Receiver) -> None:
    session = await moveo.open()
    wanted = {"filename": "a.txt", "content_type": "text/plain; charset=utf-8"}
    status, upload = await moveo.call(f"sessions/{session}/files/upload-url", wanted)
    assert (status, set(upload)) == (200, {"request_id", "upload_url", "file_id"})
    async with moveo.http.put(upload["upload_url"], data=b"content") as reply:
        assert reply.status == 200
    attachment = {"type": "file", "mime_type": "text/plain", "id": upload["file_id"]}
    said = {"input": {"attachments": [attachment]}}
    assert (await moveo.call(f"sessions/{session}/messages", said))[0] == 202
    await receiver.received(2)
    assert "a.txt" in str(receiver.events[1]["output"])
    status, download = await moveo.call(
        f"sessions/{session}/files/download-url", {"file_id": upload["file_id"]}
    )
    assert (status, set(download)) == (200, {"request_id", "download_url", "file_id"})
    async with moveo.http.get(download["download_url"]) as reply:
        assert (reply.status, await reply.read()) == (200, b"content")
        assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert reply.headers["Content-Security-Policy"] == "sandbox"


@pytest.mark.parametrize("way", ["url", "id"])
async def test_a_picture_comes_back_from_where_it_can_be_loaded(
    moveo: Client, receiver: Receiver, way: str
) -> None:
    session = await moveo.open()
    url = f"{moveo.origin}/media/hills.png"
    attachment = {"type": "image", "mime_type": "image/png", "filename": "mine.png"}
    if way == "id":
        wanted = {"filename": "a.png", "content_type": "image/png"}
        _, upload = await moveo.call(f"sessions/{session}/files/upload-url", wanted)
        url = f"{moveo.origin}/files/{upload['file_id']}"
        attachment["id"] = upload["file_id"]
        said = {"input": {"attachments": [attachment]}}
        refused = await moveo.call(f"sessions/{session}/messages", said)
        assert_refused(refused, 400, "invalid-payload")  # not uploaded yet
        async with moveo.http.put(upload["upload_url"], data=b"picture") as reply:
            assert reply.status == 200
    else:
        attachment["url"] = url
    look = {"input": {"text": "look", "attachments": [attachment]}}
    assert (await moveo.call(f"sessions/{session}/messages", look))[0] == 202
    await receiver.received(2)
    text, image = receiver.events[1]["output"]["responses"]
    assert "mine.png" in text["text"]
    assert image == {"type": "image", "url": url, "name": "mine.png"}


async def test_a_file_that_is_not_there_is_refused(moveo: Client) -> None:
    session = await moveo.open()
    answer = await moveo.call(f"sessions/{session}/files/download-url", {"file_id": "x"})
    assert_refused(answer, 400, "invalid-payload")
    _, upload = await moveo.call(
        f"sessions/{session}/files/upload-url", {"filename": "a", "content_type": "text/plain"}
    )
    for url in (upload["upload_url"], f"{moveo.origin}/files/x"):
        async with moveo.http.get(url) as reply:
            assert reply.status == 404


@pytest.mark.parametrize("content_type", ["", "text", "text/html\r\nX-Header: 1", "text/plain\n", 5])
async def test_a_content_type_that_is_none_is_refused(moveo: Client, content_type: object) -> None:
    session = await moveo.open()
    wanted = {"filename": "a", "content_type": content_type}
    assert_refused(await moveo.call(f"sessions/{session}/files/upload-url", wanted), 400, "invalid-payload")


@pytest.mark.parametrize(
    ("name", "content_type", "magic"),
    [
        ("hills.png", "image/png", b"\x89PNG\r\n\x1a\n"),
        ("lake.png", "image/png", b"\x89PNG\r\n\x1a\n"),
        ("dunes.png", "image/png", b"\x89PNG\r\n\x1a\n"),
        ("chime.wav", "audio/wav", b"RIFF"),
        ("sunrise.mp4", "video/mp4", b"\x00\x00\x00"),
        ("guide.pdf", "application/pdf", b"%PDF-"),
        ("form.html", "text/html; charset=utf-8", b"<!doctype html>"),
    ],
)
async def test_media_are_served_with_their_type(
    moveo: Client, name: str, content_type: str, magic: bytes
) -> None:
    async with moveo.http.get(f"{moveo.origin}/media/{name}") as reply:
        body = await reply.read()
        assert reply.status == 200
        assert reply.headers["Content-Type"] == content_type
        assert body.startswith(magic)
        assert len(body) < 60_000
        assert "X-Frame-Options" not in reply.headers


async def test_a_part_of_a_video_can_be_asked_for(moveo: Client) -> None:
    """Safari plays no video from a server without ranges."""
    headers = {"Range": "bytes=0-1"}
    async with moveo.http.get(f"{moveo.origin}/media/sunrise.mp4", headers=headers) as reply:
        assert (reply.status, len(await reply.read())) == (206, 2)


@pytest.mark.parametrize("name", ["nothing.png", "..%2f__init__.py", "..%2fmedia%2fhills.png", "%2e%2e", "."])
async def test_nothing_else_is_served(moveo: Client, name: str) -> None:
    async with moveo.http.get(URL(f"{moveo.origin}/media/{name}", encoded=True)) as reply:
        assert reply.status in (403, 404)


@pytest.mark.parametrize(
    ("settings", "base"), [({}, None), ({"public_url": "https://demo.example/"}, "https://demo.example")]
)
async def test_media_are_where_the_browser_finds_them(
    start: Start, receiver: Receiver, settings: dict[str, str], base: str | None
) -> None:
    moveo = await start(**settings)
    await moveo.say(await moveo.open(), "image")
    await receiver.received(2)
    (image,) = receiver.events[1]["output"]["responses"]
    assert re.fullmatch(re.escape(base or moveo.origin) + r"/media/hills\.png", image["url"])
