"""LINE Official Accounts, by the Messaging API of July 2026.

What LINE takes, and where it says so, all under https://developers.line.biz/en/ (MB as 10**6 bytes):

    a text                      5000 UTF-16 units         reference/messaging-api/#text-message
    quick replies               13                        reference/messaging-api/#items-object
    a label                     20 characters             reference/messaging-api/#postback-action
    a postback's data           300 characters            reference/messaging-api/#postback-action
    an address to open          1000; http(s) or tel      reference/messaging-api/#uri-action
    a file's address            2000; https               reference/messaging-api/#image-message
    an image                    JPEG or PNG, 10 MB        reference/messaging-api/#image-message
    a video                     MP4, 200 MB               reference/messaging-api/#video-message
    an audio                    M4A or MP3, 200 MB        reference/messaging-api/#audio-message
    a carousel                  12 bubbles, 50 kB         reference/messaging-api/#f-carousel
    a bubble                    30 kB                     reference/messaging-api/#bubble
    a Flex Message's altText    400                       reference/messaging-api/#flex-message
    a loading animation         5-60 s, by fives          docs/messaging-api/use-loading-indicator/
    calls                       2000/s an account         reference/messaging-api/#rate-limits

A chat's address is what LINE's webhooks give as its source: a user's id ("U" and 32 hex digits), a group's
("C…") or a room's ("R…"). A repeat with the same X-Line-Retry-Key is shown once; the key is made of the
call's id. That a message was read is shown by a token which came with it: it is the chat's memo (READ). LINE
marks by itself while the account's chat is off (docs/messaging-api/mark-as-read/).

`messages` renders, `replies` reads what came back; `inbound` is the way back, `files` has what users send,
`setup` helps to set the account up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Final, assert_never
from uuid import UUID

import msgspec
import orjson

from bridge.channels import Call, Inbound, Reading, Reply, Request, text
from bridge.channels.capabilities import Capabilities, Pace
from bridge.channels.line import files, messages, replies, setup
from bridge.channels.line.inbound import reading, signed
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
from bridge.errors import ConfigError
from bridge.secret import Secret

MB: Final = 10**6


class LineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [integrations.NAME.line]."""

    token: Secret
    """The channel access token, from the LINE Developers Console."""
    channel_secret: Secret | None = None
    """The channel secret, from there, with which LINE signs; without it nothing that LINE tells is taken."""
    api_url: str = "https://api.line.me"
    video_preview: str = ""
    """The address (https) of a JPEG or PNG shown before a video plays; without it LINE has none to show."""


class Line:
    """A LINE Official Account as a channel."""

    name: ClassVar[str] = "line"
    Settings = LineSettings

    capabilities: ClassVar[Capabilities] = Capabilities(
        shows=frozenset({Text, Image, Video, Audio, Card, Carousel, Webview, Typing, Receipt}),
        unit="utf16",
        text=messages.TEXT,
        options=messages.QUICK_REPLIES,
        option_label=messages.LABEL,
        cards=messages.BUBBLES,
        card_title=messages.TITLE,
        card_text=messages.SUBTITLE,
        card_buttons=messages.BUTTONS,
        button_label=messages.LABEL,
        payload_bytes=messages.DATA,
        card_media=frozenset({"image"}),
        card_action=True,
        links=frozenset({"http", "https", "tel"}),
        url=1000,
        media_url=2000,
        media_bytes={"image": 10 * MB, "video": 200 * MB, "audio": 200 * MB},
        media_schemes=frozenset({"https"}),
        # An address without an ending is tried: LINE goes by what it finds there.
        media_endings={
            "image": frozenset({".jpg", ".jpeg", ".png", ""}),
            "video": frozenset({".mp4", ""}),
            "audio": frozenset({".m4a", ".mp3", ""}),
        },
        typing_seconds=messages.LOADING_SECONDS,
        receipts=frozenset({"read"}),
        idempotent=True,
        channel_pace=Pace(1000, burst=1000),
    )

    def __init__(self, settings: LineSettings) -> None:
        if not re.fullmatch(r"[!-~]+", settings.token.reveal()):
            raise ConfigError("token: is no channel access token of the LINE Developers Console")
        secret = settings.channel_secret
        if secret is not None and not re.fullmatch(r"[!-~]+", secret.reveal()):
            raise ConfigError("channel_secret: is no channel secret of the LINE Developers Console")
        preview = text.link(settings.video_preview) or ""
        if settings.video_preview and not preview.startswith("https://"):
            raise ConfigError("video_preview: must be an address that starts with https://")
        self._api_url = base_url(settings.api_url)
        self._token = settings.token
        self._secret = secret
        self._preview = preview

    def render(self, content: Content, to: str) -> Sequence[Call]:
        match content:
            case Text():
                return messages.text_message(content)
            case Image(url=url):
                return messages.image_message(url)
            case Video(url=url):
                return messages.video_message(url, self._preview or url)
            case Audio(url=url):
                return messages.audio_message(url)
            case Card():
                return messages.card_message(content)
            case Carousel(cards=cards):
                return tuple(messages.carousel_messages(cards))
            case Webview():
                return messages.webview_message(content)
            case Typing(on=True):
                return messages.typing_sign(to)
            case Typing():
                return ()  # the animation ends with the next message, or by itself
            case Receipt():
                return messages.mark_read()
            case File() | Handover() | Pause() | Notice():
                raise ValueError(f"line shows no {kind(content)}: its capabilities say so")
            case _:
                assert_never(content)

    def request(self, call: Call) -> Request:
        match call.op:
            case messages.MARK:
                about = {"markAsReadToken": call.memo.get(messages.READ, "")}
            case messages.LOADING:
                about = {"chatId": call.to}
            case _:
                about = {"to": call.to}
        # Any other call is refused when it has the key of a repeat.
        repeat = {"x-line-retry-key": str(UUID(call.id))} if call.op == messages.PUSH and call.id else {}
        return self._sent("POST", call.op, {**about, **call.body}, repeat)

    def check(self, reply: Reply) -> str | None:
        return replies.check(reply)

    def verify(self, inbound: Inbound) -> bool:
        return signed(inbound, self._secret)

    def read(self, inbound: Inbound) -> Reading:
        return reading(inbound.body)

    def locate(self, source: str) -> Request | None:
        url = files.preparation(self._api_url, source)
        return self._got(url) if url else None

    def download(self, source: str, located: Reply | None) -> Request:
        files.ready(located)
        return self._got(files.content(self._api_url, source))

    def identify(self) -> Request:
        return self._got(f"{self._api_url}/v2/bot/info")

    def identified(self, reply: Reply) -> str:
        return setup.name(reply)

    def connect(self, url: str) -> Sequence[Request]:
        return (self._sent("PUT", setup.ENDPOINT, {"endpoint": url}),) if self._secret else ()

    def steps(self, url: str) -> str:
        return setup.steps(url, signed=bool(self._secret))

    def _got(self, url: str) -> Request:
        return Request(method="GET", url=url, headers={"authorization": f"Bearer {self._token.reveal()}"})

    def _sent(
        self, method: str, path: str, body: Mapping[str, Any], more: Mapping[str, str] = MappingProxyType({})
    ) -> Request:
        return Request(
            method=method,
            url=f"{self._api_url}/v2/bot/{path}",
            headers={
                "authorization": f"Bearer {self._token.reveal()}",
                "content-type": "application/json",
                **more,
            },
            body=orjson.dumps(body),
        )
