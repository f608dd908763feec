"""The web chat's page as bytes and headers: what the browser gets, and what it is allowed to do with it.

The page is plain files beside this one, without a build step. Scripts and styles stand under a version made
of their own bytes, so that a browser keeps them for good and sees a new release at once. Nothing of another
site runs in the page; only media and webviews, which the agent places, may come from elsewhere, by https (by
http too where the page itself is on this machine).
"""

from __future__ import annotations

import hashlib
import html
import ipaddress
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Final
from urllib.parse import urlsplit

import msgspec

from bridge.channels.webchat import WebChatSettings
from bridge.web.files import KEEP_SECONDS
from bridge.web.posted import FILES

FOLDER: Final = Path(__file__).parent / "chat"
TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class File(msgspec.Struct, frozen=True):
    body: bytes
    content_type: str


def files() -> dict[str, File]:
    """The files the page loads, by name."""
    return {
        path.name: File(path.read_bytes(), TYPES[path.suffix])
        for path in sorted(FOLDER.iterdir())
        if path.suffix in TYPES
    }


def version(found: Mapping[str, File]) -> str:
    """The same for the same files, another for any change of them."""
    digest = hashlib.blake2b(digest_size=8)
    for name, file in sorted(found.items()):
        digest.update(f"{name}:{len(file.body)}:".encode() + file.body)
    return digest.hexdigest()


def page(name: str, settings: WebChatSettings, release: str, *, loopback: bool) -> bytes:
    """The page of the integration `name`; addresses in it are relative, so that it works under any prefix."""
    shown = {
        "greeting": settings.greeting,
        "starters": settings.starters,
        "accent": settings.accent,
        "plainHttp": loopback,
        "fileBytes": settings.file_bytes,
        "files": FILES,
        "fileSeconds": min(KEEP_SECONDS, settings.keep_seconds),
    }
    return Template((FOLDER / "page.html").read_text()).substitute(
        base=name,
        files=f"{name}/static/{release}",
        title=html.escape(settings.title),
        subtitle=html.escape(settings.subtitle),
        settings=html.escape(msgspec.json.encode(shown).decode()),
    ).encode()  # fmt: skip


def policy(settings: WebChatSettings, *, loopback: bool) -> str:
    """The Content-Security-Policy of the page."""
    anywhere = "https: http:" if loopback else "https:"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            f"img-src 'self' {anywhere}",
            f"media-src 'self' {anywhere}",
            f"frame-src {anywhere}",
            " ".join(("frame-ancestors 'self'", *settings.origins)),
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def is_loopback(host: str) -> bool:
    """Whether the Host header `host` names this machine."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def same_site(origin: str, host: str, settings: WebChatSettings) -> bool:
    """Whether a request with these headers comes from the page itself, or from a site that may embed it."""
    if origin in settings.origins:
        return True
    try:
        return bool(host) and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False
