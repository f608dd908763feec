"""What may become a link. Every address a channel opens, fetches or shows as a button has passed here."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import quote, urlsplit

_BLANK: Final = "".join(map(chr, range(0x21))) + "\x7f\x85\xa0\u200b\u2028\u2029\ufeff"
_NEVER_IN_A_LINK: Final = re.compile("[\\\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NAME: Final = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}\Z){_NAME}(?:\.{_NAME})*\.?", re.IGNORECASE)
_HOST_MAX: Final = 253
"""Characters of a host; checked before its international name is encoded, which takes long for a long one."""
_MAILBOX: Final = re.compile(r"[^\s@,;:<>\"()?&/]+@[^\s@,;:<>\"()?&/]+(\?.*)?")
_TELEPHONE: Final = re.compile(r"\+?[*#().-]*[0-9][0-9*#().-]*")
_STRAY_PERCENT: Final = re.compile("%(?![0-9A-Fa-f]{2})")
_URI_CHARACTERS: Final = "%!#$&'()*+,/:;=?@~"


def link(url: str) -> str | None:
    """The URL as a valid ASCII URI if it may become a link, else None.

    Links are http(s) with a host and without user or password (which serve to disguise the host), mailto
    with an address, and tel with a number; everything else (javascript:, data:, relative, ...) is none. What
    people get wrong harmlessly is put right: white space around it, spaces and other scripts inside it.
    """
    url = url.strip(_BLANK)
    if _NEVER_IN_A_LINK.search(url):
        return None
    scheme, _, rest = url.partition(":")
    match scheme.lower():
        case "http" | "https":
            return _web_address(scheme.lower(), rest)
        case "mailto":
            return f"mailto:{_escaped(rest)}" if _MAILBOX.fullmatch(rest) else None
        case "tel":
            number = "".join(rest.split())
            return f"tel:{number.replace('#', '%23')}" if _TELEPHONE.fullmatch(number) else None
    return None


def web_address(url: str) -> str | None:
    """The URL as an address to fetch or open: a link by http or https."""
    address = link(url)
    return address if address and address.startswith(("http://", "https://")) else None


def belongs(address: str, api_url: str, *homes: str) -> bool:
    """Whether a web_address is the platform's own, so that a secret may be shown there.

    That is the API's own origin, and by TLS the platform's homes ("slack.com") and all hosts below them.
    """
    there, api = urlsplit(address), urlsplit(api_url)
    if (there.scheme, there.netloc) == (api.scheme, api.netloc):
        return True
    return there.scheme == "https" and any(f".{there.netloc}".endswith(f".{home}") for home in homes)


def place(latitude: float, longitude: float) -> str:
    """A link to the place that any map opens."""
    return f"https://maps.google.com/?q={latitude},{longitude}"


def _web_address(scheme: str, rest: str) -> str | None:
    try:
        parts = urlsplit(f"{scheme}:{rest}")
        host, port = parts.hostname or "", parts.port
        if "@" in parts.netloc or not rest.startswith("//") or len(host) > _HOST_MAX:
            return None
        if parts.netloc.startswith("["):
            authority = f"[{ipaddress.IPv6Address(host)}]" + (f":{port}" if port is not None else "")
        elif parts.netloc.isascii():
            authority = parts.netloc
        else:
            host = host.encode("idna").decode("ascii")
            authority = host + (f":{port}" if port is not None else "")
    except ValueError:  # a bad port, bracket, address or international name
        return None
    if not parts.netloc.startswith("[") and not _HOST.fullmatch(host):
        return None
    return f"{scheme}://{authority}{_escaped(rest[2 + len(parts.netloc) :])}"


def _escaped(rest: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", rest), safe=_URI_CHARACTERS)
