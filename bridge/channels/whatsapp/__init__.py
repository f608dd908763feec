"""WhatsApp, by Meta's Cloud API.

A chat's address is the user's number, as digits with the country code ("306912345678"), or, of a user who
hides it, the business-scoped id ("GR.1234…").

Free messages reach a user for 24 hours after the user's last one; later ones are refused (131047, or a status
event), as only templates approved by Meta open a chat again. What WhatsApp takes, and where it says so, all
under https://developers.facebook.com/documentation/business-messaging/whatsapp/ (MB as 2**20 bytes):

    a text                       4096 characters              messages/text-messages
    a caption                    1024 characters              messages/image-messages
    an interactive body          1024 characters              messages/interactive-reply-buttons-messages
    reply buttons                3, of 20, ids of 256         messages/interactive-reply-buttons-messages
    a list                       10 rows, of 24 and 72        messages/interactive-list-messages
    a link button                1, of 20                     messages/interactive-cta-url-messages
    a carousel                   2-10 cards, of 160,          messages/interactive-media-carousel-messages
                                 with heads, buttons alike
    files fetched by URL         5 MB JPEG, PNG; 16 MB video,  business-phone-numbers/media
                                 audio; 100 MB documents
    a typing sign                25 s                         typing-indicators
    messages                     1 in 6 s to a user, 45 at     throughput
                                 once; 80/s a number

A typing sign, and the mark that the user's messages were read, are about the last of them: its id is the
chat's memo (MESSAGE), and until the user has written there is neither. A typing sign marks as read too.
`messages` renders, `buttons` has what can be pressed, `markup` escapes, `replies` reads what came back;
`inbound` is the way back, `media` the users' files, `setup` helps to set the number up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final, assert_never

import msgspec

from bridge.channels import Call, Inbound, Reading, Reply, Request, graph, text
from bridge.channels.capabilities import Capabilities, Pace
from bridge.channels.hub import Hub, challenge
from bridge.channels.settings import base_url
from bridge.channels.whatsapp import buttons, media, messages, replies, setup
from bridge.channels.whatsapp.inbound import reading
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
USER_ID: Final = re.compile(r"[A-Z]{2}\.(ENT\.)?[0-9A-Za-z]+")
"""A business-scoped user id, which stands in a field of its own."""


class WhatsAppSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [integrations.NAME.whatsapp]."""

    token: Secret
    """An access token with the permission whatsapp_business_messaging; check and connect also need
    whatsapp_business_management."""
    phone_number_id: str
    """The id of the business's number (not the number)."""
    list_button: str = "Options"
    """What stands on the button that opens a list."""
    api_url: str = graph.URL
    app_secret: Secret | None = None
    """The app's secret, with which Meta signs what it tells; without it nothing of that is taken."""
    verify_token: Secret | None = None
    """A word of your own, by which Meta's first request to the webhook is known."""


class WhatsApp:
    """A business's WhatsApp number as a channel."""

    name: ClassVar[str] = "whatsapp"
    Settings = WhatsAppSettings

    capabilities: ClassVar[Capabilities] = Capabilities(
        shows=frozenset({Text, Image, Video, Audio, File, Card, Carousel, Webview, Typing, Receipt}),
        text=messages.TEXT,
        caption=messages.CAPTION,
        options=buttons.ROWS,
        option_label=buttons.DESCRIPTION,
        cards=messages.CARDS[-1],
        side_by_side=messages.side_by_side,
        card_title=256,  # with a subtitle, a body of 1024
        card_text=700,
        card_buttons=buttons.REPLIES,
        button_label=buttons.TITLE,
        payload_bytes=buttons.ID,
        url=2000,
        # A file of another format is taken, and fails unseen only when WhatsApp fetches it.
        media_endings={
            "image": frozenset({"", ".jpg", ".jpeg", ".png"}),
            "video": frozenset({"", ".mp4", ".3gp", ".3gpp"}),
            "audio": frozenset({"", ".aac", ".amr", ".mp3", ".m4a", ".mp4", ".ogg", ".opus"}),
        },
        media_bytes={"image": 5 * MB, "video": 16 * MB, "audio": 16 * MB, "file": 100 * MB},
        typing_seconds=25,
        receipts=frozenset({"read"}),
        chat_pace=Pace(1 / 6, burst=45),
        channel_pace=Pace(80, burst=80),
    )

    def __init__(self, settings: WhatsAppSettings) -> None:
        if not re.fullmatch(r"[0-9*]+", settings.phone_number_id):
            raise ConfigError("phone_number_id: must be the number's id, which has digits only")
        self._list_button = settings.list_button.strip()
        if not 1 <= len(self._list_button) <= buttons.TITLE:
            raise ConfigError(f"list_button: must be a word or two of at most {buttons.TITLE} characters")
        self._api_url = base_url(settings.api_url)
        self._token = graph.checked_token(settings.token)
        self._number = settings.phone_number_id
        self._hub = Hub(settings.app_secret, settings.verify_token)

    def render(self, content: Content, to: str) -> Sequence[Call]:
        match content:
            case Text():
                return messages.text_message(content, self._list_button)
            case Image() | Video() | Audio() | File():
                return messages.file_message(content)
            case Card():
                return messages.card_message(content)
            case Carousel():
                return messages.carousel_message(content)
            case Webview():
                return messages.webview_message(content)
            case Typing(on=True):
                return [messages.mark_read(typing=True)]
            case Typing():
                return ()  # there is no sign for it: typing ends by itself, or with the next message
            case Receipt():
                return [messages.mark_read()]
            case Handover() | Pause() | Notice():
                raise ValueError(f"whatsapp shows no {kind(content)}: its capabilities say so")
            case _:
                assert_never(content)

    def request(self, call: Call) -> Request:
        to = text.clean(call.to)
        if call.op == messages.MARK:
            about = {"message_id": call.memo.get(messages.MESSAGE, "")}
        else:
            about = {"recipient_type": "individual", "recipient" if USER_ID.fullmatch(to) else "to": to}
        body = {"messaging_product": "whatsapp", **about, **call.body}
        return graph.post(self._api_url, f"{self._number}/messages", self._token, body)

    def check(self, reply: Reply) -> str | None:
        return replies.check(reply)

    def verify(self, inbound: Inbound) -> bool:
        return self._hub.verify(inbound)

    def read(self, inbound: Inbound) -> Reading:
        return challenge(inbound) if inbound.method == "GET" else reading(inbound.body, self._number)

    def locate(self, source: str) -> Request:
        return media.located(self._api_url, self._token, source)

    def download(self, source: str, located: Reply | None) -> Request:
        return media.loaded(self._api_url, self._token, located)

    def identify(self) -> Request:
        return graph.get(self._api_url, f"{self._number}?fields={setup.FIELDS}", self._token)

    def identified(self, reply: Reply) -> str:
        return setup.name(graph.answer(reply, replies.failed))

    def connect(self, url: str) -> Sequence[Request]:
        return setup.connect(self._api_url, self._number, self._token, self._hub, url)

    def steps(self, url: str) -> str:
        return setup.steps(self._api_url, self._hub, url)
