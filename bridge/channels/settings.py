"""Checks of settings that channels have in common."""

from __future__ import annotations

from urllib.parse import urlsplit

from bridge.errors import ConfigError


def base_url(api_url: str) -> str:
    """The setting `api_url` without a slash at its end. Raises ConfigError for what is no address of HTTP."""
    address = urlsplit(api_url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ConfigError("api_url: must be an address that starts with https:// or http://")
    return api_url.rstrip("/")
