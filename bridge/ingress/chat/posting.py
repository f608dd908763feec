"""What every post of the page goes through: where it comes from, how long it is, how long it takes."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import hdrs, web

from bridge.channels.webchat import WebChatSettings
from bridge.web import page

PATIENCE_SECONDS: Final = 5.0
SLOWEST: Final = 4_000
"""Bytes a second, after the first seconds: slower than any phone, faster than those who only hold a place."""


def check_origin(request: web.Request, settings: WebChatSettings) -> None:
    """Refuses what a browser sends from another site."""
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and not page.same_site(origin, request.host, settings):
        raise web.HTTPForbidden(text="another site may not speak here")


async def body(request: web.Request, most: int, seconds: float) -> bytes:
    """The whole body, or the refusal that fits. It has to keep coming, and to be there after `seconds`."""
    if hdrs.CONTENT_ENCODING in request.headers:
        raise web.HTTPUnsupportedMediaType(text="the body is expected as it is, without an encoding")
    if (request.content_length or 0) > most:
        raise _too_large(most)
    found = bytearray()
    try:
        async with asyncio.timeout(min(seconds, PATIENCE_SECONDS)) as limit:
            began = asyncio.get_running_loop().time()
            async for part in request.content.iter_any():
                found += part
                if len(found) > most:
                    raise _too_large(most)
                limit.reschedule(began + min(seconds, PATIENCE_SECONDS + len(found) / SLOWEST))
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="the body took too long") from None
    except (web.RequestPayloadError, ConnectionError, RuntimeError):  # the last if it was closed before
        raise web.HTTPBadRequest(text="the body broke off") from None
    return bytes(found)


def not_now() -> web.HTTPServiceUnavailable:
    return web.HTTPServiceUnavailable(text="not now", headers={"Retry-After": "2"})


def too_fast(seconds: float) -> web.HTTPTooManyRequests:
    return web.HTTPTooManyRequests(text="too fast", headers={"Retry-After": f"{int(seconds) + 1}"})


def _too_large(most: int) -> web.HTTPRequestEntityTooLarge:
    return web.HTTPRequestEntityTooLarge(max_size=most, actual_size=most + 1, text=f"at most {most} bytes")
