"""What Discord tells the bot by HTTP: interactions, which are commands, presses, choices and forms.

https://docs.discord.com/developers/interactions/receiving-and-responding. What people type is no interaction:
Discord tells it over its Gateway alone, a connection that has to be held open all the time. So users speak to
the bot by a command. Each interaction has to be answered within 3 s, and is not repeated.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
import orjson

from bridge.channels import Attachment, Click, Inbound, Incoming, Reading, User, UserMessage, text
from bridge.channels.discord import pressed, said
from bridge.channels.recent import recent
from bridge.channels.tolerant import whole
from bridge.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


_OURS: Final = {2, 3}
"""Buttons, and menus with options of ours; other menus are of people, roles and channels."""


class Kind(enum.IntEnum):
    """Of an interaction."""

    PING = 1
    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    FORM = 5


class Answer(enum.IntEnum):
    """Of what an interaction is answered with."""

    PONG = 1
    MESSAGE = 4
    NO_CHANGE = 6
    UPDATE = 7
    CHOICES = 8
    FORM = 9


# ---- who sent it -------------------------------------------------------------------------------------------


def public_key(written: str) -> Ed25519PublicKey | None:
    """The key of the setting; none for "". Raises ConfigError for what is none."""
    if not written:
        return None
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as error:
        problem = "public_key: checking signatures needs cryptography: pip install 'moveo-bridge[discord]'"
        raise ConfigError(problem) from error
    if not re.fullmatch("[0-9a-fA-F]{64}", written):
        raise ConfigError(
            "public_key: must be the 64 digits of the page General Information of the application"
        )
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(written))


def signed(inbound: Inbound, key: Ed25519PublicKey | None) -> bool:
    """https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint"""
    signed_at = inbound.headers.get("x-signature-timestamp", "")
    if key is None or not recent(signed_at, inbound.at):
        return False
    from cryptography.exceptions import InvalidSignature

    try:
        signature = bytes.fromhex(inbound.headers.get("x-signature-ed25519", ""))
        key.verify(signature, signed_at.encode() + inbound.body)
    except (InvalidSignature, ValueError):
        return False
    return True


# ---- what it holds -----------------------------------------------------------------------------------------


class _User(msgspec.Struct, frozen=True):
    id: str = ""
    username: str | None = None
    global_name: str | None = None


class _Member(msgspec.Struct, frozen=True):
    user: _User = _User()
    nick: str | None = None


class _Resolved(msgspec.Struct, frozen=True):
    attachments: Mapping[str, said.File] = {}


class _Data(msgspec.Struct, frozen=True):
    """Of a command, of a press, or of a form."""

    name: str = ""
    options: tuple[said.Option, ...] = ()
    resolved: _Resolved = _Resolved()
    custom_id: str = ""
    component_type: int = 0
    values: tuple[str, ...] = ()
    components: tuple[said.Field, ...] = ()


class _Message(msgspec.Struct, frozen=True):
    components: msgspec.Raw = msgspec.Raw(b"[]")


class _Interaction(msgspec.Struct, frozen=True):
    type: int
    id: str = ""
    channel_id: str | None = None
    member: _Member | None = None
    user: _User | None = None
    locale: str | None = None
    data: _Data = _Data()
    message: _Message = _Message()


_decoder = msgspec.json.Decoder(_Interaction)


def incoming(body: bytes, command: str) -> Reading:
    """What is said in an interaction, and the answer to it. `command` is the name of our own."""
    told = whole(_decoder, body)
    if told is None:
        return Reading()
    match told.type:
        case Kind.PING:
            return _answer(Answer.PONG)
        case Kind.COMMAND:
            return _command(told, command)
        case Kind.COMPONENT:
            return _press(told)
        case Kind.AUTOCOMPLETE:
            return _answer(Answer.CHOICES, {"choices": []})
        case Kind.FORM:
            return _message(told, said.filled_in(told.data.components))
        case _:
            return Reading()


def _command(told: _Interaction, command: str) -> Reading:
    data = told.data
    words = said.words(data.name, data.options, command)
    attachments = tuple(said.files(data.options, data.resolved.attachments))
    if not words and not attachments:
        return _answer(Answer.FORM, said.form())
    return _message(told, words, attachments)


def _message(told: _Interaction, words: str, attachments: tuple[Attachment, ...] = ()) -> Reading:
    if not (told.channel_id and (words or attachments)):
        return Reading()
    message = UserMessage(
        chat=told.channel_id, id=told.id, text=words, attachments=attachments, user=_user(told)
    )
    return _answer(Answer.MESSAGE, said.quoted(words, attachments), message)


def _press(told: _Interaction) -> Reading:
    """A button says its custom_id, a menu the value of the option that was chosen."""
    custom_id, value = told.data.custom_id, next(iter(told.data.values), None)
    payload = custom_id if value is None else value
    if not (told.channel_id and payload and told.data.component_type in _OURS):
        return _answer(Answer.NO_CHANGE)
    shown = pressed.rows(told.message.components)
    click = Click(
        chat=told.channel_id,
        id=told.id,
        payload=payload,
        label=text.clean(pressed.label(shown, custom_id, value)),
        user=_user(told),
    )
    if not shown:
        return _answer(Answer.NO_CHANGE, None, click)
    return _answer(Answer.UPDATE, {"components": pressed.marked(shown, custom_id, value)}, click)


def _user(told: _Interaction) -> User:
    """In a server a person is its member, who may have another name there."""
    user = told.member.user if told.member else told.user or _User()
    nick = told.member.nick if told.member else None
    name = text.clean(nick or user.global_name or user.username or "")
    return User(id=user.id, name=name, language=told.locale or "")


def _answer(answer: Answer, data: dict[str, Any] | None = None, *found: Incoming) -> Reading:
    body = {"type": answer.value} if data is None else {"type": answer.value, "data": data}
    return Reading(found, orjson.dumps(body), "application/json")
