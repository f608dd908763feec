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
else. What may be refused when it is sent (a file that cannot be fetched, a template) has a fallback of text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, assert_never

import msgspec
from msgspec.structs import replace

from bridge.channels import Call, Reply, Request, graph, text
from bridge.channels.capabilities import Capabilities, Pace
from bridge.content import (
    Audio,
    Button,
    Card,
    Carousel,
    Content,
    File,
    Handover,
    Image,
    Link,
    Media,
    Notice,
    OpenWebview,
    Option,
    Pause,
    Postback,
    Receipt,
    Text,
    Typing,
    Video,
    Webview,
    kind,
)
from bridge.errors import Rejected, SendError, Unavailable, Uncertain
from bridge.secret import Secret

MB: Final = 2**20
PAYLOAD: Final = 1000
BUTTON_TEXT: Final = 640
TITLE: Final = 80
BLANK: Final = "…"
"""Stands where a text is wanted and there is none."""

HELD: Final = {4: 60.0, 17: 60.0, 32: 60.0, 613: 5.0}
"""Limits of the whole page or app, and how many seconds it is held for them: Meta names no time."""
LATER: Final = frozenset({1, 2, 1200})
"""Not now, for this chat."""
UNREACHABLE: Final = frozenset({33, 1545041, 2018001, 2018065, 2018108, 2018278, 2534022})
"""Subcodes of a user who is unknown, unavailable, or whose last message was more than 24 hours ago."""
UNAVAILABLE_PERSON: Final = 551


class MessengerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [integrations.NAME.messenger], or of [integrations.NAME.instagram]."""

    token: Secret
    """The page's access token; for an Instagram account that logs in by itself, the account's."""
    api_url: str = graph.URL
    """For such an account https://graph.instagram.com/v25.0."""


class Messenger:
    """A Facebook page as a channel."""

    name: ClassVar[str] = "messenger"
    Settings = MessengerSettings

    capabilities: ClassVar[Capabilities] = Capabilities(
        shows=frozenset({Text, Image, Video, Audio, File, Card, Carousel, Webview, Typing, Receipt}),
        text=2000,
        options=13,
        option_label=20,
        cards=10,
        card_title=TITLE,
        card_text=80,
        card_unit="characters",
        card_buttons=3,
        button_label=20,
        payload_bytes=PAYLOAD,
        card_media=frozenset({"image"}),
        card_action=True,
        card_action_says=False,
        media_bytes={"image": 8 * MB, "video": 25 * MB, "audio": 25 * MB, "file": 25 * MB},
        typing_seconds=20,
        channel_pace=Pace(300, burst=300),
    )
    heights: ClassVar[bool] = True
    """Whether a page in the chat has a height."""
    button_template: ClassVar[bool] = True
    """Whether there are buttons under a long text; where not, they stand on a card."""

    def __init__(self, settings: MessengerSettings) -> None:
        self._api_url = graph.checked_url(settings.api_url)
        self._token = graph.checked_token(settings.token)

    def render(self, content: Content, to: str) -> Sequence[Call]:
        match content:
            case Text():
                return self._texts(content.text, content.options)
            case Image() | Video() | Audio() | File():
                return [self._file(kind(content), content.url)]
            case Card():
                return [self._card(content)]
            case Carousel(cards=cards):
                return [self._generic(cards)]
            case Webview():
                return self._webview(content)
            case Typing(on=on):
                return [_sign("typing_on" if on else "typing_off")]
            case Receipt(kind="read"):
                return [_sign("mark_seen")]
            case Receipt():
                return []  # that a message was delivered the platform shows by itself
            case Handover() | Pause() | Notice():
                raise ValueError(f"{self.name} shows no {kind(content)}: its capabilities say so")
            case _:
                assert_never(content)

    def request(self, call: Call) -> Request:
        kind_of = {"messaging_type": "RESPONSE"} if call.op == "message" else {}
        body = {"recipient": {"id": text.clean(call.to)}, **kind_of, **call.body}
        return graph.post(self._api_url, "me", self._token, body)

    def check(self, reply: Reply) -> str | None:
        match graph.answer(reply, _failed):
            case {"message_id": str(message_id)}:
                return message_id
            case {"recipient_id": str() | int()}:
                return None
            case _:
                raise Uncertain(f"HTTP {reply.status} without a message's id")

    # ---- messages ------------------------------------------------------------------------------------------

    def _texts(self, said: str, options: Sequence[Option] = ()) -> list[Call]:
        """Messages of text, as many as its length needs; quick replies stand under the last."""
        if text.blank(said) and not options:
            return []
        *before, last = text.split(said, self.capabilities.text, self.capabilities.unit) or [BLANK]
        message: dict[str, Any] = {"text": BLANK if text.blank(last) else last}
        keep: dict[str, str] = {}
        if options:
            message["quick_replies"] = [_quick_reply(option, keep) for option in options]
        fallback = self._plain([message["text"]], options) if options else ()
        return [*(_message({"text": part}) for part in before), _message(message, keep, fallback)]

    def _file(self, form: str, url: str) -> Call:
        address = text.link(url) or url
        return _message(
            {"attachment": {"type": form, "payload": {"url": address}}}, fallback=self._plain([address])
        )

    def _card(self, card: Card) -> Call:
        words = [part for part in (card.title, card.subtitle) if not text.blank(part)]
        if card.buttons or card.default_action:
            if self.button_template and card.buttons and not card.media and not card.default_action:
                return self._buttons("\n".join(words) or BLANK, card.buttons)
        elif card.media is None:
            return _message({"text": "\n".join(words) or BLANK})
        elif not words:
            return self._file(card.media.kind, card.media.url)
        return self._generic([card])

    def _webview(self, page: Webview) -> list[Call]:
        button = OpenWebview(page.label, page.url, page.height)
        said = page.label if text.blank(page.name) else page.name
        if self.button_template and len(said) <= BUTTON_TEXT:
            return [self._buttons(said, [button])]
        if len(said) <= TITLE:
            return [self._generic([Card(title=said, buttons=(button,))])]
        return [*self._texts(said), *self._webview(replace(page, name=""))]

    def _buttons(self, said: str, buttons: Sequence[Button]) -> Call:
        keep: dict[str, str] = {}
        shown = [self._button(button, keep) for button in buttons]
        payload = {"template_type": "button", "text": said, "buttons": shown}
        fallback = self._plain([said, *_lines(buttons)], _options(buttons))
        return _message({"attachment": {"type": "template", "payload": payload}}, keep, fallback)

    def _generic(self, cards: Sequence[Card]) -> Call:
        keep: dict[str, str] = {}
        elements = [self._element(card, keep) for card in cards]
        payload = {"template_type": "generic", "elements": elements}
        lines = [line for card in cards for line in _spelled(card)]
        options = [option for card in cards for option in _options(card.buttons)]
        fallback = self._plain(lines, options)
        return _message({"attachment": {"type": "template", "payload": payload}}, keep, fallback)

    def _element(self, card: Card, keep: dict[str, str]) -> dict[str, Any]:
        """A title is a must, and one thing more."""
        words = [part for part in (card.title, card.subtitle) if not text.blank(part)] or [BLANK]
        element: dict[str, Any] = {"title": words[0]}
        if len(words) > 1:
            element["subtitle"] = words[1]
        if card.media:
            element["image_url"] = text.link(card.media.url) or card.media.url
        if card.default_action:
            tap = self._button(card.default_action, keep)
            element["default_action"] = {name: part for name, part in tap.items() if name != "title"}
        if card.buttons:
            element["buttons"] = [self._button(button, keep) for button in card.buttons]
        return element if len(element) > 1 else {**element, "subtitle": BLANK}

    def _button(self, button: Button, keep: dict[str, str]) -> dict[str, Any]:
        match button:
            case Postback(label=label, value=value):
                payload, kept = text.payload(value or label, PAYLOAD)
                keep |= kept
                return {"type": "postback", "title": label, "payload": payload}
            case Link(label=label, url=url):
                return {"type": "web_url", "title": label, "url": text.link(url) or url}
            case OpenWebview(label=label, url=url, height=height):
                shown = {"type": "web_url", "title": label, "url": text.link(url) or url}
                has_height = self.heights and height != "new_window"
                return {**shown, "webview_height_ratio": height} if has_height else shown
            case _:
                assert_never(button)

    def _plain(self, lines: Iterable[str], options: Sequence[Option] = ()) -> tuple[Call, ...]:
        """The lines, and the options as numbers to answer with."""
        numbered = [f"{number}. {option.label}" for number, option in enumerate(options, 1)]
        said = "\n".join(line for line in [*lines, *numbered] if line)
        parts = text.split(said, self.capabilities.text, self.capabilities.unit)
        calls = [_message({"text": part}) for part in parts]
        texts = tuple(option.text for option in options)
        calls[-1:] = [replace(call, numbers=texts) for call in calls[-1:]]
        return tuple(calls)


