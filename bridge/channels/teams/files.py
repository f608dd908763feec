"""Files that users send, and what there is to see in a message without words.

A picture in a message is loaded with the bot's token from where the conversation is served, a file by an
address that is good for a while without one; both only if the app's manifest says that the bot takes files:
https://learn.microsoft.com/en-us/microsoftteams/platform/bots/how-to/bots-filesv4
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from bridge.channels import Attachment
from bridge.channels.links import web_address
from bridge.channels.mime import kind, mime_type
from bridge.channels.text import clean

OF_MICROSOFT: Final = "application/vnd.microsoft."
FILE: Final = f"{OF_MICROSOFT}teams.file.download.info"
HTML: Final = "text/html"
KEPT: Final = "AMSImage"
"""The kind of a picture in rich text that is an attachment too."""
FORMS: Final = {
    "bmp": "image/bmp",
    "gif": "image/gif",
    "heic": "image/heic",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "m4v": "video/x-m4v",
    "mov": "video/quicktime",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "aac": "audio/aac",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "pdf": "application/pdf",
}
"""The MIME types of files, which Teams tells by their endings only."""


def attached(attachments: Any, service_url: str) -> Iterator[Attachment]:
    """The files among an activity's attachments."""
    for attachment in dicts(attachments):
        match attachment:
            case {"contentType": str(form), "content": {"downloadUrl": str(url)} as about} if form == FILE:
                yield from _file(url, _word(about, "fileType"), _word(attachment, "name"))
            case {"contentType": str(form), "contentUrl": str(url)}:
                yield from _media(url, form, _word(attachment, "name"), service_url)


def _file(url: str, ending: str, name: str) -> Iterator[Attachment]:
    form = FORMS.get((ending or name.rpartition(".")[2]).lower(), "")
    if address := web_address(url):
        yield Attachment(type=kind(form), url=address, mime_type=form, filename=name)


def _media(url: str, said: str, name: str, service_url: str) -> Iterator[Attachment]:
    """A picture, mostly; its type is often only "image/*". The bot's token goes to where it is served."""
    form = mime_type(said)
    what = kind(form or said)
    if said.startswith((OF_MICROSOFT, HTML)) or not (form or what != "file"):
        return  # a card, a quotation, the rich text
    address = web_address(url)
    if address and address.startswith("https://") and _host(address) == _host(service_url):
        yield Attachment(type=what, source=address, mime_type=form, filename=name)
    elif address:
        yield Attachment(type=what, url=address, mime_type=form, filename=name)


def _host(url: str) -> str:
    return urlsplit(web_address(url) or "").netloc.lower()


# ---- without words -----------------------------------------------------------------------------------------


# `html.parser` takes a tag without an end the square of its length, and raises for "<![".
_TAG: Final = re.compile(r"""<(emoji|img)(?=[\s/>])((?:[^<>"']|"[^"<]*"|'[^'<]*')*+)>""", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(r"""(?<![\w-])([\w-]++)=(?:"([^"]*)"|'([^']*)')""")


def _rich(markup: str) -> tuple[str, list[str]]:
    """The emoji and the addresses of the pictures in rich text: what there is to see beside its words."""
    emoji: list[str] = []
    pictures: list[str] = []
    for tag, inside in _TAG.findall(markup):
        said = {
            name.lower(): unescaped(double or single) for name, double, single in _ATTRIBUTE.findall(inside)
        }
        kind_of = said.get("itemtype", "")
        if tag.lower() == "emoji" or "Emoji" in kind_of:
            emoji.append(said.get("alt", ""))
        elif KEPT not in kind_of:
            pictures.append(said.get("src", ""))
    return "".join(emoji), pictures


def unescaped(markup: str) -> str:
    """The text with its character references resolved; unchanged where one has too many digits to be read."""
    try:
        return html.unescape(markup)
    except ValueError:
        return markup


def seen(attachments: Any) -> tuple[str, tuple[Attachment, ...]]:
    """Words and pictures of a message that is nothing but an emoji, a GIF or a sticker."""
    for attachment in dicts(attachments):
        match attachment:
            case {"contentType": str(form), "content": str(markup)} if form == HTML:
                emoji, pictures = _rich(markup)
                urls = [url for url in map(web_address, pictures) if url]
                return clean(emoji).strip(), tuple(Attachment(type="image", url=url) for url in urls)
    return "", ()


# ---- JSON of others ----------------------------------------------------------------------------------------


def dicts(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects in a list; none where it is none."""
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def _word(value: Mapping[Any, Any], name: str) -> str:
    found = value.get(name)
    return clean(found) if isinstance(found, str) else ""
