"""A file for a platform that takes none by its address: loaded, handed over, and not a second time.

What does not get through is tried again a few times only: then the call's fallback names its address, and the
chat goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import msgspec

from bridge.channels import Loaded, Upload, Uploaded, Uploads, guard
from bridge.errors import ContentRefused, Rejected, Unavailable, Uncertain
from bridge.sender import Transport

Load: TypeAlias = Callable[[str, int], Awaitable[Loaded]]
"""Fetcher.load: the file at an address, if it has no more bytes than that."""

AT_ONCE: Final = 4
"""Files of one integration that are in memory at the same time."""
TRIES: Final = 4
"""How often a file is handed over that does not get through."""
KNOWN: Final = 1000
"""Files that a process remembers having handed over: a call that has to be repeated needs its file again."""


class Uploader:
    """Hands files over to a channel's platform. `send` carries the requests (Sender.send)."""

    def __init__(self, channel: Uploads, *, load: Load, send: Transport) -> None:
        self._channel = channel
        self._load = load
        self._send = send
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._done: dict[str, Uploaded] = {}

    async def __call__(self, call_id: str, upload: Upload, tries: int) -> Uploaded:
        """Where the file of this call is now; `tries` have failed before.

        Raises ContentRefused when it cannot be had or is not taken, Unavailable while it may be later.
        """
        if done := self._done.get(call_id):
            return done
        async with self._slots:
            file = await self._loaded(upload)
            address = await self._hand_over(file, tries)
            done = Uploaded(address=address, mime_type=file.mime_type, size=len(file.body))
        if len(self._done) >= KNOWN:
            self._done.clear()
        self._done[call_id] = done
        return done

    async def _loaded(self, upload: Upload) -> Loaded:
        try:
            file = await self._load(upload.url, upload.max_bytes)
        except (Rejected, Unavailable) as error:  # the message does not wait for somebody else's server
            raise ContentRefused(str(error)) from None
        return msgspec.structs.replace(file, name=upload.name or file.name)

    async def _hand_over(self, file: Loaded, tries: int) -> str:
        try:
            return guard.uploaded(self._channel, await self._send(guard.upload(self._channel, file)))
        except (Uncertain, Unavailable) as error:  # a file that is there twice is shown once
            if isinstance(error, Unavailable) and error.retry_after is not None:
                raise
            if tries + 1 >= TRIES:
                raise ContentRefused(str(error)) from None
            raise Unavailable(str(error)) from None
