"""Twilio: SMS, MMS, and WhatsApp through Twilio, by its Messages API of 2010-04-01.

What Twilio takes, and where it says so, under https://www.twilio.com/docs/ (MB as 10**6 bytes):

    a body                      1600 characters           messaging/api/message-resource
    a caption on WhatsApp       1024 characters           whatsapp/tutorial/send-and-receive-media-messages…
    a picture                   JPEG, PNG, GIF of 5 MB    messaging/guides/accepted-mime-types
    media on WhatsApp           16 MB, a few formats      whatsapp/guidance-whatsapp-media-messages
    between two numbers         30 messages in 30 s       api/errors/14107
    WhatsApp                    80/s a sender             api/errors/63018
    SMS                         100/s a short code        messaging/guides/…rate-limits… (others are queued)

A chat's address is its user's number, "+306900000000" (digits alone get their +) or "whatsapp:+306900000000".
The sender's form says what can be shown: a `sender` that starts with "whatsapp:" is WhatsApp, any other (a
number, a short code, a name, or the MG… of a Messaging Service) is SMS and MMS. An address takes the form of
its partner where only one of the two says "whatsapp:", so that one integration can serve both.

On SMS there are texts and pictures (where a route has no MMS, Twilio or the fallback makes it a link); other
files are links, since carriers drop what is over some 500 KB and phones open little of it. On WhatsApp all
are shown. Buttons and lists of WhatsApp need templates made at Twilio beforehand, so options are numbered
lines in both. Twilio's typing sign needs the id of the user's last message, which a channel does not know:
there is none, and no receipt. A text for SMS has no markup; for WhatsApp it is escaped.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, assert_never
from urllib.parse import quote, urlencode

import msgspec

from bridge.channels import Call, Reply, Request, text
from bridge.channels.capabilities import Capabilities, Pace
from bridge.channels.foreign import foreign
from bridge.channels.retry_after import retry_after
from bridge.channels.settings import base_url
from bridge.channels.whatsapp.markup import escape
from bridge.content import (
    Audio,
    Card,
    Carousel,
    Content,
    File,
    Handover,
    Image,
    Notice,
    Pause,
    Receipt,
    Text,
    Typing,
    Video,
    Webview,
    kind,
)
from bridge.errors import (
    ConfigError,
    ContentRefused,
    Rejected,
    SendError,
    Unauthorized,
    Unavailable,
)
from bridge.secret import Secret

BODY: Final = 1600
CAPTION: Final = 1024
MB: Final = 10**6
WHATSAPP: Final = "whatsapp:"
SERVICE: Final = re.compile("MG[0-9a-fA-F]{32}")

SMS: Final = Capabilities(
    shows=frozenset({Text, Image}),
    unit="utf16",  # the characters of a message in UCS-2, where an emoji is two
    text=BODY,
    caption=BODY,
    url=BODY,  # so that one text has room for it
    media_bytes={"image": 5 * MB},
    media_endings={"image": frozenset({"", ".jpg", ".jpeg", ".png", ".gif"})},
    chat_pace=Pace(0.9, burst=3),  # at most 30 in 30 s
    channel_pace=Pace(100, burst=100),
)
ON_WHATSAPP: Final = msgspec.structs.replace(
    SMS,
    shows=frozenset({Text, Image, Video, Audio, File}),
    caption=CAPTION,
    media_bytes={"image": 5 * MB, "video": 16 * MB, "audio": 16 * MB, "file": 16 * MB},
    media_endings={
        "image": frozenset({"", ".jpg", ".jpeg", ".png"}),
        "video": frozenset({"", ".mp4"}),
        "audio": frozenset({"", ".mp3", ".ogg", ".oga", ".opus", ".amr", ".aac", ".3gp"}),
        "file": frozenset({"", ".pdf", ".doc", ".docx", ".pptx", ".xlsx", ".vcf"}),
    },
    channel_pace=Pace(80, burst=80),
)


class TwilioSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [integrations.NAME.twilio]."""

    account_sid: str
    """AC…, from the console."""
    auth_token: Secret
    """The account's; the password of the calls, unless there is an API key."""
    sender: str
    """A number ("+1…"), a short code, a name or a Messaging Service (MG…); or "whatsapp:+1…"."""
    api_key: str = ""
    """SK…: calls are made with this key and its secret, which can be withdrawn, in place of the token."""
    api_key_secret: Secret | None = None
    api_url: str = "https://api.twilio.com"
    """Another address for a region, as "https://api.dublin.ie1.twilio.com"."""


