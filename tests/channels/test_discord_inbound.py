"""Discord, the way back: interactions verified, read and answered, and how a bot is set up."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from typing import Any

import discord_interactions
import discord_typings
import msgspec
import orjson
import pydantic
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from bridge.channels import Attachment, Call, Click, Inbound, Reading, Reply, SetUp, TwoWay, User, UserMessage
from bridge.channels.discord import Discord, DiscordSettings
from bridge.channels.text import payload
from bridge.content import Card, Link, Option, Postback, Text
from bridge.errors import ConfigError, ContentRefused, SendError, Unauthorized, Uncertain
from bridge.plan import plan
from bridge.secret import Secret
from tests.channels.discord_rules import problems, shown

TOKEN = "MTA.a-token-that-must-never-be-seen"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_KEY = KEY.public_key().public_bytes_raw().hex()
APPLICATION = "845027738276462632"
NOW = 1_712_345_678
TIME, SIGNATURE = "x-signature-timestamp", "x-signature-ed25519"
CHAT, ADA = "1096837", "53908232506183680"


def channel(public_key: str = PUBLIC_KEY, application_id: str = APPLICATION, command: str = "ask") -> Discord:
    return Discord(
        DiscordSettings(
            token=Secret(TOKEN), public_key=public_key, application_id=application_id, command=command
        )
    )


def posted(body: bytes, *, at: float = NOW, headers: Mapping[str, str] | None = None) -> Inbound:
    """A request signed as Discord signs it; but for the headers given."""
    signed = {TIME: str(NOW), SIGNATURE: KEY.sign(str(NOW).encode() + body).hex(), **(headers or {})}
    return Inbound(method="POST", url="https://bridge.example/x", headers=signed, body=body, at=at)


def interaction(kind: int, data: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An interaction in a direct message with Ada."""
    return {
        "id": "786008729715212338",
        "application_id": APPLICATION,
        "type": kind,
        "token": "A_UNIQUE_TOKEN",
        "version": 1,
        "channel_id": CHAT,
        "channel": {"id": CHAT, "type": 1},
        "user": {"id": ADA, "username": "ada99", "global_name": "Ada", "discriminator": "0", "avatar": None},
        "locale": "de",
        "entitlements": [],
        "context": 1,
        "data": data,
        **fields,
    }


def read(body: object, command: str = "ask") -> Reading:
    return channel(command=command).read(posted(orjson.dumps(body)))


def answer(reading: Reading) -> Any:
    assert (reading.status, reading.answer_type) == (200, "application/json")
    return json.loads(reading.answer)


def test_it_is_a_channel_with_a_way_back_and_set_up() -> None:
    assert isinstance(channel(), TwoWay)
    assert isinstance(channel(), SetUp)


# ---- who sent it -------------------------------------------------------------------------------------------


@given(st.binary(max_size=60), st.binary(max_size=2))
def test_what_discords_package_takes_is_taken_and_nothing_else(body: bytes, more: bytes) -> None:
    request = posted(body)
    assert channel().verify(request)
    other = msgspec.structs.replace(request, body=body + more)
    theirs = discord_interactions.verify_key(
        other.body, request.headers[SIGNATURE], request.headers[TIME], PUBLIC_KEY
    )
    assert channel().verify(other) == theirs == (not more)


@pytest.mark.parametrize(
    ("later", "good"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)]
)
def test_a_request_is_good_for_five_minutes(later: int, good: bool) -> None:
    assert channel().verify(posted(b"{}", at=NOW + later)) is good


@pytest.mark.parametrize(
    "headers",
    [
        {SIGNATURE: ""},
        {SIGNATURE: "00"},
        {SIGNATURE: "00" * 64},
        {SIGNATURE: "0" * 127},
        {SIGNATURE: "zz" * 64},
        {SIGNATURE: "caf\udce9"},
        {SIGNATURE: Ed25519PrivateKey.generate().sign(f"{NOW}{{}}".encode()).hex()},
        {TIME: ""},
        {TIME: str(NOW + 1)},
        {TIME: f" {NOW}"},
        {TIME: "9" * 5000},
        {TIME: "\udce9"},
    ],
    ids=[
        "none", "short", "zeros", "odd", "no-digits", "bytes", "of-another-key",
        "no-time", "another-time", "space", "endless", "time-of-bytes",
    ],
)  # fmt: skip
def test_another_signature_or_time_is_refused(headers: dict[str, str]) -> None:
    assert not channel().verify(posted(b"{}", headers=headers))


