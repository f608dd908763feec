"""POST /moveo/<integration>: Moveo's webhooks.

Size, raw bytes, signature, then no more is read than where the event belongs; 200 once it is safe. What is
properly signed is never refused for what it says: it becomes a dead letter and is answered 200, because Moveo
never sends again what was answered 4xx.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from aiohttp import web

from bridge.config import Integration
from bridge.errors import PayloadError
from bridge.events import Route, decode, route
from bridge.failpoints import reach
from bridge.ingress.inlet import Inlet
from bridge.ingress.outcome import TAKEN, Outcome, Refused, answer
from bridge.ingress.reception import Reception, body
from bridge.ingress.signature import HEADER, verify
from bridge.metrics import Metrics

SESSION_LENGTH: Final = 512
"""Longest name of a session, in characters; it becomes part of keys."""


class Webhooks:
    """The webhook of one integration. `window_seconds` 0 believes any timestamp."""

    def __init__(
        self,
        integration: Integration,
        inlet: Inlet,
        reception: Reception,
        metrics: Metrics,
        *,
        window_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._secrets = integration.secrets
        self._inlet = inlet
        self._reception = reception
        self._log = reception.log
        self._seconds = metrics.ingress_seconds.labels(integration.name)
        self._window_ms = window_seconds * 1000
        self._clock = clock

    async def post(self, request: web.Request) -> web.Response:
        started = time.perf_counter()
        response = await self._reception.receive(request, self._take)
        self._seconds.observe(time.perf_counter() - started)
        return response

    async def _take(self, request: web.Request) -> web.Response:
        raw = await body(request)
        if self._secrets and not verify(self._secrets, raw, request.headers.get(HEADER, "")):
            raise Refused(Outcome.UNSIGNED)
        where = route(raw)
        if not where.session or len(where.session) > SESSION_LENGTH or self._stale(where):
            return await self._keep(raw, where)
        outcome = await self._inlet.push(
            where.session, raw, sent_at=where.timestamp, ephemeral=where.ephemeral
        )
        reach("ingress.pushed")
        if outcome not in TAKEN:
            return self._reception.conclude(outcome)
        self._reception.count(outcome)
        self._log.debug("event.accepted", session=where.session, outcome=outcome.value)
        return answer(outcome)

    def _stale(self, where: Route) -> bool:
        """An event without a time was signed without one: there is nothing to compare."""
        if not self._window_ms or where.timestamp is None:
            return False
        return abs(self._clock() * 1000 - where.timestamp) > self._window_ms

    async def _keep(self, raw: bytes, where: Route) -> web.Response:
        """What cannot become an event is kept as a dead letter, once."""
        session = where.session[:SESSION_LENGTH]
        outcome = Outcome.STALE if session == where.session != "" else _unroutable(raw)
        return self._reception.conclude(await self._inlet.keep(raw, outcome, session))


def _unroutable(raw: bytes) -> Outcome:
    """Why there is no session in it."""
    try:
        decode(raw)
    except PayloadError:
        return Outcome.UNDECODABLE
    return Outcome.UNROUTABLE
