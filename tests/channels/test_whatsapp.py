"""WhatsApp: what is sent for each content, and what its answers mean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.channels import Call, Reply, Wait, text
from bridge.channels.choices import mark
from bridge.channels.whatsapp import WhatsApp, WhatsAppSettings, markup
from bridge.cli.matrix import matrix
from bridge.content import (
    Audio,
    Card,
    Carousel,
    Content,
    File,
    Image,
    Link,
    Loss,
    Media,
    OpenWebview,
    Option,
    Pause,
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
    Forbidden,
    Rejected,
    Unauthorized,
    Unavailable,
    Uncertain,
)
from bridge.plan import plan
from bridge.secret import Secret
from bridge.testing import corpus
from tests.channels.talk import (
    NOT_THE_PLATFORM,
    addresses,
    calls_for,
    calls_of,
    events,
    made_of,
    named,
    refusal,
    texts,
    waits,
    with_fallbacks,
    words,
)
from tests.channels.whatsapp_rules import problems

TOKEN = "EAAG-token"
ADA = "306912345678"
PNG = "https://x.example/a.png"
SITE = "https://x.example"


def channel(**others: Any) -> WhatsApp:
    return WhatsApp(WhatsAppSettings(token=Secret(TOKEN), phone_number_id="1065", **others))


def planned(content: Content, to: str = ADA) -> list[Call]:
    return calls_of(channel(), to, content)


def bodies(content: Content) -> list[Any]:
    """What is planned for a content, as the messages' own parts."""
    return [call.body[call.body["type"]] for call in planned(content)]


def refusals(calls: Iterable[object]) -> list[str]:
    """What WhatsApp would refuse of the calls and of all that may go out in their place."""
    requests = [channel().request(call) for call in with_fallbacks(calls)]
    return [fault for request in requests for fault in problems(orjson.loads(request.body))]


def options(count: int, label: str = "Choice") -> tuple[Option, ...]:
    return tuple(Option(f"{label} {number}", f"value {number}") for number in range(1, count + 1))


def reply_button(id: str, title: str) -> dict[str, Any]:  # noqa: A002
    return {"type": "reply", "reply": {"id": id, "title": title}}


def page(label: str, url: str) -> dict[str, Any]:
    return {"name": "cta_url", "parameters": {"display_text": label, "url": url}}


