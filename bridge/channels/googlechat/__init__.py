"""Google Chat, by its REST API v1: messages with cards, as a Chat app or by an incoming webhook.

What Chat takes, and where it says so, under https://developers.google.com/workspace/chat/ :

    a message, cards included   32 000 bytes              create-messages
    widgets of a card           100                       api/reference/rest/v1/cards
    writes                      1/s a space, 3000/min     limits
    a repeat with requestId     the first message again   api/reference/rest/v1/spaces.messages/create

Texts, labels and cards have no limits of their own: those of `messages` leave room in one message for all
that escaping adds.

As a Chat app a chat's address is its space, "spaces/AAAA" or "AAAA", or "spaces/AAAA/threads/BBBB" for a
thread of it. `token` is the service account's key file then, with which the channel signs for itself and asks
nobody for a token (`account`); or an access token with the scope chat.bot that somebody else keeps fresh.
What people answer comes back as soon as `audience` says how to tell that it is Google who brings it.

The URL of an incoming webhook has the `space`, `key` and `token` of the settings. All chats are in that one
space then, each in a thread of its own whose key is the chat's address; nobody can answer there, so no button
says anything: links are left.

Videos, audios and files are links: apps cannot upload, and no widget plays them. Apps have neither typing
signs nor receipts.

`messages` renders, `replies` reads what came back, `inbound` the way back; `setup` helps to set an app up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.util import find_spec
from typing import ClassVar, Final, assert_never
from urllib.parse import quote, urlencode
from uuid import UUID

import msgspec
import orjson
from msgspec.structs import replace

from bridge.channels import Call, Inbound, Reading, Reply, Request
from bridge.channels.capabilities import Capabilities, Pace
from bridge.channels.googlechat import account, messages, replies, setup
from bridge.channels.googlechat import inbound as events
from bridge.channels.links import web_address
from bridge.channels.settings import base_url
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

AS_APP: Final = Capabilities(
    shows=frozenset({Text, Image, Card, Carousel, Webview}),
    unit="bytes",
    text=messages.TEXT,
    caption=messages.CAPTION,
    options=messages.OPTIONS,
    cards=10,
    card_title=messages.TITLE,
    card_text=messages.SUBTITLE,
    card_buttons=messages.BUTTONS,
    payload_bytes=messages.PAYLOAD,
    card_media=frozenset({"image"}),
    media_schemes=frozenset({"https"}),
    idempotent=True,
    chat_pace=Pace(1),
    channel_pace=Pace(50, burst=50),
)
BY_WEBHOOK: Final = msgspec.structs.replace(
    AS_APP,
    options=0,
    card_buttons=0,
    channel_pace=Pace(1),  # one space for all
)
FUNCTION: Final = "reply"
"""What a button calls, where that is only a name that comes back."""


class GoogleChatSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [integrations.NAME.googlechat]."""

    token: Secret
    """The JSON of the app's service account key, or an access token; with `key`, the `token` of its URL."""
    key: Secret | None = None
    """The `key` of an incoming webhook's URL."""
    space: str = ""
    """The space of an incoming webhook's URL: what stands between /spaces/ and /messages."""
    audience: str = ""
    """What the app's configuration names as authentication audience: the project's number, or the endpoint
    URL (always that for an add-on, whose buttons need it too). Without it no event is taken."""
    caller: str = events.CHAT
    """In whose name Google calls, where the audience is the endpoint URL: for an add-on the service account
    email that its configuration shows."""
    api_url: str = "https://chat.googleapis.com"


