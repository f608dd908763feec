"""Viber bots, by the REST Bot API 7.3.

What Viber takes, and where it says so, all under https://developers.viber.com/docs/ (MB as 2**20 bytes):

    a text                      7000 characters           api/rest-bot-api/#text-message
    a picture's text            512 characters            api/rest-bot-api/#picture-message
    a picture                   JPEG, PNG, GIF; 3 MB      api/rest-bot-api/#picture-message
    a video                     MP4 with its size; 26 MB  api/rest-bot-api/#video-message
    any other file              with its size; 50 MB      api/rest-bot-api/#file-message
    a file's name               256 characters            api/rest-bot-api/#file-message
    a file's address            2000, with its ending     api/rest-bot-api/#url-message
    a keyboard                  12 rows of 6 columns      tools/keyboards/
    a button's text             250 characters of HTML    tools/keyboards/
    rich media                  6 blocks of 6 x 7         api/rest-bot-api/#rich-media-message--carousel-content-message
    a request                   30 kB                     api/rest-bot-api/#send-message
    the sender's name           28 characters             api/rest-bot-api/#send-message
    messages to one user        100/h without an answer   api/rest-bot-api/#send-message

A chat's address is the user's id as Viber's webhooks give it for this bot ("01234567890A="). In what unit it
counts Viber does not say: UTF-16 is never too long. It has neither typing signs, nor receipts, nor a key by
which a repeat is recognised; and states no rate for single messages: the pace is that of its broadcasts.

`messages` and `cards` render, `markup` has the escaping, `replies` reads what came back; `inbound` is the way
back, `files` has what users send, `setup` helps to set the bot up.
"""  # noqa: E501 -- an address cannot be broken

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, assert_never

import msgspec
import orjson

from bridge.channels import Call, Inbound, Reading, Reply, Request, text
from bridge.channels.capabilities import Capabilities, Pace
from bridge.channels.settings import base_url
from bridge.channels.viber import cards, files, messages, replies, setup
from bridge.channels.viber.inbound import reading, signed
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
from bridge.errors import ConfigError
from bridge.secret import Secret

MB: Final = 2**20
SENDER: Final = 28
AVATAR: Final = 1000


class ViberSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [integrations.NAME.viber]."""

    token: Secret
    """The bot's authentication token, from Viber's admin panel; with it Viber signs what it tells."""
    sender: str
    """The name the bot's messages carry."""
    avatar: str = ""
    """The address of a picture beside it; without one Viber shows the bot's own."""
    api_url: str = "https://chatapi.viber.com"


class Viber:
    """A Viber bot as a channel."""

    name: ClassVar[str] = "viber"
    Settings = ViberSettings

    capabilities: ClassVar[Capabilities] = Capabilities(
        shows=frozenset({Text, Image, Video, Audio, File, Card, Carousel}),
        unit="utf16",
        text=messages.TEXT,
        caption=messages.CAPTION,
        options=messages.KEYS,
        option_label=messages.LABEL,
        cards=cards.CARDS,
        card_title=cards.TITLE,
        card_text=cards.SUBTITLE,
        card_buttons=cards.BUTTONS,
        button_label=messages.LABEL,
        payload_bytes=messages.PAYLOAD_BYTES,
        card_media=frozenset({"image"}),
        card_action=True,
        url=2000,
        media_bytes={"video": 26 * MB, "audio": 50 * MB, "file": 50 * MB},
        media_sized=frozenset({"video", "audio", "file"}),
        media_endings={
            "image": frozenset({".jpg", ".jpeg", ".png", ".gif"}),
            "video": frozenset({".mp4"}),
        },
        channel_pace=Pace(50, burst=50),
    )

    def __init__(self, settings: ViberSettings) -> None:
        if not re.fullmatch(r"[!-~]+", settings.token.reveal()):
            raise ConfigError("token: is no authentication token of Viber's admin panel")
        if text.blank(settings.sender) or not text.fits(settings.sender, SENDER, "utf16"):
            raise ConfigError(f"sender: must be a name of at most {SENDER} characters")
        avatar = text.link(settings.avatar) or ""
        if settings.avatar and not (avatar.startswith("https://") and len(avatar) <= AVATAR):
            raise ConfigError("avatar: must be an address that starts with https://")
        self._api_url = base_url(settings.api_url)
        self._token = settings.token
        self._sender = {"name": settings.sender, **({"avatar": avatar} if avatar else {})}

    def render(self, content: Content, to: str) -> Sequence[Call]:
        match content:
            case Text():
                return messages.text_message(content)
            case Image() | Video() | Audio() | File():
                return messages.file_message(content)
            case Card():
                return tuple(cards.card_messages([content]))
            case Carousel():
                return tuple(cards.card_messages(content.cards))
            case Webview() | Handover() | Pause() | Notice() | Typing() | Receipt():
                raise ValueError(f"viber shows no {kind(content)}: its capabilities say so")
            case _:
                assert_never(content)

    def request(self, call: Call) -> Request:
        return self._post(call.op, {"receiver": call.to, "sender": self._sender, **call.body})

    def check(self, reply: Reply) -> str | None:
        return replies.check(reply)

    def verify(self, inbound: Inbound) -> bool:
        return signed(inbound, self._token)

    def read(self, inbound: Inbound) -> Reading:
        return reading(inbound.body, self._api_url)

    def locate(self, source: str) -> Request | None:
        return None  # a source is the file's address

    def download(self, source: str, located: Reply | None) -> Request:
        return files.load(source, self._api_url)

    def identify(self) -> Request:
        return self._post(setup.WHO, {})

    def identified(self, reply: Reply) -> str:
        return setup.name(reply)

    def connect(self, url: str) -> Sequence[Request]:
        return (self._post(setup.REGISTER, setup.webhook(url)),)

    def steps(self, url: str) -> str:
        return ""  # Viber is told all of it

    def _post(self, op: str, body: Mapping[str, Any]) -> Request:
        return Request(
            url=f"{self._api_url}/pa/{op}",
            headers={
                "x-viber-auth-token": self._token.reveal(),
                "content-type": "application/json",
            },
            body=orjson.dumps(body),
        )
