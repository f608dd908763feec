"""What tests of channels share: what is said (every event there is, contents as hypothesis makes them up),
what that sends, and what an answer means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import orjson
import pytest
from hypothesis import strategies as st

from bridge.channels import Call, Channel, Reply
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
    Typing,
    Video,
    Webview,
    WebviewHeight,
)
from bridge.errors import SendError, Unavailable, Uncertain
from bridge.events import EVENT_TYPES, decode
from bridge.events.responses import RESPONSE_TYPES
from bridge.plan import plan
from bridge.samples import sample
from bridge.translate import translate
from tests.seed import payloads

# ---- what is said, and the calls it makes ------------------------------------------------------------------


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


def calls_of(channel: Channel, to: str, *said: Content) -> list[Call]:
    """What is planned for the contents, without the waits."""
    return [step for step in plan(said, channel, to, key="k").steps if isinstance(step, Call)]


def with_fallbacks(calls: Iterable[object]) -> Iterator[Call]:
    """The calls among the steps of a plan, each followed by what goes out in its place."""
    for call in calls:
        if isinstance(call, Call):
            yield call
            yield from with_fallbacks(call.fallback)


def calls_for(raw: bytes, channel: Channel, to: str, *, silent: bool = False) -> list[Call]:
    """What is planned for an event: something, unless a loss tells what not, or it may be `silent`."""
    made = plan(translate(decode(raw).event).contents, channel, to, key="k")
    calls = [step for step in made.steps if isinstance(step, Call)]
    assert calls or made.losses or silent, "nothing is shown, and nothing said of it"
    return calls


# ---- what an answer means ----------------------------------------------------------------------------------


def refusal(channel: Channel, reply: Reply) -> SendError:
    """What `check` makes of a reply that is no yes."""
    with pytest.raises(SendError) as caught:
        channel.check(reply)
    return caught.value


def waits(channel: Channel, reply: Reply) -> tuple[float | None, str | None]:
    """For how long what has to wait: the chat, the channel, or what the platform does not say."""
    error = refusal(channel, reply)
    assert isinstance(error, Unavailable)
    return error.retry_after, error.scope


def named(value: object) -> str:
    """A reply or an error in the name of a test."""
    if isinstance(value, Reply):
        return f"{value.status} {value.body.decode(errors='replace')[:100]}".strip()
    return getattr(value, "__name__", "")


NOT_THE_PLATFORM: Final = (
    (Reply(status=403, body=b"a proxy's own no"), Unavailable),
    (Reply(status=407, body=b"<html>who are you?</html>"), Unavailable),
    (Reply(status=302, headers={"location": "https://elsewhere.example"}), Unavailable),
    (Reply(status=500, body=b"<html>"), Unavailable),
    (Reply(status=503), Unavailable),
    (Reply(status=502, body=b"<html>"), Uncertain),
    (Reply(status=504), Uncertain),
    (Reply(status=200, body=b"<html>log in first</html>"), Uncertain),
    (Reply(status=200, body=b"\xff\x00"), Uncertain),
    (Reply(status=200), Uncertain),
)
"""What something in between answers, and what that means wherever the platform itself answers in JSON."""


# ---- contents as hypothesis makes them up ------------------------------------------------------------------

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
        "http://x.example/a b.pdf",
        "mailto:a@b.example",
        "tel:+30210",
        "nope",
        "",
    ]
)
heights: st.SearchStrategy[WebviewHeight] = st.sampled_from(["full", "tall", "compact", "new_window"])
sizes = st.none() | st.integers(1, 60 * 2**20)


def made_of(
    words: st.SearchStrategy[str],
    texts: st.SearchStrategy[str],
    addresses: st.SearchStrategy[str],
    *,
    options: int = 30,
) -> st.SearchStrategy[Content]:
    """Contents of every kind: `words` for what is short, `texts` for what may be long."""
    buttons: st.SearchStrategy[Button] = st.one_of(
        st.builds(Postback, words, texts),
        st.builds(Link, words, addresses),
        st.builds(OpenWebview, words, addresses, heights),
    )
    cards: st.SearchStrategy[Card] = st.builds(
        Card,
        words,
        texts,
        st.none() | st.builds(Media, st.sampled_from(["image", "video"]), addresses),
        st.lists(buttons, max_size=12).map(tuple),
        st.none() | buttons,
    )
    return st.one_of(
        st.builds(Text, texts, st.lists(st.builds(Option, words, texts), max_size=options).map(tuple)),
        st.builds(Image, addresses, texts),
        *(st.builds(cls, addresses, texts, sizes) for cls in (Video, Audio, File)),
        cards,
        st.lists(cards, max_size=12).map(lambda some: Carousel(tuple(some))),
        st.builds(Webview, addresses, words, heights, texts),
        st.builds(Typing, st.booleans()),
        st.builds(Handover, texts),
        st.builds(Notice, st.just("close"), texts),
    )


contents = made_of(words, texts, addresses)
