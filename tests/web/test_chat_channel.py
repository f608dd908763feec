"""The channel: every content becomes one call, and its way through the transport is once for a key."""

from __future__ import annotations

import json

import msgspec
import pytest

from bridge.channels import Call, Channel, Reply
from bridge.channels.webchat import SHOWS, WebChat, WebChatSettings
from bridge.content import Author, Content, Option, Pause, Receipt, Text, Typing
from bridge.errors import Rejected, Unavailable
from bridge.web.log import ChatLog, transport

ANA = Author("Ana", avatar="https://a.example/ana.png")


def stamped(call: Call, to: str = "chat-0001", key: str = "0" * 32) -> Call:
    return msgspec.structs.replace(call, to=to, id=key)


def test_it_is_a_channel_that_shows_everything_but_a_pause() -> None:
    assert isinstance(WebChat(), Channel)
    assert Pause not in SHOWS
    assert len(SHOWS) == 12


@pytest.mark.parametrize(
    ("content", "method", "ephemeral"),
    [
        pytest.param(Text("hi", (Option("a", "b"),), author=ANA), "APPEND", False, id="text"),
        pytest.param(Typing(True, ANA), "PUBLISH", True, id="typing"),
        pytest.param(Receipt("read"), "MARK", True, id="receipt"),
    ],
)
def test_messages_are_kept_and_signs_are_not(content: Content, method: str, ephemeral: bool) -> None:
    channel = WebChat()
    (call,) = channel.render(content, "chat-0001")
    request = channel.request(stamped(call))
    assert (request.method, call.ephemeral) == (method, ephemeral)
    assert json.loads(request.body)["content"] == json.loads(msgspec.json.encode(content))


def test_the_chat_is_quoted_in_the_address_and_the_key_in_a_header() -> None:
    channel = WebChat(WebChatSettings(keep_days=2))
    (call,) = channel.render(Text("hi"), "a/b c?d")
    request = channel.request(stamped(call, "a/b c?d", "f" * 32))
    assert request.url == "chat:a%2Fb%20c%3Fd"
    assert request.headers == {"idempotency-key": "f" * 32, "keep-seconds": "172800"}


async def test_a_repeated_call_is_shown_once_and_answers_the_same_id(log: ChatLog) -> None:
    channel, carry = WebChat(), transport(log)
    (call,) = channel.render(Text("hi"), "a/b c")
    request = channel.request(stamped(call, "a/b c"))
    first, second = channel.check(await carry(request)), channel.check(await carry(request))
    assert first == second is not None
    assert [entry.id for entry in await log.read("a/b c")] == [first]


@pytest.mark.parametrize(
    ("status", "error"),
    [(503, Unavailable), (405, Rejected)],
    ids=["not now", "never"],
)
def test_a_refusal_says_what_to_do_next(status: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        WebChat().check(Reply(status=status))


@pytest.mark.parametrize(
    "table",
    [
        pytest.param({"accent": "red"}, id="colour"),
        pytest.param({"origins": ["https://shop.example/path"]}, id="origin with a path"),
        pytest.param({"origins": ["https://shop.example; script-src *"]}, id="origin that adds a policy"),
        pytest.param({"keep_days": 0}, id="kept for no time"),
        pytest.param({"file_bytes": -1}, id="files of less than nothing"),
        pytest.param({"file_bytes": 60_000_000}, id="files larger than memory should hold"),
        pytest.param({"file_total_bytes": 4_999_999}, id="room for no file"),
        pytest.param({"colour": "#123456"}, id="unknown key"),
    ],
)
def test_a_wrong_setting_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(table, WebChatSettings)