class Twilio:
    """A sender of Twilio's as a channel."""

    name: ClassVar[str] = "twilio"
    Settings = TwilioSettings

    def __init__(self, settings: TwilioSettings) -> None:
        if not re.fullmatch("[A-Za-z0-9*:_-]+", settings.account_sid):
            raise ConfigError("account_sid: is no account's id (AC… of the console)")
        if not re.fullmatch("[ -~]*[!-~]", settings.sender.removeprefix(WHATSAPP)):
            raise ConfigError("sender: must be a number (+1…), a name, or MG… of a Messaging Service")
        if bool(settings.api_key) != bool(settings.api_key_secret):
            raise ConfigError("api_key: needs api_key_secret, and the other way round")
        api_url = base_url(settings.api_url)
        self.capabilities = ON_WHATSAPP if settings.sender.startswith(WHATSAPP) else SMS
        account = quote(settings.account_sid, safe=":*")
        self._url = f"{api_url}/2010-04-01/Accounts/{account}/Messages.json"
        self._sender = settings.sender
        user, password = settings.account_sid, settings.auth_token
        if settings.api_key and settings.api_key_secret:
            user, password = settings.api_key, settings.api_key_secret
        credentials = base64.b64encode(f"{user}:{password.reveal()}".encode()).decode()
        self._authorization = Secret(f"Basic {credentials}")

    def render(self, content: Content, to: str) -> Sequence[Call]:
        whatsapp = self._on_whatsapp(to)
        match content:
            case Text(text=said):
                return _say(said, whatsapp)
            case Image(url=url, name=name) | Video(url=url, name=name):
                return _show(url, name, whatsapp)
            case Audio(url=url, name=name) | File(url=url, name=name):
                # WhatsApp shows no body beside these, and Twilio does not say that it left it out.
                return (*_show(url, "", whatsapp), *_say(name, whatsapp))
            case Card() | Carousel() | Webview() | Handover() | Pause() | Typing() | Notice() | Receipt():
                raise ValueError(f"twilio shows no {kind(content)}: its capabilities say so")
            case _:
                assert_never(content)

    def request(self, call: Call) -> Request:
        fields = {"To": self._addressed(call.to, call.to), **self._sent_by(call.to), **call.body}
        return Request(
            url=self._url,
            headers={
                "authorization": self._authorization.reveal(),
                "content-type": "application/x-www-form-urlencoded",
                "accept": "application/json",
            },
            body=urlencode(fields, doseq=True).encode(),
        )

    def check(self, reply: Reply) -> str | None:
        return _checked(reply)

    # ---- addresses -----------------------------------------------------------------------------------------

    def _on_whatsapp(self, to: str) -> bool:
        return self._sender.startswith(WHATSAPP) or to.startswith(WHATSAPP)

    def _addressed(self, address: str, to: str) -> str:
        """The address in the form that the pair of addresses asks for."""
        number = address.removeprefix(WHATSAPP)
        if re.fullmatch("[1-9][0-9]{6,14}", number) and address == to:
            number = f"+{number}"
        return WHATSAPP + number if self._on_whatsapp(to) else number

    def _sent_by(self, to: str) -> dict[str, str]:
        service = self._sender.removeprefix(WHATSAPP)
        if SERVICE.fullmatch(service):
            return {"MessagingServiceSid": service}
        return {"From": self._addressed(self._sender, to)}