class GoogleChat:
    """A Chat app, or an incoming webhook, as a channel."""

    name: ClassVar[str] = "googlechat"
    Settings = GoogleChatSettings

    def __init__(self, settings: GoogleChatSettings) -> None:
        token = settings.token.reveal().strip()
        self._account = account.read(token) if token.startswith("{") else None
        if not self._account and not re.fullmatch("[!-~]+", token):
            raise ConfigError("token: is no service account's key, no access token and no webhook's token")
        _check(settings)
        api_url = base_url(settings.api_url)
        self.capabilities = BY_WEBHOOK if settings.key else AS_APP
        self._api_url = api_url
        self._token = Secret(token)
        self._key = settings.key
        self._space = settings.space
        self._audience = settings.audience
        self._caller = settings.caller
        self._function = settings.audience if settings.audience.startswith("https:") else FUNCTION

    def render(self, content: Content, to: str) -> Sequence[Call]:
        match content:
            case Text():
                return messages.text_message(content, self._function)
            case Image():
                return messages.picture(content)
            case Card():
                return messages.card_message(content, self._function)
            case Carousel():
                return messages.carousel_messages(content, self._function)
            case Webview():
                return messages.webview_message(content)
            case Video() | Audio() | File() | Handover() | Pause() | Typing() | Notice() | Receipt():
                raise ValueError(f"googlechat shows no {kind(content)}: its capabilities say so")
            case _:
                assert_never(content)

    def request(self, call: Call) -> Request:
        headers = {"content-type": "application/json; charset=utf-8"}
        query = {"requestId": str(UUID(call.id))} if call.id else {}
        if self._key:
            query |= {"key": self._key.reveal(), "token": self._token.reveal()}
            space, thread = self._space, {"threadKey": call.to}
        else:
            query |= {"messageId": f"client-{call.id}"} if call.id else {}
            space, _, name = call.to.removeprefix("spaces/").partition("/threads/")
            thread = {"name": f"spaces/{space}/threads/{name}"} if name else {}
        body = dict(call.body)
        if thread:
            query["messageReplyOption"] = "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"
            body["thread"] = thread
        parent = f"spaces/{quote(space.removeprefix('spaces/'), safe='*')}"
        url = f"{self._api_url}/v1/{parent}/messages?{urlencode(query, safe='*')}".rstrip("?")
        request = Request(url=url, headers=headers, body=orjson.dumps(body))
        return request if self._key else self._signed(request)

    def check(self, reply: Reply) -> str | None:
        return replies.check(reply)

    # ---- the way back --------------------------------------------------------------------------------------

    @property
    def key_urls(self) -> Sequence[str]:
        return (events.key_url(self._audience),) if self._audience else ()

    def verify(self, inbound: Inbound) -> bool:
        return bool(self._audience) and events.verify(inbound, self._audience, self._caller)

    def read(self, inbound: Inbound) -> Reading:
        return events.read(inbound.body)

    def locate(self, source: str) -> Request | None:
        return None  # a file's name says where it is

    def download(self, source: str, located: Reply | None) -> Request:
        """https://developers.google.com/workspace/chat/api/reference/rest/v1/media/download"""
        if not events.RESOURCE.fullmatch(source):
            raise Rejected("the file's name is none of Google Chat's")
        return self._signed(Request(method="GET", url=f"{self._api_url}/v1/media/{source}?alt=media"))

    # ---- setting it up -------------------------------------------------------------------------------------

    def identify(self) -> Request:
        if self._key:
            return self.request(Call(op="messages.create", to="moveo-bridge"))
        return self._signed(Request(method="GET", url=f"{self._api_url}/v1/spaces?pageSize=1"))

    def identified(self, reply: Reply) -> str:
        if self._key:
            return setup.webhook_name(reply)
        return setup.app_name(reply, self._account.email if self._account else "")

    def connect(self, url: str) -> Sequence[Request]:
        return ()  # a person configures an app, not the app itself

    def steps(self, url: str) -> str:
        return "" if self._key else setup.steps(url, self._audience)

    def _signed(self, request: Request) -> Request:
        """With the account's token, made when the request is sent; or with the one in the settings."""
        if self._account:
            return replace(request, grant=self._account)
        bearer = {"authorization": f"Bearer {self._token.reveal()}"}
        return replace(request, headers={**request.headers, **bearer})


def _check(settings: GoogleChatSettings) -> None:
    """Raises ConfigError for settings that do not go together."""
    if bool(settings.key) != bool(settings.space):
        raise ConfigError("key: needs space, and the other way round: both are in the webhook's URL")
    audience = settings.audience
    if not audience:
        return
    if settings.key:
        raise ConfigError("audience: is for a Chat app; nobody can answer to an incoming webhook")
    if not re.fullmatch("[0-9]{1,20}", audience) and not (
        audience.startswith("https://") and web_address(audience) == audience
    ):
        raise ConfigError("audience: must be the project's number, or the endpoint URL (https://…)")
    if find_spec("jwt") is None:
        raise ConfigError("audience: checking needs PyJWT: pip install 'moveo-bridge[googlechat]'")
