"""Files that were uploaded to the stand-in, and the media it shows."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

FILES_MAX: Final = 100  # the oldest is forgotten: they live in memory
MEDIA: Final = Path(__file__).with_name("media")
MEDIA_TYPES: Final = {
    ".png": "image/png",
    ".mp4": "video/mp4",
    ".wav": "audio/wav",
    ".pdf": "application/pdf",
    ".html": "text/html; charset=utf-8",
}


@dataclass
class StoredFile:
    """`content` is None until it is uploaded."""

    filename: str
    content_type: str
    content: bytes | None = None


class Files:
    """The uploads behind /files/{id}, announced by upload-url; an id is not to be guessed."""

    def __init__(self) -> None:
        self._files: dict[str, StoredFile] = {}

    def announce(self, filename: str, content_type: str) -> str:
        file_id = uuid.uuid4().hex
        self._files[file_id] = StoredFile(filename, content_type)
        while len(self._files) > FILES_MAX:
            del self._files[next(iter(self._files))]
        return file_id

    def get(self, file_id: str) -> StoredFile | None:
        return self._files.get(file_id)

    async def put(self, request: web.Request) -> web.Response:
        self._find(request).content = await request.read()
        return web.Response()

    async def download(self, request: web.Request) -> web.Response:
        file = self._find(request)
        if file.content is None:
            raise web.HTTPNotFound
        headers = {"Content-Type": file.content_type, "Content-Security-Policy": "sandbox"}
        return web.Response(body=file.content, headers=headers)

    def _find(self, request: web.Request) -> StoredFile:
        if file := self._files.get(request.match_info["file_id"]):
            return file
        raise web.HTTPNotFound


async def media(request: web.Request) -> web.FileResponse:
    """One of the files that come with the stand-in."""
    name = request.match_info["name"]
    path = MEDIA / name
    if path.suffix not in MEDIA_TYPES or path not in MEDIA.iterdir():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers={"Content-Type": MEDIA_TYPES[path.suffix]})
