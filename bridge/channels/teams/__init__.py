"""Microsoft Teams bots, by the connector of the Bot Framework (v3).

A chat's address is the id of its conversation, as every activity of it names it. Where a conversation is
served, its activities say too: calls go there once the user has said something, and to `api_url` before.

What Teams takes, and where it says so, under https://learn.microsoft.com/en-us/microsoftteams/platform/ :

    an activity                  100 KB as UTF-16         bots/how-to/format-your-bot-messages
    suggested actions            3                        bots/how-to/conversations/suggested-actions
    a card                       version 1.5              task-modules-and-cards/cards/cards-reference
    its buttons                  6, of one line           task-modules-and-cards/cards/cards-reference
    cards side by side           10                       task-modules-and-cards/cards/cards-reference
    a picture                    PNG, JPEG, GIF by https  task-modules-and-cards/cards/cards-reference
    calls in a conversation      7 in 1 s, 8 in 2 s,      bots/how-to/rate-limit
                                 60 in 30 s
    calls in an organisation     30/s                     bots/how-to/rate-limit

Texts and labels have no limits of their own: those of `messages` leave room for all that escaping adds.
Videos, audios and files are links, since no card plays them. A typing sign lasts as long as the client likes;
Microsoft's own SDK renews it every two seconds. There are no receipts to send.

`messages` renders, `cards` and `words` have its parts, `replies` reads what came back, `inbound` and `files`
the way back, `setup` helps to set it up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, assert_never
from urllib.parse import quote, urlsplit

import msgspec
import orjson

from bridge.channels import Call, Grant, Inbound, Reading, Reply, Request
from bridge.channels.capabilities import Capabilities, Pace
from bridge.channels.links import web_address
from bridge.channels.settings import base_url
from bridge.channels.teams import cards, messages, replies, setup
from bridge.channels.teams import inbound as activities
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

PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".gif", ""})


class TeamsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [integrations.NAME.teams]."""

    app_id: str
    """The application (client) id of the bot."""
    app_password: Secret
    """A client secret of the application: its value, not its id."""
    tenant: str = setup.MULTI_TENANT
    """The directory (tenant) id of a single-tenant bot; as it is for a multi-tenant one."""
    api_url: str = "https://smba.trafficmanager.net/teams"
    """Where conversations are served that have not said where."""
    login_url: str = "https://login.microsoftonline.com"
    issuer: str = "https://api.botframework.com"
    """Who signs what Teams sends, and for whom tokens are asked; government clouds have another."""
    openid_url: str = "https://login.botframework.com/v1/.well-known/openidconfiguration"
    """Where the issuer says where its keys are."""


class Teams:
    """A Teams bot as a channel."""

    name: ClassVar[str] = "teams"
    Settings = TeamsSettings

    capabilities: ClassVar[Capabilities] = Capabilities(
        shows=frozenset({Text, Image, Card, Carousel, Webview, Typing}),
        unit="utf16",
        text=messages.TEXT,
        caption=messages.CAPTION,
        options=messages.OPTIONS,
        option_label=messages.LABEL,
        cards=10,
        card_title=messages.TITLE,
        card_text=messages.SUBTITLE,
        card_buttons=cards.ACTIONS,
        button_label=messages.LABEL,
        payload_bytes=cards.PAYLOAD,
        card_media=frozenset({"image"}),
        media_schemes=frozenset({"https"}),
        media_endings={"image": PICTURES},
        typing_seconds=2.5,
        chat_pace=Pace(1, burst=6),
        channel_pace=Pace(25, burst=5),
    )

    def __init__(self, settings: TeamsSettings) -> None:
        if not re.fullmatch(r"[!-~]+", settings.app_id):
            raise ConfigError("app_id: is no application (client) id")
        if not settings.app_password:
            raise ConfigError("app_password: is empty: it is the value of a client secret")
        if not re.fullmatch(r"[A-Za-z0-9.-]+", settings.tenant):
            raise ConfigError("tenant: is no directory (tenant) id")
        self._app_id = settings.app_id
        self._tenant = settings.tenant
        self._api_url = base_url(settings.api_url)
        self._issuer = _url("issuer", settings.issuer)
        self._openid_url = _url("openid_url", settings.openid_url)
        self._grant = Grant(
            url=f"{_url('login_url', settings.login_url)}/{settings.tenant}/oauth2/v2.0/token",
            client_id=settings.app_id,
            client_secret=settings.app_password,
            scope=f"{self._issuer}/.default",
        )

    def render(self, content: Content, to: str) -> Sequence[Call]:
        match content:
            case Text():
                return messages.text_message(content)
            case Image():
                return messages.image_message(content)
            case Card():
                return messages.card_message(content)
            case Carousel():
                return messages.carousel_messages(content)
            case Webview():
                return messages.webview_message(content)
            case Typing(on=True):
                return messages.typing_sign()
            case Typing():
                return ()  # Teams has no sign for it: typing ends by itself, or with the next message
            case Video() | Audio() | File() | Handover() | Pause() | Notice() | Receipt():
                raise ValueError(f"teams shows no {kind(content)}: its capabilities say so")
            case _:
                assert_never(content)

    def request(self, call: Call) -> Request:
        return Request(
            url=f"{self._served(call.memo)}/v3/conversations/{quote(call.to, safe='')}/activities",
            headers={"content-type": "application/json; charset=utf-8"},
            body=orjson.dumps(call.body),
            grant=self._grant,
        )

    def check(self, reply: Reply) -> str | None:
        return replies.check(reply)

    @property
    def key_urls(self) -> Sequence[str]:
        return (self._openid_url,)

    def verify(self, inbound: Inbound) -> bool:
        return activities.verify(inbound, self._app_id, self._issuer)

    def read(self, inbound: Inbound) -> Reading:
        return activities.read(inbound.body)

    def locate(self, source: str) -> Request | None:
        return None  # the source is the address

    def download(self, source: str, located: Reply | None) -> Request:
        address = web_address(source)
        if address is None or not address.startswith("https://"):
            raise Rejected("the file's address is not one of https")
        return Request(method="GET", url=address, grant=self._grant)

    def identify(self) -> Request:
        return setup.token_request(self._grant)

    def identified(self, reply: Reply) -> str:
        setup.check_token(reply)
        return self._app_id

    def connect(self, url: str) -> Sequence[Request]:
        return ()  # the endpoint is set in Azure, by those who may manage the bot there

    def steps(self, url: str) -> str:
        return setup.steps(url, self._app_id, self._tenant)

    def _served(self, memo: Mapping[str, str]) -> str:
        """Where the conversation is served. A token goes nowhere without https, but to `api_url`."""
        said = web_address(memo.get(messages.SERVICE_URL, ""))
        if said is None or not (said.startswith("https://") or _origin(said) == _origin(self._api_url)):
            return self._api_url
        return said.partition("?")[0].partition("#")[0].rstrip("/")


def _url(name: str, value: str) -> str:
    try:
        return base_url(value)
    except ConfigError:
        raise ConfigError(f"{name}: must be an address that starts with https:// or http://") from None


def _origin(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc.lower()