def test_a_request_without_headers_is_refused() -> None:
    assert not channel().verify(msgspec.structs.replace(posted(b"{}"), headers={}))


def test_without_a_public_key_nothing_is_taken() -> None:
    assert not channel("").verify(posted(b"{}"))


def test_a_key_in_capitals_is_the_same() -> None:
    assert channel(PUBLIC_KEY.upper()).verify(posted(b"{}"))


@pytest.mark.parametrize("key", ["a" * 63, "a" * 65, "z" * 64, PUBLIC_KEY + "\n", "٠" * 64])
def test_a_wrong_public_key_is_named_and_not_quoted(key: str) -> None:
    with pytest.raises(ConfigError, match="public_key: must be the 64 digits") as caught:
        channel(key)
    assert key not in str(caught.value)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    channel("")
    with pytest.raises(ConfigError, match=r"public_key: .*pip install 'moveo-bridge\[discord\]'"):
        channel()


def test_the_address_is_confirmed() -> None:
    assert read({"id": "1", "type": 1, "version": 1}) == Reading(
        answer=b'{"type":1}', answer_type="application/json"
    )


# ---- what is said ------------------------------------------------------------------------------------------


def asked(message: str | None = None, *files: dict[str, Any], name: str = "ask") -> dict[str, Any]:
    options: list[dict[str, Any]] = (
        [] if message is None else [{"type": 3, "name": "message", "value": message}]
    )
    options += [{"type": 11, "name": "file", "value": str(n)} for n, _ in enumerate(files)]
    given = {str(n): {"id": str(n), "size": 3, **each} for n, each in enumerate(files)}
    data = {"id": "7718", "name": name, "type": 1, "options": options, "resolved": {"attachments": given}}
    return interaction(2, data)


def test_a_message_of_the_command_is_said_and_quoted() -> None:
    reading = read(asked("  Where is my *order*?\nAda "))
    assert reading.incoming == (
        UserMessage(
            chat=CHAT,
            id="786008729715212338",
            text="Where is my *order*?\nAda",
            user=User(id=ADA, name="Ada", language="de"),
        ),
    )
    assert answer(reading) == {
        "type": 4,
        "data": {
            "content": "> Where is my \\*order\\*?\n> Ada",
            "flags": 4,
            "allowed_mentions": {"parse": []},
        },
    }


def test_a_message_comes_from_where_its_answer_goes() -> None:
    (message,) = read(asked("Hi")).incoming
    (call,) = [
        step
        for step in plan((Text("Hello"),), channel(), message.chat, key="k").steps
        if isinstance(step, Call)
    ]
    assert channel().request(call).url == f"https://discord.com/api/v10/channels/{CHAT}/messages"


@pytest.mark.parametrize(
    ("member", "name"),
    [({"nick": "Countess"}, "Countess"), ({"nick": None}, "Ada"), ({}, "Ada")],
    ids=["nick", "no-nick", "none"],
)
def test_in_a_server_a_user_is_a_member(member: dict[str, Any], name: str) -> None:
    told = asked("Hi")
    told["member"] = {"user": told.pop("user"), "roles": [], "permissions": "0", **member}
    (message,) = read(told).incoming
    assert message.user == User(id=ADA, name=name, language="de")


def test_a_user_without_a_name_to_show_has_that_of_the_account() -> None:
    (message,) = read({**asked("Hi"), "user": {"id": ADA, "username": "ada99", "global_name": None}}).incoming
    assert message.user.name == "ada99"