# ---- what is sent ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(Text("Hello!\nHow are you?"), [{"body": "Hello!\nHow are you?"}], id="text"),
        pytest.param(
            Text("Pick", (Option("Yes", "yes"), Option("No", "no thanks"))),
            [
                {
                    "type": "button",
                    "body": {"text": "Pick"},
                    "action": {"buttons": [reply_button("yes", "Yes"), reply_button("no thanks", "No")]},
                }
            ],
            id="few-options-are-buttons",
        ),
        pytest.param(
            Text("Pick", options(4)),
            [
                {
                    "type": "list",
                    "body": {"text": "Pick"},
                    "action": {
                        "button": "Options",
                        "sections": [
                            {"rows": [{"id": f"value {n}", "title": f"Choice {n}"} for n in (1, 2, 3, 4)]}
                        ],
                    },
                }
            ],
            id="more-options-are-a-list",
        ),
        pytest.param(
            Text("Pick", (Option("A label of more than twenty-four", "a"), Option("Yes", "b"))),
            [
                {
                    "type": "list",
                    "body": {"text": "Pick"},
                    "action": {
                        "button": "Options",
                        "sections": [
                            {
                                "rows": [
                                    {
                                        "id": "a",
                                        "title": "A label of more than tw…",
                                        "description": "A label of more than twenty-four",
                                    },
                                    {"id": "b", "title": "Yes"},
                                ]
                            }
                        ],
                    },
                }
            ],
            id="a-long-label-is-whole-in-a-list",
        ),
        pytest.param(Image(PNG, "The shop"), [{"link": PNG, "caption": "The shop"}], id="image"),
        pytest.param(Image(PNG), [{"link": PNG}], id="image-without-caption"),
        pytest.param(Image(f"{SITE}/a.gif"), [{"body": f"{SITE}/a.gif"}], id="a-gif-is-a-link"),
        pytest.param(
            Video(f"{SITE}/v.mp4", "Tour"), [{"link": f"{SITE}/v.mp4", "caption": "Tour"}], id="video"
        ),
        pytest.param(
            Audio(f"{SITE}/a.mp3", "Song"), [{"body": "Song"}, {"link": f"{SITE}/a.mp3"}], id="audio"
        ),
        pytest.param(
            File(f"{SITE}/1", "Invoice.pdf"), [{"link": f"{SITE}/1", "filename": "Invoice.pdf"}], id="file"
        ),
        pytest.param(
            File(f"{SITE}/a%20b.pdf", "Your invoice"),
            [{"link": f"{SITE}/a%20b.pdf", "filename": "a b.pdf", "caption": "Your invoice"}],
            id="a-file-with-words",
        ),
        pytest.param(
            File(f"{SITE}/1", "Ann: Invoice.pdf"),
            [{"link": f"{SITE}/1", "filename": "1", "caption": "Ann: Invoice.pdf"}],
            id="a-file-from-a-person",
        ),
        pytest.param(
            Card("A", "$9", Media("image", PNG), (Postback("Buy", "buy_a"), Link("More", SITE))),
            [
                {
                    "type": "button",
                    "header": {"type": "image", "image": {"link": PNG}},
                    "body": {"text": "*A*\n$9"},
                    "action": {"buttons": [reply_button("buy_a", "Buy")]},
                },
                {"type": "cta_url", "body": {"text": "A"}, "action": page("More", SITE)},
            ],
            id="card",
        ),
        pytest.param(
            Card("A", "$9", Media("video", f"{SITE}/v.mp4")),
            [{"link": f"{SITE}/v.mp4", "caption": "*A*\n$9"}],
            id="a-card-without-buttons-is-a-film-with-a-caption",
        ),
        pytest.param(Card("A", "$9"), [{"body": "*A*\n$9"}], id="a-card-of-words"),
        pytest.param(
            Card(media=Media("image", PNG), buttons=(Link("More", SITE),)),
            [
                {
                    "type": "cta_url",
                    "header": {"type": "image", "image": {"link": PNG}},
                    "body": {"text": "…"},
                    "action": page("More", SITE),
                }
            ],
            id="a-card-without-words",
        ),
        pytest.param(
            Webview(f"{SITE}/form", "Fill in", "tall", "Your details"),
            [
                {
                    "type": "cta_url",
                    "body": {"text": "Your details"},
                    "action": page("Fill in", f"{SITE}/form"),
                }
            ],
            id="webview",
        ),
        pytest.param(
            Carousel(
                tuple(
                    Card(f"P {n}", "$9", Media("image", PNG), (Postback("Buy", "buy"),)) for n in (1, 2)
                )
            ),
            [
                {
                    "type": "carousel",
                    "body": {"text": "…"},
                    "action": {
                        "cards": [
                            {
                                "card_index": n - 1,
                                "type": "cta_url",
                                "header": {"type": "image", "image": {"link": PNG}},
                                "body": {"text": f"*P {n}*\n$9"},
                                "action": {
                                    "buttons": [
                                        {"type": "quick_reply", "quick_reply": {"id": behind, "title": "Buy"}}
                                    ]
                                },
                            }
                            for n, behind in ((1, "buy"), (2, text.payload("~1 buy", 200)[0]))
                        ]
                    },
                }
            ],
            id="carousel",
        ),
    ],
)  # fmt: skip
def test_a_content_is_sent_as(content: Content, expected: list[Any]) -> None:
    assert bodies(content) == expected
    assert refusals(planned(content)) == []


HEAD = Media("image", PNG)
LOSS = Loss("carousel", "the carousel", "a message for each card")


