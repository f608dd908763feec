"""A user's files for Moveo: by their public address, else loaded from the platform and uploaded.

A file that is not to be had is named in words in its place. One that may be had later is waited for, but not
for long: the rest of the message, and what the chat says after it, wait with it.
"""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Awaitable, Callable, Sequence
from pathlib import PurePosixPath
from typing import Final, TypeAlias

import msgspec

from bridge.channels import Attachment, Channel, Downloads, Loaded, Request, guard
from bridge.channels.mime import mime_type
from bridge.channels.text import clean
from bridge.errors import Forbidden, Rejected, Unavailable, Uncertain
from bridge.moveo import Attached, Moveo, SessionGone
from bridge.sender import Transport

Download: TypeAlias = Callable[[Request, int], Awaitable[Loaded]]
"""The file a request asks for, if it has no more bytes than that (bridge.fetch.download)."""

MAX_BYTES: Final = 25_000_000
AT_ONCE: Final = 4
"""Files of one integration that are in memory at the same time."""
TRIES: Final = 4
"""How often a file is asked for that may be had later."""
NAME_MAX: Final = 120
UNKNOWN: Final = "application/octet-stream"


class Attacher:
    """Brings the files of one integration's users to Moveo. `send` carries the requests (Sender.send)."""

    def __init__(self, channel: Channel, moveo: Moveo, *, download: Download, send: Transport) -> None:
        self._channel = channel
        self._moveo = moveo
        self._download = download
        self._send = send
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def __call__(
        self, session: str, attachments: Sequence[Attachment], tries: int
    ) -> tuple[list[Attached], list[str]]:
        """The files as Moveo takes them, and words for those that are not to be had.

        `tries` have failed before. Raises Unavailable while a file may be had later, and what Moveo's API
        raises.
        """
        attached: list[Attached] = []
        missing: list[str] = []
        for attachment in attachments:
            if made := await self._attach(session, attachment, tries):
                attached.append(made)
            else:
                missing.append(_words(attachment))
        return attached, missing

    async def _attach(self, session: str, attachment: Attachment, tries: int) -> Attached | None:
        if not attachment.source:
            return Attached(
                type=attachment.type,
                url=attachment.url,
                mime_type=attachment.mime_type,
                filename=attachment.filename,
            )
        async with self._slots:
            try:
                file = _named(await self._loaded(attachment.source), attachment)
            except (Rejected, Forbidden):
                return None
            except Unavailable:
                if tries + 1 < TRIES:
                    raise
                return None
            try:
                file_id = await self._moveo.upload(session, file)
            except SessionGone:
                raise
            except (Rejected, Forbidden):  # a kind of file that Moveo does not take
                return None
            return Attached(type=attachment.type, id=file_id, mime_type=file.mime_type, filename=file.name)

    async def _loaded(self, source: str) -> Loaded:
        if not isinstance(self._channel, Downloads):
            raise Rejected("the channel loads no files")
        asked = guard.locate(self._channel, source)
        try:
            located = await self._send(asked) if asked else None
        except Uncertain as error:  # asking twice does no harm
            raise Unavailable(str(error)) from None
        return await self._download(guard.download(self._channel, source, located), MAX_BYTES)


def _named(file: Loaded, attachment: Attachment) -> Loaded:
    """The file with a name and a type, both of which Moveo wants: the platform's word goes before ours."""
    name = PurePosixPath(clean(attachment.filename or file.name)).name[-NAME_MAX:]
    said = mime_type(attachment.mime_type) or file.mime_type or mimetypes.guess_type(name)[0] or UNKNOWN
    name = name or attachment.type
    if "." not in name:
        name += mimetypes.guess_extension(said) or ""
    return msgspec.structs.replace(file, name=name, mime_type=said)


def _words(attachment: Attachment) -> str:
    name = clean(attachment.filename)[:NAME_MAX]
    return f"[{attachment.type}: {name}]" if name else f"[{attachment.type}]"