@given(st.text(st.characters(codec="utf-8"), max_size=300) | st.text("*_\n>#1. <@", max_size=900))
def test_a_quote_shows_what_was_said_and_fits(said: str) -> None:
    reading = read(asked(f"Say {said}."))
    data = answer(reading)["data"]
    (message,) = reading.incoming
    assert isinstance(message, UserMessage)
    assert problems("messages", {name: it for name, it in data.items() if name != "flags"}) == []
    lines = data["content"].split("\n")
    assert all(line.startswith("> ") for line in lines)
    read_back = "\n".join(shown(line[2:]) for line in lines)
    assert read_back == message.text or (read_back.endswith("…") and len(message.text) > 650)


@pytest.mark.parametrize("said", ["x" * 4000, "*" * 4000, "a\n" * 2000, "😀" * 4000])
def test_a_long_message_is_quoted_in_part_and_said_in_full(said: str) -> None:
    reading = read(asked(said))
    (message,) = reading.incoming
    assert isinstance(message, UserMessage)
    assert message.text == said.strip()
    assert len(answer(reading)["data"]["content"]) <= 2000


PNG = "https://cdn.discordapp.com/ephemeral-attachments/1/2/a.png?ex=1&is=2&hm=3"


@pytest.mark.parametrize(
    ("file", "attachment", "words"),
    [
        (
            {"url": PNG, "filename": "a.png", "content_type": "image/png"},
            Attachment(type="image", url=PNG, mime_type="image/png", filename="a.png"),
            r"\[image: a.png]",
        ),
        (
            {"url": PNG, "filename": "a.txt", "content_type": "text/plain; charset=utf-8"},
            Attachment(type="file", url=PNG, mime_type="text/plain", filename="a.txt"),
            r"\[file: a.txt]",
        ),
        ({"url": PNG, "filename": "a"}, Attachment(type="file", url=PNG, filename="a"), r"\[file: a]"),
        (
            {"url": PNG, "content_type": "video/mp4"},
            Attachment(type="video", url=PNG, mime_type="video/mp4"),
            r"\[video]",
        ),
    ],
    ids=["picture", "parameters", "no-type", "no-name"],
)
def test_a_file_needs_no_message(file: dict[str, Any], attachment: Attachment, words: str) -> None:
    reading = read(asked(None, file))
    (message,) = reading.incoming
    assert isinstance(message, UserMessage)
    assert (message.text, message.attachments) == ("", (attachment,))
    assert answer(reading)["data"]["content"] == f"> {words}"
    both = read(asked("Look", file))
    assert answer(both)["data"]["content"] == f"> Look\n> {words}"


def test_a_file_with_no_address_of_the_web_is_none() -> None:
    (message,) = read(asked("Look", {"url": "file:///etc/passwd", "filename": "a"})).incoming
    assert message == UserMessage(
        chat=CHAT, id="786008729715212338", text="Look", user=User(id=ADA, name="Ada", language="de")
    )


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("start", [], "/start"),
        ("order", [{"type": 3, "name": "number", "value": "17 a"}], "/order 17 a"),
        (
            "order",
            [{"type": 4, "name": "number", "value": 17}, {"type": 10, "name": "sum", "value": 2.5}],
            "/order 17 2.5",
        ),
        ("order", [{"type": 5, "name": "urgent", "value": True}], "/order yes"),
        (
            "order",
            [{"type": 2, "name": "list", "options": [{"type": 1, "name": "open", "options": []}]}],
            "/order list open",
        ),
        (
            "order",
            [
                {
                    "type": 1,
                    "name": "find",
                    "options": [
                        {"type": 3, "name": "by", "value": "date"},
                        {"type": 11, "name": "f", "value": "9"},
                    ],
                }
            ],
            "/order find date",
        ),
    ],
    ids=["alone", "text", "numbers", "yes", "group", "subcommand"],
)
def test_another_command_is_said_as_it_would_be_typed(
    name: str, options: list[dict[str, Any]], said: str
) -> None:
    reading = read(interaction(2, {"id": "1", "name": name, "type": 1, "options": options}))
    (message,) = reading.incoming
    assert isinstance(message, UserMessage)
    assert message.text == said
    assert answer(reading)["type"] == 4


