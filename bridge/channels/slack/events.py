"""Events: what people say and send where the bot is told of it.

https://docs.slack.dev/apis/events-api. A direct message is a chat of its own, and so is each thread. What is
said in a channel outside of any thread begins one: the answers stand under it. Which messages there are is a
matter of the app's subscriptions; those that mention the bot may come twice, as two events with one channel
and timestamp, which name a message.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

import msgspec

from bridge.channels import Attachment, Reading, User, UserMessage, mime, text
from bridge.channels.links import web_address
from bridge.channels.slack.blocks import joined
from bridge.channels.slack.words import plain
from bridge.channels.tolerant import whole

SAID: Final = {None, "", "file_share", "me_message", "thread_broadcast"}
"""The subtypes by which people say something; the others are edits, notices and what bots post."""
SLACKBOT: Final = "USLACKBOT"
GONE: Final = {"tombstone", "hidden_by_limit"}
"""Files that were deleted, or are beyond what a free plan keeps."""
FILE_ID: Final = re.compile(r"F[A-Z0-9]{1,30}")


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


def event(body: bytes) -> Reading:
    match whole(_envelope, body):
        case _Envelope(type="url_verification", challenge=challenge):
            return Reading(answer=challenge.encode())
        case _Envelope(type="event_callback", event=_Event() as told, authorizations=authorizations):
            bots = {one.user_id for one in authorizations or () if one.is_bot and one.user_id}
            message = _message(told, bots)
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
