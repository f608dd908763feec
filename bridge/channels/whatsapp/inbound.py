"""What a WhatsApp number is told: webhooks of the field `messages`, as messages and clicks.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
A webhook's address may be that of all numbers of an app: what another number is told is for the integration
that has it, and nothing here. Nor are: groups, as answers go to single users; reactions, edits, deletions and
what the system says; the answers to another system's flows; what WhatsApp itself cannot tell ("unsupported").

The chat is the user's number; of a user who hides it, the business-scoped id. Meta's contact book goes on
telling the number of whoever was once reached by it, so that a chat keeps its address:
https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from bridge.channels import Attachment, Click, Failed, Incoming, Reading, Seen, User, UserMessage
from bridge.channels.links import place
from bridge.channels.mime import Kind, mime_type
from bridge.channels.text import clean
from bridge.channels.tolerant import each, whole
from bridge.channels.whatsapp.messages import MESSAGE

OBJECT: Final = "whatsapp_business_account"
FIELD: Final = "messages"
FILES: Final[Mapping[str, Kind]] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "voice": "audio",
    "document": "file",
    "sticker": "image",
}


class _Profile(msgspec.Struct, frozen=True):
    name: str | None = None
    username: str | None = None


class _Person(msgspec.Struct, frozen=True):
    profile: _Profile = _Profile()
    wa_id: str | None = None
    user_id: str | None = None


class _Text(msgspec.Struct, frozen=True):
    body: str = ""


class _File(msgspec.Struct, frozen=True):
    id: str = ""
    mime_type: str | None = None
    caption: str | None = None
    filename: str | None = None


class _Location(msgspec.Struct, frozen=True):
    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class _Name(msgspec.Struct, frozen=True):
    formatted_name: str = ""


class _Phone(msgspec.Struct, frozen=True):
    phone: str = ""


class _Email(msgspec.Struct, frozen=True):
    email: str = ""


class _Contact(msgspec.Struct, frozen=True):
    name: _Name = _Name()
    phones: tuple[_Phone, ...] = ()
    emails: tuple[_Email, ...] = ()


class _Product(msgspec.Struct, frozen=True):
    product_retailer_id: str = ""
    quantity: int = 1


class _Order(msgspec.Struct, frozen=True):
    text: str | None = None
    product_items: tuple[msgspec.Raw, ...] = ()


class _Reply(msgspec.Struct, frozen=True):
    id: str = ""
    title: str = ""
    description: str | None = None


class _Interactive(msgspec.Struct, frozen=True):
    button_reply: _Reply | None = None
    list_reply: _Reply | None = None


class _Button(msgspec.Struct, frozen=True):
    payload: str = ""
    text: str = ""


class _Message(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    id: str = ""
    type: str = ""
    sender: str | None = None
    from_user_id: str | None = None
    group_id: str | None = None
    text: _Text | None = None
    image: _File | None = None
    video: _File | None = None
    audio: _File | None = None
    voice: _File | None = None
    document: _File | None = None
    sticker: _File | None = None
    location: _Location | None = None
    contacts: tuple[msgspec.Raw, ...] = ()
    order: _Order | None = None
    interactive: _Interactive | None = None
    button: _Button | None = None


class _Error(msgspec.Struct, frozen=True):
    code: int = 0


class _Status(msgspec.Struct, frozen=True):
    id: str = ""
    status: str = ""
    recipient_id: str | None = None
    recipient_user_id: str | None = None
    errors: tuple[_Error, ...] = ()

    @property
    def chat(self) -> str:
        return self.recipient_id or self.recipient_user_id or ""


class _Metadata(msgspec.Struct, frozen=True):
    phone_number_id: str = ""


class _Value(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()
    contacts: tuple[msgspec.Raw, ...] = ()
    messages: tuple[msgspec.Raw, ...] = ()
    statuses: tuple[msgspec.Raw, ...] = ()


class _Change(msgspec.Struct, frozen=True):
    field: str = ""
    value: msgspec.Raw = msgspec.Raw(b"{}")


class _Entry(msgspec.Struct, frozen=True):
    changes: tuple[msgspec.Raw, ...] = ()


class _Body(msgspec.Struct, frozen=True):
    object: str = ""
    entry: tuple[msgspec.Raw, ...] = ()


# Numbers are numbers or strings of digits, as one page and another has them.
_body: Final = msgspec.json.Decoder(_Body)
_entry: Final = msgspec.json.Decoder(_Entry)
_change: Final = msgspec.json.Decoder(_Change)
_value: Final = msgspec.json.Decoder(_Value)
_person: Final = msgspec.json.Decoder(_Person)
_message: Final = msgspec.json.Decoder(_Message, strict=False)
_contact: Final = msgspec.json.Decoder(_Contact)
_product: Final = msgspec.json.Decoder(_Product, strict=False)
_status: Final = msgspec.json.Decoder(_Status, strict=False)


def reading(body: bytes, number: str) -> Reading:
    """What was said to the number with this id, and which of its own messages failed or were read."""
    incoming: list[Incoming] = []
    failed: list[Failed] = []
    seen: list[Seen] = []
    for value in _values(body):
        if value.metadata.phone_number_id != number:
            continue
        people = list(each(_person, value.contacts))
        for message in each(_message, value.messages):
            made = _incoming(message, _sender(message, people))
            incoming += [made] if made else []
        statuses = list(each(_status, value.statuses))
        failed += [_failed(status) for status in statuses if status.status == "failed"]
        seen += [_seen(status) for status in statuses if status.status == "read" and status.chat]
    return Reading(tuple(incoming), failed=tuple(failed), seen=tuple(seen))


def _values(body: bytes) -> Iterator[_Value]:
    envelope = whole(_body, body)
    if envelope is None or envelope.object != OBJECT:
        return
    for entry in each(_entry, envelope.entry):
        yield from each(
            _value, (change.value for change in each(_change, entry.changes) if change.field == FIELD)
        )


def _sender(message: _Message, people: Iterable[_Person]) -> _Person:
    """Who wrote it, as far as it is told; without an address for what came from a group."""
    if message.group_id:
        return _Person()
    ids = {message.sender, message.from_user_id} - {None, ""}
    person = next((person for person in people if ids & {person.wa_id, person.user_id}), _Person())
    return msgspec.structs.replace(
        person, wa_id=message.sender or person.wa_id, user_id=message.from_user_id or person.user_id
    )


def _incoming(message: _Message, sender: _Person) -> Incoming | None:
    chat = sender.wa_id or sender.user_id
    if not chat:
        return None
    user = User(id=chat, name=clean(sender.profile.name or sender.profile.username or ""))
    memo = {MESSAGE: message.id} if message.id else {}
    match message:
        case (
            _Message(type="interactive", interactive=_Interactive(button_reply=_Reply() as reply))
            | _Message(type="interactive", interactive=_Interactive(list_reply=_Reply() as reply))
        ):
            # The rest of a label that is too long for a row's title stands below it, whole.
            payload, label = reply.id, reply.description or reply.title
        case _Message(type="button", button=_Button(payload=payload, text=label)):
            pass
        case _:
            said, files = _said(message), _files(message)
            if not said and not files:
                return None
            return UserMessage(chat=chat, id=message.id, text=said, attachments=files, user=user, memo=memo)
    if not payload and not label:
        return None
    return Click(chat=chat, id=message.id, payload=payload, label=clean(label), user=user, memo=memo)


def _files(message: _Message) -> tuple[Attachment, ...]:
    """The file: WhatsApp keeps it for a week, under an id."""
    kind, file = FILES.get(message.type), _file(message)
    if not kind or not file or not file.id:
        return ()
    return (
        Attachment(
            type=kind,
            source=file.id,
            mime_type=mime_type(file.mime_type or ""),
            filename=clean(file.filename or ""),
        ),
    )


def _file(message: _Message) -> _File | None:
    found = getattr(message, message.type, None) if message.type in FILES else None
    return found if isinstance(found, _File) else None


def _said(message: _Message) -> str:
    """The message in words; "" for one that says nothing."""
    match message:
        case _Message(type="text", text=_Text(body=body)):
            return clean(body)
        case _Message(type="location", location=_Location() as spot):
            return clean(_lines(spot.name, spot.address, place(spot.latitude, spot.longitude)))
        case _Message(type="contacts", contacts=contacts):
            return clean(_lines(*map(_words, each(_contact, contacts))))
        case _Message(type="order", order=_Order(text=said, product_items=items)):
            products = (f"{item.quantity} × {item.product_retailer_id}" for item in each(_product, items))
            return clean(_lines(said, *products))
        case _:
            file = _file(message)
            return clean(file.caption or "") if file else ""


def _words(contact: _Contact) -> str:
    parts = (
        contact.name.formatted_name,
        *(phone.phone for phone in contact.phones),
        *(email.email for email in contact.emails),
    )
    return " ".join(part for part in parts if part)


def _lines(*parts: str | None) -> str:
    return "\n".join(part for part in parts if part)


def _seen(status: _Status) -> Seen:
    return Seen(chat=status.chat, id=f"{status.id}:read")


def _failed(status: _Status) -> Failed:
    codes = ", ".join(str(error.code) for error in status.errors if error.code)
    return Failed(
        chat=status.chat,
        message=status.id,
        reason=f"WhatsApp's error {codes}" if codes else "WhatsApp names no error",
    )