class Instagram(Messenger):
    """An Instagram professional account as a channel: its Send API is Messenger's, with less in it."""

    name: ClassVar[str] = "instagram"
    capabilities: ClassVar[Capabilities] = replace(
        Messenger.capabilities,
        unit="bytes",
        text=1000,
        media_endings={
            "image": frozenset({"", ".jpg", ".jpeg", ".png", ".gif"}),
            "video": frozenset({"", ".mp4", ".ogg", ".avi", ".mov", ".webm"}),
            "audio": frozenset({"", ".aac", ".m4a", ".wav", ".mp4"}),
            "file": frozenset({"", ".pdf"}),
        },
    )
    heights: ClassVar[bool] = False
    button_template: ClassVar[bool] = False  # it has one only for accounts that log in by themselves


def _sign(action: str) -> Call:
    return Call(op="sender_action", body={"sender_action": action}, ephemeral=True)


def _message(
    message: Mapping[str, Any], keep: Mapping[str, str] | None = None, fallback: tuple[Call, ...] = ()
) -> Call:
    return Call(op="message", body={"message": message}, keep=keep or {}, fallback=fallback)


def _quick_reply(option: Option, keep: dict[str, str]) -> dict[str, str]:
    payload, kept = text.payload(option.text or option.label, PAYLOAD)
    keep |= kept
    return {"content_type": "text", "title": option.label, "payload": payload}


def _options(buttons: Iterable[Button]) -> list[Option]:
    return [Option(button.label, button.value) for button in buttons if isinstance(button, Postback)]


def _lines(buttons: Iterable[Button]) -> list[str]:
    return [f"{button.label}: {button.url}" for button in buttons if not isinstance(button, Postback)]


def _spelled(card: Card) -> list[str]:
    """The card as lines, without the buttons that are numbered."""
    tap = card.default_action
    media: Media | None = card.media
    opened = [tap.url] if isinstance(tap, Link | OpenWebview) else []
    return [card.title, card.subtitle, *([media.url] if media else ()), *opened, *_lines(card.buttons)]


def _failed(failure: graph.Failure) -> SendError | None:
    """https://developers.facebook.com/docs/messenger-platform/error-codes"""
    code, reason = failure.code, failure.reason
    if code == UNAVAILABLE_PERSON or failure.subcode in UNREACHABLE:
        return Rejected(reason)
    if code in HELD:
        return Unavailable(reason, retry_after=failure.wait or HELD[code], scope="channel")
    if code in LATER:
        return Unavailable(reason, retry_after=failure.wait)
    return None
