"""Images, videos, audios and files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from bridge.channels.capabilities import Capabilities
from bridge.channels.degrade.words import Piece, linked, name_loss, spoken
from bridge.channels.text import blank, fits, link
from bridge.content import Audio, File, Image, Loss, MediaKind, Text, Video, kind

_SIZED: Final[dict[type, MediaKind]] = {Image: "image", Video: "video", Audio: "audio", File: "file"}


def web_address(url: str) -> str | None:
    """The URL as an address to fetch or open: a link (see bridge.channels.text.link) by http or https."""
    address = link(url)
    return address if address and address.startswith(("http://", "https://")) else None


def fit_media(media: Image | Video | Audio | File, can: Capabilities) -> Iterator[Piece]:
    what = kind(media)
    url = web_address(media.url)
    if url is None:
        named = not blank(media.name)
        yield Loss(what, f"the {what}: its address cannot be used", "its name" if named else "")
        if named:
            yield Text(media.name, author=media.author)
    elif type(media) not in can.shows or _too_large(media, can) or len(url) > can.url:
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


def _too_large(media: Image | Video | Audio | File, can: Capabilities) -> bool:
    limit = can.media_bytes.get(_SIZED[type(media)])
    return (
        not isinstance(media, Image) and media.size is not None and limit is not None and media.size > limit
    )