# ---- messages ----------------------------------------------------------------------------------------------


def _say(said: str, whatsapp: bool) -> tuple[Call, ...]:
    """Messages of text: one, or more where escaping makes it too long (at most twice as long)."""
    shown: list[str] = []
    for part in text.split(said, BODY, "utf16"):
        escaped = escape(part) if whatsapp else part
        halves = () if _fits(escaped) else text.split(part, BODY // 2, "utf16")
        shown += map(escape, halves) if halves else [escaped]
    return tuple(_message({"Body": part}) for part in shown if not text.blank(part))


def _show(url: str, said: str, whatsapp: bool) -> tuple[Call, ...]:
    """The file with its caption; a text with its address where Twilio or the route refuses it."""
    caption = escape(said) if whatsapp else said
    if not text.fits(caption, CAPTION if whatsapp else BODY, "utf16"):
        return (*_show(url, "", whatsapp), *_say(said, whatsapp))
    if text.blank(caption):
        return (_message({"MediaUrl": [url]}, fallback=_say(url, whatsapp)),)
    together = f"{said}\n{url}"
    apart = (*_say(said, whatsapp), *_say(url, whatsapp))
    as_text = _say(together, whatsapp) if _fits(f"{caption}\n{url}") else apart
    return (_message({"MediaUrl": [url], "Body": caption}, fallback=as_text),)


def _fits(said: str) -> bool:
    return text.fits(said, BODY, "utf16")


def _message(body: Mapping[str, Any], fallback: tuple[Call, ...] = ()) -> Call:
    return Call(op="Messages", body=body, fallback=fallback)


# ---- answers -----------------------------------------------------------------------------------------------

SETTINGS: Final = frozenset(
    {20003, 20005, 20008, 20404, 21212, 21606, 21659, 21660, 21703, 21704, 30002, 63007}
)
"""The account, its credentials or its sender: no other message would pass either."""
HELD: Final = {
    20429: 1.0,  # calls at once
    21611: 60.0,  # the sender's queue at Twilio is full: it holds hours
    30001: 60.0,
    63017: 1.0,  # messages of the account in a second
    63018: 1.0,  # messages of the sender in a second
    63038: 900.0,  # messages of the account in a day
}
"""Limits of the account or its sender, and how many seconds all its chats wait: Twilio names no time."""
LATER: Final = frozenset({14107, 20500, 20503, 20504, 30008, 30410, 63010, 63012})
"""This chat waits: between two numbers too much was sent, or something on the way is broken."""
FORM: Final = frozenset(
    {11200, 11751, 12300, 21612, 21620, 21623, 21635, 30011, 30019, 63005, 63006, 63019, 63021, 63034}
)
"""The file, or a route that has no MMS; the same as a text may pass."""


def _checked(reply: Reply) -> str | None:
    match reply.json():
        case {"sid": str(), "status": "failed" | "undelivered" | "canceled", "error_code": int(code)}:
            raise _failure(reply, code)
        case {"sid": str(sid)} if 200 <= reply.status < 300:
            return sid
        case {"code": int(code)} if not 200 <= reply.status < 300:
            raise _failure(reply, code)
        case _:
            raise foreign(reply, "Twilio's JSON")


def _failure(reply: Reply, code: int) -> SendError:
    """What Twilio's code says; its own sentence may quote a number or an address, and is left out."""
    reason = f"error {code} of Twilio, HTTP {reply.status} (https://www.twilio.com/docs/api/errors/{code})"
    wait = retry_after(reply.headers)
    if code in HELD or reply.status == 429:
        held = wait if wait is not None else HELD.get(code, HELD[20429])
        return Unavailable(reason, retry_after=held, scope="channel")
    if code in LATER or reply.status >= 500:
        return Unavailable(reason, retry_after=wait)
    if code in SETTINGS or reply.status == 401:
        return Unauthorized(reason)
    return ContentRefused(reason) if code in FORM else Rejected(reason)