def test_the_command_may_have_another_name() -> None:
    (message,) = read(asked("Hi", name="frage"), command="frage").incoming
    assert isinstance(message, UserMessage)
    assert message.text == "Hi"
    assert channel(command="frage").connect("https://x.example")[1].body.startswith(b'{"name":"frage"')


@pytest.mark.parametrize("message", [None, "", " \n"])
def test_the_command_alone_opens_a_form(message: str | None) -> None:
    reading = read(asked(message))
    assert reading.incoming == ()
    opened = answer(reading)
    (field,) = opened["data"]["components"]
    assert (opened["type"], field["type"], field["component"]["type"]) == (9, 18, 4)
    assert len(opened["data"]["title"]) <= 45
    assert len(field["label"]) <= 45


@pytest.mark.parametrize(
    "components",
    [
        [
            {
                "type": 18,
                "id": 1,
                "component": {"type": 4, "id": 2, "custom_id": "message", "value": " Hi\nAda"},
            }
        ],
        [{"type": 1, "components": [{"type": 4, "custom_id": "message", "value": "Hi\nAda"}]}],
        [
            {"type": 10, "id": 9},
            {"type": 18, "component": {"type": 4, "custom_id": "a", "value": "Hi"}},
            {"type": 18, "component": {"type": 3, "custom_id": "b", "values": ["x"]}},
            {"type": 18, "component": {"type": 4, "custom_id": "c", "value": "Ada"}},
        ],
    ],
    ids=["label", "row", "several"],
)
def test_what_is_filled_in_is_said(components: list[dict[str, Any]]) -> None:
    reading = read(interaction(5, {"custom_id": "message", "components": components}))
    (message,) = reading.incoming
    assert isinstance(message, UserMessage)
    assert (message.text, message.chat) == ("Hi\nAda", CHAT)
    assert answer(reading)["data"]["content"] == "> Hi\n> Ada"


# ---- presses -----------------------------------------------------------------------------------------------


def rows(content: Text | Card) -> list[dict[str, Any]]:
    """The rows as Discord gives them back: with ids, and with what goes without saying."""
    *_, call = (step for step in plan((content,), channel(), CHAT, key="k").steps if isinstance(step, Call))
    given: list[dict[str, Any]] = json.loads(json.dumps(call.body["components"]))
    for number, row in enumerate(given):
        row["id"] = number
        for part in row["components"]:
            part["id"] = 100
            if part["type"] == 3:
                part |= {"min_values": 1, "max_values": 1}
    return given


def press(
    components: object, custom_id: str, *values: str, component_type: int | None = None
) -> dict[str, Any]:
    kind = component_type or (3 if values else 2)
    data = {
        "custom_id": custom_id,
        "component_type": kind,
        "id": 3,
        **({"values": [*values]} if values else {}),
    }
    message = {"id": "5", "channel_id": CHAT, "content": "Pick", "embeds": [], "components": components}
    return interaction(3, data, message=message)


PICK = Text("Pick", (Option("Yes", "yes please"), Option("No", "no thanks")))


def test_a_press_is_a_click_and_the_button_stands_out() -> None:
    reading = read(press(rows(PICK), "no thanks"))
    assert reading.incoming == (
        Click(
            chat=CHAT,
            id="786008729715212338",
            payload="no thanks",
            label="No",
            user=User(id=ADA, name="Ada", language="de"),
        ),
    )
    yes = {"type": 2, "style": 1, "label": "Yes", "custom_id": "yes please"}
    no = {"type": 2, "style": 3, "label": "No", "custom_id": "no thanks"}
    assert answer(reading) == {"type": 7, "data": {"components": [{"type": 1, "components": [yes, no]}]}}


