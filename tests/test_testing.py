"""The contract kit finds what it is there to find: each rule is broken once."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any, ClassVar, get_args

import orjson
import pytest

from bridge.channels import Call, Inbound, Reading, Reply, Request
from bridge.channels.capabilities import Capabilities
from bridge.content import Content, Text, kind
from bridge.errors import Rejected, SendError, Unavailable
from bridge.testing import check_channel, corpus, golden, problems


class Sound:
    """The smallest channel that keeps the contract, both ways."""

    name: ClassVar[str] = "sound"
    capabilities: Any = Capabilities()

    def render(self, content: Content, to: str) -> Sequence[Call]:
        assert isinstance(content, Text)
        return (Call(op="say", body={"to": to, "text": content.text}),)

    def request(self, call: Call) -> Request:
        return Request(
            url="https://example.com/say", headers={"x-token": "s3cret"}, body=orjson.dumps(call.body)
        )

    def check(self, reply: Reply) -> Any:
        if reply.status < 300:
            return None
        if reply.status == 429 or reply.status >= 500:
            raise Unavailable("later")
        raise Rejected("never")

    def verify(self, inbound: Inbound) -> Any:
        return False

    def read(self, inbound: Inbound) -> Any:
        return Reading()


def test_a_sound_channel_has_no_problems() -> None:
    check_channel(Sound(), secrets=["s3cret"])


def said(**changes: Any) -> Any:
    """A render that says the text in a call with `changes`."""
    return lambda self, content, to: (Call(**{"op": "say", "body": {"text": content.text}, **changes}),)


def raising(error: Exception) -> Any:
    def method(self: Any, *arguments: Any) -> Any:
        raise error

    return method


async def later(*_: Any) -> None:
    """What an author writes who thinks that the bridge awaits it."""


counter = itertools.count()


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ({"render": raising(KeyError("x"))}, r"render raises KeyError\('x'\)"),
        ({"render": lambda *_: ()}, "rendered nothing"),
        ({"render": lambda s, c, to: (Call(op="say", body={"text": c.text[:20]}),)}, "lost without a Loss: "),
        (
            {"render": lambda s, c, to: (Call(op="say", body={"n": next(counter)}),)},
            "renders differently the second",
        ),
        ({"render": said(op="")}, "a call without an op"),
        ({"render": said(body={"text": b"bytes"})}, "the body is no JSON"),
        ({"render": said(body={"text": "s3cret"})}, "a secret is in the call"),
        ({"render": said(fallback=(Call(op="", body={}),))}, "fallback: a call without an op"),
        ({"render": said(keep={"~" * 2000: "x"})}, "is longer than payload_bytes"),
        ({"render": said(keep={"~token": "x"})}, "the token ~token is kept but not in the body"),
        ({"request": lambda *_: Request(url="not a url")}, "the request's url is none"),
        ({"request": lambda *_: Request(url="https://x", headers={"a": "b\r\nc: d"})}, "a line end in it"),
        ({"request": lambda *_: Request(url=f"https://x/{next(counter)}")}, "something else the second time"),
        ({"request": lambda *_: None}, r"request\(\) gives .*<lambda> returned None; expected a Request"),
        ({"request": raising(KeyError("x"))}, r"request\(\) gives KeyError\('x'\)"),
        ({"check": lambda *_: None}, "HTTP 400 .* is taken for sent"),
        (
            {"check": lambda s, reply: reply.status},
            "HTTP 200 .*test_testing.py:.*<lambda> returned int; expected a str or None",
        ),
        ({"check": raising(TypeError("x"))}, r"gives TypeError\('x'\), neither"),
        ({"check": raising(Rejected("no"))}, "HTTP 503 .*: says never where the platform says later"),
        ({"check": raising(SendError("s3cret"))}, "the error's text has a secret in it"),
        ({"verify": lambda *_: True}, "verify: gives True for a stranger's"),
        ({"verify": lambda *_: ""}, "returned str; expected True or False"),
        ({"verify": later}, "must be a plain function, not async"),
        ({"check": lambda *_: later()}, "returned a coroutine .*; expected a str or None"),
        ({"render": lambda *_: (later(),)}, "render raises .* returned tuple with a coroutine"),
        ({"read": None, "verify": later}, "not async"),
        ({"read": lambda self: None}, r"must take the arguments \(inbound\)"),
        ({"verify": raising(TypeError("x"))}, r"verify: gives TypeError\('x'\)"),
        ({"read": lambda *_: None}, "read: gives .* returned None; expected a Reading"),
        ({"capabilities": None}, "Broken has no capabilities"),
        ({"capabilities": lambda self: Capabilities()}, "must be a Capabilities, not method"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_finds(broken: dict[str, Any], problem: str) -> None:
    channel: Any = type("Broken", (Sound,), broken)()
    assert any(re.search(problem, found) for found in problems(channel, secrets=["s3cret"]))


def test_all_problems_are_told_at_once() -> None:
    channel: Any = type("Broken", (Sound,), {"check": lambda *_: 5, "render": said(op="")})()
    with pytest.raises(
        AssertionError, match=r"(?s)problems of channel sound:.*without an op.*expected a str or None"
    ):
        check_channel(channel)


def test_the_corpus_has_every_content() -> None:
    assert {kind(content) for content in corpus().values()} == {
        kind(content) for content in get_args(Content)
    }


def test_golden_lines_name_content_steps_and_losses() -> None:
    lines = {line["content"]: line for line in map(orjson.loads, golden(Sound()).splitlines())}
    assert list(lines) == list(corpus())
    assert lines["options/2"] == {
        "content": "options/2",
        "steps": [
            {
                "op": "say",
                "body": {"to": "1234567", "text": "Pick one\n\n1. Choice 1\n2. Choice 2"},
                "numbers": ["I choose 1", "I choose 2"],
            }
        ],
        "losses": [["text", "the quick replies", "numbered lines"]],
    }
    assert lines["lifecycle/pause"]["steps"] == [{"wait": 2.0, "typing": False}]


def test_golden_lines_abbreviate_long_texts() -> None:
    [line] = [line for line in golden(Sound()).splitlines() if '"text/long-one-cluster"' in line]
    assert len(line) < 1_000
    assert re.search(r"… \(4096 characters, [0-9a-f]{12}\)", line)
