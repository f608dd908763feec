"""Loads files, within bounds of size and time: `Fetcher` from addresses that somebody wrote, `download` from
those that a channel made of its platform's words.

The rules that `Fetcher` keeps, so that no address can do harm:
- Only https, and only addresses of the public internet: the name is resolved once, every address it has must
  be public, and the connection goes to one of these.
- No redirect is followed, no cookie or secret is sent.
- Hosts that the operator names are excepted: they may be private, and use plain http.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import PurePosixPath
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from yarl import URL

from bridge import __version__
from bridge.channels import Loaded, Request
from bridge.channels.mime import mime_type
from bridge.errors import Rejected, Unavailable

TOTAL_SECONDS: Final = 30.0
CONNECT_SECONDS: Final = 5.0
REDIRECTS: Final = 3
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_NOT_FOR_FILES: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "168.63.129.16/32",  # the host of a machine at Azure, which answers it alone
            "192.0.0.0/24",  # of protocols; some of it counts as global
            "192.88.99.0/24",  # relays of 6to4, given up
            "64:ff9b:1::/48",  # NAT64 of one network
            "2001::/23",  # of protocols, but for Teredo, which is unwrapped
            "3fff::/20",  # for documentation, as in RFC 9637, which is younger than some Pythons
            "5f00::/16",  # segment routing
        ),
    )
)
"""Beside what Python says, which differs from version to version."""


class _PrivateAddressError(OSError):
    """The name has an address that is not public."""


def public(address: str) -> bool:
    """Whether an IP address is one of the public internet, also where it wraps another one."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            return public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return public(str(inner))
        if ip.is_site_local:
            return False
    if any(ip in network for network in _NOT_FOR_FILES):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


class _Guarded(AbstractResolver):
    """Resolves names, and refuses those with an address that is not public."""

    def __init__(self, resolver: AbstractResolver, trusted: Collection[str]) -> None:
        self._resolver = resolver
        self._trusted = trusted

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if host.lower() not in self._trusted and not all(public(each["host"]) for each in found):
            raise _PrivateAddressError("the address is not public")
        return found

    async def close(self) -> None:
        await self._resolver.close()


class Fetcher:
    """Loads files. Made by `open_fetcher`."""

    def __init__(self, http: aiohttp.ClientSession, trusted: Collection[str]) -> None:
        self._http = http
        self._trusted = trusted

    async def load(self, url: str, max_bytes: int) -> Loaded:
        """The file. Raises Unavailable when it may be there later, Rejected when it is not to be had."""
        return await _load(self._http.get(self._checked(url), allow_redirects=False), max_bytes)

    def _checked(self, url: str) -> URL:
        """An address that may be loaded from. Raises Rejected for any other."""
        try:
            address = URL(url)
            host = (address.raw_host or "").lower()
        except ValueError:
            raise Rejected("the file's address is not valid") from None
        if host in self._trusted and address.scheme in ("http", "https"):
            return address
        if address.scheme != "https" or not host or address.user or address.password:
            raise Rejected("the file's address is not one of https")
        if _looks_numeric(host) and not public(host):
            raise Rejected("the file's address is not public")
        return address


@asynccontextmanager
async def open_fetcher(
    trusted: Collection[str] = (), *, resolver: AbstractResolver | None = None
) -> AsyncIterator[Fetcher]:
    """`trusted` are the hosts that may be private; `resolver` is for tests."""
    hosts = frozenset(host.strip("[]").lower() for host in trusted)
    connector = aiohttp.TCPConnector(
        resolver=_Guarded(resolver or DefaultResolver(), hosts),
        use_dns_cache=False,  # what was public a moment ago need not be so now
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=TOTAL_SECONDS, connect=CONNECT_SECONDS),
        headers={"user-agent": f"moveo-bridge/{__version__}", "accept-encoding": "identity"},
        auto_decompress=False,
        trust_env=False,
    ) as http:
        yield Fetcher(http, hosts)


async def download(http: aiohttp.ClientSession, request: Request, max_bytes: int) -> Loaded:
    """The file a channel asks its platform for. Raises as `Fetcher.load` does.

    Platforms send on to where they store files; aiohttp takes the secret along to no other host.
    """
    there = http.get(request.url, headers=request.headers, max_redirects=REDIRECTS)
    return await _load(there, max_bytes)


async def _load(there: AbstractAsyncContextManager[aiohttp.ClientResponse], max_bytes: int) -> Loaded:
    try:
        async with there as response:
            if response.status >= 500 or response.status in (408, 425, 429):
                raise Unavailable(f"the file's server answered {response.status}")
            if response.status != 200:
                raise Rejected(f"the file's server answered {response.status}")
            body = await _bounded(response, max_bytes)
            said = response.headers.get("content-type", "")
            return Loaded(name=PurePosixPath(response.url.path).name, mime_type=mime_type(said), body=body)
    except (aiohttp.InvalidURL, aiohttp.TooManyRedirects):
        raise Rejected("the file's address is not valid") from None
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, _PrivateAddressError):
            raise Rejected("the file's address is not public") from None
        raise Unavailable("the file's server cannot be reached") from None
    except (TimeoutError, aiohttp.ClientError, ConnectionError) as error:
        raise Unavailable(f"the file did not come through ({type(error).__name__})") from None


def _looks_numeric(host: str) -> bool:
    """Whether it is an IP address, also in the short, octal and hexadecimal ways that some resolvers take."""
    last = host.rstrip(".").rpartition(".")[2]
    return ":" in host or last.isdigit() or last.startswith("0x")


async def _bounded(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """The whole body, if it is no larger. The connection of a larger one is dropped."""
    if (response.content_length or 0) > max_bytes:
        response.close()
        raise Rejected("the file is too large")
    parts, size = [], 0
    async for part in response.content.iter_chunked(65_536):
        parts.append(part)
        size += len(part)
        if size > max_bytes:
            response.close()
            raise Rejected("the file is too large")
    return b"".join(parts)
