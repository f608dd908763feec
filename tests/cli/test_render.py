"""`render`: what would be sent, in the shape that scripts rely on, without a secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.channels import Call, Request
from bridge.channels.registry import installed
from bridge.cli.render import _body
from bridge.events import EVENT_TYPES
from bridge.samples import response, sample
from tests.cli.conftest import Run

CANARY = "canary-5aCGvzkWqL"
SETTINGS = f"""
[integrations.support]
channel = "telegram"
secrets = ["{CANARY}"]
integration_id = "i"
api_key = "{CANARY}"
recipient = "context.user.phone"
pause_max_seconds = 1
[integrations.support.texts]
"session:expired" = "Bye {{session_id}}"
"conversation:closed" = false
[integrations.support.telegram]
token = "123:{CANARY}"
secret_token = "{CANARY}"
api_url = "https://telegram.example"
"""


def event(event_type: str = "message:brain_send", **fields: Any) -> dict[str, Any]:
    return {"event_type": event_type, "session_id": "s-1", "external_session_id": "chat-1", **fields}


def answer(*responses: dict[str, Any]) -> dict[str, Any]:
    return event(output={"responses": responses})


def rendered(run: Run, *arguments: str, events: str) -> list[Any]:
    result = run("render", "-", *arguments, input=events)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_shape_of_a_line(run: Run) -> None:
    events = json.dumps(
        answer({"type": "text", "text": "Hi"}, {"type": "pause", "duration": 2, "show_typing": False})
    )
    assert rendered(run, "--channel", "telegram", events=events) == [
        {
            "steps": [
                {
                    "call": {
                        "op": "sendMessage",
                        "method": "POST",
                        "url": "https://api.telegram.org/bot***/sendMessage",
                        "headers": {"content-type": "application/json"},
                        "body": {"chat_id": "chat-1", "text": "Hi"},
                    }
                },
                {"wait": {"seconds": 2.0, "typing": False}},
            ],
            "losses": [],
        }
    ]


def test_a_loss_has_all_its_fields(run: Run) -> None:
    [line] = rendered(
        run, "--channel", "telegram", events=json.dumps(event("message:read", author_type="agent"))
    )
    assert line["steps"] == []
    assert [set(loss) for loss in line["losses"]] == [{"content", "lost", "shown"}]


def test_what_cannot_be_read_translated_or_shown_is_lost_in_one_list(run: Run) -> None:
    made = answer({"type": "hologram"}, response("carousel", 1)) | {"timestamp": "soon"}
    [line] = rendered(run, "--channel", "telegram", events=json.dumps(made))
    assert {loss["content"] for loss in line["losses"]} >= {"timestamp", "output.responses[0]", "carousel"}


def test_an_integration_renders_as_its_worker_would(run: Run, folder: Path) -> None:
    """Its address, texts, recipient and pause; never its secrets."""
    (folder / "bridge.toml").write_text(SETTINGS)
    context = {"user": {"phone": 4912345}}
    events = [
        event("session:expired", context=context),
        event("conversation:closed", context=context),
        answer({"type": "pause", "duration": 9, "show_typing": False}),
    ]
    result = run("render", "-", "--integration", "support", input="\n".join(map(json.dumps, events)))
    assert CANARY not in result.output
    expired, closed, pause = map(json.loads, result.stdout.splitlines())
    call = expired["steps"][0]["call"]
    assert call["url"] == "https://telegram.example/bot***/sendMessage"
    assert call["body"] == {"chat_id": 4912345, "text": "Bye s-1"} or call["body"]["chat_id"] == "4912345"
    assert closed["steps"] == []
    assert pause["steps"] == [{"wait": {"seconds": 1.0, "typing": False}}]


def test_an_event_without_a_recipient_goes_to_chat(run: Run) -> None:
    events = json.dumps(event("session:expired") | {"external_session_id": None})
    [line] = rendered(run, "--channel", "telegram", events=events)
    assert line["steps"][0]["call"]["body"]["chat_id"] == "chat"


PRETTY = json.dumps(event("session:expired"), indent=2)
LINE = json.dumps(event("session:expired"))


@pytest.mark.parametrize(
    ("file", "lines", "broken"),
    [
        pytest.param(PRETTY, 1, [], id="one event over many lines"),
        pytest.param(LINE, 1, [], id="one event on one line"),
        pytest.param(f"{LINE}\n\n{LINE}\r\n{LINE}\n", 3, [], id="one a line, empty lines between"),
        pytest.param(f"nonsense\n{LINE}\n[1]\n{LINE}", 2, [1, 3], id="broken lines among good ones"),
        pytest.param(f"\n{PRETTY[:-1]}", 0, [2], id="one broken event over many lines"),
        pytest.param(f"[{LINE}]", 0, [1], id="a list is no event"),
        pytest.param("", 0, [], id="nothing"),
    ],
)
def test_a_file_holds_one_event_or_one_a_line(
    run: Run, folder: Path, file: str, lines: int, broken: list[int]
) -> None:
    (folder / "events").write_text(file)
    result = run("render", "events", "--channel", "console")
    assert len(result.stdout.splitlines()) == lines
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == [
        f"line {number}" for number in broken
    ]
    assert result.exit_code == (1 if broken else 0)


@pytest.mark.parametrize("channel", installed())
def test_every_channel_renders_every_event_without_settings(run: Run, channel: str) -> None:
    samples = [sample(event_type, session="chat-0001", number=1, now_ms=1) for event_type in EVENT_TYPES]
    lines = rendered(run, "--channel", channel, events="\n".join(map(json.dumps, samples)))
    assert len(lines) == len(samples)
    assert any(line["steps"] for line in lines)


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        pytest.param(Request(url="u"), None, id="none"),
        pytest.param(Request(url="u", body=b'{"a": [1]}'), {"a": [1]}, id="json"),
        pytest.param(
            Request(
                url="u",
                headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
                body=b"Body=Hi+you&MediaUrl=a&MediaUrl=b&Empty=",
            ),
            {"Body": "Hi you", "MediaUrl": ["a", "b"], "Empty": ""},
            id="form",
        ),
        pytest.param(Request(url="u", body=b"plain"), "plain", id="text"),
    ],
)
def test_the_body_is_shown_as_what_it_is(request_: Request, body: Any) -> None:
    assert _body(request_, Call(op="o")) == body


def test_a_field_that_may_stand_more_than_once_is_a_list() -> None:
    form = Request(
        url="u", headers={"content-type": "application/x-www-form-urlencoded"}, body=b"Body=Hi&MediaUrl=a"
    )
    call = Call(op="o", body={"MediaUrl": ["a"], "Body": "Hi"})
    assert _body(form, call) == {"Body": "Hi", "MediaUrl": ["a"]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param([], "--integration NAME or --channel KIND", id="neither"),
        pytest.param(
            ["--channel", "console", "--integration", "x"], "--integration NAME or --channel KIND", id="both"
        ),
        pytest.param(["--channel", "telegramm"], "telegram", id="unknown channel"),
        pytest.param(["--integration", "x"], "no integration is configured", id="unknown integration"),
    ],
)
def test_what_to_render_as_must_be_said(run: Run, arguments: list[str], said: str) -> None:
    result = run("render", "-", *arguments, input=LINE)
    assert result.exit_code == 2
    assert said in result.stderr


PLUGIN = """
from bridge.channels import Call, Reply, Request
from bridge.channels.capabilities import Capabilities


class Fragile:
    name = "fragile"
    capabilities = Capabilities()

    def render(self, content, to):
        return [Call(op="say", body={"text": {"fine": content.text}[content.text]})]

    def request(self, call: Call) -> Request:
        return Request(url="https://fragile.example")

    def check(self, reply: Reply) -> None:
        return None
"""


def test_a_plugin_that_fails_is_named_and_the_other_events_are_shown(run: Run, folder: Path) -> None:
    (folder / "fragile_plugin.py").write_text(PLUGIN)
    events = [answer({"type": "text", "text": text}) for text in ("fine", "secret words", "fine")]
    result = run(
        "render", "-", "--channel", "fragile_plugin:Fragile", input="\n".join(map(json.dumps, events))
    )
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 2
    [line] = result.stderr.splitlines()
    assert line.startswith('line 2: channel "fragile": ')
    assert "fragile_plugin.py:11: KeyError" in line
