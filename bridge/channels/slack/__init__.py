"""Slack, by the Web API's chat.postMessage and Block Kit.

The chat's address is the id of a conversation (C…, G…, D…) or of a user (U…, Slack opens the direct message
itself); "C0123/1712345678.123456" is the thread under that message.

What Slack takes, and where it says so, all under https://docs.slack.dev/reference/:

    blocks in a message          50                     block-kit/blocks
    all texts of the blocks      about 13 200 together  (github.com/slackapi/bolt-js/issues/2509)
    a section's text             3000 characters        block-kit/composition-objects/text-object
    an image's title, alt text   2000 characters        block-kit/blocks/image-block
    an address                   3000 characters        block-kit/block-elements/button-element
    buttons in a row             25 (label 75)          block-kit/blocks/actions-block
    options of a menu            100 (75, value 150)    block-kit/composition-objects/option-object
    cards in a carousel          10                     block-kit/blocks/carousel-block
    a card's title, body         150, 200 characters    block-kit/blocks/card-block
    messages                     1/s a conversation, several hundred a minute a workspace
                                                        ../apis/web-api/rate-limits

Text goes out with Slack's markup switched off wherever that can be done: as the message's text (`mrkdwn`
false), or as a plain_text object. In plain_text no address can be clicked; so a text without anything that
Slack would take for markup is written as mrkdwn, its addresses as links. Cards of a carousel have nothing but
mrkdwn: cards whose words would be changed by it stand one under the other, as do those too long for it.

Slack shows a bot's typing only in assistant threads, and no receipts.

`messages` makes the calls, `blocks` what is in them, `replies` reads what came back. `inbound` reads what
users say (`events`, in `words`), send (`files`) and press (`forms`; `pressed` marks it); `setup` helps to set
the app up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, assert_never
from urllib.parse import quote

import msgspec
import orjson

from bridge.channels import Call, Inbound, Reading, Reply, Request
from bridge.channels.capabilities import Capabilities, Pace
from bridge.channels.settings import base_url
from bridge.channels.slack import files, messages, replies, setup
from bridge.channels.slack.blocks import BUTTONS, IMAGE_TEXT, LABEL, MENU, SECTION, SUBTITLE, URL, VALUE
from bridge.channels.slack.inbound import incoming, signed
from bridge.channels.slack.messages import CARD_TITLE, CARDS
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


class SlackSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [integrations.NAME.slack]."""

    token: Secret
    """The bot's token (xoxb-…), with the scope chat:write."""
    api_url: str = "https://slack.com/api"
    """Another address for a proxy of one's own, or GovSlack."""
    signing_secret: Secret | None = None
    """What Slack signs its requests with; without it nothing is taken from users."""


class Slack:
    """A Slack app's bot as a channel."""

    name: ClassVar[str] = "slack"
    Settings = SlackSettings

    capabilities: ClassVar[Capabilities] = Capabilities(
        shows=frozenset({Text, Image, Card, Carousel, Webview}),
        text=SECTION,
        caption=IMAGE_TEXT,
        options=MENU,
        option_label=LABEL,
        cards=CARDS,
        card_title=CARD_TITLE,
        card_text=SUBTITLE,
        card_buttons=BUTTONS,
        button_label=LABEL,
        payload_bytes=VALUE,
        card_media=frozenset({"image"}),
        url=URL,
        chat_pace=Pace(1, burst=3),
        channel_pace=Pace(5, burst=10),
    )

    def __init__(self, settings: SlackSettings) -> None:
        token = settings.token.reveal()
        if not re.fullmatch(r"[!-~]+", token):
            raise ConfigError("token: is no token of a Slack app (xoxb-…)")
        self._api_url = base_url(settings.api_url)
        self._token = settings.token
        self._signing_secret = settings.signing_secret

    def render(self, content: Content, to: str) -> Sequence[Call]:
        match content:
            case Text():
                return messages.text_message(to, content)
            case Image():
                return messages.image_message(to, content)
            case Card():
                return messages.card_messages(to, (content,))
            case Carousel(cards=cards):
                return messages.card_messages(to, cards)
            case Webview():
                return messages.webview_message(to, content)
            case Video() | Audio() | File() | Handover() | Pause() | Typing() | Notice() | Receipt():
                raise ValueError(f"slack shows no {kind(content)}: its capabilities say so")
            case _:
                assert_never(content)

    def request(self, call: Call) -> Request:
        return self._post(call.op, orjson.dumps(call.body))

    def check(self, reply: Reply) -> str | None:
        return replies.check(reply)

    def verify(self, inbound: Inbound) -> bool:
        return signed(inbound, self._signing_secret)

    def read(self, inbound: Inbound) -> Reading:
        return incoming(inbound.body)

    def locate(self, source: str) -> Request:
        return self._get(f"{self._api_url}/files.info?file={quote(source, safe='')}")

    def download(self, source: str, located: Reply | None) -> Request:
        if located is None:
            raise Rejected("files.info was not asked")
        return self._get(files.address(located, self._api_url))

    def identify(self) -> Request:
        return self._post("auth.test", b"{}")

    def identified(self, reply: Reply) -> str:
        return setup.identified(reply)

    def connect(self, url: str) -> Sequence[Request]:
        return ()

    def steps(self, url: str) -> str:
        return setup.steps(url, signed=bool(self._signing_secret))

    def _post(self, op: str, body: bytes) -> Request:
        headers = {**self._authorized, "content-type": "application/json; charset=utf-8"}
        return Request(url=f"{self._api_url}/{op}", headers=headers, body=body)

    def _get(self, url: str) -> Request:
        return Request(method="GET", url=url, headers=self._authorized)

    @property
    def _authorized(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._token.reveal()}"}
