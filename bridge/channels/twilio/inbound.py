"""What a sender of Twilio's is told: forms, as messages and clicks, and what became of its own messages.

https://www.twilio.com/docs/messaging/guides/webhook-request. Words by which people stop or start messages
(STOP, START, HELP) are messages as well: Twilio answers them and keeps to them, and the agent may know what
was said. Of status callbacks those of messages that failed are told:
https://www.twilio.com/docs/messaging/guides/track-outbound-message-status.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from bridge.channels import Attachment, Click, Failed, Incoming, Reading, User, UserMessage
from bridge.channels.links import place, web_address
from bridge.channels.mime import kind, mime_type
from bridge.channels.text import clean
from bridge.channels.twilio.messages import MESSAGE, WHATSAPP
from bridge.channels.twilio.replies import meaning
from bridge.channels.twilio.signature import fields

ANSWER: Final = b"<Response/>"
"""TwiML that says nothing; the agent answers later."""
FILES: Final = 10
FAILURES: Final = frozenset({"failed", "undelivered"})
_PATH: Final = "Messages/(?:SM|MM)[0-9a-fA-F]{32}/Media/ME[0-9a-fA-F]{32}"
_MEDIA: Final = re.compile(rf"https?://[^/]+/2010-04-01/Accounts/[^/]+/({_PATH})")
_DEGREES: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,20})?")
_CODE: Final = re.compile("[0-9]{1,6}")


def reading(body: bytes) -> Reading:
    form = {name: clean(value) for name, value in reversed(fields(body) or ())}
    incoming, failed = _incoming(form), _failed(form)
    return Reading(
        (incoming,) if incoming else (),
        answer=ANSWER,
        answer_type="text/xml",
        failed=(failed,) if failed else (),
    )


def media(source: str) -> str:
    """The file's path below the account's; "" for a source that is none of ours."""
    return source if re.fullmatch(_PATH, source) else ""


def _incoming(form: Mapping[str, str]) -> Incoming | None:
    chat, sid = form.get("From", ""), form.get("MessageSid", "")
    if not chat or not sid or form.get("MessageStatus", "received") != "received":
        return None
    user = User(id=chat.removeprefix(WHATSAPP), name=form.get("ProfileName", ""))
    memo = {MESSAGE: sid} if chat.startswith(WHATSAPP) else {}
    if payload := form.get("ButtonPayload"):
        label = form.get("ButtonText") or form.get("Body", "")
        return Click(chat=chat, id=sid, payload=payload, label=label, user=user, memo=memo)
    said, attachments = _said(form), tuple(_files(form))
    if not said and not attachments:
        return None
    return UserMessage(chat=chat, id=sid, text=said, attachments=attachments, user=user, memo=memo)


def _said(form: Mapping[str, str]) -> str:
    """The body, which of a file is its caption; and the place, where there is one."""
    parts = [form.get("Body", "")]
    latitude, longitude = form.get("Latitude", ""), form.get("Longitude", "")
    if _DEGREES.fullmatch(latitude) and _DEGREES.fullmatch(longitude):
        parts += [form.get("Label", ""), form.get("Address", ""), place(float(latitude), float(longitude))]
    return "\n".join(dict.fromkeys(part for part in parts if part))


def _files(form: Mapping[str, str]) -> Iterator[Attachment]:
    """Twilio gives the account alone its files, at addresses of its API; the path is all that is believed."""
    for number in range(FILES):
        url = web_address(form.get(f"MediaUrl{number}", ""))
        if not url:
            continue
        form_of = mime_type(form.get(f"MediaContentType{number}", ""))
        if found := _MEDIA.fullmatch(url):
            yield Attachment(type=kind(form_of), source=found[1], mime_type=form_of)
        else:
            yield Attachment(type=kind(form_of), url=url, mime_type=form_of)


def _failed(form: Mapping[str, str]) -> Failed | None:
    chat = form.get("To", "")
    if not chat or form.get("MessageStatus") not in FAILURES:
        return None
    code = form.get("ErrorCode", "")
    reason = meaning(int(code)) if _CODE.fullmatch(code) else "Twilio names no error"
    return Failed(chat=chat, reason=reason, message=form.get("MessageSid", ""))
