"""What the page posts is read as words or as a press; anything else is refused in words."""

from __future__ import annotations

import json

import pytest

from bridge.channels import Attachment, Click, User, UserMessage
from bridge.errors import PayloadError
from bridge.web import posted
from bridge.web.rate import CHATS, Rate

CHAT, ID = "chat-0001", "m0123456789"


def body(**fields: object) -> bytes:
    return json.dumps({"chat": CHAT, "id": ID} | fields).encode()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"text": " hi \n"}, UserMessage(chat=CHAT, id=ID, text="hi"), id="words"),
        pytest.param(
            {"text": "a\x00b\r\nc"}, UserMessage(chat=CHAT, id=ID, text="ab\nc"), id="unclean words"
        ),
        pytest.param(
            {"payload": "p", "label": "P"}, Click(chat=CHAT, id=ID, payload="p", label="P"), id="press"
        ),
        pytest.param(
            {"files": [{"id": "a", "name": "ignored"}, {"id": "b"}, {"id": "a"}]},
            UserMessage(
                chat=CHAT,
                id=ID,
                attachments=(Attachment(type="file", source="a"), Attachment(type="file", source="b")),
            ),
            id="files, each once",
        ),
        pytest.param({"payload": "p"}, Click(chat=CHAT, id=ID, payload="p", label="p"), id="press unnamed"),
    ],
)
def test_read(fields: dict[str, object], expected: UserMessage | Click) -> None:
    assert posted.read(body(**fields), User()) == expected


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(body(), id="says nothing"),
        pytest.param(body(text=" \n"), id="blank"),
        pytest.param(body(text="a", payload="b"), id="both"),
        pytest.param(body(payload="p", files=[{"id": "a"}]), id="a press with a file"),
        pytest.param(body(files=[]), id="no file"),
        pytest.param(body(files=[{"id": str(n)} for n in range(6)]), id="too many files"),
        pytest.param(body(files=[{"name": "a"}]), id="a file without an id"),
        pytest.param(body(files="a"), id="files of another type"),
        pytest.param(body(text=7), id="wrong type"),
        pytest.param(body(text="x" * 4001), id="too long"),
        pytest.param(body(text="a\ud800"), id="half a character"),
        pytest.param(body(text="a", chat="short"), id="chat too short"),
        pytest.param(body(text="a", chat="a/../../etc/passwd"), id="chat with slashes"),
        pytest.param(body(text="a", chat="c" * 129), id="chat too long"),
        pytest.param(body(text="a", id="x:y:zzzzz"), id="id with colons"),
    ],
)
def test_refused(raw: bytes) -> None:
    with pytest.raises(PayloadError):
        posted.read(raw, User())


@pytest.mark.parametrize(
    ("header", "expected"),
    [("de-AT,de;q=0.9", "de-AT"), ("en", "en"), ("*", ""), ("", ""), ("<script>", "")],
)
def test_language(header: str, expected: str) -> None:
    assert posted.language(header) == expected


def test_a_chat_may_burst_then_has_to_wait_its_turn() -> None:
    rate = Rate(per_second=2, burst=3)
    assert [rate.wait(CHAT, 100.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert rate.wait(CHAT, 100.0) == pytest.approx(0.5)
    assert rate.wait(CHAT, 100.6) == 0.0
    assert rate.wait("chat-0002", 100.0) == 0.0


def test_what_a_rate_remembers_is_bounded() -> None:
    rate = Rate(per_second=1, burst=1)
    for number in range(CHATS + 10):
        rate.wait(f"chat-{number}", 0.0)
    assert len(rate._free_at) == CHATS
