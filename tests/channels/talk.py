"""What tests of channels say: every event there is, and contents as hypothesis makes them up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson
import pytest
from hypothesis import strategies as st

from bridge.channels import Call
from bridge.content import (
    Audio,
    Button,
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
    Text,
    Video,
    Webview,
)
from bridge.events import EVENT_TYPES
from bridge.events.responses import RESPONSE_TYPES
from bridge.samples import sample
from tests.seed import payloads


def events() -> list[object]:
    """The raw body of every event of Moveo's page and of every sample, as parameters of a test."""
    samples = {kind: sample(kind, session="s", number=1, now_ms=1) for kind in EVENT_TYPES}
    samples |= {
        kind: sample("message:brain_send", response_type=kind, session="s", number=1, now_ms=1)
        for kind in RESPONSE_TYPES
    }
    return [
        *(pytest.param(payload.raw, id=f"page {payload.name}") for payload in payloads()),
        *(pytest.param(orjson.dumps(event), id=f"sample {kind}") for kind, event in samples.items()),
    ]


def with_fallbacks(calls: Iterable[object]) -> Iterator[Call]:
    """The calls among the steps of a plan, each followed by what goes out in its place."""
    for call in calls:
        if isinstance(call, Call):
            yield call
            yield from with_fallbacks(call.fallback)


MARKS = "ab*_~`>|<&:;/#@\\[](){}!-+=.1 \n"
"""What the platforms' markups are made of."""
TOKENS = (
    "https://x.example/a_b",
    "x",
    "_",
    "*",
    "<",
    ">",
    " ",
    ".",
    ")",
    "\\",
    "\n",
    ":tada:",
    "1.",
    "#",
    "&amp;",
)
"""What they make of addresses is not what they make of words."""
words = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=120),
    st.text(MARKS, max_size=60),
    st.lists(st.sampled_from(TOKENS), max_size=12).map("".join),
)
texts = words | words.map(lambda word: word * 90)
addresses = st.sampled_from(
    [
        "https://x.example/a_b.png",
        "https://x.example/v.mp4?q=*&r=<1>",
        "http://localhost:8080/a b",
        "https://x.example/" + "x" * 2400,
        "mailto:a@b.example",
        "nope",
        "",
    ]
)
buttons: st.SearchStrategy[Button] = st.one_of(
    st.builds(Postback, words, texts),
    st.builds(Link, words, addresses),
    st.builds(OpenWebview, words, addresses),
)
cards: st.SearchStrategy[Card] = st.builds(
    Card,
    words,
    texts,
    st.none() | st.builds(Media, st.sampled_from(["image", "video"]), addresses),
    st.lists(buttons, max_size=7).map(tuple),
)
contents: st.SearchStrategy[Content] = st.one_of(
    st.builds(Text, texts, st.lists(st.builds(Option, words, texts), max_size=30).map(tuple)),
    *(st.builds(cls, addresses, words) for cls in (Image, Video, Audio, File)),
    cards,
    st.lists(cards, max_size=12).map(lambda some: Carousel(tuple(some))),
    st.builds(Webview, addresses, words, st.just("full"), texts),
    st.builds(Handover, texts),
    st.builds(Notice, st.just("close"), texts),
)
