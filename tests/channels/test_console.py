"""The console prints what a chat would show, a line at a time."""

from __future__ import annotations

import pytest

from bridge.channels import Reply, Request
from bridge.channels.console import Console
from bridge.content import (
    Author,
    Card,
    Carousel,
    Content,
    File,
    Handover,
    Image,
    Link,
    Media,
    Notice,
    OpenWebview,
    Option,
    Postback,
    Receipt,
    Text,
    Typing,
    Webview,
)
from bridge.errors import Unavailable

SITE = "https://example.com"
SARAH = Author("Sarah")


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        pytest.param(Text("Hello!\nHow are you?"), ["Hello!", "How are you?"], id="text"),
        pytest.param(
            Text("Sure?", (Option("Yes", "Yes"), Option("No", "no!")), SARAH),
            ["Sarah: Sure?", "[Yes]", '[No] says "no!"'],
            id="options",
        ),
        pytest.param(Image(f"{SITE}/a.jpg", "A cat"), [f"(image) A cat {SITE}/a.jpg"], id="image"),
        pytest.param(File(f"{SITE}/a", "", 5, SARAH), [f"Sarah: (file, 5 bytes) {SITE}/a"], id="file"),
        pytest.param(
            Carousel(
                (
                    Card("A", "b", Media("image", f"{SITE}/a"), (Postback("Buy", "buy"), Link("More", SITE))),
                    Card("C", default_action=OpenWebview("Open", SITE, "tall")),
                )
            ),
            [
                "card 1 of 2",
                "  A",
                "  b",
                f"  (image) {SITE}/a",
                '  [Buy] says "buy"',
                f"  [More] opens {SITE}",
                "card 2 of 2",
                "  C",
                f"  a tap: [Open] opens {SITE} (tall)",
            ],
            id="carousel",
        ),
        pytest.param(
            Webview(SITE, "Open", "compact", "The form"),
            ["The form", f"[Open] opens {SITE} (compact)"],
            id="webview",
        ),
        pytest.param(Handover("To Ann"), ["(handover) To Ann"], id="handover"),
        pytest.param(Notice("close", "Bye"), ["(close) Bye"], id="notice"),
        pytest.param(Typing(on=True, author=SARAH), ["(Sarah is typing)"], id="typing"),
        pytest.param(Typing(on=False), ["(the agent stopped typing)"], id="typing off"),
        pytest.param(Receipt("read"), ["(read)"], id="receipt"),
    ],
)
def test_prints(content: Content, lines: list[str]) -> None:
    [call] = Console().render(content, "chat-1")
    assert call.body == {"chat": "chat-1", "lines": lines}
    assert call.ephemeral == isinstance(content, Typing | Receipt)


def test_a_request_is_lines_that_name_their_chat() -> None:
    [call] = Console().render(Text("one\ntwo"), "chat-1")
    assert Console().request(call) == Request(
        method="PRINT", url="stdout:", body=b"chat-1 | one\nchat-1 | two\n"
    )


def test_what_could_not_be_printed_is_tried_again() -> None:
    assert Console().check(Reply(status=200)) is None
    with pytest.raises(Unavailable):
        Console().check(Reply(status=503))
