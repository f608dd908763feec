"""Reception: what every webhook goes through, whoever sent it.

The body is bounded in size and time and taken as it came. What became of it is counted, and logged unless it
went well; strangers can make refusals at will, so of each outcome one line a second is written at most.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import hdrs, web
from prometheus_client import Counter
from redis.exceptions import RedisError

from bridge.errors import StoreUnavailable
from bridge.ingress.listening import know
from bridge.ingress.outcome import STATUS, Outcome, Refused, answer
from bridge.ingress.traffic import Traffic

BODY_SECONDS: Final = 5.0
"""How long the whole body may take."""
STORE_SECONDS: Final = 0.2
"""How long Redis may take; after that the spool takes over or, without one, the sender is to come again."""
LINE_SECONDS: Final = 1.0

Take = Callable[[web.Request], Awaitable[web.Response]]


class Reception:
    """One integration's, for one kind of thing: `noun` is "event" or "message"."""

    def __init__(self, noun: str, integration: str, counter: Counter, traffic: Traffic) -> None:
        self.log = structlog.get_logger().bind(integration=integration)
        self._kept = f"{noun}.kept"
        self._refused = f"{noun}.refused"
        self._shed = f"{noun}.shed"
        self._traffic = traffic
        self._counters = {outcome: counter.labels(integration, outcome) for outcome in Outcome}
        self._lines = {outcome: _Line() for outcome in Outcome}

    async def receive(self, request: web.Request, take: Take) -> web.Response:
        """The answer of `take`, or the one that fits what it raised."""
        with self._traffic:
            try:
                response = await take(request)
                know(request)  # else it would have been refused
            except Refused as refused:
                response = self.conclude(refused.outcome)
            except (StoreUnavailable, RedisError) as error:
                response = self.conclude(Outcome.UNAVAILABLE, reason=str(error))
        if self._traffic.stopping:
            response.force_close()
        return response

    def conclude(self, outcome: Outcome, reason: str = "") -> web.Response:
        """Counts and logs what did not go the common way; the answer to it."""
        self.count(outcome)
        status = STATUS[outcome]
        if outcome is not Outcome.DUPLICATE and (times := self._lines[outcome].due(time.monotonic())):
            fields = {"reason": reason} if reason else {}
            event = self._kept if status is HTTPStatus.OK else self._refused
            if outcome is Outcome.SHED:
                event = self._shed
            self.log.warning(event, outcome=outcome.value, times=times, **fields)
        return answer(outcome)

    def count(self, outcome: Outcome) -> None:
        self._counters[outcome].inc()


class _Line:
    """Lets one line through in LINE_SECONDS, with the number of times it stands for."""

    def __init__(self) -> None:
        self._next_at = 0.0
        self._times = 0

    def due(self, now: float) -> int:
        self._times += 1
        if now < self._next_at:
            return 0
        self._next_at, times, self._times = now + LINE_SECONDS, self._times, 0
        return times


async def body(request: web.Request) -> bytes:
    """The raw body. Raises Refused when it is too large, too slow, encoded or broken."""
    if hdrs.CONTENT_ENCODING in request.headers:
        raise Refused(Outcome.ENCODED)
    if (request.content_length or 0) > request.client_max_size:
        raise Refused(Outcome.TOO_LARGE)
    try:
        if request.content.is_eof():
            return await request.read()
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError:
        raise Refused(Outcome.TIMEOUT) from None
    except web.HTTPRequestEntityTooLarge:
        raise Refused(Outcome.TOO_LARGE) from None
    except (web.RequestPayloadError, ConnectionError, RuntimeError):  # the last if it was closed before
        raise Refused(Outcome.MALFORMED) from None
