"""What the user brings: files, taken before the message that names them, given to who knows their address.

A file is what its own bytes say (bridge.web.kinds); what a browser could run is given as a download, and
whatever is given may run nothing (Content-Security-Policy: sandbox) and is not guessed at (nosniff).
"""

from __future__ import annotations

import asyncio
import time
from typing import Final
from urllib.parse import quote

import structlog
from aiohttp import hdrs, web

from bridge.channels import Attachment
from bridge.channels.mime import kind
from bridge.channels.webchat import WebChatSettings
from bridge.errors import StoreUnavailable
from bridge.ingress.chat.posting import body, check_origin, not_now, too_fast
from bridge.web import page, posted
from bridge.web.files import KEEP_SECONDS, ChatFile
from bridge.web.kinds import HEAD, SHOWN, kind_of
from bridge.web.log import ChatLog
from bridge.web.rate import Rate

BODY_SECONDS: Final = 60.0
"""A file of 5 MB by a slow phone."""
AT_ONCE: Final = 20
"""Files that come in at the same time, through this process: each is in memory until it is kept."""
AGAIN_SECONDS: Final = 1.0
PER_SECOND: Final = 0.5
BURST: Final = 10
"""What one chat may bring."""
PART: Final = 256 * 1024
WRITE_SECONDS: Final = 20.0
"""Who takes nothing of a part for this long gets no more of it."""
FULL_SECONDS: Final = 60.0
"""Between two lines of the log that say that there is no room."""
NAMELESS: Final = {"image": "picture", "video": "film", "audio": "sound", "file": "file"}

GUARDS: Final = page.HEADERS | {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",  # Moveo's desk shows it too
    "Accept-Ranges": "bytes",  # Safari plays nothing from a server without
}

_log: Final = structlog.get_logger(__name__)


