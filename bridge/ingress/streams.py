"""Event streams of the web chat: how many may be open, in all and for one address.

A stream lasts for as long as a browser shows its chat, so streams could take all connections of the process.
The address of a browser is known only behind a proxy that the settings trust. Without one many people may
seem to have the same address, so then only the number in all is limited.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, TypeAlias

import structlog
from aiohttp import hdrs, web

from bridge.config.models import Network
from bridge.metrics import Metrics

RETRY_AFTER_SECONDS: Final = 10
LINE_SECONDS: Final = 60.0
"""Between two lines of the log that say that streams are refused."""
IPV6_PREFIX: Final = 64
"""What one customer of a provider has of IPv6 at least."""

_Address: TypeAlias = IPv4Address | IPv6Address
_log: Final = structlog.get_logger(__name__)


class Streams:
    """The open streams of one process, by their connections."""

    def __init__(
        self, metrics: Metrics, most: int, per_address: int, proxies: Sequence[Network] = ()
    ) -> None:
        self._metrics = metrics
        self.most = most
        self._per_address = per_address
        self._proxies = proxies
        self._open: dict[web.RequestHandler, Callable[[], None]] = {}
        self._addresses: Counter[Network] = Counter()
        self._line_at = 0.0
        self._refused = 0

    def __contains__(self, handler: object) -> bool:
        return handler in self._open

    @contextmanager
    def hold(self, request: web.Request, integration: str, end: Callable[[], None]) -> Iterator[None]:
        """Count a stream for as long as the block runs; `end` is called when its connection is lost.

        Raises HTTP 503 if there are too many streams, 429 if there are too many of this address.
        """
        address = client_network(
            request.remote or "", request.headers.getall(hdrs.X_FORWARDED_FOR, ()), self._proxies
        )
        if len(self._open) >= self.most:
            raise self.refused(integration, "all", HTTPStatus.SERVICE_UNAVAILABLE)
        if address is not None and self._addresses[address] >= self._per_address:
            raise self.refused(integration, "address")
        handler, gauge = request.protocol, self._metrics.streams.labels(integration)
        self._open[handler] = end
        gauge.inc()
        if address is not None:
            self._addresses[address] += 1
        try:
            yield
        finally:
            del self._open[handler]
            gauge.dec()
            if address is not None:
                self._addresses[address] -= 1
                if not self._addresses[address]:
                    del self._addresses[address]

    def refused(
        self, integration: str, reason: str, status: HTTPStatus = HTTPStatus.TOO_MANY_REQUESTS
    ) -> web.HTTPException:
        """Return the answer to a refused stream; count the refusal, and log one now and then."""
        self._metrics.streams_refused.labels(integration, reason).inc()
        self._refused += 1
        if (now := time.monotonic()) >= self._line_at:
            advice = {} if self._proxies else {"advice": "set ingress.trusted_proxies to limit each address"}
            _log.warning(
                "streams.refused", integration=integration, reason=reason,
                times=self._refused, open=len(self._open), most=self.most, **advice,
            )  # fmt: skip
            self._line_at, self._refused = now + LINE_SECONDS, 0
        headers = {hdrs.RETRY_AFTER: str(RETRY_AFTER_SECONDS)}
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            return web.HTTPServiceUnavailable(text="too many chats are open", headers=headers)
        return web.HTTPTooManyRequests(text="too many windows of this chat or address", headers=headers)

    def end_lost(self) -> None:
        """End the streams whose connection is lost: they may be waiting for something to write."""
        for handler, end in self._open.items():
            if handler.transport is None:
                end()


STREAMS: Final = web.AppKey("streams", Streams)


def client_network(peer: str, forwarded: Sequence[str], proxies: Sequence[Network]) -> Network | None:
    """Return the client's address, of IPv6 its /64; None if it is not known.

    `forwarded` are the values of X-Forwarded-For. Each proxy appends the address that it saw, so they are
    read from their end for as long as they name trusted proxies. The client can write whatever is before.
    """
    if not proxies:
        return None
    hops, address = ",".join(forwarded).split(","), _parsed(peer)
    if address is not None and not _trusted(address, proxies) and not address.is_global:
        return None  # it may be a proxy that the settings do not name
    while address is not None and _trusted(address, proxies):
        address = _parsed(hops.pop()) if hops else None
    if address is None:
        return None
    return ip_network((address, IPV6_PREFIX if address.version == 6 else 32), strict=False)


def _trusted(address: _Address, proxies: Sequence[Network]) -> bool:
    return any(address in network for network in proxies)


def _parsed(text: str) -> _Address | None:
    """The address, without the port that some proxies add; IPv4 within IPv6 as IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
