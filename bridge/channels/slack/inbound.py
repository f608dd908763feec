"""What Slack tells the bot: events as JSON, presses and slash commands as forms, all to one address.

https://docs.slack.dev/apis/events-api, https://docs.slack.dev/reference/interaction-payloads and
https://docs.slack.dev/interactivity/implementing-slash-commands.

A direct message is a chat of its own, and so is each thread. What is said in a channel outside of any thread
begins one: the answers stand under it. Which messages there are is a matter of the app's subscriptions;
those that mention the bot may come twice, as two events with one channel and timestamp, which name a message.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
import orjson

from bridge.channels import Attachment, Call, Click, Inbound, Reading, User, UserMessage, mime, text
from bridge.channels.links import web_address
from bridge.channels.recent import recent
from bridge.channels.slack.blocks import BLANK, joined
from bridge.channels.slack.pressed import marked
from bridge.channels.slack.words import plain, unescaped
from bridge.secret import Secret

SAID: Final = {None, "", "file_share", "me_message", "thread_broadcast"}
"""The subtypes by which people say something; the others are edits, notices and what bots post."""
SLACKBOT: Final = "USLACKBOT"
GONE: Final = {"tombstone", "hidden_by_limit"}
"""Files that were deleted, or are beyond what a free plan keeps."""
FIELDS: Final = 50
"""More than any form of Slack's has."""
FILE_ID: Final = re.compile(r"F[A-Z0-9]{1,30}")


def signed(inbound: Inbound, secret: Secret | None) -> bool:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    signed_at = inbound.headers.get("x-slack-request-timestamp", "")
    if not secret or not recent(signed_at, inbound.at):
        return False
    what = f"v0:{signed_at}:".encode() + inbound.body
    expected = f"v0={hmac.digest(secret.reveal().encode(), what, hashlib.sha256).hex()}".encode()
    given = inbound.headers.get("x-slack-signature", "").encode(errors="surrogateescape")
    return hmac.compare_digest(given, expected)


def incoming(body: bytes) -> Reading:
    """What is said in a request's body: an event is JSON, anything else a form."""
    try:
        return _event(body) if body.lstrip().startswith(b"{") else _form(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Reading()


# ---- events ------------------------------------------------------------------------------------------------


class _Profile(msgspec.Struct, frozen=True):
    display_name: str | None = None
    real_name: str | None = None
    name: str | None = None


class _File(msgspec.Struct, frozen=True):
    id: str | None = None
    name: str | None = None
    title: str | None = None
    mimetype: str | None = None
    subtype: str | None = None
    mode: str | None = None
    is_external: bool | None = None
    external_url: str | None = None
    url_private: str | None = None


class _Shared(msgspec.Struct, frozen=True):
    """Another message that was passed on."""

    text: str | None = None
    fallback: str | None = None


class _Event(msgspec.Struct, frozen=True):
    type: str = ""
    subtype: str | None = None
    channel: Any = None
    user: Any = None
    ts: str | None = None
    thread_ts: str | None = None
    text: str | None = None
    hidden: bool | None = None
    bot_id: Any = None
    bot_profile: Any = None
    user_profile: _Profile | None = None
    files: tuple[_File, ...] | None = None
    attachments: tuple[_Shared, ...] | None = None


class _Authorization(msgspec.Struct, frozen=True):
    """Whom the event is told: our bot."""

    user_id: str | None = None
    is_bot: bool | None = None


class _Envelope(msgspec.Struct, frozen=True):
    type: str = ""
    challenge: str = ""
    event: _Event | None = None
    authorizations: tuple[_Authorization, ...] | None = None


_envelope = msgspec.json.Decoder(_Envelope)


def _event(body: bytes) -> Reading:
    match _envelope.decode(body):
        case _Envelope(type="url_verification", challenge=challenge):
            return Reading(answer=challenge.encode())
        case _Envelope(type="event_callback", event=_Event() as event, authorizations=authorizations):
            bots = {one.user_id for one in authorizations or () if one.is_bot and one.user_id}
            message = _message(event, bots)
            return Reading((message,) if message else ())
        case _:
            return Reading()


def _message(event: _Event, bots: Collection[str]) -> UserMessage | None:
    match event:
        case _Event(type="message" | "app_mention", channel=str(channel), user=str(user), ts=str(ts)) if (
            channel and event.subtype in SAID and user not in (SLACKBOT, *bots)
        ):
            pass
        case _:
            return None
    if event.bot_id or event.bot_profile or event.hidden:
        return None
    attachments, lines = _files(event.files or ())
    said = plain(event.text or "", bots) or _passed_on(event.attachments or ())
    said = joined([said, *lines])
    if not said and not attachments:
        return None
    chat = address(channel, ts, event.thread_ts)
    if chat == channel and not channel.startswith("D"):
        chat = f"{channel}/{ts}"
    return UserMessage(
        chat=chat,
        id=f"{channel}:{ts}",
        text=said,
        attachments=attachments,
        user=User(id=user, name=_name(event.user_profile)),
    )


def address(channel: str, ts: str, thread: str | None) -> str:
    """Where a message stands: the conversation, or the thread in it, whose first message stands outside."""
    return f"{channel}/{thread}" if thread and thread != ts else channel


def _name(profile: _Profile | None) -> str:
    if profile is None:
        return ""
    return text.clean(profile.display_name or profile.real_name or profile.name or "")


def _passed_on(messages: Collection[_Shared]) -> str:
    return joined(plain(message.text or message.fallback or "") for message in messages)


def _files(files: Collection[_File]) -> tuple[tuple[Attachment, ...], list[str]]:
    """The files that Slack has, and a line for each of the others."""
    attachments: list[Attachment] = []
    lines: list[str] = []
    for file in files:
        found = _file(file)
        if isinstance(found, Attachment):
            attachments.append(found)
        else:
            lines.append(found)
    return tuple(attachments), lines


def _file(file: _File) -> Attachment | str:
    """A file is loaded by its id: whether the bot may have it, and where it is, files.info says."""
    name = text.clean(file.name or file.title or "")
    if file.is_external or file.mode == "external":  # a page elsewhere, perhaps for its owner's eyes only
        where = web_address(file.external_url or file.url_private or "")
        return joined([name, where or ""]) if where else _bracket(name)
    if file.mode in GONE or not FILE_ID.fullmatch(file.id or ""):
        return _bracket(name)
    mime_type = mime.mime_type(file.mimetype or "")
    match file.subtype:
        case "slack_audio":  # what is recorded in Slack: a sound can be in a container of films
            kind: mime.Kind = "audio"
        case "slack_video":
            kind = "video"
        case _:
            kind = mime.kind(mime_type)
    return Attachment(type=kind, source=file.id or "", mime_type=mime_type, filename=name)


def _bracket(name: str) -> str:
    return f"[file: {name}]" if name else "[file]"


# ---- forms -------------------------------------------------------------------------------------------------


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
IN_CHANNEL: Final = orjson.dumps({"response_type": "in_channel"})
"""Shows the command to all who see the answers; without it only its sender knows what was asked."""


def _form(body: bytes) -> Reading:
    try:
        fields = dict(
            parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS)
        )
    except ValueError:
        return Reading()
    match fields:
        case {"payload": payload}:
            return _press(_interaction.decode(payload))
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
