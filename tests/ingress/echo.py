"""A platform for the tests: it is verified by a token in a header, and its body says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from bridge.channels import (
    Call,
    Click,
    Errand,
    Failed,
    Inbound,
    Incoming,
    Reading,
    Reply,
    Request,
    Seen,
    UserMessage,
)
from bridge.channels.capabilities import Capabilities
from bridge.content import Content
from bridge.secret import Secret


class Posted(msgspec.Struct):
    incoming: tuple[Incoming, ...] = ()
    answer: str = ""
    answer_type: str = "text/plain"
    failed: tuple[Failed, ...] = ()
    errands: tuple[Errand, ...] = ()
    seen: tuple[Seen, ...] = ()


class Echo:
    name: ClassVar[str] = "echo"
    capabilities = Capabilities()

    class Settings(msgspec.Struct, frozen=True):
        token: Secret = Secret("canary-token")

    def __init__(self, settings: Settings) -> None:
        self._token = settings.token.reveal()

    def render(self, content: Content, to: str) -> Sequence[Call]:
        return ()

    def request(self, call: Call) -> Request:
        return Request(url="https://platform.example/")

    def check(self, reply: Reply) -> str | None:
        return None

    def verify(self, inbound: Inbound) -> bool:
        if inbound.query.get("verify") == "crash":
            raise ZeroDivisionError
        return inbound.headers.get("x-token") == self._token

    def read(self, inbound: Inbound) -> Reading:
        """A POST's body says what was read; a GET is a handshake; no JSON is a bug of this channel."""
        if inbound.method == "GET":
            return Reading(answer=inbound.query["challenge"].encode())
        if inbound.method == "PUT":
            told = {"method": inbound.method, "path": inbound.path, "url": inbound.url}
            return Reading(answer=msgspec.json.encode(told), answer_type="application/json", status=207)
        posted = msgspec.json.decode(inbound.body, type=Posted)
        return Reading(
            posted.incoming,
            posted.answer.encode(),
            posted.answer_type,
            failed=posted.failed,
            errands=posted.errands,
            seen=posted.seen,
        )


class Keyed(Echo):
    """The same, but its platform publishes keys; the answer says how many it was given."""

    name: ClassVar[str] = "keyed"

    class Settings(msgspec.Struct, frozen=True):
        keys_url: str
        token: Secret = Secret("canary-token")

    def __init__(self, settings: Settings) -> None:
        self._token = settings.token.reveal()
        self.key_urls = (settings.keys_url,)

    def read(self, inbound: Inbound) -> Reading:
        return Reading(answer=b"%d keys" % len(inbound.keys))


class OneWay:
    """The same, but its users cannot answer."""

    name: ClassVar[str] = "oneway"
    capabilities = Capabilities()
    render, request, check = Echo.render, Echo.request, Echo.check


def posted(
    *incoming: UserMessage | Click,
    answer: str = "",
    answer_type: str = "text/plain",
    failed: tuple[Failed, ...] = (),
    errands: tuple[Errand, ...] = (),
) -> bytes:
    return msgspec.json.encode(Posted(incoming, answer, answer_type, failed, errands))