@pytest.mark.parametrize(
    ("card", "together"),
    [
        pytest.param(Card("B", "b", HEAD, (Link("Go", SITE),)), True, id="alike"),
        pytest.param(Card(media=HEAD, buttons=(OpenWebview("Go", SITE),)), True, id="without-words"),
        pytest.param(Card("\n", "\t", HEAD, (Link("Go", SITE),)), True, id="with-blank-words"),
        pytest.param(Card("B" * 78, "b" * 79, HEAD, (Link("Go", SITE),)), True, id="as-long-as-can-be"),
        pytest.param(Card("B" * 78, "b" * 80, HEAD, (Link("Go", SITE),)), False, id="too-long"),
        pytest.param(Card("B", "1\n2", HEAD, (Link("Go", SITE),)), True, id="two-line-ends"),
        pytest.param(Card("B", "1\n2\n3", HEAD, (Link("Go", SITE),)), False, id="three-line-ends"),
        pytest.param(Card("B", "b", None, (Link("Go", SITE),)), False, id="no-head"),
        pytest.param(
            Card("B", "b", Media("video", f"{SITE}/a.mp4"), (Link("Go", SITE),)), False, id="another-head"
        ),
        pytest.param(Card("B", "b", HEAD), False, id="no-button"),
        pytest.param(Card("B", "b", HEAD, (Postback("Go", "go"),)), False, id="another-button"),
        pytest.param(Card("B", "b", HEAD, (Link("Go", SITE), Link("Or", SITE))), False, id="more-buttons"),
    ],
)
def test_cards_stand_side_by_side_only_where_they_are_alike(card: Card, together: bool) -> None:
    carousel = Carousel((Card("A", "a", HEAD, (Link("Go", SITE),)), card))
    made = plan((carousel,), channel(), ADA, key="k")
    [*forms] = [step.body.get("interactive", {}).get("type") for step in made.steps if isinstance(step, Call)]
    assert ("carousel" in forms) == together
    assert (LOSS in made.losses) != together
    assert refusals(made.steps) == []


def test_the_matrix_says_that_cards_have_to_be_alike() -> None:
    assert matrix(channel().capabilities)["carousel"] == "native up to 10 alike, else a message for each card"


@pytest.mark.parametrize(
    ("count", "form"),
    [(1, "button"), (3, "button"), (4, "list"), (10, "list"), (11, None)],
    ids=str,
)
def test_the_number_of_options_chooses_their_form(count: int, form: str | None) -> None:
    [content] = bodies(Text("Pick", options(count)))
    assert content.get("type") == form


@pytest.mark.parametrize(
    ("label", "form"), [("x" * 20, "button"), ("x" * 21, "list"), ("x" * 72, "list")], ids=len
)
def test_a_label_too_long_for_a_button_makes_a_list(label: str, form: str) -> None:
    [content] = bodies(Text("Pick", (Option(label, "a"),)))
    assert content["type"] == form


def test_a_label_too_long_for_a_list_is_a_reported_loss() -> None:
    made = plan((Text("Pick", (Option("x" * 73, "a"),)),), channel(), ADA, key="k")
    assert made.losses == (Loss("text", "the end of a quick reply's label", "a shortened label"),)


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "a"], ["a", None]),
        ([" a", "b "], [None, None]),
        (["x" * 200, "y" * 201], ["x" * 200, None]),
        (["~a", "a"], [None, "a"]),
    ],
    ids=["short", "the-same", "white-space", "long", "token-like"],
)
def test_what_stands_behind_a_button_is_its_own(values: list[str], ids: list[str | None]) -> None:
    content = Text("Pick", tuple(Option(f"L{n}", value) for n, value in enumerate(values)))
    [call] = channel().render(content, ADA)
    made = [button["reply"]["id"] for button in call.body["interactive"]["action"]["buttons"]]
    assert [None if one in call.keep else one for one in made] == ids
    assert [call.keep.get(one, one) for one in made] == values
    assert len(set(made)) == len(made)


@pytest.mark.parametrize(
    ("said", "lengths"), [("x" * 1024, [1024]), ("x" * 1025, [1024, 1])], ids=["fits", "one-over"]
)
def test_a_text_too_long_for_a_body_goes_before_it(said: str, lengths: list[int]) -> None:
    *before, last = bodies(Text(said, options(2)))
    assert [len(part["body"]) for part in before] + [len(last["body"]["text"])] == lengths


@pytest.mark.parametrize(("count", "parts"), [(2048, 1), (2049, 2)], ids=["fits", "one-over"])
def test_a_text_of_signs_is_split_by_what_is_sent(count: int, parts: int) -> None:
    made = bodies(Text("*" * count))
    assert len(made) == parts
    assert all(len(part["body"]) <= 4096 for part in made)


def test_numbers_stand_for_the_options_in_a_fallback() -> None:
    [call] = channel().render(Text("Pick", options(2)), ADA)
    [plain] = call.fallback
    assert plain.body["text"]["body"] == "Pick\n1. Choice 1\n2. Choice 2"
    assert plain.numbers == mark(options(2))


