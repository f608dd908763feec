"""What a Telegram bot is told: updates, as messages and clicks.

https://core.telegram.org/bots/api#update. Only new messages and presses on buttons are of interest; edits,
posts of channels, what bots write and service messages are none. A file has no public address (it takes a
call of its own with the bot's token), so words stand for it: its caption, else what kind of file it is.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.channels import Call, Click, Incoming, Reading, User, UserMessage


class _User(msgspec.Struct, frozen=True):
    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    language_code: str = ""


class _Chat(msgspec.Struct, frozen=True):
    id: int


class _Location(msgspec.Struct, frozen=True):
    latitude: float
    longitude: float


class _Venue(msgspec.Struct, frozen=True):
    location: _Location
    title: str = ""
    address: str = ""


class _Contact(msgspec.Struct, frozen=True):
    phone_number: str = ""
    first_name: str = ""
    last_name: str = ""


class _Named(msgspec.Struct, frozen=True):
    """Any file: a document and a video may have a name, an audio a title, a sticker an emoji."""

    file_name: str = ""
    title: str = ""
    emoji: str = ""


class _Key(msgspec.Struct, frozen=True):
    text: str = ""
    callback_data: str = ""


class _Keyboard(msgspec.Struct, frozen=True):
    inline_keyboard: tuple[tuple[_Key, ...], ...] = ()


class _Message(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    chat: _Chat
    sender: _User | None = None
    text: str = ""
    caption: str = ""
    photo: tuple[Any, ...] = ()
    video: _Named | None = None
    video_note: _Named | None = None
    animation: _Named | None = None
    voice: _Named | None = None
    audio: _Named | None = None
    document: _Named | None = None
    sticker: _Named | None = None
    contact: _Contact | None = None
    venue: _Venue | None = None
    location: _Location | None = None
    reply_markup: _Keyboard | None = None


class _Press(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    id: str
    sender: _User
    message: _Message | None = None
    data: str = ""


class _Update(msgspec.Struct, frozen=True):
    update_id: int
    message: _Message | None = None
    callback_query: _Press | None = None


_decoder = msgspec.json.Decoder(_Update)


def read(body: bytes) -> Reading:
    """The update's message or click, if it is one."""
    try:
        update = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Reading()
    incoming = _incoming(update)
    return Reading((incoming,) if incoming else ())


def _incoming(update: _Update) -> Incoming | None:
    match update:
        case _Update(callback_query=_Press(message=_Message() as message, data=data) as press) if data:
            chat = str(message.chat.id)
            return Click(
                chat=chat,
                id=str(update.update_id),
                payload=data,
                label=_label(message.reply_markup, data),
                user=_user(press.sender),
                acknowledge=(
                    Call(
                        op="answerCallbackQuery",
                        body={"callback_query_id": press.id},
                        to=chat,
                        ephemeral=True,
                    ),
                ),
            )
        case _Update(message=_Message(sender=_User(is_bot=False) as sender) as message):
            said = _said(message)
            if not said:
                return None
            return UserMessage(
                chat=str(message.chat.id), id=str(update.update_id), text=said, user=_user(sender)
            )
        case _:
            return None


def _user(sender: _User) -> User:
    name = f"{sender.first_name} {sender.last_name}".strip() or sender.username
    return User(id=str(sender.id), name=name, language=sender.language_code)


def _label(keyboard: _Keyboard | None, data: str) -> str:
    """The pressed button's label: Telegram sends only its data, but with it the message it stood under."""
    keys = (key for row in keyboard.inline_keyboard for key in row) if keyboard else ()
    return next((key.text for key in keys if key.callback_data == data), "")


def _said(message: _Message) -> str:
    """The message in words; "" for one that says nothing (somebody joined, a message was pinned)."""
    if words := message.text or message.caption:
        return words
    # A venue has a location too, and an animation a document: the narrower word first.
    match message:
        case _Message(photo=(_, *_)):
            return "[photo]"
        case _Message(animation=_Named()):
            return "[animation]"
        case _Message(video=_Named()) | _Message(video_note=_Named()):
            return "[video]"
        case _Message(voice=_Named()):
            return "[voice message]"
        case _Message(audio=_Named() as audio):
            return _bracket("audio", audio.title or audio.file_name)
        case _Message(document=_Named() as document):
            return _bracket("file", document.file_name)
        case _Message(sticker=_Named() as sticker):
            return sticker.emoji or "[sticker]"
        case _Message(contact=_Contact() as contact):
            name = f"{contact.first_name} {contact.last_name}".strip()
            return f"{name} {contact.phone_number}".strip()
        case _Message(venue=_Venue() as venue):
            return "\n".join(part for part in (venue.title, venue.address, _map(venue.location)) if part)
        case _Message(location=_Location() as location):
            return _map(location)
        case _:
            return ""


def _bracket(what: str, name: str) -> str:
    return f"[{what}: {name}]" if name else f"[{what}]"


def _map(location: _Location) -> str:
    """A link to the place that any map opens."""
    return f"https://maps.google.com/?q={location.latitude},{location.longitude}"
