"""Files that users send: what they are, and how they are loaded.

A file has no public address. `getFile` tells where it is, for an hour at least; there it is loaded with the
bot's token, up to 20 MB: https://core.telegram.org/bots/api#getfile. A Bot API server of one's own that runs
with --local keeps files on its own disk and gives out no address.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from bridge.channels import Attachment, Reply
from bridge.channels.mime import kind, mime_type
from bridge.channels.telegram import replies
from bridge.channels.text import clean
from bridge.errors import Rejected, Unavailable

_PATH: Final = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./-]{0,500}")


class File(msgspec.Struct, frozen=True):
    """Any file: a document, a video and an audio may have a name, a photo has sizes, a sticker an emoji."""

    file_id: str
    file_name: str = ""
    mime_type: str = ""
    width: int = 0
    height: int = 0
    emoji: str = ""
    is_animated: bool = False
    is_video: bool = False


def attached(file: File, otherwise: str = "") -> tuple[Attachment, ...]:
    """The file, of the type the sender's app says it has, `otherwise` where it does not say."""
    if not file.file_id:
        return ()
    form = mime_type(file.mime_type) or otherwise
    return (Attachment(type=kind(form), source=file.file_id, mime_type=form, filename=clean(file.file_name)),)


def photo(sizes: Sequence[File]) -> tuple[Attachment, ...]:
    """The photo in its largest size."""
    return attached(max(sizes, key=lambda size: size.width * size.height), "image/jpeg")


def sticker(file: File) -> tuple[Attachment, ...]:
    """A sticker that stands still; of one that moves nothing but its emoji is told."""
    return () if file.is_animated or file.is_video else attached(file, "image/webp")


def path(located: Reply | None) -> str:
    """Where the file is, as the answer to getFile tells. Raises the SendError that fits."""
    if located is None:
        raise Rejected("nobody was asked where the file is")
    match located.json():
        case {"ok": True, "result": {"file_path": str(path)}} if _PATH.fullmatch(path):
            return path
        case {"ok": True}:
            raise Rejected("the Bot API server gives out no address for the file")
        case _:
            replies.check(located)
            raise Unavailable(f"HTTP {located.status} in place of the file's address")