@pytest.mark.parametrize("count", [2, 5], ids=["buttons", "list"])
def test_letters_stand_for_options_that_begin_with_digits(count: int) -> None:
    stars = tuple(Option(f"{n} stars", f"{n}") for n in range(count))
    [call] = channel().render(Text("Pick", stars), ADA)
    [plain] = call.fallback
    assert plain.body["text"]["body"].splitlines()[1:3] == ["A. 0 stars", "B. 1 stars"]
    assert plain.numbers == mark(stars)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (Image(PNG, "Look"), f"Look\n{PNG}"),
        (File(f"{SITE}/1", "Invoice.pdf"), f"Invoice.pdf\n{SITE}/1"),
        (Webview(SITE, "Open", name="The form"), f"The form\nOpen: {SITE}"),
        (Card("A", "$9", HEAD, (Link("Go", SITE),)), f"*A*\n$9\n{PNG}\nGo: {SITE}"),
    ],
    ids=["image", "file", "webview", "card"],
)
def test_what_whatsapp_may_refuse_has_a_fallback_of_text(content: Content, said: str) -> None:
    [call] = channel().render(content, ADA)
    [plain] = call.fallback
    assert plain.body["text"]["body"] == said
    assert plain.fallback == ()


def test_a_refused_carousel_is_sent_card_by_card() -> None:
    cards = tuple(Card(f"P {n}", media=HEAD, buttons=(Link("Go", SITE),)) for n in (1, 2, 3))
    [call] = channel().render(Carousel(cards), ADA)
    assert [other.body["interactive"]["type"] for other in call.fallback] == ["cta_url"] * 3


# ---- the agent's words -------------------------------------------------------------------------------------

FORMATS = [
    *(re.compile(rf"(?:^|[\s>*_~`])[{sign}](?=\S)(.+?)[{sign}](?:[^\w]|$)", re.MULTILINE) for sign in "*_~`"),
    re.compile("```"),
    re.compile(r"^\s*(?:[*-] |> ?)", re.MULTILINE),
]
"""What starts a format in WhatsApp's apps, as clients that read its messages have it."""
ADDRESS = re.compile(r"https?://\S+")
signs = st.text(st.sampled_from("*_~`->ab1 .\n\t/:é🇬") | st.characters(codec="utf-8"), max_size=60)


@given(signs | st.builds("{}https://x.example/_a_*b*{}".format, signs, signs))
def test_an_agents_text_has_no_format_and_is_as_written(said: str) -> None:
    escaped = markup.escape(said)
    assert escaped.replace(markup.JOINER, "") == said.replace(markup.JOINER, "")
    assert ADDRESS.findall(escaped) == ADDRESS.findall(said)
    bare = ADDRESS.sub("x", escaped)
    assert [found[0] for form in FORMATS for found in [form.search(bare)] if found] == []


@pytest.mark.parametrize(
    ("said", "formats"),
    [("*a*", True), ("x _a_.", True), ("```a```", True), ("> a", True), ("- a", True), ("a_b_c 2*3", False)],
)
def test_the_formats_the_test_relies_on_are_found(said: str, formats: bool) -> None:
    assert any(form.search(said) for form in FORMATS) == formats


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Product A", "*Product A*"),
        (" Product A ", "*Product A*"),
        ("5 * 3", f"5 {markup.JOINER}* 3"),
        ("two\nlines", "two\nlines"),
        ("", ""),
    ],
    ids=["plain", "white-space", "sign", "lines", "empty"],
)
def test_a_title_is_bold_where_that_is_safe(title: str, shown: str) -> None:
    assert markup.bold(title) == shown


# ---- WhatsApp's own rules ----------------------------------------------------------------------------------


@settings(deadline=None)  # the first example waits for pywa's import
@given(made_of(words | signs, texts | signs, addresses), st.sampled_from([ADA, "GR.1234"]))
def test_whatsapp_accepts_whatever_is_planned_and_every_fallback(content: Content, to: str) -> None:
    assert refusals(planned(content, to)) == []


@pytest.mark.parametrize("content", corpus().values(), ids=corpus())
def test_whatsapp_accepts_the_corpus(content: Content) -> None:
    assert refusals(planned(content)) == []


