"""Contents as Twilio's messages.

A text for SMS has no markup; for WhatsApp it is escaped. Whatever a route or Twilio may refuse of a file has
a text with its address as its fallback.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bridge.channels import Call, text
from bridge.channels.capabilities import Capabilities, Pace
from bridge.channels.whatsapp.markup import escape
from bridge.content import Audio, File, Image, Text, Typing, Video

WHATSAPP: Final = "whatsapp:"
"""How addresses on WhatsApp begin."""
BODY: Final = 1600
CAPTION: Final = 1024
MB: Final = 10**6

SMS: Final = Capabilities(
    shows=frozenset({Text, Image}),
    unit="utf16",  # the characters of a message in UCS-2, where an emoji is two
    text=BODY,
    caption=BODY,
    url=BODY,  # so that one text has room for it
    media_bytes={"image": 5 * MB},
    media_endings={"image": frozenset({"", ".jpg", ".jpeg", ".png", ".gif"})},
    chat_pace=Pace(0.9, burst=3),  # at most 30 in 30 s
    channel_pace=Pace(100, burst=100),
)
ON_WHATSAPP: Final = msgspec.structs.replace(
    SMS,
    shows=frozenset({Text, Image, Video, Audio, File}),
    caption=CAPTION,
    media_bytes={"image": 5 * MB, "video": 16 * MB, "audio": 16 * MB, "file": 16 * MB},
    media_endings={
        "image": frozenset({"", ".jpg", ".jpeg", ".png"}),
        "video": frozenset({"", ".mp4"}),
        "audio": frozenset({"", ".mp3", ".ogg", ".oga", ".opus", ".amr", ".aac", ".3gp"}),
        "file": frozenset({"", ".pdf", ".doc", ".docx", ".pptx", ".xlsx", ".vcf"}),
    },
    channel_pace=Pace(80, burst=80),
)
TYPING_ON_WHATSAPP: Final = msgspec.structs.replace(
    ON_WHATSAPP, shows=ON_WHATSAPP.shows | {Typing}, typing_seconds=25
)

SEND: Final = "Messages"
SIGN: Final = "Indicators/Typing"
MESSAGE: Final = "message"
"""The name in a chat's memo of the sid of the user's last message."""


def typing_sign() -> tuple[Call, ...]:
    """It is about the user's last message, which it marks as read."""
    return (Call(op=SIGN, body={"channel": "whatsapp"}, recall=(MESSAGE,), ephemeral=True),)


def say(said: str, whatsapp: bool) -> tuple[Call, ...]:
    """Messages of text: one, or more where escaping makes it too long (at most twice as long)."""
    shown: list[str] = []
    for part in text.split(said, BODY, "utf16"):
        escaped = escape(part) if whatsapp else part
        halves = () if _fits(escaped) else text.split(part, BODY // 2, "utf16")
        shown += map(escape, halves) if halves else [escaped]
    return tuple(_message({"Body": part}) for part in shown if not text.blank(part))


def show(url: str, said: str, whatsapp: bool) -> tuple[Call, ...]:
    """The file with its caption; a text with its address where Twilio or the route refuses it."""
    caption = escape(said) if whatsapp else said
    if not text.fits(caption, CAPTION if whatsapp else BODY, "utf16"):
        return (*show(url, "", whatsapp), *say(said, whatsapp))
    if text.blank(caption):
        return (_message({"MediaUrl": [url]}, fallback=say(url, whatsapp)),)
    together = f"{said}\n{url}"
    apart = (*say(said, whatsapp), *say(url, whatsapp))
    as_text = say(together, whatsapp) if _fits(f"{caption}\n{url}") else apart
    return (_message({"MediaUrl": [url], "Body": caption}, fallback=as_text),)


def _fits(said: str) -> bool:
    return text.fits(said, BODY, "utf16")


def _message(body: Mapping[str, Any], fallback: tuple[Call, ...] = ()) -> Call:
    return Call(op=SEND, body=body, fallback=fallback)