class Brought:
    """`public_url` is the ingress as others see it, where that is not as the page's browser does."""

    def __init__(self, name: str, settings: WebChatSettings, log: ChatLog, public_url: str = "") -> None:
        self._name = name
        self._settings = settings
        self._files = log.files
        self._public_url = public_url
        self._rate = Rate(PER_SECOND, BURST)
        self._under_way = 0
        self._full_at = -FULL_SECONDS

    async def take(self, request: web.Request) -> web.Response:
        """POST ?chat=ID&name=photo.png with the bytes: {id, type, name, size}."""
        check_origin(request, self._settings)
        chat = request.query.get("chat", "")
        if not posted.is_chat(chat):
            raise web.HTTPBadRequest(text="no such chat")
        if seconds := self._rate.wait(chat, time.monotonic()):
            raise too_fast(seconds)
        if self._under_way >= AT_ONCE:
            raise too_fast(AGAIN_SECONDS)
        self._under_way += 1
        try:
            found = await body(request, self._settings.file_bytes, BODY_SECONDS)
            return await self._keep(request, chat, found)
        finally:
            self._under_way -= 1

    async def _keep(self, request: web.Request, chat: str, found: bytes) -> web.Response:
        if not found:
            raise web.HTTPBadRequest(text="the file is empty")
        mime_type = kind_of(found[:HEAD], request.headers.get(hdrs.CONTENT_TYPE, ""))
        name = posted.file_name(request.query.get("name", "")) or NAMELESS[kind(mime_type)]
        file = ChatFile(chat, name, mime_type, len(found))
        seconds = min(KEEP_SECONDS, self._settings.keep_seconds)
        try:
            made = await self._files.keep(file, found, most=self._settings.file_total_bytes, seconds=seconds)
        except StoreUnavailable:
            raise not_now() from None
        if made is None:
            self._full()
            raise web.HTTPInsufficientStorage(text="there is no room for files at present")
        return web.json_response(_shown(made, file), headers=page.HEADERS | {"Cache-Control": "no-store"})

    def _full(self) -> None:
        """Said now and then: strangers can bring files at will."""
        now = time.monotonic()
        if now - self._full_at >= FULL_SECONDS:
            self._full_at = now
            _log.warning("chat.files_full", integration=self._name, most=self._settings.file_total_bytes)

    async def attached(
        self, request: web.Request, chat: str, attachments: tuple[Attachment, ...]
    ) -> tuple[tuple[Attachment, ...], list[dict[str, str | int]]]:
        """The chat's files as Moveo gets them, and as the page shows them. Raises StoreUnavailable.

        HTTP 410 when one is not kept, or was brought to another chat.
        """
        ids = [attachment.source for attachment in attachments]
        files = [file for file in await self._files.about(ids) if file and file.chat == chat]
        if len(files) < len(ids):
            raise web.HTTPGone(text="files: one of them is not kept any more")
        base = f"{self._public_url or _origin(request)}/chat/{self._name}/files"
        return (
            tuple(
                Attachment(
                    type=kind(file.mime_type),
                    url=f"{base}/{name}",
                    mime_type=file.mime_type,
                    filename=file.name,
                )
                for name, file in zip(ids, files, strict=True)
            ),
            [_shown(name, file) for name, file in zip(ids, files, strict=True)],
        )

    async def give(self, request: web.Request) -> web.StreamResponse:
        """GET of a file, or of a part of it (RFC 9110, 14)."""
        name = request.match_info["file"]
        try:
            [file] = await self._files.about([name])
        except StoreUnavailable:
            raise not_now() from None
        if file is None:
            raise web.HTTPNotFound(text="this file is not kept, or not any more", headers=GUARDS)
        start, end = _range(request, file.size)
        response = web.StreamResponse(status=206 if end - start < file.size else 200, headers=GUARDS)
        if response.status == 206:
            response.headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{end - 1}/{file.size}"
        how = "inline" if file.mime_type in SHOWN else "attachment"
        response.headers[hdrs.CONTENT_DISPOSITION] = f"{how}; filename*=UTF-8''{quote(file.name, safe='')}"
        response.headers[hdrs.CONTENT_TYPE] = file.mime_type
        response.headers[hdrs.CACHE_CONTROL] = f"private, max-age={KEEP_SECONDS}, immutable"
        response.content_length = end - start
        await self._write(request, response, name, start, end)
        return response

    async def _write(
        self, request: web.Request, response: web.StreamResponse, name: str, start: int, end: int
    ) -> None:
        """A part after the other, so that a slow reader costs one part."""
        try:
            first = await self._files.part(name, start, min(start + PART, end))
        except StoreUnavailable:
            raise not_now() from None
        try:
            await response.prepare(request)
            for at in range(start, end, PART):
                until = min(at + PART, end)
                part = first if at == start else await self._files.part(name, at, until)
                if len(part) < until - at:
                    raise ConnectionError("it ended meanwhile")
                async with asyncio.timeout(WRITE_SECONDS):
                    await response.write(part)
        except (StoreUnavailable, ConnectionError, TimeoutError):
            if request.transport:
                request.transport.abort()


def _shown(name: str, file: ChatFile) -> dict[str, str | int]:
    """The file as the page shows it: what no browser should open is a file, whatever it is called."""
    shown = kind(file.mime_type) if file.mime_type in SHOWN else "file"
    return {"id": name, "type": shown, "name": file.name, "size": file.size}


def _range(request: web.Request, size: int) -> tuple[int, int]:
    """The part that is asked for; the whole where none is, or several are."""
    try:
        asked = request.http_range
    except ValueError:
        return 0, size
    start, end, _ = asked.indices(size)
    if start >= end:
        raise web.HTTPRequestRangeNotSatisfiable(headers=GUARDS | {hdrs.CONTENT_RANGE: f"bytes */{size}"})
    return start, end


def _origin(request: web.Request) -> str:
    """Where the page's browser finds this process. It knows of https, which a proxy may have ended."""
    origin = request.headers.get(hdrs.ORIGIN, "")
    scheme, _, host = origin.partition("://")
    if host.lower() == request.host.lower() and scheme in ("http", "https"):
        return origin
    return f"{request.scheme}://{request.host}"