@pytest.mark.parametrize("raw", events())
def test_every_event_is_shown_in_messages_that_whatsapp_accepts(raw: bytes) -> None:
    assert refusals(calls_for(raw, channel(), ADA)) == []


def message(kind: str, **content: Any) -> dict[str, Any]:
    head = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "1", "type": kind}
    return {**head, kind: content}


def asking(kind: str, said: str = "x", **action: Any) -> dict[str, Any]:
    return message("interactive", type=kind, body={"text": said}, action=action)


@pytest.mark.parametrize(
    "body",
    [
        {},
        message("text", body=" "),
        message("text", body="x" * 4097),
        message("text", body="x", colour="red") | {"colour": "red"},
        message("image", link=PNG, caption="x" * 1025),
        message("image", link="nope"),
        message("audio", link=PNG, caption="x"),
        asking("button", "x" * 1025, buttons=[reply_button("a", "A")]),
        asking("button", buttons=[reply_button("a", "A" * 21)]),
        asking("button", buttons=[reply_button("a", "A"), reply_button("a", "B")]),
        asking("button", buttons=[reply_button(" a", "A")]),
        asking("button", buttons=[reply_button(str(n), str(n)) for n in range(4)]),
        asking("list", button="x", sections=[{"rows": [{"id": str(n), "title": "T"} for n in range(11)]}]),
        asking("list", button="x", sections=[{"rows": [{"id": "a", "title": "T" * 25}]}]),
        asking("cta_url", **page("x" * 21, SITE)),
        asking("cta_url", **page("x", "tel:+1")),
        asking("carousel", cards=[]),
    ],
    ids=str,
)
def test_the_rules_tests_rely_on_can_fail(body: dict[str, Any]) -> None:
    assert problems(body)


# ---- the request -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "address"),
    [(ADA, {"to": ADA}), ("GR.1234", {"recipient": "GR.1234"})],
    ids=["number", "user-id"],
)
def test_a_request_has_address_and_token(to: str, address: dict[str, str]) -> None:
    [call] = channel().render(Text("Hi"), to)
    request = channel(api_url="https://graph.example/v99.0/").request(msgspec.structs.replace(call, to=to))
    assert request.url == "https://graph.example/v99.0/1065/messages"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert orjson.loads(request.body) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **address,
        "type": "text",
        "text": {"body": "Hi"},
    }
    assert TOKEN not in f"{call}{request.url}{request.body!r}"


MARKED = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.LAST"}


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (Typing(on=True), {**MARKED, "typing_indicator": {"type": "text"}}),
        (Receipt("read"), MARKED),
    ],
    ids=["typing", "read"],
)
def test_a_mark_is_about_the_users_last_message(content: Content, body: dict[str, Any]) -> None:
    [call] = plan((content,), channel(), ADA, key="k").steps
    assert isinstance(call, Call)
    assert (call.recall, call.ephemeral) == (("message",), True)
    request = channel().request(msgspec.structs.replace(call, memo={"message": "wamid.LAST"}))
    assert request.url == "https://graph.facebook.com/v25.0/1065/messages"
    assert orjson.loads(request.body) == body
    assert problems(body) == []


def test_a_mark_of_a_message_nobody_knows_names_none() -> None:
    [call] = channel().render(Typing(on=True), ADA)
    assert orjson.loads(channel().request(call).body)["message_id"] == ""


@pytest.mark.parametrize(
    "content", [Typing(on=False), Receipt("delivered")], ids=["typing-ends", "delivered"]
)
def test_there_is_no_sign_for_it(content: Content) -> None:
    assert plan((content,), channel(), ADA, key="k").steps == ()


def test_a_long_pause_renews_the_typing_sign_before_it_ends() -> None:
    steps = plan((Pause(30, typing=True),), channel(), ADA, key="k").steps
    assert [step.seconds if isinstance(step, Wait) else step.op for step in steps] == [
        "status", 20.0, "status", 10.0,
    ]  # fmt: skip


def test_a_mark_that_was_made_has_no_id() -> None:
    assert channel().check(Reply(status=200, body=b'{"success":true}')) is None


