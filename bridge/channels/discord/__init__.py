"""Discord bots, by the REST API v10.

The chat's address is the id of a channel, a thread or a direct message channel (which
POST /users/@me/channels opens, and every event of the chat names).

What Discord takes, and where it says so, all under https://docs.discord.com/developers/:

    a text                        2000 characters         resources/message#create-message
    an embed's title, text        256, 4096 characters    resources/message#embed-object-embed-limits
    an address in an embed        2048 characters         (its OpenAPI description)
    rows of components            5                       components/reference#action-row
    buttons in a row              5 (label 80)            components/reference#button
    a button's custom_id, url     100, 512 characters     components/reference#button
    options of a menu             25 (value 100)          components/reference#string-select
    a nonce                       25 characters           resources/message#create-message
    a typing sign                 10 s                    resources/channel#trigger-typing-indicator
    calls                         50/s a bot              topics/rate-limits#global-rate-limit
    messages                      5 in 5 s a channel      (as X-RateLimit-… announces it)

The nonce is made of the call's id: within a few minutes, a repeat is answered with the first message and not
shown again. Files are fetched only as pictures; the addresses of others are shown, which Discord's own apps
turn into players and previews. There is no carousel: each card is a message with an embed and its buttons.

`messages` renders, `markdown` escapes, `replies` reads what came back; `inbound` reads what users press, and
what they say by the bot's command (`said`), `pressed` marks the button, `setup` helps to set the bot up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, assert_never
from urllib.parse import quote

import msgspec
import orjson

from bridge import __version__
from bridge.channels import Call, Inbound, Reading, Reply, Request
from bridge.channels.capabilities import Capabilities, Pace
from bridge.channels.discord import messages, replies, setup
from bridge.channels.discord.inbound import incoming, public_key, signed
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

NONCE: Final = 25
USER_AGENT: Final = f"DiscordBot (https://moveo.ai, {__version__})"
"""In the form Discord asks for: it turns others away."""


class DiscordSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [integrations.NAME.discord]."""

    token: Secret
    """The bot's token, from the page of the application."""
    api_url: str = "https://discord.com/api/v10"
    """Another address for a proxy of one's own."""
    public_key: str = ""
    """The application's, by which it is known that Discord sends; without it nothing is taken from users."""
    application_id: str = ""
    """Beside the public key; `moveo-bridge connect` needs it for the command."""
    command: str = "ask"
    """The command by which users speak to the bot: /ask."""


class Discord:
    """A Discord bot as a channel."""

    name: ClassVar[str] = "discord"
    Settings = DiscordSettings

    capabilities: ClassVar[Capabilities] = Capabilities(
        shows=frozenset({Text, Image, Card, Webview, Typing}),
        text=messages.TEXT,
        caption=messages.CAPTION,
        options=messages.BUTTONS,
        option_label=messages.LABEL,
        card_title=messages.EMBED_TITLE,
        card_text=messages.CARD_TEXT,
        card_buttons=messages.BUTTONS,
        button_label=messages.LABEL,
        payload_bytes=messages.CUSTOM_ID,
        card_media=frozenset({"image"}),
        url=messages.BUTTON_URL,
        media_url=messages.IMAGE_URL,
        typing_seconds=10,
        idempotent=True,
        chat_pace=Pace(1, burst=5),
        channel_pace=Pace(50, burst=50),
    )

    def __init__(self, settings: DiscordSettings) -> None:
        if not re.fullmatch(r"[!-~]+", settings.token.reveal()):
            raise ConfigError("token: is no token of a Discord bot")
        if settings.application_id and not re.fullmatch("[0-9]{1,20}", settings.application_id):
            raise ConfigError("application_id: must be the application's id, which has digits only")
        if (
            not re.fullmatch(r"[-_'\w]{1,32}", settings.command)
            or settings.command != settings.command.lower()
        ):
            raise ConfigError("command: must be one word of at most 32 small letters")
        self._api_url = base_url(settings.api_url)
        self._token = settings.token
        self._public_key = public_key(settings.public_key)
        self._application_id = settings.application_id
        self._command = settings.command

    def render(self, content: Content, to: str) -> Sequence[Call]:
        match content:
            case Text():
                return messages.text_message(content)
            case Image():
                return messages.image_message(content)
            case Card():
                return messages.card_message(content)
            case Webview():
                return messages.webview_message(content)
            case Typing(on=True):
                return messages.typing_sign()
            case Typing():
                return ()  # Discord has no sign for it: typing ends by itself, or with the next message
            case Video() | Audio() | File() | Carousel() | Handover() | Pause() | Notice() | Receipt():
                raise ValueError(f"discord shows no {kind(content)}: its capabilities say so")
            case _:
                assert_never(content)

    def request(self, call: Call) -> Request:
        once = {"nonce": call.id[:NONCE], "enforce_nonce": True} if call.body and call.id else {}
        return self._request("POST", f"/channels/{quote(call.to, safe='')}/{call.op}", {**call.body, **once})

    def check(self, reply: Reply) -> str | None:
        return replies.check(reply)

    def verify(self, inbound: Inbound) -> bool:
        return signed(inbound, self._public_key)

    def read(self, inbound: Inbound) -> Reading:
        return incoming(inbound.body, self._command)

    def identify(self) -> Request:
        return self._request("GET", "/users/@me")

    def identified(self, reply: Reply) -> str:
        return setup.identified(reply)

    def connect(self, url: str) -> Sequence[Request]:
        """The address, which Discord tries at once, then the command; nothing until it can be verified."""
        if self._public_key is None:
            return ()
        address = self._request("PATCH", "/applications/@me", {"interactions_endpoint_url": url})
        if not self._application_id:
            return (address,)
        commands = f"/applications/{self._application_id}/commands"
        return (address, self._request("POST", commands, setup.command(self._command)))

    def steps(self, url: str) -> str:
        has_key = self._public_key is not None
        return setup.steps(url, has_key=has_key, application_id=self._application_id)

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Request:
        headers = {"authorization": f"Bot {self._token.reveal()}", "user-agent": USER_AGENT}
        if body is None:
            return Request(method=method, url=f"{self._api_url}{path}", headers=headers)
        return Request(
            method=method,
            url=f"{self._api_url}{path}",
            headers={**headers, "content-type": "application/json"},
            body=orjson.dumps(body),
        )