def test_only_the_last_one_pressed_stands_out() -> None:
    card = Card(
        "A", buttons=(*(Postback(f"B{n}", f"v{n}") for n in range(7)), Link("More", "https://x.example"))
    )
    given = rows(card)
    given[0]["components"][1]["style"] = 3
    reading = read(press(given, "v5"))
    (click,) = reading.incoming
    assert isinstance(click, Click)
    assert (click.payload, click.label) == ("v5", "B5")
    data = answer(reading)["data"]
    assert [[part["style"] for part in row["components"]] for row in data["components"]] == [
        [1, 1, 1, 1, 1],
        [3, 1, 5],
    ]
    assert data["components"][1]["components"][2]["url"] == "https://x.example"
    assert problems("messages", {"content": "a", "allowed_mentions": {"parse": []}, **data}) == []


def test_a_choice_is_a_click_and_stays_chosen() -> None:
    many = Text("Pick", tuple(Option(f"L{n}", f"V{n}") for n in range(12)))
    given = rows(many)
    given[0]["components"][0]["options"][3]["default"] = True
    reading = read(press(given, "options", "V7"))
    (click,) = reading.incoming
    assert isinstance(click, Click)
    assert (click.payload, click.label) == ("V7", "L7")
    data = answer(reading)["data"]
    (menu,) = data["components"][0]["components"]
    assert [option["value"] for option in menu["options"] if option.get("default")] == ["V7"]
    assert problems("messages", {"content": "a", "allowed_mentions": {"parse": []}, **data}) == []


def test_a_long_value_comes_back_as_its_token_with_its_label() -> None:
    long = "v" * 500
    token = payload(long, 100)[0]
    (click,) = read(press(rows(Text("Pick", (Option("A", long),))), token)).incoming
    assert isinstance(click, Click)
    assert (click.payload, click.label) == (token, "A")


@pytest.mark.parametrize(
    "components",
    [None, 7, [], [7], [{"type": 17, "components": []}], [{"type": 1, "components": [{"type": 5}]}]],
    ids=["none", "number", "empty", "numbers", "container", "menu-of-people"],
)
def test_buttons_that_cannot_be_read_cost_no_click(components: Any) -> None:
    reading = read(press(components, "buy_a"))
    (click,) = reading.incoming
    assert isinstance(click, Click)
    assert (click.payload, click.label) == ("buy_a", "")
    assert answer(reading) == {"type": 6}


@pytest.mark.parametrize(
    "told",
    [
        press(rows(PICK), ""),
        press(rows(PICK), "people", "53908232506183680", component_type=5),
        {**press(rows(PICK), "yes please"), "channel_id": None},
    ],
    ids=["nothing", "people", "nowhere"],
)
def test_a_press_that_says_nothing_is_answered_and_no_click(told: dict[str, Any]) -> None:
    reading = read(told)
    assert (reading.incoming, answer(reading)) == ((), {"type": 6})


# ---- what is none of it ------------------------------------------------------------------------------------


def test_a_word_half_typed_gets_no_suggestions() -> None:
    reading = read(interaction(4, {"id": "1", "name": "ask", "type": 1, "options": []}))
    assert (reading.incoming, answer(reading)) == ((), {"type": 8, "data": {"choices": []}})


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"type": 99},
        {"type": "1"},
        {"type": 0, "event": {"type": "APPLICATION_AUTHORIZED"}},
        {**asked("Hi"), "channel_id": None},
        {**asked("Hi"), "channel_id": ""},
        {**asked("Hi"), "data": None},
        {**asked("Hi"), "data": []},
        {**asked("Hi"), "user": 7},
        interaction(5, {"custom_id": "message", "components": []}),
        interaction(
            5, {"custom_id": "message", "components": [{"type": 4, "value": 7.5e300}]}, channel_id=None
        ),
    ],
    ids=lambda body: json.dumps(body)[-40:],
)
def test_anything_else_is_no_message(body: object) -> None:
    assert read(body) == Reading()


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b'{"type":2', b"[" * 5000, b'{"type":2,"id":"\\ud800"}', b'{"type":' + b"1" * 5000 + b"}"],
    ids=["empty", "bytes", "cut", "deep", "surrogate", "endless"],
)
def test_what_is_no_json_is_no_message(body: bytes) -> None:
    assert channel().read(posted(body)) == Reading()