def test_the_button_of_a_list_can_be_named() -> None:
    [call] = channel(list_button=" Auswählen ").render(Text("Pick", options(4)), ADA)
    assert call.body["interactive"]["action"]["button"] == "Auswählen"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"token": Secret("a\nb")}, "token: "),
        ({"token": Secret("")}, "token: "),
        ({"phone_number_id": "+30 69"}, "phone_number_id: "),
        ({"list_button": ""}, "list_button: "),
        ({"list_button": "x" * 21}, "list_button: "),
        ({"api_url": "graph.example"}, "api_url: "),
    ],
    ids=str,
)
def test_a_wrong_setting_is_named(changed: dict[str, Any], problem: str) -> None:
    values = {"token": Secret(TOKEN), "phone_number_id": "1", **changed}
    with pytest.raises(ConfigError, match=f"^{problem}"):
        WhatsApp(WhatsAppSettings(**values))


# ---- the answer --------------------------------------------------------------------------------------------


def failed(code: int, subcode: int = 0, status: int = 400, message: str = "no") -> Reply:
    error = {"message": message, "type": "OAuthException", "code": code, "error_subcode": subcode}
    return Reply(status=status, body=orjson.dumps({"error": error}))


def test_a_yes_gives_the_messages_id() -> None:
    body = {"messaging_product": "whatsapp", "contacts": [{"wa_id": ADA}], "messages": [{"id": "wamid.X"}]}
    assert channel().check(Reply(status=200, body=orjson.dumps(body))) == "wamid.X"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        *(
            (failed(code), Unavailable)
            for code in (1, 2, 4, 80007, 130429, 131000, 131016, 131048, 131056, 131057)
        ),
        *((failed(code), Rejected) for code in (130472, 131026, 131030, 131047, 131049, 131050, 132001)),
        *((failed(code), ContentRefused) for code in (100, 131008, 131009, 131051, 131052, 131053)),
        *((failed(code), Unauthorized) for code in (0, 190, 368, 131031, 131042, 133010)),
        *((failed(code), Forbidden) for code in (3, 10, 200, 299, 131005)),
        (failed(100, 33), Unauthorized),
        (failed(190, status=200), Unauthorized),
        (failed(131056, status=200), Unavailable),
        (failed(131026, status=500), Rejected),
        (failed(987654), ContentRefused),
        (failed(987654, status=503), Unavailable),
        (failed(987654, status=429), Unavailable),
        (Reply(status=404, body=b'{"error":"text"}'), Unavailable),
        (Reply(status=200, body=b'{"error":{}}'), Uncertain),
        (Reply(status=200, body=b'{"messages":[]}'), Uncertain),
        (Reply(status=200, body=b'{"success":false}'), Uncertain),
        *NOT_THE_PLATFORM,
    ],
    ids=named,
)
def test_a_no_says_what_to_do_next(reply: Reply, error: type[BridgeError]) -> None:
    assert type(refusal(channel(), reply)) is error


@pytest.mark.parametrize(
    ("reply", "wait", "scope"),
    [
        (failed(131056), None, "chat"),
        (failed(131056, status=429), None, "chat"),
        (failed(131000, status=500), None, "chat"),
        (failed(135000), None, "chat"),
        (failed(131016, status=503), None, None),
        (failed(130429), 1.0, "channel"),
        (failed(80007), 60.0, "channel"),
        (msgspec.structs.replace(failed(4), headers={"retry-after": "7"}), 7.0, "channel"),
        (Reply(status=503, headers={"retry-after": "3"}), 3.0, None),
    ],
    ids=["user", "user-429", "something", "unknown", "down", "number", "account", "header", "proxy"],
)
def test_who_has_to_wait(reply: Reply, wait: float | None, scope: str | None) -> None:
    assert waits(channel(), reply) == (wait, scope)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("(#131030) Recipient not in allowed list", "100: (#131030) Recipient not in allowed list"),
        ("Param 'my words' is too long", "100: Param … is too long"),
        ("the text “my “own” words” is too long", "100: the text … is too long"),
        ("the text is too long: “my words", "100: the text is too long: …"),
        ("cannot fetch https://x.example/secret", "100: cannot fetch …"),
        ("x" * 500, "100: " + "x" * 200),
    ],
    ids=["plain", "words", "quotation", "quotation-without-end", "address", "endless"],
)
def test_a_reason_quotes_nothing_of_the_message(said: str, reason: str) -> None:
    found = refusal(channel(), failed(100, message=said))
    assert (type(found), str(found)) == (ContentRefused, reason)
