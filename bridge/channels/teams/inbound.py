"""What a Teams bot is told: activities, as messages and clicks; and by whose word.

The connector signs each request with a JWT as bearer token. It names the address that the conversation is
served at, as the activity does, and the key it is signed with says for which channels it is good:
https://learn.microsoft.com/en-us/azure/bot-service/rest-api/bot-framework-rest-connector-authentication

Only what a person writes, sends or presses is of interest: no edits, reactions, typing signs or changes of
who is there. A suggested action comes back as a message, a press on a card as one with a value. A text is
plain, with mentions as <at>…</at>; of rich text an attachment holds the HTML, which says the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from bridge.channels import Click, Inbound, Incoming, Reading, User, UserMessage, bearer
from bridge.channels.teams import cards, files
from bridge.channels.teams.messages import SERVICE_URL
from bridge.channels.text import clean
from bridge.channels.tolerant import whole

SKEW_SECONDS: Final = 300.0
BOT: Final = "28:"
"""What the id of a bot begins with in Teams."""
NOT_IMPLEMENTED: Final = 501
"""What Microsoft's own SDK answers an `invoke` that nobody handles; nothing sent from here makes one."""
_MENTION: Final = re.compile(r"<at(?:\s[^<>]*)?>((?:[^<]|<(?!/?at\b))*+)</at>", re.IGNORECASE)


class _Account(msgspec.Struct, frozen=True):
    id: str | None = None
    name: str | None = None
    role: str | None = None


class _Envelope(msgspec.Struct, frozen=True, rename="camel"):
    """What the token vouches for."""

    service_url: str | None = None
    channel_id: str | None = None


class _Activity(msgspec.Struct, frozen=True, rename={"sender": "from", "text_format": "textFormat"}):
    type: str
    id: str | None = None
    conversation: _Account | None = None
    sender: _Account | None = None
    recipient: _Account | None = None
    text: str | None = None
    text_format: str | None = None
    locale: str | None = None
    value: Any = None
    entities: Any = None
    attachments: Any = None


_envelope: Final = msgspec.json.Decoder(_Envelope)
_activity: Final = msgspec.json.Decoder(_Activity)

# ---- by whose word -----------------------------------------------------------------------------------------


def verify(inbound: Inbound, app_id: str, issuer: str) -> bool:
    """Whether the connector sent it to this bot, from where the activity says."""
    said = bearer.claims(inbound, audience=app_id, issuers={issuer}, skew_seconds=SKEW_SECONDS)
    if said is None:
        return False
    envelope = whole(_envelope, inbound.body)
    if envelope is None:
        return False
    served = said.get("serviceurl", said.get("serviceUrl"))
    return bool(served) and served == envelope.service_url and _endorsed(inbound, envelope.channel_id)


def _endorsed(inbound: Inbound, channel: str | None) -> bool:
    """Whether the key of a token that is good is good for the channel."""
    import jwt

    token = inbound.headers["authorization"].partition(" ")[2].strip()
    key_id = jwt.get_unverified_header(token)["kid"]
    key = next(key for key in inbound.keys if key.get("kid") == key_id)
    match key.get("endorsements"):
        case None | []:
            return True
        case [*channels]:
            return channel in channels
        case _:
            return False


# ---- what it says ------------------------------------------------------------------------------------------


def read(body: bytes) -> Reading:
    """The activity's message or click, if it is one."""
    activity, envelope = whole(_activity, body), whole(_envelope, body)
    if activity is None or envelope is None:
        return Reading()
    match activity.type:
        case "message":
            return Reading(tuple(_incoming(activity, envelope.service_url or "")))
        case "invoke":
            return Reading(status=NOT_IMPLEMENTED)
        case _:
            return Reading()


def _incoming(activity: _Activity, service_url: str) -> Iterator[Incoming]:
    sender = activity.sender or _Account()
    chat = (activity.conversation and activity.conversation.id) or ""
    if not chat or sender.role == "bot" or (sender.id or "").startswith(BOT):
        return
    # An activity's id is the moment it was sent, and is another's too in another conversation.
    event = f"{chat} {activity.id}" if activity.id else ""
    user = User(id=sender.id or "", name=clean(sender.name or ""), language=activity.locale or "")
    memo = {SERVICE_URL: service_url} if service_url else {}
    said = _said(activity)
    if (payload := _pressed(activity.value)) is not None:
        yield Click(chat=chat, id=event, payload=payload, label=said, user=user, memo=memo)
        return
    attachments = tuple(files.attached(activity.attachments, service_url))
    if not said and not attachments:
        said, attachments = files.seen(activity.attachments)
    if not said and isinstance(activity.value, str):  # what is behind a button of somebody else's card
        said = clean(activity.value).strip()
    if said or attachments:
        yield UserMessage(chat=chat, id=event, text=said, attachments=attachments, user=user, memo=memo)


def _pressed(value: Any) -> str | None:
    """What stands behind a button of ours. Teams gives it as it is, other channels with what is around it."""
    match value:
        case {"msteams": {"value": {cards.VALUE: str(payload)}}} | {cards.VALUE: str(payload)} if payload:
            return payload
        case _:
            return None


# ---- words -------------------------------------------------------------------------------------------------


def _said(activity: _Activity) -> str:
    """The text without the bot's own name, by which it is called in a group."""
    words = activity.text or ""
    us = activity.recipient.id if activity.recipient else None
    for entity in files.dicts(activity.entities):
        match entity:
            case {"type": "mention", "mentioned": {"id": str(who)}, "text": str(mention)} if (
                who == us and mention
            ):
                words = words.replace(mention, "")
            case {"type": "mention", "mentioned": {"id": str(who), "name": str(name)}} if who == us:
                words = words.replace(f"<at>{name}</at>", "")
    words = _MENTION.sub(r"\1", words)
    words = files.unescaped(words) if activity.text_format == "xml" else words.replace("&nbsp;", " ")
    return clean(words.replace("\u00a0", " ")).strip()