@given(
    st.sampled_from([asked("Hi", {"url": PNG}), press(rows(PICK), "yes please")]),
    st.recursive(st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=3), st.lists, max_leaves=4),
)
def test_a_field_of_another_type_is_no_failure(told: dict[str, Any], value: Any) -> None:
    for name in told:
        assert read({**told, name: value}).status == 200
    for name in told["data"]:
        assert read({**told, "data": {**told["data"], name: value}}).status == 200


# ---- setting it up -----------------------------------------------------------------------------------------

URL = "https://bridge.example/channels/support"


def test_the_token_says_whose_it_is() -> None:
    request = channel().identify()
    assert (request.method, request.url, request.body) == (
        "GET",
        "https://discord.com/api/v10/users/@me",
        b"",
    )
    assert request.headers["authorization"] == f"Bot {TOKEN}"
    assert request.headers["user-agent"].startswith("DiscordBot (https://")
    assert channel().identified(Reply(status=200, body=b'{"id":"1","username":"helper"}')) == "helper"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=401, body=b'{"code":0,"message":"401: Unauthorized"}'), Unauthorized),
        (Reply(status=200, body=b'{"id":"1"}'), Uncertain),
        (Reply(status=200, body=b'{"id":"1","username":7}'), Uncertain),
        (Reply(status=200, body=b"<html>"), Uncertain),
    ],
    ids=["refused", "nobody", "wrong-type", "no-json"],
)
def test_a_token_that_is_nobodys_is_named(reply: Reply, error: type[SendError]) -> None:
    with pytest.raises(error):
        channel().identified(reply)


def test_connecting_sets_the_address_and_then_the_command() -> None:
    address, command = channel().connect(URL)
    assert (address.method, address.url) == ("PATCH", "https://discord.com/api/v10/applications/@me")
    assert json.loads(address.body) == {"interactions_endpoint_url": URL}
    assert command.method == "POST"
    assert command.url == f"https://discord.com/api/v10/applications/{APPLICATION}/commands"
    assert command.headers["authorization"] == f"Bot {TOKEN}"
    made = json.loads(command.body)
    model = pydantic.TypeAdapter(discord_typings.ApplicationCommandPayload)
    assert model.validate_python(made) == made
    assert [(option["type"], option["name"]) for option in made["options"]] == [(3, "message"), (11, "file")]
    assert all(1 <= len(each["description"]) <= 100 for each in (made, *made["options"]))
    assert channel().check(Reply(status=201, body=b'{"id":"9","name":"ask"}')) == "9"


def test_an_address_that_discord_cannot_verify_is_named() -> None:
    rule = {"code": "APPLICATION_INTERACTIONS_ENDPOINT_URL_INVALID", "message": "could not be verified"}
    body = {
        "code": 50035,
        "message": "Invalid Form Body",
        "errors": {"interactions_endpoint_url": {"_errors": [rule]}},
    }
    with pytest.raises(ContentRefused, match="interactions_endpoint_url: APPLICATION_INTERACTIONS_ENDPOINT"):
        channel().check(Reply(status=400, body=orjson.dumps(body)))


def test_what_is_not_known_yet_is_a_step() -> None:
    assert channel("").connect(URL) == ()
    assert [request.method for request in channel(application_id="").connect(URL)] == ["PATCH"]
    steps = channel("", "").steps(URL)
    assert "public_key" in steps
    assert "application_id" in steps
    done = channel().steps(URL)
    assert "public_key" not in done
    assert "application_id;" not in done
    assert URL in done
    assert f"client_id={APPLICATION}&permissions=274877926400&scope=bot+applications.commands" in done
    assert TOKEN not in steps + done


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"application_id": "my app"}, "application_id: must be"),
        ({"command": ""}, "command: must be"),
        ({"command": "Ask"}, "command: must be"),
        ({"command": "/ask"}, "command: must be"),
        ({"command": "two words"}, "command: must be"),
        ({"command": "a" * 33}, "command: must be"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_setting_is_named(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        channel(**fields)


def test_other_alphabets_have_commands_too() -> None:
    channel(command="ερώτηση")
