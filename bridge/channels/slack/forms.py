"""Forms: presses on buttons, choices from menus, and slash commands.

https://docs.slack.dev/reference/interaction-payloads/block_actions-payload and
https://docs.slack.dev/interactivity/implementing-slash-commands.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

import msgspec
import orjson

from bridge.channels import Call, Click, Reading, User, UserMessage, text
from bridge.channels.slack.blocks import BLANK
from bridge.channels.slack.events import address
from bridge.channels.slack.pressed import marked
from bridge.channels.slack.words import plain, unescaped
from bridge.channels.tolerant import whole

FIELDS: Final = 50
"""More than any form of Slack's has."""
IN_CHANNEL: Final = orjson.dumps({"response_type": "in_channel"})
"""Shows the command to all who see the answers; without it only its sender knows what was asked."""


class _Id(msgspec.Struct, frozen=True):
    id: str = ""


class _Person(msgspec.Struct, frozen=True):
    id: str = ""
    name: str | None = None
    username: str | None = None


class _Container(msgspec.Struct, frozen=True):
    channel_id: str | None = None
    message_ts: str | None = None
    thread_ts: str | None = None


class _Pressed(msgspec.Struct, frozen=True):
    """The message as it was shown."""

    ts: str | None = None
    thread_ts: str | None = None
    text: str | None = None
    blocks: msgspec.Raw = msgspec.Raw(b"[]")


class _Label(msgspec.Struct, frozen=True):
    text: str = ""


class _Option(msgspec.Struct, frozen=True):
    value: str | None = None
    text: _Label = _Label()


class _Action(msgspec.Struct, frozen=True):
    action_id: str = ""
    value: str | None = None
    text: _Label | None = None
    selected_option: _Option | None = None


class _Interaction(msgspec.Struct, frozen=True):
    type: str = ""
    trigger_id: str = ""
    user: _Person = _Person()
    channel: _Id | None = None
    container: _Container = _Container()
    message: _Pressed = _Pressed()
    actions: tuple[_Action, ...] = ()


_interaction = msgspec.json.Decoder(_Interaction)


def form(body: bytes) -> Reading:
    try:
        fields = dict(
            parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS)
        )
    except ValueError:
        return Reading()
    match fields:
        case {"payload": payload}:
            told = whole(_interaction, payload.encode(errors="surrogatepass"))
            return _press(told) if told else Reading()
        case {"command": command, "channel_id": channel} if command.startswith("/") and channel:
            return Reading((_command(command, channel, fields),), IN_CHANNEL, "application/json")
        case _:
            return Reading()


def _command(command: str, channel: str, fields: dict[str, str]) -> UserMessage:
    name = text.clean(fields.get("user_name", ""))
    return UserMessage(
        chat=channel,
        id=fields.get("trigger_id", ""),
        text=plain(f"{command} {fields.get('text', '')}"),
        user=User(id=fields.get("user_id", ""), name=name),
    )


def _press(interaction: _Interaction) -> Reading:
    """A button that opens a page is told as well, and says nothing to the agent."""
    match interaction:
        case _Interaction(type="block_actions", actions=(action, *_), message=message, container=container):
            pass
        case _:
            return Reading()
    channel = (interaction.channel.id if interaction.channel else "") or container.channel_id or ""
    ts = message.ts or container.message_ts or ""
    payload, label = _chosen(action)
    if not (channel and ts and payload):
        return Reading()
    chat = address(channel, ts, message.thread_ts or container.thread_ts)
    who = interaction.user
    return Reading(
        (
            Click(
                chat=chat,
                id=interaction.trigger_id,
                payload=unescaped(payload),
                label=text.clean(unescaped(label)),
                user=User(id=who.id, name=text.clean(who.name or who.username or "")),
                acknowledge=_acknowledge(chat, channel, ts, message, action),
            ),
        )
    )


def _chosen(action: _Action) -> tuple[str, str]:
    """What stands behind the button or the option, and what stands on it."""
    match action:
        case _Action(selected_option=_Option(value=str(value), text=label)):
            return value, label.text
        case _Action(value=str(value), text=label):
            return value, label.text if label else ""
        case _:
            return "", ""


def _acknowledge(chat: str, channel: str, ts: str, message: _Pressed, action: _Action) -> tuple[Call, ...]:
    """The message again, with the button that was pressed standing out; a menu shows what was chosen."""
    blocks = marked(message.blocks, action.action_id, action.value or "")
    if not blocks:
        return ()
    body = {"channel": channel, "ts": ts, "text": message.text or BLANK, "blocks": blocks}
    return (Call(op="chat.update", body=body, to=chat, ephemeral=True),)
