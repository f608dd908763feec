"""The page and its files, as the browser gets them."""

from __future__ import annotations

from typing import Final, NoReturn

from aiohttp import web

from bridge.channels.webchat import WebChatSettings
from bridge.web import page

IMMUTABLE: Final = "public, max-age=31536000, immutable"


class Shown:
    """The files are read once; the page differs only for a browser on this machine (see bridge.web.page)."""

    def __init__(self, name: str, settings: WebChatSettings) -> None:
        self._name = name
        self._settings = settings
        self._files = page.files()
        self._version = page.version(self._files)

    async def page(self, request: web.Request) -> web.Response:
        loopback = page.is_loopback(request.host)
        return web.Response(
            body=page.page(self._name, self._settings, self._version, loopback=loopback),
            content_type="text/html",
            charset="utf-8",
            headers=page.HEADERS
            | {
                "Content-Security-Policy": page.policy(self._settings, loopback=loopback),
                "Cache-Control": "no-cache",
            },
        )

    async def without_slash(self, request: web.Request) -> NoReturn:
        """The page's addresses are relative to a path without a slash at its end."""
        query = f"?{request.rel_url.raw_query_string}" if request.query_string else ""
        raise web.HTTPPermanentRedirect(f"../{self._name}{query}")

    async def embed(self, request: web.Request) -> web.Response:
        return self._file("embed.js", "public, max-age=300", {"Cross-Origin-Resource-Policy": "cross-origin"})

    async def static(self, request: web.Request) -> web.Response:
        """A page loaded before an upgrade gets the new file, but does not keep it under the old address."""
        current = request.match_info["version"] == self._version
        return self._file(request.match_info["file"], IMMUTABLE if current else "no-cache", {})

    def _file(self, name: str, cache: str, headers: dict[str, str]) -> web.Response:
        file = self._files.get(name)
        if file is None:
            raise web.HTTPNotFound
        return web.Response(
            body=file.body,
            content_type=file.content_type,
            charset="utf-8",
            headers=page.HEADERS | {"Cache-Control": cache} | headers,
        )
