"""Images, videos, audios and files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from bridge.channels.capabilities import Capabilities
from bridge.channels.degrade.words import Piece, linked, name_loss, spoken
from bridge.channels.links import web_address
from bridge.channels.text import blank, fits
from bridge.content import Audio, File, Image, Loss, MediaKind, Text, Video, kind

_KINDS: Final[dict[type, MediaKind]] = {Image: "image", Video: "video", Audio: "audio", File: "file"}


def fit_media(media: Image | Video | Audio | File, can: Capabilities) -> Iterator[Piece]:
    what = kind(media)
    url = web_address(media.url)
    if url is None:
        named = not blank(media.name)
        yield Loss(what, f"the {what}: its address cannot be used", "its name" if named else "")
        if named:
            yield Text(media.name, author=media.author)
    elif type(media) not in can.shows or not _fits(media, can) or not loads(url, _KINDS[type(media)], can):
        yield Loss(what, f"the {what} itself", "a link to it")
        yield Text(linked(media.name, url), author=media.author)
    elif url != media.url:
        yield replace(media, url=url)
    elif media.name and blank(media.name):
        yield replace(media, name="")
    elif media.author and not can.authors:
        yield from name_loss(media.author, what)
        said = spoken(media.author, media.name)
        if can.caption and fits(said, can.caption, can.unit):
            yield replace(media, name=said, author=None)
        else:
            if not blank(said):
                yield Text(said)
            yield replace(media, name="", author=None)
    elif not fits(media.name, can.caption, can.unit):
        yield replace(media, name="")
        yield Text(media.name, author=media.author)
    else:
        yield media


def loads(url: str, what: MediaKind, can: Capabilities) -> bool:
    """Whether the channel shows a file of this kind from a web address."""
    parts = urlsplit(url)
    endings = can.media_endings.get(what)
    return (
        len(url) <= (can.url if can.media_url is None else can.media_url)
        and parts.scheme in can.media_schemes
        and (endings is None or PurePosixPath(parts.path).suffix.lower() in endings)
    )


def _fits(media: Image | Video | Audio | File, can: Capabilities) -> bool:
    if isinstance(media, Image):
        return True
    what = _KINDS[type(media)]
    if media.size is None:
        return what not in can.media_sized
    return media.size <= can.media_bytes.get(what, media.size)
