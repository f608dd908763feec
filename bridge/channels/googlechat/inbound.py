"""What a Chat app is told: events, as messages and clicks; and by whose word.

Google signs each request with a JWT as bearer token. The configuration of the app says which:

    authentication audience     issuer                          keys
    the project's number        chat@system.gserviceaccount.com  CHAT_KEYS
    the endpoint URL            Google, in the name of `caller`  GOOGLE_KEYS
    (an add-on has no choice)   Google, in the name of `caller`  GOOGLE_KEYS

https://developers.google.com/workspace/chat/verify-requests-from-chat

An app that is an add-on is told the same in another shape, under `chat`:
https://developers.google.com/workspace/chat/api/reference/rest/v1/Event and
https://developers.google.com/workspace/add-ons/concepts/event-objects

Only what a person writes, sends or presses is of interest. In a space with threads each thread is a chat, as
whoever writes to the app there begins one; a direct message is one chat. A file is loaded with the app's
token, one of Drive is a link to it, since its owner alone can share it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

from bridge.channels import (
    Attachment,
    Click,
    Inbound,
    Incoming,
    Reading,
    User,
    UserMessage,
    bearer,
)
from bridge.channels.googlechat.messages import LABEL, VALUE
from bridge.channels.links import web_address
from bridge.channels.mime import kind, mime_type
from bridge.channels.text import clean
from bridge.channels.tolerant import whole

CHAT: Final = "chat@system.gserviceaccount.com"
GOOGLE: Final = frozenset({"accounts.google.com", "https://accounts.google.com"})
CHAT_KEYS: Final = f"https://www.googleapis.com/service_accounts/v1/jwk/{CHAT}"
GOOGLE_KEYS: Final = "https://www.googleapis.com/oauth2/v3/certs"
DRIVE: Final = "https://drive.google.com/open?id="
RESOURCE: Final = re.compile(r"(?!.*\.\.)[A-Za-z0-9+_=~.-][A-Za-z0-9+/_=~.-]{0,1999}")
"""The name of a file that Chat keeps; it becomes part of an address."""
_SPACE: Final = re.compile(r"spaces/[A-Za-z0-9_-]{1,120}")
_THREAD: Final = re.compile(r"/threads/[A-Za-z0-9_.~-]{1,240}")
_DRIVE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")


def verify(inbound: Inbound, audience: str, caller: str) -> bool:
    """Whether Google sent it to this app. `audience` is a project's number or a URL."""
    if audience.isdecimal():
        return bearer.claims(inbound, audience=audience, issuers={CHAT}) is not None
    match bearer.claims(inbound, audience=audience, issuers=GOOGLE):
        case {"email": str(email), "email_verified": True}:
            return email == caller != ""
        case _:
            return False


def key_url(audience: str) -> str:
    return CHAT_KEYS if audience.isdecimal() else GOOGLE_KEYS


# ---- events ------------------------------------------------------------------------------------------------


