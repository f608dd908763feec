"""Moveo's side, as its page describes it: one event of a session after the other, each tried up to six times.

30 seconds for an answer; again after a 5xx, a timeout or a broken connection, from 250 ms doubling to 2 s;
never again after a 4xx. What was not accepted then is given up, and the next event of the session goes.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import aiohttp
import msgspec

from bridge.ingress.signature import HEADER, sign
from bridge.secret import Secret
from tests.chaos.history import Event, History, Post

SECRET: Final = Secret("chaos-secret")
TIMEOUT_SECONDS: Final = 30.0
DELAYS: Final = (0.25, 0.5, 1.0, 2.0, 2.0)

Route = Callable[[Event, int], str]
"""The URL of the ingress that an event's n-th try goes to: what a load balancer decides."""


def body_of(event: Event) -> bytes:
    """The event as Moveo writes it; each part says which it is."""
    responses: list[dict[str, Any]] = []
    for part in range(event.parts):
        if part and event.pause:
            responses.append({"type": "pause", "duration": event.pause})
        responses.append({"type": "text", "text": f"{event.session}/{event.number}/{part}"})
    return msgspec.json.encode({
        "event_type": "message:brain_send",
        "session_id": event.session,
        "external_session_id": event.session,
        "timestamp": int(time.time() * 1000),
        "output": {"responses": responses},
    })  # fmt: skip


class Sender:
    """`accepted` counts events; every try is in the history."""

    def __init__(self, http: aiohttp.ClientSession, route: Route, history: History) -> None:
        self._http = http
        self._route = route
        self._history = history
        self.accepted = 0
        self.given_up = 0

    async def send(self, events: Iterable[Event]) -> None:
        """Returns when each was accepted or given up."""
        by_session: dict[str, list[Event]] = defaultdict(list)
        for event in events:
            by_session[event.session].append(event)
        started_at = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for session in by_session.values():
                group.create_task(self._talk(session, started_at))

    async def _talk(self, events: Sequence[Event], started_at: float) -> None:
        for event in events:
            await asyncio.sleep(started_at + event.at - asyncio.get_running_loop().time())
            await self._insist(event)

    async def _insist(self, event: Event) -> None:
        body = body_of(event)
        for number, delay in enumerate((*DELAYS, None)):
            status = await self._post(event, body, self._route(event, number))
            if 200 <= status < 300:
                self.accepted += 1
                return
            if delay is None or 400 <= status < 500:
                self.given_up += 1
                return
            await asyncio.sleep(delay)

    async def _post(self, event: Event, body: bytes, url: str) -> int:
        loop, status = asyncio.get_running_loop(), 0
        from_at = loop.time()
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                self._http.post(url, data=body, headers={HEADER: sign(SECRET, body)}) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, OSError):  # a TimeoutError is one
            pass
        post = Post(event.session, event.number, event.parts, from_at, loop.time(), status)
        self._history.posts.append(post)
        return status
