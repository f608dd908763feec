"""A client that does nothing wrong, meanwhile: Moveo, with one event after another for a few sessions."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from redis.asyncio import Redis

from bridge.ingress.signature import HEADER, sign
from bridge.secret import Secret
from tests.hostile.ledger import mailbox
from tests.hostile.shots import request
from tests.hostile.target import MOVEO
from tests.hostile.wire import Answer, Wire

NAME: Final = "telegram"
SESSIONS: Final = 5
EVERY_SECONDS: Final = 0.02
AGAIN_SECONDS: Final = (0.25, 0.5, 1.0, 2.0, 2.0)
"""As Moveo does where it gets no answer."""


class Honest:
    """`seconds` are the times from a request to its answer, `refused` the answers that were not 200, `cut`
    how often there was none at first: its connection was new, and ended before it was heard."""

    def __init__(self, port: int) -> None:
        self.seconds: list[float] = []
        self.refused: list[tuple[int, bytes]] = []
        self.cut = 0
        self._wire = Wire(port)
        self._port = port
        self._accepted: dict[str, list[bytes]] = defaultdict(list)
        self._stop = False

    async def run(self) -> None:
        number = 0
        while not self._stop:
            number += 1
            session = f"honest-{number % SESSIONS}"
            body = json.dumps(
                {"event_type": "message:brain_send", "session_id": session, "n": number}
            ).encode()
            started = time.monotonic()
            headers = {HEADER: sign(Secret(MOVEO), body)}
            given = await self._ask(request(f"/moveo/{NAME}", body, headers, port=self._port))
            self.seconds.append(time.monotonic() - started)
            if given is None or given.status != 200:
                self.refused.append((given.status if given else 0, body))
            else:
                self._accepted[session].append(body)
            await asyncio.sleep(EVERY_SECONDS)
        self._wire.close()

    async def _ask(self, raw: bytes) -> Answer | None:
        given = await self._wire.ask(raw)
        for seconds in AGAIN_SECONDS:
            if given is not None:
                break
            self.cut += 1
            await asyncio.sleep(seconds)
            given = await self._wire.ask(raw)
        return given

    def stop(self) -> None:
        self._stop = True

    async def check(self, redis: Redis) -> None:
        """All was taken, is there once, and in its order."""
        assert self.refused == []
        assert self.cut < 3
        assert self._accepted
        for session, bodies in self._accepted.items():
            mail = await mailbox(redis, f"{{bridge:{NAME}:out}}:mail:{session}")
            assert mail == bodies


@asynccontextmanager
async def honest(port: int) -> AsyncIterator[Honest]:
    """For as long as the block lasts."""
    client = Honest(port)
    task = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        client.stop()
        await task
