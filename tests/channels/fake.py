"""A platform as a server on loopback: it says of what it is sent what the platform's rules say, and answers
as the platform does, or as it is told.

    async with fake(PLATFORMS["slack"]) as slack:
        channel = slack.channel()
        slack.will("archived")                         # the next message is answered so
        ...
        assert slack.problems == []
        assert len(slack.shown) == 3
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import msgspec
import orjson
from msgspec.structs import replace

from bridge.channels import Channel, Request, registry
from bridge.content import Text
from bridge.errors import Scope, SendError, Unavailable, Uncertain
from tests.workers.platform import Answer, Received
from tests.workers.platform import Platform as Server
from tests.workers.platform import platform as serve

SITE: Final = "https://platform.example"
"""Where a request seems to have been sent to; the server's own address says nothing."""


class Wait(msgspec.Struct, frozen=True):
    """Not now: the chat or the whole channel waits for exactly so long, and it costs no try."""

    seconds: float
    scope: Scope = "chat"


Meaning: TypeAlias = type[SendError] | Wait | None
"""None: the message was taken."""
Answers: TypeAlias = Mapping[str, tuple[Answer, Meaning]]


def says(status: int, body: object = None, **headers: str) -> Answer:
    """The platform's own answer, in JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    octets = b"" if body is None else orjson.dumps(body)
    return Answer(status=status, body=octets, headers={"content-type": "application/json", **named})


def page(status: int, **headers: str) -> Answer:
    """What something in between answers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, body=b"<html>Sorry</html>", headers={"content-type": "text/html", **named})


COMMON: Final[Answers] = {
    "a redirect": (Answer(status=302, headers={"location": "/elsewhere"}), Unavailable),
    "a proxy that refuses": (page(403), Unavailable),
    "a proxy that is full": (page(503), Unavailable),
    "a proxy's wait": (page(503, retry_after="60"), Wait(60.0)),
    "a bad gateway": (page(502), Uncertain),
    "a login page": (page(200), Uncertain),
    "a flood": (Answer(body=b'{"ok":"', then=b"x" * 2**20, times=100), Uncertain),
    "a drip": (Answer(body=b"{", then=b" ", times=1000, every=0.1), Uncertain),
    "a hang": (Answer(seconds=60.0), Uncertain),
    "a cut": (Answer(cut=True), Uncertain),
}
"""What may come back instead of the platform's word, whatever the platform."""
SLOW: Final = frozenset({"a drip", "a hang"})
"""Those that never end."""


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """A row of tests.channels.platforms."""

    kind: str
    variant: str = ""
    """What tells it from other rows of its kind."""
    settings: Mapping[str, str]
    """The channel's table; "{}" stands for the server's address."""
    chats: tuple[str, str]
    """Two recipients, as the integration knows them."""
    memo: Mapping[str, str] = {}
    """What the user's last message brought along, in both chats; "{}" as in the settings."""
    place: str
    """A pattern of where it takes what it is sent."""
    credentials: Mapping[str, str] = {}
    """The headers without which it takes nothing."""
    problems: Callable[[Request], list[str]]
    """What its rules have against a request."""
    mid: str = ""
    """The form of its messages' ids; "" where it names none."""
    yes: Callable[[str, Request], Answer]
    """Its answer to a message with this id."""
    sign: Callable[[Request], Answer | None] = lambda request: None
    """Its answer to a typing sign or receipt; None for a message."""
    aside: Callable[[Request], Answer | None] = lambda request: None
    """Its answer to what only prepares a message, as a request for a token; None for anything else."""
    key: Callable[[Request], str] | None = None
    """By what it knows a message that it has shown already, where it does."""
    again: Callable[[str, Request], Answer] | None = None
    """Its answer to such a one; None: as the first time."""
    refused: Callable[[str], Answer] = lambda problem: says(400, {"problem": problem})
    """Its answer to what is against its rules."""
    answers: Answers
    moves_to: str = ""
    """Where a chat is that has moved."""
    keeps: str = ""
    """Where it keeps the files that are handed over to it, where they are."""

    @property
    def name(self) -> str:
        return f"{self.kind} {self.variant}".rstrip()

    @property
    def every_answer(self) -> Answers:
        return {**COMMON, **self.answers}