class _User(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    display_name: str = ""
    type: str = ""


class _Space(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    type: str = ""
    space_type: str = ""
    space_threading_state: str = ""


class _Thread(msgspec.Struct, frozen=True):
    name: str = ""


class _Stored(msgspec.Struct, frozen=True, rename="camel"):
    """Where a file is: with Chat, or in Drive."""

    resource_name: str = ""
    drive_file_id: str = ""


class _File(msgspec.Struct, frozen=True, rename="camel"):
    content_name: str = ""
    content_type: str = ""
    attachment_data_ref: _Stored = _Stored()
    drive_data_ref: _Stored = _Stored()


class _Gif(msgspec.Struct, frozen=True):
    uri: str = ""


class _Message(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    sender: _User = _User()
    text: str = ""
    argument_text: str = ""
    thread: _Thread = _Thread()
    attachment: tuple[_File, ...] = ()
    attached_gifs: tuple[_Gif, ...] = ()
    slash_command: Any = None


class _Parameter(msgspec.Struct, frozen=True):
    key: str = ""
    value: str = ""


class _Action(msgspec.Struct, frozen=True):
    parameters: tuple[_Parameter, ...] = ()


class _Common(msgspec.Struct, frozen=True, rename="camel"):
    user_locale: str = ""
    parameters: Mapping[str, str] = {}


class _Payload(msgspec.Struct, frozen=True, rename="camel"):
    message: _Message = _Message()
    space: _Space = _Space()


class _Chat(msgspec.Struct, frozen=True, rename="camel"):
    """An add-on's event: one of the payloads."""

    user: _User = _User()
    event_time: str = ""
    message_payload: _Payload | None = None
    app_command_payload: _Payload | None = None
    button_clicked_payload: _Payload | None = None


class _Event(msgspec.Struct, frozen=True, rename="camel"):
    type: str = ""
    event_time: str = ""
    user: _User = _User()
    message: _Message = _Message()
    space: _Space = _Space()
    action: _Action = _Action()
    common: _Common = _Common()
    chat: _Chat | None = None
    common_event_object: _Common = _Common()


_decoder: Final = msgspec.json.Decoder(_Event)

_What: TypeAlias = Literal["message", "command", "click"]
_CLASSIC: Final[Mapping[str, _What]] = {
    "MESSAGE": "message",
    "ADDED_TO_SPACE": "message",  # by mentioning it, which says something to it as well
    "APP_COMMAND": "command",
    "CARD_CLICKED": "click",
}


class _Told(msgspec.Struct, frozen=True):
    """An event of either shape."""

    what: _What
    at: str
    user: _User
    message: _Message
    space: _Space
    language: str
    parameters: Mapping[str, str]


def read(body: bytes) -> Reading:
    """The event's message or click, if it is one. The answer is always the same: nothing is said at once."""
    event = whole(_decoder, body)
    told = _told(event) if event else None
    incoming = _incoming(told) if told else None
    return Reading((incoming,) if incoming else (), b"{}", "application/json")


def _told(event: _Event) -> _Told | None:
    if event.chat is None:
        what = _CLASSIC.get(event.type)
        pressed = {each.key: each.value for each in event.action.parameters} | dict(event.common.parameters)
        at, user, locale = event.event_time, event.user, event.common.user_locale
        return _Told(what, at, user, event.message, event.space, locale, pressed) if what else None
    chat, common = event.chat, event.common_event_object
    payloads: tuple[tuple[_What, _Payload | None], ...] = (
        ("message", chat.message_payload),
        ("command", chat.app_command_payload),
        ("click", chat.button_clicked_payload),
    )
    for what, payload in payloads:
        if payload:
            said = payload.message
            return _Told(
                what, chat.event_time, chat.user, said, payload.space, common.user_locale, common.parameters
            )
    return None


def _incoming(told: _Told) -> Incoming | None:
    chat, message = _address(told.space, told.message.thread), told.message
    if not chat:
        return None
    match told.what:
        case "click" if value := told.parameters.get(VALUE):
            return Click(
                chat=chat,
                id=f"{told.at} {message.name}" if told.at else "",
                payload=value,
                label=told.parameters.get(LABEL, ""),
                user=_user(told.user, told.language),
            )
        case "message" | "command" if message.sender.type == "HUMAN":
            if told.what == "command" and message.slash_command is None:
                return None  # a command without words, or one on somebody's message
            files = tuple(_attachments(message))
            said = "\n".join(filter(None, (_words(message, bool(files)), *_links(message))))
            if not said and not files:
                return None
            user = _user(message.sender, told.language)
            return UserMessage(chat=chat, id=message.name, text=said, attachments=files, user=user)
        case _:
            return None


def _address(space: _Space, thread: _Thread) -> str:
    """The chat: a thread, where there are any; "" for what is neither."""
    if not _SPACE.fullmatch(space.name):
        return ""
    is_direct = space.space_type == "DIRECT_MESSAGE" or space.type == "DM"
    if is_direct or space.space_threading_state == "UNTHREADED_MESSAGES":
        return space.name
    inside = thread.name.removeprefix(space.name)
    return thread.name if inside != thread.name and _THREAD.fullmatch(inside) else space.name


def _user(user: _User, language: str) -> User:
    return User(id=clean(user.name), name=clean(user.display_name), language=clean(language))


def _words(message: _Message, has_files: bool) -> str:
    """What was written to the app, without the mention that calls it; a command with its name."""
    if message.slash_command is not None:
        return clean(message.text).strip()
    said = clean(message.argument_text).strip()
    return said or ("" if has_files else clean(message.text).strip())


def _attachments(message: _Message) -> Iterator[Attachment]:
    for file in message.attachment:
        source = file.attachment_data_ref.resource_name
        if RESOURCE.fullmatch(source):
            form = mime_type(file.content_type)
            name = clean(file.content_name)
            yield Attachment(type=kind(form), source=source, mime_type=form, filename=name)
    for gif in message.attached_gifs:
        if url := web_address(gif.uri):
            yield Attachment(type="image", url=url, mime_type="image/gif")


def _links(message: _Message) -> Iterator[str]:
    """A line for each file that the app cannot load."""
    for file in message.attachment:
        name, drive_id = clean(file.content_name), file.drive_data_ref.drive_file_id
        if RESOURCE.fullmatch(file.attachment_data_ref.resource_name):
            continue
        if _DRIVE_ID.fullmatch(drive_id):
            yield f"{name}: {DRIVE}{drive_id}" if name else f"{DRIVE}{drive_id}"
        else:
            yield f"[file: {name}]" if name else "[file]"
