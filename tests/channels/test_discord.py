"""Discord: what is sent for each content, and what its answers mean."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from bridge import __version__
from bridge.channels import Call, Reply
from bridge.channels.discord import Discord, DiscordSettings
from bridge.channels.text import clean
from bridge.content import (
    Card,
    Carousel,
    Content,
    Image,
    Link,
    Media,
    Option,
    Postback,
    Receipt,
    Text,
    Typing,
    Video,
    Webview,
)
from bridge.errors import (
    BridgeError,
    ConfigError,
    ContentRefused,
    Rejected,
    Unauthorized,
    Unavailable,
    Uncertain,
)
from bridge.secret import Secret
from bridge.testing import corpus
from tests.channels.discord_rules import problems, shown
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

TOKEN = "MTA.a-token-that-must-never-be-seen"
CHAT = "1234567890"
PNG = "https://x.example/a_b.png"
NOBODY: dict[str, list[str]] = {"parse": []}


def channel(api_url: str = "https://discord.com/api/v10") -> Discord:
    return Discord(DiscordSettings(token=Secret(TOKEN), api_url=api_url))


def planned(*said: Content) -> list[Call]:
    return calls_of(channel(), CHAT, *said)


def bodies(*said: Content) -> list[dict[str, Any]]:
    """The messages without what all have in common, which is checked once for all."""
    calls = planned(*said)
    assert {(call.op, str(call.body["allowed_mentions"])) for call in calls} <= {("messages", str(NOBODY))}
    return [{k: v for k, v in call.body.items() if k != "allowed_mentions"} for call in calls]


def press(label: str, value: str) -> dict[str, Any]:
    return {"type": 2, "label": label, "style": 1, "custom_id": value}


def follow(label: str, url: str) -> dict[str, Any]:
    return {"type": 2, "label": label, "style": 5, "url": url}


def row(*components: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(components)}


def options(count: int) -> tuple[Option, ...]:
    return tuple(Option(f"L{number}", f"V{number}") for number in range(count))


PRODUCT = Card("Product A", "$29.99", Media("image", PNG), (Postback("Buy", "buy_a"), Link("More", PNG)))
EMBED = {"title": "Product A", "description": "$29.99", "image": {"url": PNG}}

# ---- what is sent ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(Text(f"*a* <@1> at {PNG}"), [{"content": rf"\*a\* \<@1> at {PNG}"}], id="text"),
        pytest.param(
            Text("Pick", (Option("Yes", "yes please"), Option("No", "no"))),
            [{"content": "Pick", "components": [row(press("Yes", "yes please"), press("No", "no"))]}],
            id="options",
        ),
        pytest.param(
            Image(PNG, "The *new* shop"),
            [{"embeds": [{"image": {"url": PNG}, "description": r"The \*new\* shop"}]}],
            id="image",
        ),
        pytest.param(Image(PNG), [{"embeds": [{"image": {"url": PNG}}]}], id="image-without-a-name"),
        pytest.param(
            Video("https://x.example/v.mp4", "Tour"),
            [{"content": "Tour: https://x.example/v.mp4"}],
            id="video-is-a-link",
        ),
        pytest.param(
            PRODUCT,
            [{"embeds": [EMBED], "components": [row(press("Buy", "buy_a"), follow("More", PNG))]}],
            id="card",
        ),
        pytest.param(
            Carousel((PRODUCT, Card("B"))),
            [
                {"embeds": [EMBED], "components": [row(press("Buy", "buy_a"), follow("More", PNG))]},
                {"embeds": [{"title": "B"}]},
            ],
            id="carousel-is-a-message-a-card",
        ),
        pytest.param(
            Card("*" * 128, "$1"),
            [{"embeds": [{"title": r"\*" * 128, "description": "$1"}]}],
            id="title-fits",
        ),
        pytest.param(
            Card("*" * 129, "$1"),
            [{"embeds": [{"description": r"\*" * 129 + "\n$1"}]}],
            id="title-longer-than-its-place",
        ),
        pytest.param(
            Webview("https://x.example/form", "Fill in", name="Your details"),
            [{"content": "Your details", "components": [row(follow("Fill in", "https://x.example/form"))]}],
            id="webview",
        ),
        pytest.param(
            Webview("https://x.example/form", "Fill in"),
            [{"components": [row(follow("Fill in", "https://x.example/form"))]}],
            id="webview-without-a-name",
        ),
        pytest.param(
            Card("A", buttons=(Link("Go", "https://x.example/" + "x" * 500),)),
            [{"embeds": [{"title": "A"}]}, {"content": "A\nGo: https://x.example/" + "x" * 500}],
            id="an-address-too-long-for-a-button",
        ),
        pytest.param(Typing(on=False), [], id="typing-ends-by-itself"),
        pytest.param(Receipt("read"), [], id="receipt"),
    ],
)
def test_a_content_is_sent_as(content: Content, expected: list[dict[str, Any]]) -> None:
    assert bodies(content) == expected


def test_typing_is_a_call_of_its_own() -> None:
    (call,) = planned(Typing(on=True))
    assert (call.op, call.body, call.ephemeral) == ("typing", {}, True)


@pytest.mark.parametrize(
    ("count", "rows"),
    [(1, [1]), (5, [5]), (6, [5, 1]), (10, [5, 5]), (11, ["menu"]), (25, ["menu"])],
)
def test_options_are_buttons_or_a_menu_by_their_count(count: int, rows: list[Any]) -> None:
    (body,) = bodies(Text("Pick", options(count)))
    if rows == ["menu"]:
        choices = [{"label": f"L{n}", "value": f"V{n}"} for n in range(count)]
        assert body["components"] == [row({"type": 3, "custom_id": "options", "options": choices})]
    else:
        assert [len(each["components"]) for each in body["components"]] == rows
        pressed = [button for each in body["components"] for button in each["components"]]
        assert pressed == [press(f"L{n}", f"V{n}") for n in range(count)]


def test_twenty_six_options_are_numbered_lines() -> None:
    (call,) = planned(Text("Pick", options(26)))
    assert [choice.text for choice in call.numbers] == [f"V{n}" for n in range(26)]
    assert shown(call.body["content"]) == "Pick\n\n" + "\n".join(f"{n + 1}. L{n}" for n in range(26))


def test_a_card_has_five_rows_of_buttons() -> None:
    card = Card("A", buttons=tuple(Postback(f"B{n}", f"v{n}") for n in range(26)))
    first, second = bodies(card)
    assert [len(each["components"]) for each in first["components"]] == [5] * 5
    assert second["components"] == [row(press("B25", "v25"))]


@pytest.mark.parametrize("count", [3, 12], ids=["buttons", "menu"])
def test_a_long_or_repeated_value_is_kept_and_a_token_sent(count: int) -> None:
    said = ("é" * 50, "é" * 50 + "!", "é" * 50, *(f"V{n}" for n in range(count - 3)))
    (call,) = planned(Text("Pick", tuple(Option(f"L{n}", value) for n, value in enumerate(said))))
    (parts,) = (each["components"] for each in call.body["components"])
    ids = [part.get("custom_id", part.get("value")) for part in parts[0].get("options", parts)]
    assert len(set(ids)) == count
    assert [call.keep.get(each, each) for each in ids] == list(said)
    assert len(call.keep) == 2


@pytest.mark.parametrize(
    ("said", "count"),
    [("a" * 2000, 1), ("a" * 2001, 2), ("*" * 1000, 1), ("*" * 1001, 2), ("😀" * 2000, 1)],
    ids=["fits", "over", "escaped-fits", "escaped-over", "emoji"],
)
def test_a_text_is_split_where_it_is_too_long_with_its_backslashes(said: str, count: int) -> None:
    sent = bodies(Text(said, options(1)))
    assert len(sent) == count
    assert "".join(shown(body["content"]) for body in sent) == said
    assert ["components" in body for body in sent] == [False] * (count - 1) + [True]


# ---- what goes out when Discord refuses it -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "text", "numbers"),
    [
        (PRODUCT, f"Product A\n$29.99\nMore: {PNG}\n{PNG}\n\n1\\. Buy", ("buy_a",)),
        (Image(PNG, "Look"), f"Look: {PNG}", ()),
        (
            Text("Pick", (Option("A", "a"), Option("B", "b" * 400))),
            "Pick\n\n1\\. A\n2\\. B",
            ("a", "b" * 400),
        ),
        (Webview("https://m.example", "Open", name="Form"), "Form\nOpen: https://m.example", ()),
    ],
    ids=["card", "image", "options", "webview"],
)
def test_each_form_falls_back_to_a_text(content: Content, text: str, numbers: tuple[str, ...]) -> None:
    (call,) = planned(content)
    (other,) = call.fallback
    assert other.body == {"content": text, "allowed_mentions": NOBODY}
    assert (tuple(choice.text for choice in other.numbers), other.fallback) == (numbers, ())


def test_a_text_alone_has_no_simpler_form() -> None:
    (call,) = planned(Text("Hi"))
    assert call.fallback == ()


# ---- Discord's own rules -----------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", events())
def test_every_event_is_shown_in_calls_that_discord_accepts(raw: bytes) -> None:
    for call in with_fallbacks(calls_for(raw, channel(), CHAT)):
        assert problems(call.op, json.loads(channel().request(call).body)) == []


def test_discord_accepts_the_whole_corpus() -> None:
    for name, content in corpus().items():
        for call in with_fallbacks(planned(content)):
            assert (name, problems(call.op, call.body)) == (name, [])


@settings(deadline=None, max_examples=60)
@given(contents)
def test_discord_accepts_whatever_is_planned(content: Content) -> None:
    for call in with_fallbacks(planned(content)):
        assert problems(call.op, call.body) == []


@settings(deadline=None, max_examples=200)
@given(texts)
def test_a_text_is_shown_exactly_as_it_was_written(said: str) -> None:
    read = [shown(body["content"]) for body in bodies(Text(f"Say {said}."))]
    written = f"Say {clean(said)}."
    if len(read) == 1:
        assert read == [written]
    assert "".join("".join(read).split()) == "".join(written.split())


@settings(deadline=None, max_examples=200)
@given(words, words)
def test_a_card_is_shown_exactly_as_it_was_written(title: str, subtitle: str) -> None:
    (body,) = bodies(Card(f"The {title}.", f"{subtitle}."))
    (embed,) = body["embeds"]
    read = [shown(embed[part]) for part in ("title", "description") if part in embed]
    assert "\n".join(read) == f"The {clean(title)}.\n{clean(subtitle)}."


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("at https://x.example/a_b_c.", "at https://x.example/a_b_c."),
        ("(https://x.example/*)*", "(https://x.example/*)*"),
        ("https://x.example/a_b_<@1>", r"https\://x.example/a\_b\_\<@1>"),
        ("https://x.example).<@1>", r"https\://x.example).\<@1>"),
        ("xhttps://x.example/a_b_", r"xhttps\://x.example/a\_b\_"),
        ("https://x.example\\ ", "https://x.example\\ "),
        ("<https://x.example>", r"\<https://x.example>"),
        ("ftp://a_b_", r"ftp\://a\_b\_"),
    ],
)
def test_an_address_is_a_link_where_that_changes_nothing_around_it(said: str, written: str) -> None:
    assert bodies(Text(said)) == [{"content": written}]
    assert shown(written) == said


@pytest.mark.parametrize(
    "written", ["*bold*", "a_b", "<@1>", "a\n# b", "> a", "1. a", ":tada:", "[a](b)", "||a||", "- a"]
)
def test_the_reader_tests_rely_on_can_fail(written: str) -> None:
    with pytest.raises(AssertionError, match="read as markup"):
        shown(written)


@pytest.mark.parametrize(
    "fields",
    [
        {"content": ""},
        {"content": "x" * 2001},
        {"colour": "red"},
        {"allowed_mentions": {"parse": ["everyone"]}},
        {"nonce": "x" * 26, "enforce_nonce": True},
        {"nonce": "x"},
        {"embeds": [{"title": "x" * 257}]},
        {"embeds": [{"description": "x" * 4097}]},
        {"embeds": [{"title": 1}]},
        {"embeds": [{"colour": "red"}]},
        {"embeds": [{"image": {"url": "nope"}}]},
        {"embeds": [{"description": "x" * 4000}] * 2},
        {"embeds": [{"title": "x"}] * 11},
        {"components": [row(press("a", "b"))] * 2},
        {"components": [row(press("a", f"{n}")) for n in range(6)]},
        {"components": [row(*(press("a", f"{n}") for n in range(6)))]},
        {"components": [row(press("a" * 81, "b"))]},
        {"components": [row(press(" ", "b"))]},
        {"components": [row(press("a", "b" * 101))]},
        {"components": [row({**press("a", "b"), "style": 5})]},
        {"components": [row(follow("a", "mailto:a@b.example"))]},
        {"components": [row(follow("a", "https://x.example/" + "x" * 500))]},
        {"components": [row({"type": 3, "custom_id": "c", "options": [{"label": "a", "value": "b"}] * 2})]},
        {"components": [row({"type": 3, "custom_id": "c", "options": []})]},
    ],
    ids=lambda fields: json.dumps(fields)[:60],
)
def test_the_rules_tests_rely_on_can_fail(fields: dict[str, Any]) -> None:
    good = {"content": "a", "allowed_mentions": NOBODY}
    assert problems("messages", good) == []
    assert problems("messages", {**good, **fields})


# ---- the request -------------------------------------------------------------------------------------------


def test_only_a_header_of_the_request_has_the_token() -> None:
    (call,) = planned(Text("Hi"))
    request = channel("https://discord.example/api/").request(call)
    assert (request.method, request.url) == ("POST", f"https://discord.example/api/channels/{CHAT}/messages")
    assert request.headers["authorization"] == f"Bot {TOKEN}"
    assert request.headers["user-agent"].startswith("DiscordBot (https://")
    assert __version__ in request.headers["user-agent"]
    assert TOKEN not in f"{call}{request.url}{request.body!r}{channel().__dict__}"


def test_every_try_of_a_message_has_one_nonce_and_no_other_message_has_it() -> None:
    calls = list(with_fallbacks(planned(PRODUCT, PRODUCT, Text("Hi"))))
    nonces = [json.loads(channel().request(call).body)["nonce"] for call in calls]
    assert nonces == [json.loads(channel().request(call).body)["nonce"] for call in calls]
    assert len(set(nonces)) == len(calls) == 5
    assert {len(nonce) for nonce in nonces} == {25}


def test_typing_has_no_nonce() -> None:
    (call,) = planned(Typing(on=True))
    request = channel().request(call)
    assert (request.url, request.body) == (f"https://discord.com/api/v10/channels/{CHAT}/typing", b"{}")


@pytest.mark.parametrize(
    ("token", "api_url", "problem"),
    [
        ("", "https://discord.com/api/v10", "token: is no token"),
        ("MTA with\nline", "https://discord.com/api/v10", "token: is no token"),
        ("MTA", "discord.com/api/v10", "api_url: must be an address"),
    ],
    ids=["empty", "line-end", "no-scheme"],
)
def test_a_wrong_setting_is_named_and_not_quoted(token: str, api_url: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        Discord(DiscordSettings(token=Secret(token), api_url=api_url))
    assert "with\n" not in str(caught.value)


def test_what_discord_does_not_show_is_not_rendered() -> None:
    with pytest.raises(ValueError, match="discord shows no receipt"):
        channel().render(Receipt("read"), CHAT)


# ---- the answer --------------------------------------------------------------------------------------------


def refused(status: int, code: int, message: str = "No", **fields: Any) -> Reply:
    return Reply(status=status, body=orjson.dumps({"code": code, "message": message, **fields}))


def test_a_yes_gives_the_messages_id() -> None:
    assert channel().check(Reply(status=200, body=b'{"id":"42","channel_id":"1"}')) == "42"
    assert channel().check(Reply(status=204)) is None


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        *((refused(404, code), Rejected) for code in (10003, 10013)),
        *((refused(403, code), Rejected) for code in (50001, 50007, 50013, 50278)),
        *((refused(400, code), Rejected) for code in (200000, 20009, 50083)),
        *((refused(400, code), ContentRefused) for code in (50035, 50006, 50109, 99999)),
        (refused(413, 40005), ContentRefused),
        (refused(401, 0, "401: Unauthorized"), Unauthorized),
        *((refused(403, code), Unauthorized) for code in (40001, 40002, 50014)),
        *((refused(400, code), Unavailable) for code in (40004, 130000)),
        (refused(503, 50035), Unavailable),
        (Reply(status=500, body=b'{"id":"1"}'), Unavailable),
        (Reply(status=403, body=b"error code: 1020"), Unavailable),
        (Reply(status=200, body=b'{"id":[]}'), Uncertain),
        *NOT_THE_PLATFORM,
    ],
    ids=named,
)
def test_a_no_says_what_to_do_next(reply: Reply, error: type[BridgeError]) -> None:
    assert type(refusal(channel(), reply)) is error


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        (
            {"embeds": {"0": {"image": {"url": {"_errors": [{"code": "URL_TYPE", "message": "Mine!"}]}}}}},
            "50035: No (embeds.0.image.url: URL_TYPE)",
        ),
        ({"_errors": [{"code": "TOO_LARGE", "message": "Mine!"}]}, "50035: No (TOO_LARGE)"),
        ({"_errors": [{"code": "Mine!"}]}, "50035: No"),
        ({"Mine!": {"_errors": [{"code": "TOO_LARGE"}]}}, "50035: No"),
        ({"a": {"_errors": []}}, "50035: No"),
        ({"a": {"_errors": [7]}}, "50035: No"),
        ({}, "50035: No"),
        ([], "50035: No"),
        (7, "50035: No"),
        (None, "50035: No"),
    ],
    ids=[
        "field",
        "whole",
        "no-code",
        "no-field",
        "no-error",
        "wrong-error",
        "empty",
        "list",
        "number",
        "none",
    ],
)
def test_a_no_says_which_field_it_is_about_and_quotes_nothing(errors: Any, reason: str) -> None:
    assert str(refusal(channel(), refused(400, 50035, errors=errors))) == reason


HTML = b"<html>Error 1015</html>"


@pytest.mark.parametrize(
    ("reply", "retry_after", "scope"),
    [
        (Reply(status=429, body=b'{"message":"x","retry_after":1.25,"global":false}'), 1.25, "chat"),
        (Reply(status=429, body=b'{"message":"x","retry_after":64.5,"global":true}'), 64.5, "channel"),
        (
            Reply(status=429, headers={"x-ratelimit-global": "true"}, body=b'{"retry_after":2}'),
            2.0,
            "channel",
        ),
        (refused(429, 20016, retry_after=30.5), 30.5, "chat"),
        (refused(403, 40003), None, "chat"),
        (Reply(status=429, headers={"retry-after": "600"}, body=HTML), 600.0, "channel"),
        (Reply(status=429, body=HTML), None, None),
        (Reply(status=503, headers={"retry-after": "60"}), 60.0, None),
    ],
    ids=["chat", "global", "global-header", "slow-mode", "too-fast", "firewall", "no-time", "503"],
)
def test_a_wait_time_holds_the_chat_or_the_channel(
    reply: Reply, retry_after: float | None, scope: str | None
) -> None:
    assert waits(channel(), reply) == (retry_after, scope)
