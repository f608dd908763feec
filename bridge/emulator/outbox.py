"""The webhooks of the stand-in: signed, retried as Moveo does, one after another within a session."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Iterable
from typing import Any, Final

import aiohttp
import structlog

from bridge.emulator.config import EmulatorConfig
from bridge.emulator.script import Action, Post, Sleep
from bridge.emulator.sessions import Session
from bridge.secret import Secret

SIGNATURE: Final = "X-Moveo-Signature"
_log: Final = structlog.get_logger()


def signature(secret: Secret, body: bytes) -> str:
    """Lower-case hex of HMAC-SHA256 over the raw body."""
    return hmac.new(secret.reveal().encode(), body, hashlib.sha256).hexdigest()


class Outbox:
    """Does the actions of each session in order; sessions do not wait for each other. Works while entered."""

    _http: aiohttp.ClientSession

    def __init__(self, config: EmulatorConfig) -> None:
        self._config = config
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.delivered = 0
        self.failed = 0

    def put(self, session: Session, actions: Iterable[Action]) -> None:
        """Queues the actions behind those of the session that are still waiting."""
        session.waiting.extend(actions)
        if session.waiting and session.id not in self._tasks:
            self._tasks[session.id] = asyncio.create_task(self._drain(session))

    @property
    def busy(self) -> int:
        """Sessions with something still to do or to post."""
        return len(self._tasks)

    async def __aenter__(self) -> Outbox:
        timeout = aiohttp.ClientTimeout(total=self._config.timeout_seconds)
        connector = aiohttp.TCPConnector(limit=0)  # a session must not wait for another's connection
        self._http = aiohttp.ClientSession(
            timeout=timeout, connector=connector, cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stops where it is: what still waits is lost, and counted in the log."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.close()
        if tasks:
            _log.warning("webhook.abandoned", sessions=len(tasks))

    async def _drain(self, session: Session) -> None:
        try:
            while session.waiting:
                match session.waiting.popleft():
                    case Sleep(seconds=seconds):
                        await asyncio.sleep(seconds * self._config.pace)
                    case Post() as post:
                        await self._deliver(session, post)
        finally:
            del self._tasks[session.id]  # at once: whoever puts next must start anew

    async def _deliver(self, session: Session, post: Post) -> None:
        body = json.dumps(self._event(session, post)).encode()
        headers = {"content-type": "application/json"}
        if self._config.secret:
            headers[SIGNATURE] = signature(self._config.secret, body)
        outcome = await self._post(body, headers)
        for seconds in self._config.backoff_seconds:
            if isinstance(outcome, int) and outcome < 500:
                break
            await asyncio.sleep(seconds)
            outcome = await self._post(body, headers)
        if isinstance(outcome, int) and 200 <= outcome < 300:
            self.delivered += 1
        else:
            self.failed += 1
            _log.warning("webhook.failed", session=session.id, event_type=post.event_type, outcome=outcome)

    async def _post(self, body: bytes, headers: dict[str, str]) -> int | str:
        """One try: the status, or why there was none."""
        try:
            async with self._http.post(
                self._config.webhook_url, data=body, headers=headers, allow_redirects=False
            ) as reply:
                return reply.status
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__

    def _event(self, session: Session, post: Post) -> dict[str, Any]:
        return {
            "event_type": post.event_type,
            "request_id": f"req-{uuid.uuid4().hex}",
            "session_id": session.id,
            "external_session_id": session.external_id,
            "integration_id": self._config.integration_id,
            "desk_id": "desk-1",
            "context": session.context,
            "timestamp": time.time_ns() // 1_000_000,
        } | post.fields
