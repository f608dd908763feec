"""Telegram bots, by the Bot API 10.1 of June 2026.

What Telegram takes, and where it says so, all under https://core.telegram.org/bots/ (MB as 2**20 bytes):

    a text                      4096 UTF-16 units         api#sendmessage
    a caption                   1024 UTF-16 units         api#sendphoto
    a button's callback data    1-64 bytes                api#inlinekeyboardbutton
    buttons under a message     100, 8 in a row           api#inlinekeyboardmarkup
    a keyboard as JSON          about 10 kB               (not documented: "reply markup is too long")
    media fetched by URL        photo 5 MB, else 20 MB    api#sending-files
    a typing sign               5 s                       api#sendchataction
    messages                    1/s a chat, 30/s a bot    faq#my-bot-is-hitting-limits-how-do-i-avoid-this
    a user's file               20 MB                     api#getfile

`messages` renders, `keyboard` has the buttons, `replies` reads what came back, `updates` and `files` the way
back; `setup` helps to set a bot up.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, assert_never
from urllib.parse import quote

import msgspec
import orjson

from bridge.channels import Call, Inbound, Reading, Reply, Request
from bridge.channels.capabilities import Capabilities, Pace
from bridge.channels.settings import base_url
from bridge.channels.telegram import files, messages, replies, setup, updates
from bridge.channels.telegram.keyboard import BUTTONS, CALLBACK_BYTES
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


class TelegramSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [integrations.NAME.telegram]."""

    token: Secret
    """The bot's token, from @BotFather."""
    api_url: str = "https://api.telegram.org"
    """Another address for a Bot API server of one's own."""
    secret_token: Secret | None = None
    """What Telegram sends with each update to prove that it is Telegram; without it no update is taken."""


class Telegram:
    """A Telegram bot as a channel."""

    name: ClassVar[str] = "telegram"
    Settings = TelegramSettings

    capabilities: ClassVar[Capabilities] = Capabilities(
        shows=frozenset({Text, Image, Video, Audio, File, Card, Webview, Typing}),
        unit="utf16",
        text=messages.TEXT,
        caption=messages.CAPTION,
        options=BUTTONS,
        option_label=64,
        card_title=messages.TITLE,
        card_text=messages.SUBTITLE,
        card_buttons=BUTTONS,
        button_label=64,
        payload_bytes=CALLBACK_BYTES,
        media_bytes={"image": 5 * MB, "video": 20 * MB, "audio": 20 * MB, "file": 20 * MB},
        typing_seconds=5,
        # Short bursts are let through. Groups take only 20 messages a minute: one that talks more is held
        # back by the wait time of the 429 it meets, since a pace is the same for all chats of a channel.
        chat_pace=Pace(1, burst=3),
        channel_pace=Pace(30, burst=30),
    )

    def __init__(self, settings: TelegramSettings) -> None:
        token = settings.token.reveal()
        if not re.fullmatch(r"[!-~]+", token) or re.search(r"[/?#]", token):
            raise ConfigError("token: is no token of @BotFather (123456:ABC…)")
        api_url = base_url(settings.api_url)
        bot = f"bot{quote(token, safe=':*')}/"
        self._prefix = f"{api_url}/{bot}"
        self._files = f"{api_url}/file/{bot}"
        self._secret_token = settings.secret_token

    def render(self, content: Content, to: str) -> Sequence[Call]:
        match content:
            case Text():
                return messages.text_message(to, content)
            case Image() | Video() | Audio() | File():
                return messages.file_message(to, content)
            case Card():
                return messages.card_message(to, content)
            case Webview():
                return messages.webview_message(to, content)
            case Typing(on=True):
                return messages.typing_sign(to)
            case Typing():
                return ()  # Telegram has no sign for it: typing ends by itself, or with the next message
            case Carousel() | Handover() | Pause() | Notice() | Receipt():
                raise ValueError(f"telegram shows no {kind(content)}: its capabilities say so")
            case _:
                assert_never(content)

    def request(self, call: Call) -> Request:
        return self._post(call.op, call.body)

    def check(self, reply: Reply) -> str | None:
        return replies.check(reply)

    def verify(self, inbound: Inbound) -> bool:
        if not self._secret_token:
            return False
        given = inbound.headers.get("x-telegram-bot-api-secret-token", "")
        expected = self._secret_token.reveal().encode()
        return hmac.compare_digest(given.encode(errors="surrogateescape"), expected)

    def read(self, inbound: Inbound) -> Reading:
        return updates.read(inbound.body)

    def locate(self, source: str) -> Request | None:
        return self._post("getFile", {"file_id": source})

    def download(self, source: str, located: Reply | None) -> Request:
        return Request(method="GET", url=self._files + files.path(located))

    def identify(self) -> Request:
        return self._post("getMe", {})

    def identified(self, reply: Reply) -> str:
        return setup.bots_name(reply)

    def connect(self, url: str) -> Sequence[Request]:
        if not self._secret_token:
            return ()
        return (self._post("setWebhook", setup.webhook(url, self._secret_token.reveal())),)

    def steps(self, url: str) -> str:
        return "" if self._secret_token else setup.steps(url)

    def _post(self, op: str, body: Mapping[str, Any]) -> Request:
        return Request(
            url=self._prefix + op,
            headers={"content-type": "application/json"},
            body=orjson.dumps(body),
        )
