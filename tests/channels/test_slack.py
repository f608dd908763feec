"""Slack: what is sent for each content, and what its answers mean."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bridge.channels import Call, Reply
from bridge.channels.slack import Slack, SlackSettings
from bridge.channels.text import clean
from bridge.content import (
    Card,
    Carousel,
    Choice,
    Content,
    Image,
    Link,
    Media,
    Option,
    Postback,
    Text,
    Typing,
    Video,
    Webview,
)
from bridge.errors import (
    BridgeError,
    ConfigError,
    ContentRefused,
    Forbidden,
    Rejected,
    Unauthorized,
    Unavailable,
    Uncertain,
)
from bridge.secret import Secret
from bridge.testing import corpus
from tests.channels.slack_rules import problems, read
from tests.channels.talk import (
    NOT_THE_PLATFORM,
    calls_for,
    calls_of,
    contents,
    events,
    named,
    refusal,
    texts,
    waits,
    with_fallbacks,
    words,
)

TOKEN = "xoxb-a-token-that-must-never-be-seen"
CHAT = "C0123"
PNG = "https://x.example/a_b.png"


def channel(api_url: str = "https://slack.com/api") -> Slack:
    return Slack(SlackSettings(token=Secret(TOKEN), api_url=api_url))


def planned(*said: Content, to: str = CHAT) -> list[Call]:
    return calls_of(channel(), to, *said)


def bodies(*said: Content) -> list[dict[str, Any]]:
    """The calls without what all have in common, which is checked once for all."""
    calls = planned(*said)
    assert {call.op for call in calls} <= {"chat.postMessage"}
    assert {(call.body["channel"], call.body["mrkdwn"]) for call in calls} <= {(CHAT, False)}
    return [{k: v for k, v in call.body.items() if k not in ("channel", "mrkdwn")} for call in calls]


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def markup(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def section(text: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "section", "text": text, "expand": True, **fields}


def press(number: int, label: str, value: str) -> dict[str, Any]:
    return {"type": "button", "action_id": str(number), "text": plain(label), "value": value}


def follow(number: int, label: str, url: str) -> dict[str, Any]:
    return {"type": "button", "action_id": str(number), "text": plain(label), "url": url}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def picture(alt: str) -> dict[str, Any]:
    return {"type": "image", "image_url": PNG, "alt_text": alt}


PRODUCT = Card("Product A", "$29.99", Media("image", PNG), (Postback("Buy", "buy_a"), Link("More", PNG)))
OWN_CARD = {
    "type": "card",
    "hero_image": picture("Product A"),
    "title": markup("Product A"),
    "body": markup("$29.99"),
    "actions": [press(1, "Buy", "buy_a"), follow(2, "More", PNG)],
}

# ---- what is sent ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(Text("*a* <b> & c"), [{"text": "*a* &lt;b&gt; &amp; c"}], id="text-without-markup"),
        pytest.param(
            Text("Done :tada: *"),
            [{"text": "Done :tada: *", "blocks": [section(plain("Done :tada: *"))]}],
            id="text-that-names-an-emoji",
        ),
        pytest.param(
            Text(f"See {PNG}, or", (Option("Yes", "yes please"), Option("No", "no"))),
            [
                {
                    "text": f"See {PNG}, or",
                    "blocks": [
                        section(markup(f"See <{PNG}>, or")),
                        actions(press(1, "Yes", "yes please"), press(2, "No", "no")),
                    ],
                }
            ],
            id="options-under-words-with-an-address",
        ),
        pytest.param(
            Text("*Pick* & &amp;", (Option("Yes", "yes"),)),
            [
                {
                    "text": "*Pick* &amp; &amp;amp;",
                    "blocks": [section(plain("*Pick* & &amp;amp;")), actions(press(1, "Yes", "yes"))],
                }
            ],
            id="options-under-words-like-markup",
        ),
        pytest.param(
            Image(PNG, "The shop"),
            [
                {
                    "text": "The shop",
                    "blocks": [{**picture("The shop"), "title": plain("The shop")}],
                }
            ],
            id="image",
        ),
        pytest.param(Image(PNG), [{"text": PNG, "blocks": [picture("Image")]}], id="image-without-a-name"),
        pytest.param(
            Video("https://x.example/v.mp4", "Tour"),
            [{"text": "Tour: https://x.example/v.mp4"}],
            id="video-is-a-link",
        ),
        pytest.param(
            Webview("https://x.example/form", "Fill in", name="Your details"),
            [
                {
                    "text": "Your details",
                    "blocks": [
                        section(markup("Your details")),
                        actions(follow(1, "Fill in", "https://x.example/form")),
                    ],
                }
            ],
            id="webview",
        ),
        pytest.param(
            Webview("https://x.example/form", "Fill in"),
            [{"text": "Fill in", "blocks": [actions(follow(1, "Fill in", "https://x.example/form"))]}],
            id="webview-without-a-name",
        ),
        pytest.param(PRODUCT, [{"text": "Product A\n$29.99", "blocks": [OWN_CARD]}], id="card"),
        pytest.param(
            Carousel((PRODUCT, Card("B", buttons=(Postback("Buy", "buy_b"),)))),
            [
                {
                    "text": "Product A\n$29.99\nB",
                    "blocks": [
                        {
                            "type": "carousel",
                            "elements": [
                                OWN_CARD,
                                {"type": "card", "title": markup("B"), "actions": [press(3, "Buy", "buy_b")]},
                            ],
                        }
                    ],
                }
            ],
            id="carousel",
        ),
        pytest.param(
            Carousel((PRODUCT, Card("B", "*half* the price"))),
            [
                {
                    "text": "Product A\n$29.99\nB\n*half* the price",
                    "blocks": [
                        section(markup("*Product A*\n$29.99"), accessory=picture("Product A")),
                        actions(press(1, "Buy", "buy_a"), follow(2, "More", PNG)),
                        section(plain("B\n*half* the price")),
                    ],
                }
            ],
            id="carousel-with-words-like-markup",
        ),
        pytest.param(
            Card(media=Media("image", PNG), buttons=tuple(Postback(f"B{n}", f"b{n}") for n in range(1, 5))),
            [
                {
                    "text": "…",
                    "blocks": [
                        picture("Image"),
                        actions(*(press(n, f"B{n}", f"b{n}") for n in range(1, 5))),
                    ],
                }
            ],
            id="card-with-four-buttons",
        ),
    ],
)
def test_a_content_is_sent_as(content: Content, expected: list[dict[str, Any]]) -> None:
    assert bodies(content) == expected


def test_a_message_goes_to_a_conversation_or_into_a_thread() -> None:
    ((call), (thread)) = (planned(Text("Hi"), to=to)[0].body for to in (CHAT, f"{CHAT}/1712345678.000100"))
    assert call == {"channel": CHAT, "text": "Hi", "mrkdwn": False}
    assert thread == {**call, "thread_ts": "1712345678.000100"}


@pytest.mark.parametrize(
    ("count", "kinds"),
    [(1, ["button"]), (25, ["button"] * 25), (26, ["static_select"]), (100, ["static_select"])],
)
def test_options_are_buttons_or_a_menu_by_their_count(count: int, kinds: list[str]) -> None:
    (body,) = bodies(Text("Pick", tuple(Option(f"L{n}", f"V{n}") for n in range(count))))
    elements = body["blocks"][1]["elements"]
    assert [element["type"] for element in elements] == kinds
    if kinds == ["static_select"]:
        assert elements[0]["options"] == [{"text": plain(f"L{n}"), "value": f"V{n}"} for n in range(count)]


def test_a_hundred_and_one_options_are_numbered_lines() -> None:
    *_, last = planned(Text("Pick", tuple(Option(f"L{n}", f"V{n}") for n in range(101))))
    assert "blocks" not in last.body
    assert [choice.text for choice in last.numbers] == [f"V{n}" for n in range(101)]


@pytest.mark.parametrize("count", [2, 30], ids=["buttons", "menu"])
def test_a_long_value_is_kept_and_a_token_sent(count: int) -> None:
    options = tuple(Option(f"L{n}", "v" * (149 + n)) for n in range(1, count + 1))
    (call,) = planned(Text("Pick", options))
    elements = call.body["blocks"][1]["elements"]
    first, second, *_ = elements[0].get("options", elements)
    assert first["value"] == "v" * 150
    assert call.keep[second["value"]] == "v" * 151
    assert len(call.keep) == count - 1


@pytest.mark.parametrize(
    ("card", "own"),
    [
        (Card("t" * 150, "s" * 200), True),
        (Card("t", "s" * 201), False),
        (Card("&" * 30, "s"), True),
        (Card("&" * 31, "s"), False),
        (Card("t", buttons=tuple(Postback(f"{n}", f"{n}") for n in range(3))), True),
        (Card("t", buttons=tuple(Postback(f"{n}", f"{n}") for n in range(4))), False),
        (Card("snake_case"), False),
        (Card("at https://x.example/snake_case"), True),
        (Card("> quoted"), False),
        (Card("a > b"), True),
    ],
    ids=[
        "fits", "body", "escaped-fits", "escaped", "three-buttons", "four-buttons", "underscore",
        "in-an-address", "quote", "no-quote",
    ],
)  # fmt: skip
def test_a_card_is_slacks_own_where_nothing_would_be_cut_or_changed(card: Card, own: bool) -> None:
    (body,) = bodies(card)
    assert (body["blocks"][0]["type"] == "card") is own


def test_cards_that_are_too_much_for_one_message_go_on_in_the_next() -> None:
    shown = bodies(Carousel(tuple(Card(f"Card {n}", "s" * 2700) for n in range(10))))
    assert [len(body["blocks"]) for body in shown] == [4, 4, 2]


def test_words_too_long_once_they_are_escaped_are_two_sections() -> None:
    said = "* " + "&lt; " * 500
    (body,) = bodies(Text(said, (Option("A", "a"),)))
    assert [block["type"] for block in body["blocks"]] == ["section", "section", "actions"]
    assert " ".join(read(body)).split() == said.split()


# ---- what goes out when Slack refuses it -------------------------------------------------------------------


def test_cards_fall_back_to_blocks_then_to_links_then_to_numbers() -> None:
    chain = list(with_fallbacks(planned(Carousel((PRODUCT, PRODUCT)))))
    assert [[block["type"] for block in call.body.get("blocks", ())] for call in chain] == [
        ["carousel"],
        ["section", "actions", "section", "actions"],
        ["section", "section", "actions", "section", "section", "actions"],
        [],
    ]
    assert [f"{PNG}" in call.body["blocks"][1]["text"]["text"] for call in chain[2:3]] == [True]
    assert chain[3].body["text"] == (
        f"Product A\n$29.99\nMore: {PNG}\n{PNG}\n\n1. Buy\n\nProduct A\n$29.99\nMore: {PNG}\n{PNG}\n\n2. Buy"
    )
    assert chain[3].numbers == (Choice("1", "Buy", "buy_a"), Choice("2", "Buy", "buy_a"))


@pytest.mark.parametrize(
    ("content", "text", "numbers"),
    [
        (Image(PNG, "Look"), f"Look: {PNG}", ()),
        (Image(PNG), PNG, ()),
        (Text("Pick", (Option("A", "a"), Option("B", "b" * 400))), "Pick\n\n1. A\n2. B", ("a", "b" * 400)),
        (Text("Party :tada:"), "Party :tada:", ()),
        (Webview("https://m.example", "Open", name="Form"), "Form\nOpen: https://m.example", ()),
    ],
    ids=["image", "image-without-a-name", "options", "emoji", "webview"],
)
def test_blocks_fall_back_to_a_text(content: Content, text: str, numbers: tuple[str, ...]) -> None:
    (call,) = planned(content)
    (other,) = call.fallback
    assert other.body == {"channel": CHAT, "text": text, "mrkdwn": False}
    assert (tuple(choice.text for choice in other.numbers), other.fallback) == (numbers, ())


# ---- Slack's own rules -------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", events())
def test_every_event_is_shown_in_calls_that_slack_accepts(raw: bytes) -> None:
    for call in with_fallbacks(calls_for(raw, channel(), CHAT)):
        assert problems(call.op, call.body) == []


def test_slack_accepts_the_whole_corpus() -> None:
    for name, content in corpus().items():
        for call in with_fallbacks(planned(content)):
            assert (name, problems(call.op, call.body)) == (name, [])


@settings(deadline=None, max_examples=60)
@given(contents)
def test_slack_accepts_whatever_is_planned(content: Content) -> None:
    for call in with_fallbacks(planned(content)):
        assert problems(call.op, call.body) == []


@settings(max_examples=200)
@given(texts, st.booleans())
def test_a_text_is_shown_exactly_as_it_was_written(said: str, with_options: bool) -> None:
    calls = planned(Text(f"Say {said}.", (Option("A", "a"),) if with_options else ()))
    shown = [part for call in calls for part in read(call.body)]
    written = f"Say {clean(said)}."
    if len(shown) == 1:
        assert shown == [written]
    assert "".join("".join(shown).split()) == "".join(written.split())


@settings(max_examples=200)
@given(words.map(lambda word: word[:70]), words)
def test_a_card_is_shown_exactly_as_it_was_written(title: str, subtitle: str) -> None:
    (call,) = planned(Card(f"The {title} .", f"One {subtitle} ."))
    for form in with_fallbacks([call]):
        (block, *_) = form.body.get("blocks", [{"type": "text"}])
        if block["type"] == "card":
            said = [block["title"], block["body"]]
            shown = "\n".join(read({"blocks": [{"type": "section", "text": part} for part in said]}))
        else:
            (shown,) = read(form.body)
        assert shown == f"The {clean(title)} .\nOne {clean(subtitle)} ."


@pytest.mark.parametrize(
    "fields",
    [
        {"text": ""},
        {"text": "a <b>"},
        {"text": "x" * 40_001},
        {"colour": "red"},
        {"channel": "not a channel"},
        {"mrkdwn": True},
        {"blocks": []},
        {"blocks": [section(plain("x" * 3001))]},
        {"blocks": [section(plain(" "))]},
        {"blocks": [section(markup("*bold* or not"))]},
        {"blocks": [section(plain("a"), colour="red")]},
        {"blocks": [section(plain("x" * 3000))] * 5},
        {"blocks": [section(plain("a"))] * 51},
        {"blocks": [{"type": "carrousel"}]},
        {"blocks": [{"type": "carousel", "elements": [{"type": "card", "title": markup("a")}] * 11}]},
        {"blocks": [{"type": "carousel", "elements": [{"type": "card", "title": markup("a" * 151)}]}]},
        {"blocks": [actions(*[press(1, "a", "b")] * 2)]},
        {"blocks": [actions(*(press(n, "a", "b") for n in range(26)))]},
        {"blocks": [actions(press(1, "a" * 76, "b"))]},
        {"blocks": [actions(press(1, "a", "b" * 2001))]},
        {"blocks": [actions({**press(1, "a", "b"), "url": PNG})]},
        {"blocks": [actions(follow(1, "a", "mailto:a@b.example"))]},
        {"blocks": [{**picture("a"), "image_url": "file:///etc/passwd"}]},
        {"blocks": [{**picture("a"), "image_url": "https://x.example/" + "x" * 3000}]},
    ],
    ids=lambda fields: json.dumps(fields)[:60],
)
def test_the_rules_tests_rely_on_can_fail(fields: dict[str, Any]) -> None:
    good = {"channel": CHAT, "text": "a", "mrkdwn": False}
    assert problems("chat.postMessage", good) == []
    assert problems("chat.postMessage", {**good, **fields})


# ---- the request -------------------------------------------------------------------------------------------


def test_only_a_header_of_the_request_has_the_token() -> None:
    (call,) = planned(Text("Hi"))
    request = channel("https://slack.example/api/").request(call)
    assert (request.method, request.url) == ("POST", "https://slack.example/api/chat.postMessage")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert json.loads(request.body) == call.body
    assert TOKEN not in f"{call}{request.url}{request.body!r}{channel().__dict__}"


@pytest.mark.parametrize(
    ("token", "api_url", "problem"),
    [
        ("", "https://slack.com/api", "token: is no token"),
        ("xoxb with\nline", "https://slack.com/api", "token: is no token"),
        ("xoxb-1", "slack.com/api", "api_url: must be an address"),
    ],
    ids=["empty", "line-end", "no-scheme"],
)
def test_a_wrong_setting_is_named_and_not_quoted(token: str, api_url: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        Slack(SlackSettings(token=Secret(token), api_url=api_url))
    assert "with" not in str(caught.value).removesuffix("that starts with https:// or http://")


def test_what_slack_does_not_show_is_not_rendered() -> None:
    with pytest.raises(ValueError, match="slack shows no typing"):
        channel().render(Typing(on=True), CHAT)


# ---- the answer --------------------------------------------------------------------------------------------


def refused(error: str, status: int = 200, **headers: str) -> Reply:
    body = orjson.dumps({"ok": False, "error": error})
    return Reply(
        status=status, headers={name.replace("_", "-"): it for name, it in headers.items()}, body=body
    )


def test_a_yes_gives_the_messages_id() -> None:
    assert channel().check(Reply(status=200, body=b'{"ok":true,"channel":"C1","ts":"1.2"}')) == "1.2"
    assert channel().check(Reply(status=200, body=b'{"ok":true}')) is None


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        *((refused(name), Rejected) for name in ("channel_not_found", "is_archived", "not_in_channel")),
        *((refused(name), Rejected) for name in ("restricted_action_read_only", "message_limit_exceeded")),
        *((refused(name), Rejected) for name in ("access_denied", "no_permission")),
        *((refused(name), ContentRefused) for name in ("invalid_blocks", "msg_blocks_too_long", "no_text")),
        (refused("a_new_one"), ContentRefused),
        *((refused(name), Unauthorized) for name in ("invalid_auth", "token_revoked", "missing_scope")),
        (refused("not_authed", 401), Unauthorized),
        *((refused(name), Forbidden) for name in ("team_access_not_granted", "ekm_access_denied")),
        *((refused(name), Unavailable) for name in ("ratelimited", "service_unavailable", "request_timeout")),
        *((refused(name), Uncertain) for name in ("fatal_error", "internal_error")),
        (refused("invalid_auth", 503), Unavailable),
        (refused("with the user's words"), Uncertain),
        (Reply(status=500, body=b"{}"), Unavailable),
        (Reply(status=404, body=b'{"ok":true}'), Unavailable),
        (Reply(status=200, body=b'{"ok":false,"error":[]}'), Uncertain),
        *NOT_THE_PLATFORM,
    ],
    ids=named,
)
def test_a_no_says_what_to_do_next(reply: Reply, error: type[BridgeError]) -> None:
    found = refusal(channel(), reply)
    assert type(found) is error
    assert "words" not in str(found)


def in_the_body(seconds: str) -> Reply:
    body = f'{{"ok":false,"error":"ratelimited","retry_after":{seconds}}}'
    return Reply(status=429, body=body.encode())


@pytest.mark.parametrize(
    ("reply", "retry_after", "scope"),
    [
        (refused("ratelimited", 429, retry_after="30"), 30.0, "chat"),
        (refused("rate_limited", retry_after="3"), 3.0, "chat"),
        (refused("ratelimited", 429), None, "chat"),
        (in_the_body("30"), 30.0, "chat"),
        (in_the_body("0.5"), 0.5, "chat"),
        (in_the_body("-1"), None, "chat"),
        (in_the_body("true"), None, "chat"),
        (in_the_body('"30"'), None, "chat"),
        (replace(in_the_body("30"), headers={"retry-after": "7"}), 7.0, "chat"),
        (Reply(status=429, headers={"retry-after": "5"}, body=b"slow down"), 5.0, "chat"),
        (refused("service_unavailable"), None, None),
        (refused("request_timeout", retry_after="3"), 3.0, None),
        (Reply(status=503, headers={"retry-after": "60"}), 60.0, None),
    ],
)
def test_a_limit_holds_the_chat_alone(reply: Reply, retry_after: float | None, scope: str | None) -> None:
    assert waits(channel(), reply) == (retry_after, scope)
