"""The chat's side: takes the parts that workers post, refuses some as it is told, and writes all down.

Each worker process posts to a path of its own, by which it is known. What is answered follows from the seed,
the part, and how often it came: not from time.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import msgspec
from aiohttp import web
from msgspec import Struct

from tests.chaos.history import Answer, History, Receipt


class Manner(Struct, frozen=True):
    """How one call is treated: after `seconds`, with this status; "cut" is a reset in its place."""

    answer: Answer = "taken"
    status: int = 200
    retry_after: str = ""
    seconds: float = 0.0


Manners: TypeAlias = Callable[[str, int, int, int], Manner]
"""Session, number, part, how often it came before -> how it is treated."""


def kind(*_: object) -> Manner:
    """A platform that takes everything, in its time."""
    return Manner(seconds=0.02)


def moody(seed: int, share: float = 0.03, times: int = 2) -> Manners:
    """Refuses or cuts off that share of the calls, of a part the first `times` at most."""

    def manners(session: str, number: int, part: int, before: int) -> Manner:
        dice = random.Random(f"{seed} {session} {number} {part} {before}")
        seconds = dice.uniform(0.0, 0.04)
        if before >= times or dice.random() >= share:
            return Manner(seconds=seconds)
        match dice.randrange(6):
            case 0:
                return Manner("refused", 429, retry_after="0.2")
            case 1 | 2:
                return Manner("refused", 429, seconds=seconds)
            case 3 | 4:
                return Manner("refused", 500, seconds=seconds)
            case _:
                return Manner("cut", seconds=seconds)

    return manners


class Platform:
    def __init__(self, history: History, manners: Manners) -> None:
        self.url = ""
        self._history = history
        self._manners = manners
        self._seen: Counter[str] = Counter()

    async def handle(self, request: web.Request) -> web.Response:
        loop = asyncio.get_running_loop()
        said = json.loads(await request.read())
        if said["type"] != "text":
            return web.Response()  # a typing sign, which nobody promised
        text: str = said["data"]["text"]
        session, number, part = text.split("/")
        manner = self._manners(session, int(number), int(part), self._seen[text])
        self._seen[text] += 1
        receipt = Receipt(
            session, int(number), int(part), request.headers["webhook-id"], request.match_info["worker"],
            loop.time(), float("inf"), manner.answer,
        )  # fmt: skip
        place = len(self._history.receipts)
        self._history.receipts.append(receipt)
        try:
            await asyncio.sleep(manner.seconds)
        finally:
            answered = msgspec.structs.replace(receipt, until_at=loop.time())
            self._history.receipts[place] = answered
        if manner.answer == "cut" and request.transport:  # else who asked has gone already
            request.transport.abort()
        headers = {"retry-after": manner.retry_after} if manner.retry_after else {}
        return web.Response(status=manner.status, headers=headers)


@asynccontextmanager
async def platform(history: History, manners: Manners) -> AsyncIterator[Platform]:
    """Listens for as long as the block lasts."""
    there = Platform(history, manners)
    app = web.Application()
    app.router.add_post("/{worker}", there.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    there.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield there
    finally:
        await runner.cleanup()
