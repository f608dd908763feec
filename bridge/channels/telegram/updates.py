"""What a Telegram bot is told: updates, as messages and clicks.

https://core.telegram.org/bots/api#update. Only new messages and presses on buttons are of interest; edits,
posts of channels, what bots write and service messages are none. A group is one chat, whoever writes in it.

A press leaves no trace in the chat, so the buttons stay under their message: without them nobody could read
what was asked, and another press is another answer.
"""

from __future__ import annotations

import msgspec

from bridge.channels import Attachment, Call, Click, Incoming, Reading, User, UserMessage
from bridge.channels.links import place
from bridge.channels.telegram import files
from bridge.channels.telegram.files import File
from bridge.channels.text import clean
from bridge.channels.tolerant import whole


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


class _Dice(msgspec.Struct, frozen=True):
    """What a die, a dart or the like becomes when it is all that somebody writes."""

    emoji: str = ""


class _Key(msgspec.Struct, frozen=True):
    text: str = ""
    callback_data: str = ""


class _Keyboard(msgspec.Struct, frozen=True):
    inline_keyboard: tuple[tuple[_Key, ...], ...] = ()


class _Message(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    chat: _Chat
    sender: _User | None = None
    is_automatic_forward: bool = False
    text: str = ""
    caption: str = ""
    photo: tuple[File, ...] = ()
    video: File | None = None
    video_note: File | None = None
    animation: File | None = None
    voice: File | None = None
    audio: File | None = None
    document: File | None = None
    sticker: File | None = None
    dice: _Dice | None = None
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
    update = whole(_decoder, body)
    incoming = _incoming(update) if update else None
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
        case _Update(
            message=_Message(sender=_User(is_bot=False) as sender, is_automatic_forward=False) as sent
        ):
            said, attachments = _said(sent), _attachments(sent)
            if not said and not attachments:
                return None
            return UserMessage(
                chat=str(sent.chat.id),
                id=str(update.update_id),
                text=said,
                attachments=attachments,
                user=_user(sender),
            )
        case _:
            return None


def _user(sender: _User) -> User:
    name = f"{sender.first_name} {sender.last_name}".strip() or sender.username
    return User(id=str(sender.id), name=clean(name), language=clean(sender.language_code))


def _label(keyboard: _Keyboard | None, data: str) -> str:
    """The pressed button's label: Telegram sends only its data, but with it the message it stood under."""
    keys = (key for row in keyboard.inline_keyboard for key in row) if keyboard else ()
    return clean(next((key.text for key in keys if key.callback_data == data), ""))


def _said(message: _Message) -> str:
    """The message in words; "" for one that says nothing (a file alone; somebody joined)."""
    if words := message.text or message.caption:
        return clean(words)
    match message:
        case _Message(sticker=File() as sticker):
            return clean(sticker.emoji) or ("" if files.sticker(sticker) else "[sticker]")
        case _Message(dice=_Dice(emoji=emoji)):
            return clean(emoji)
        case _Message(contact=_Contact() as contact):
            name = f"{contact.first_name} {contact.last_name}".strip()
            return clean(f"{name} {contact.phone_number}".strip())
        case _Message(venue=_Venue() as venue):  # it has a location too
            named = "\n".join(part for part in (venue.title, venue.address) if part)
            return f"{clean(named)}\n{_map(venue.location)}".strip()
        case _Message(location=_Location() as location):
            return _map(location)
        case _:
            return ""


def _attachments(message: _Message) -> tuple[Attachment, ...]:
    """The message's file. An animation is a document too, for bots that know no animations."""
    match message:
        case _Message(photo=(_, *_) as sizes):
            return files.photo(sizes)
        case _Message(animation=File() as animation):
            return files.attached(animation, "video/mp4")
        case _Message(video=File() as video) | _Message(video_note=File() as video):
            return files.attached(video, "video/mp4")
        case _Message(voice=File() as voice):
            return files.attached(voice, "audio/ogg")
        case _Message(audio=File() as audio):
            return files.attached(audio, "audio/mpeg")
        case _Message(document=File() as document):
            return files.attached(document)
        case _Message(sticker=File() as sticker):
            return files.sticker(sticker)
        case _:
            return ()


def _map(location: _Location) -> str:
    return place(location.latitude, location.longitude)
