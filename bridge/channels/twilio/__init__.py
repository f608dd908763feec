"""Twilio: SMS, MMS, and WhatsApp through Twilio, by its Messages API of 2010-04-01.

What Twilio takes, and where it says so, under https://www.twilio.com/docs/ (MB as 10**6 bytes):

    a body                      1600 characters           messaging/api/message-resource
    a caption on WhatsApp       1024 characters           whatsapp/tutorial/send-and-receive-media-messages…
    a picture                   JPEG, PNG, GIF of 5 MB    messaging/guides/accepted-mime-types
    media on WhatsApp           16 MB, a few formats      whatsapp/guidance-whatsapp-media-messages
    a typing sign on WhatsApp   25 s                      whatsapp/api/typing-indicators-resource (beta)
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
lines in both. The typing sign is about the user's last message, whose sid is the chat's memo (MESSAGE); it
marks it as read too, and there is no other receipt.

`messages` renders, `replies` reads what came back; `signature` and `inbound` are the way back, `setup` helps
to set the sender up.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, assert_never
from urllib.parse import quote, urlencode

import msgspec

from bridge.channels import Call, Inbound, Reading, Reply, Request
from bridge.channels.links import web_address
from bridge.channels.settings import base_url
from bridge.channels.twilio import messages, replies, setup
from bridge.channels.twilio.inbound import media, reading
from bridge.channels.twilio.messages import WHATSAPP
from bridge.channels.twilio.signature import signed
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
from bridge.errors import ConfigError, Rejected
from bridge.secret import Secret

SERVICE: Final = re.compile("MG[0-9a-fA-F]{32}")
_API: Final = re.compile(r"https://api((?:\.[a-z0-9-]+)*\.twilio\.com)")


class TwilioSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [integrations.NAME.twilio]."""

    account_sid: str
    """AC…, from the console."""
    auth_token: Secret
    """The account's, with which Twilio signs; the password of the calls too, unless there is an API key."""
    sender: str
    """A number ("+1…"), a short code, a name or a Messaging Service (MG…); or "whatsapp:+1…"."""
    api_key: str = ""
    """SK…: calls are made with this key and its secret, which can be withdrawn, in place of the token."""
    api_key_secret: Secret | None = None
    typing: bool = True
    """Whether a sender on WhatsApp shows typing signs: Twilio bars them from what is under HIPAA or PCI."""
    webhook_url: str = ""
    """The webhook's address as Twilio was given it, where the ingress sees another. Where it is set, Twilio
    is also asked to tell there what became of each message."""
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
        if settings.webhook_url and not web_address(settings.webhook_url):
            raise ConfigError("webhook_url: must be an address that starts with https:// or http://")
        api_url = base_url(settings.api_url)
        account = quote(settings.account_sid, safe=":*")
        self._account_url = f"{api_url}/2010-04-01/Accounts/{account}"
        self._messaging_url = _API.sub(r"https://messaging\1", api_url)
        self._sender = settings.sender
        self._webhook_url = settings.webhook_url.strip()
        if not settings.sender.startswith(WHATSAPP):
            self.capabilities = messages.SMS
        elif settings.typing:
            self.capabilities = messages.TYPING_ON_WHATSAPP
        else:
            self.capabilities = messages.ON_WHATSAPP
        self._token = settings.auth_token
        self._account = _basic(settings.account_sid, settings.auth_token)
        self._credentials = self._account
        if settings.api_key and settings.api_key_secret:
            self._credentials = _basic(settings.api_key, settings.api_key_secret)

    def render(self, content: Content, to: str) -> Sequence[Call]:
        whatsapp = self._on_whatsapp(to)
        match content:
            case Text(text=said):
                return messages.say(said, whatsapp)
            case Image(url=url, name=name) | Video(url=url, name=name):
                return messages.show(url, name, whatsapp)
            case Audio(url=url, name=name) | File(url=url, name=name):
                # WhatsApp shows no body beside these, and Twilio does not say that it left it out.
                return (*messages.show(url, "", whatsapp), *messages.say(name, whatsapp))
            case Typing(on=True):
                return messages.typing_sign()
            case Typing():
                return ()  # there is no sign for it: typing ends by itself, or with the next message
            case Card() | Carousel() | Webview() | Handover() | Pause() | Notice() | Receipt():
                raise ValueError(f"twilio shows no {kind(content)}: its capabilities say so")
            case _:
                assert_never(content)

    def request(self, call: Call) -> Request:
        if call.op == messages.SIGN:
            sid = call.memo.get(messages.MESSAGE, "")
            return self._post(f"{self._messaging_url}/v2/{call.op}.json", {**call.body, "messageId": sid})
        to = self._addressed(call.to, call.to)
        told = {"StatusCallback": self._webhook_url} if self._webhook_url else {}
        return self._post(
            f"{self._account_url}/{call.op}.json", {"To": to, **self._sent_by(call.to), **told, **call.body}
        )

    def check(self, reply: Reply) -> str | None:
        return replies.check(reply)

    def verify(self, inbound: Inbound) -> bool:
        return signed(inbound, self._token, self._webhook_url)

    def read(self, inbound: Inbound) -> Reading:
        return reading(inbound.body)

    def locate(self, source: str) -> Request | None:
        return None  # a source is the file's path

    def download(self, source: str, located: Reply | None) -> Request:
        path = media(source)
        if not path:
            raise Rejected("Twilio has no such file")
        return self._get(f"{self._account_url}/{path}", self._credentials)

    def identify(self) -> Request:
        # A standard API key may not ask this.
        return self._get(f"{self._account_url}.json", self._account)

    def identified(self, reply: Reply) -> str:
        return setup.name(reply)

    def connect(self, url: str) -> Sequence[Request]:
        if service := self._service:
            where = f"{self._messaging_url}/v1/Services/{service}"
            return (self._post(where, setup.service(self._webhook_url or url)),)
        return ()

    def steps(self, url: str) -> str:
        if self._service:
            return ""  # it is told all of it
        return setup.steps(self._webhook_url or url, whatsapp=self._sender.startswith(WHATSAPP))

    def _post(self, url: str, fields: Mapping[str, Any]) -> Request:
        headers = {
            "authorization": self._credentials.reveal(),
            "content-type": "application/x-www-form-urlencoded",
            "accept": "application/json",
        }
        return Request(url=url, headers=headers, body=urlencode(fields, doseq=True).encode())

    def _get(self, url: str, credentials: Secret) -> Request:
        return Request(method="GET", url=url, headers={"authorization": credentials.reveal()})

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
        if service := self._service:
            return {"MessagingServiceSid": service}
        return {"From": self._addressed(self._sender, to)}

    @property
    def _service(self) -> str:
        """The Messaging Service that is the sender, if it is one."""
        service = self._sender.removeprefix(WHATSAPP)
        return service if SERVICE.fullmatch(service) else ""


def _basic(user: str, password: Secret) -> Secret:
    """https://www.rfc-editor.org/rfc/rfc7617"""
    return Secret(f"Basic {base64.b64encode(f'{user}:{password.reveal()}'.encode()).decode()}")
