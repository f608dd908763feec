"""Request -> Reply: the only file that talks to platforms, one transport a URL scheme.

The rules it keeps:
- What surely did not leave (refused, unknown name, TLS, no connection in time) is Unavailable; what was
  written and not answered is Uncertain; whatever the platform answered, a redirect too, is a Reply for the
  channel's check.
- A call ends: the total time, the time to connect and the bytes of a reply are bounded, and no redirect is
  followed.
- A request may be held back up to the moment in which it is written (BEFORE_WRITING).
- No error quotes a URL or a header: a platform's token may be in the path. Where a refusal repeats what could
  be one, it is masked, since the platform's words go into logs and dead letters.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final, TypeAlias
from urllib.parse import unquote

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload
from msgspec.structs import replace

from bridge import __version__
from bridge.channels import Grant, Reply, Request, guard
from bridge.errors import Rejected, Unavailable, Uncertain
from bridge.secret import MASK
from bridge.tokens import Tokens

Transport: TypeAlias = Callable[[Request], Awaitable[Reply]]
"""Carries a request of one URL scheme. Raises Rejected, Unavailable or Uncertain, or StoreUnavailable."""

BEFORE_WRITING: Final[ContextVar[Callable[[], Awaitable[None]] | None]] = ContextVar(
    "BEFORE_WRITING", default=None
)
"""Awaited when the connection is there and all that is left is to write; what it raises holds the request
back, and ends as Uncertain. A process may have slept since it decided to send."""

REPLY_BYTES: Final = 1_048_576
TOTAL_SECONDS: Final = 10.0
CONNECT_SECONDS: Final = 5.0
UNAUTHORIZED: Final = 401
FINAL: Final = 200
"""The lowest status of an answer; those below say that one will come, and after 101 comes no HTTP."""
REFUSED: Final = 300
BEARER: Final = "Bearer "
_WORDS: Final = re.compile(r"[^\s/:?&=,;\"]{16,}")
"""What is long enough to be a secret, in a header or in a part of an address."""
_NO_TRANSPORTS: Final[Mapping[str, Transport]] = MappingProxyType({})


def open_http(*, total_seconds: float = TOTAL_SECONDS) -> aiohttp.ClientSession:
    """A client session as the sender needs it; the caller closes it.

    Waiting for a connection is timed apart from the whole and ends before it, so a timeout of the whole
    always means that the request was written. The slots of the dispatchers bound the connections, not the
    connector.
    """
    connect = min(CONNECT_SECONDS, total_seconds / 2)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=total_seconds, connect=connect),
        headers={"user-agent": f"moveo-bridge/{__version__}"},
    )


class Sender:
    """Sends requests by the scheme of their URL: http and https itself, others by the given transports."""

    def __init__(
        self, http: aiohttp.ClientSession, transports: Mapping[str, Transport] = _NO_TRANSPORTS
    ) -> None:
        self._http = http
        self._transports = {"http": self._send_http, "https": self._send_http, **transports}
        self._tokens = Tokens(self._send_http)

    async def send(self, request: Request) -> Reply:
        """The platform's answer. Raises Unavailable, Uncertain, or Rejected for a URL nothing can carry.

        For a request with a grant also Unauthorized, when there is no token for it.
        """
        transport = self._transports.get(request.url.partition(":")[0].lower())
        if transport is None:
            raise Rejected("no transport for the scheme of the URL")
        authorized = await self.authorized(request)
        reply = await transport(authorized)
        if reply.status == UNAUTHORIZED and isinstance(request.grant, Grant):
            # The token ended before its time; nothing was done with the request.
            refused = authorized.headers["authorization"].removeprefix(BEARER)
            reply = await transport(await self.authorized(request, refused=refused))
        return reply

    async def authorized(self, request: Request, *, refused: str = "") -> Request:
        """The request with a token, where it has a grant for one, and another than the one `refused`."""
        match request.grant:
            case None:
                return request
            case Grant() as grant:
                token = await self._tokens.token(grant, refused=refused)
            case signer:
                token = guard.token(signer, time.time())
        return replace(request, headers={**request.headers, "authorization": BEARER + token})

    async def _send_http(self, request: Request) -> Reply:
        try:
            async with self._http.request(
                request.method,
                request.url,
                data=_body(request),
                headers=request.headers,
                allow_redirects=False,
            ) as response:
                if response.status < FINAL:
                    raise Uncertain(f"HTTP {response.status} is no answer")
                body = await _bounded(response)
                if response.status >= REFUSED:
                    body = _masked(body, request)
                return Reply(status=response.status, headers=response.headers, body=body)
        except aiohttp.InvalidURL:
            raise Rejected("the URL is not valid") from None
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            raise Unavailable(_unreached(error)) from None
        except TimeoutError:
            raise Uncertain("no reply in time") from None
        except (aiohttp.ClientError, ConnectionError) as error:
            raise Uncertain(f"the reply was cut off ({type(error).__name__})") from None


class _Held(BytesPayload):
    """A body before which is asked once more. The headers go out together with it, and not before."""

    def __init__(self, body: bytes, ask: Callable[[], Awaitable[None]]) -> None:
        super().__init__(body)
        self._ask = ask

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        await self._ask()
        await super().write_with_length(writer, content_length)


def _body(request: Request) -> bytes | _Held:
    ask = BEFORE_WRITING.get()
    return _Held(request.body, ask) if ask and request.body else request.body


async def stdout(request: Request) -> Reply:
    """The transport of `stdout:`: prints the body as a line of its own."""
    sys.stdout.write(request.body.decode(errors="replace").rstrip("\n") + "\n")
    sys.stdout.flush()
    return Reply(status=200)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """At most REPLY_BYTES of the body; the connection of a longer one is dropped, not drained."""
    length = response.content_length
    if length is not None and length <= REPLY_BYTES and "content-encoding" not in response.headers:
        return await response.read()  # as nearly always
    parts: list[bytes] = []
    left = REPLY_BYTES
    while left and (part := await response.content.read(left)):
        parts.append(part)
        left -= len(part)
    if not left:
        response.close()
    return b"".join(parts)


def _masked(body: bytes, request: Request) -> bytes:
    """A refusal without the words of the request's address and headers that could be secrets."""
    said = (*request.headers.values(), request.url.partition("://")[2].partition("/")[2])
    words = {word for each in said for form in (each, unquote(each)) for word in _WORDS.findall(form)}
    for word in sorted(words, key=len, reverse=True):
        body = body.replace(word.encode("utf-8", "surrogatepass"), MASK.encode())
    return body


def _unreached(error: aiohttp.ClientError) -> str:
    match error:
        case aiohttp.ConnectionTimeoutError():
            return "no connection in time"
        case aiohttp.ClientConnectorDNSError():
            return "the host name does not resolve"
        case aiohttp.ClientSSLError():
            return "TLS failed"
        case _:
            return "connection refused"