class Fake:
    """A platform that is there. `received` is all it was sent, `shown` what its users see of it."""

    def __init__(self, platform: Platform, server: Server) -> None:
        self.platform = platform
        self.received: list[Request] = []
        self.shown: list[Request] = []
        self.ids: list[str | None] = []
        self.problems: list[str] = []
        self.url = server.url
        self._orders: list[str] = []
        self._given: dict[str, str] = {}
        server.answer = self._answer

    def channel(self) -> Channel:
        """The bridge's side of it."""
        return registry.build(self.platform.kind, {self.platform.kind: self._here(self.platform.settings)})

    @property
    def memo(self) -> Mapping[str, str]:
        return self._here(self.platform.memo)

    def _here(self, table: Mapping[str, str]) -> Mapping[str, str]:
        return {name: value.format(self.url) for name, value in table.items()}

    def will(self, *names: str) -> None:
        """The next messages are answered so, one each; a sign always gets its yes."""
        self._orders += names

    @property
    def is_slow(self) -> bool:
        """Whether the next message is not going to be answered."""
        return bool(SLOW.intersection(self._orders[:1]))

    def answer_as_usual(self) -> None:
        """From now on."""
        self._orders.clear()

    def _answer(self, received: Received, _: int) -> Answer:
        request = Request(
            method=received.method,
            url=SITE + received.url,
            headers=received.headers,
            body=received.body,
        )
        if aside := self.platform.aside(request):
            return aside
        self.received.append(request)
        if faults := [*self._strange(request), *self.platform.problems(request)]:
            self.problems += faults
            return self.platform.refused(faults[0])
        if sign := self.platform.sign(request):
            return sign
        if not self._orders:
            return self._show(request)
        answer, meaning = self.platform.every_answer[self._orders.pop(0)]
        if meaning is Uncertain:  # it has it, and nobody is told
            self._show(request)
        return answer

    def _strange(self, request: Request) -> list[str]:
        found = [] if request.method in ("POST", "PUT") else [f"{request.method} takes nothing"]
        parts = urlsplit(request.url)
        where = f"{parts.path}?{parts.query}" if parts.query else parts.path
        if not re.fullmatch(self.platform.place, where):
            found.append(f"there is nothing at {where}")
        for name, value in self.platform.credentials.items():
            if request.headers.get(name) != value:
                found.append(f"{name}: is not who may send")
        return found

    def key(self, request: Request) -> str:
        """By what the platform would know a repeat; "" where it does not."""
        return self.platform.key(request) if self.platform.key else ""

    def _show(self, request: Request) -> Answer:
        key = self.key(request)
        if key and key in self._given:
            repeated = self.platform.again or self.platform.yes
            return repeated(self._given[key], request)
        self.shown.append(request)
        mid = self.platform.mid.format(len(self.shown))
        self._given[key] = mid
        self.ids.append(mid or None)
        return self.platform.yes(mid, request)


@asynccontextmanager
async def fake(platform: Platform) -> AsyncIterator[Fake]:
    """The platform, for as long as the block lasts."""
    async with serve() as server:
        there = Fake(platform, server)
        _import_rules(there)
        yield there


def _import_rules(there: Fake) -> None:
    """Before anything is sent: what some rules import takes longer than a call may."""
    channel, to = there.channel(), there.platform.chats[0]
    for call in channel.render(Text("Hi"), to):
        request = channel.request(replace(call, to=to, id="0" * 32))
        there.platform.problems(replace(request, url=request.url.replace(there.url, SITE)))
