"""Facebook Messenger and Instagram's direct messages, both by Meta's Send API.

A chat's address is the user's id, as the webhooks of the page (PSID) or the account (IGSID) have it: digits.
Messages reach a user for 24 hours after the user's last one; later ones are refused. What is taken, and where
it says so, all under https://developers.facebook.com/docs/messenger-platform/ (MB as 2**20 bytes):

    a text                       2000 characters              reference/send-api
                                 1000 bytes on Instagram      instagram/features/send-message
    quick replies                13, of 20, values of 1000    send-messages/quick-replies
    a button template            640, 3 buttons of 20         send-messages/template/button
    a generic template           10 elements, of 80 and 80,   send-messages/template/generic
                                 with 3 buttons of 20
    files fetched by URL         25 MB, images 8 MB           reference/attachment-upload-api
                                 and few formats on Instagram instagram/features/send-message
    a typing sign                20 s                         send-messages/sender-actions
    messages                     300/s a page or account,     overview/rate-limiting
                                 of films and sounds 10/s

Text has no markup, so an agent's text goes out as it was written. A default action opens a page and nothing
else. `messages` renders, `replies` reads what came back; `inbound` is the way back, `setup` helps to set the
account up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final, assert_never

import msgspec
from msgspec.structs import replace

from bridge.channels import Call, Inbound, Reading, Reply, Request, graph, text
from bridge.channels.capabilities import Capabilities, Pace
from bridge.channels.hub import Hub, challenge
from bridge.channels.messenger import messages, replies, setup
from bridge.channels.messenger.inbound import reading
from bridge.channels.messenger.messages import Dialect, sign
from bridge.channels.messenger.setup import Webhooks
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

MB: Final = 2**20


class MessengerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [integrations.NAME.messenger], or of [integrations.NAME.instagram]."""

    token: Secret
    """The page's access token; for an Instagram account that logs in by itself, the account's."""
    api_url: str = graph.URL
    """For such an account https://graph.instagram.com/v25.0."""
    app_secret: Secret | None = None
    """The app's secret, with which Meta signs what it tells; without it nothing of that is taken."""
    verify_token: Secret | None = None
    """A word of your own, by which Meta's first request to the webhook is known."""
    account_id: str = ""
    """The id of the page or account, where its app has several: what the others are told is left alone."""


class Messenger:
    """A Facebook page as a channel."""

    name: ClassVar[str] = "messenger"
    Settings = MessengerSettings
    dialect: ClassVar[Dialect] = Dialect(length=2000, heights=True, button_template=True)
    webhooks: ClassVar[Webhooks] = Webhooks(
        object="page",
        where="Messenger > Messenger API Settings > Configure webhooks",
        fields="messages, messaging_postbacks, messaging_referrals and message_reads",
        account_fields="messages,messaging_postbacks,messaging_referrals,message_reads",
    )

    capabilities: ClassVar[Capabilities] = Capabilities(
        shows=frozenset({Text, Image, Video, Audio, File, Card, Carousel, Webview, Typing, Receipt}),
        text=dialect.length,
        options=13,
        option_label=20,
        cards=10,
        card_title=messages.TITLE,
        card_text=80,
        card_unit="characters",
        card_buttons=3,
        button_label=20,
        payload_bytes=messages.PAYLOAD,
        card_media=frozenset({"image"}),
        card_action=True,
        card_action_says=False,
        media_bytes={"image": 8 * MB, "video": 25 * MB, "audio": 25 * MB, "file": 25 * MB},
        typing_seconds=20,
        receipts=frozenset({"read"}),
        channel_pace=Pace(300, burst=300),
    )

    def __init__(self, settings: MessengerSettings) -> None:
        self._api_url = base_url(settings.api_url)
        self._token = graph.checked_token(settings.token)
        if not re.fullmatch(r"[0-9]*", settings.account_id):
            raise ConfigError("account_id: must be the id of the page or account, which has digits only")
        self._account = settings.account_id
        self._hub = Hub(settings.app_secret, settings.verify_token)

    def render(self, content: Content, to: str) -> Sequence[Call]:
        match content:
            case Text():
                return self.dialect.texts(content.text, content.options)
            case Image() | Video() | Audio() | File():
                return [self.dialect.file(kind(content), content.url)]
            case Card():
                return [self.dialect.card(content)]
            case Carousel(cards=cards):
                return [self.dialect.carousel(cards)]
            case Webview():
                return self.dialect.webview(content)
            case Typing(on=on):
                return [sign("typing_on" if on else "typing_off")]
            case Receipt():
                return [sign("mark_seen")]
            case Handover() | Pause() | Notice():
                raise ValueError(f"{self.name} shows no {kind(content)}: its capabilities say so")
            case _:
                assert_never(content)

    def request(self, call: Call) -> Request:
        kind_of = {"messaging_type": "RESPONSE"} if call.op == "message" else {}
        body = {"recipient": {"id": text.clean(call.to)}, **kind_of, **call.body}
        return graph.post(self._api_url, "me/messages", self._token, body)

    def check(self, reply: Reply) -> str | None:
        return replies.check(reply)

    def verify(self, inbound: Inbound) -> bool:
        return self._hub.verify(inbound)

    def read(self, inbound: Inbound) -> Reading:
        if inbound.method == "GET":
            return challenge(inbound)
        return reading(inbound.body, self.webhooks.object, self._account)

    def identify(self) -> Request:
        return setup.who(self._api_url, self._token)

    def identified(self, reply: Reply) -> str:
        return setup.name(graph.answer(reply, replies.failed))

    def connect(self, url: str) -> Sequence[Request]:
        return setup.connect(self._api_url, self._token, self._hub, self.webhooks)

    def steps(self, url: str) -> str:
        return setup.steps(self._hub, self.webhooks, url)


class Instagram(Messenger):
    """An Instagram professional account as a channel: its Send API is Messenger's, with less in it."""

    name: ClassVar[str] = "instagram"
    # A button template is only for accounts that log in by themselves.
    dialect: ClassVar[Dialect] = Dialect(length=1000, unit="bytes", heights=False, button_template=False)
    webhooks: ClassVar[Webhooks] = Webhooks(
        object="instagram",
        where="Instagram > API setup > Configure webhooks (of a page's account: Webhooks > Instagram)",
        fields="messages, messaging_postbacks, messaging_referral and messaging_seen",
        account_fields="messages,messaging_postbacks,messaging_seen",
    )

    capabilities: ClassVar[Capabilities] = replace(
        Messenger.capabilities,
        unit=dialect.unit,
        text=dialect.length,
        media_endings={
            "image": frozenset({"", ".jpg", ".jpeg", ".png", ".gif"}),
            "video": frozenset({"", ".mp4", ".ogg", ".avi", ".mov", ".webm"}),
            "audio": frozenset({"", ".aac", ".m4a", ".wav", ".mp4"}),
            "file": frozenset({"", ".pdf"}),
        },
    )
