"""A channel for tests: one JSON post a call, and every error a platform can name, by status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from bridge.channels import Call, Reply, Request
from bridge.channels.capabilities import Capabilities
from bridge.content import Content, Image, Text, Typing
from bridge.errors import ContentRefused, Moved, Rejected, Unauthorized, Unavailable

CAPABILITIES = Capabilities(shows=frozenset({Text, Image, Typing}), typing_seconds=5.0)


class Plain:
    name: ClassVar[str] = "plain"

    def __init__(self, url: str, capabilities: Capabilities = CAPABILITIES) -> None:
        self._url = url
        self.capabilities = capabilities

    def render(self, content: Content, to: str) -> Sequence[Call]:
        body: dict[str, Any] = {"to": to}
        match content:
            case Typing():
                return [Call(op="typing", body=body, ephemeral=True)]
            case Image(url=url):
                link = Call(op="text", body={**body, "text": url})
                return [Call(op="image", body={**body, "image": url}, fallback=(link, link))]
            case Text(text=text, options=options):
                keep = {f"~{option.label}": option.text for option in options}
                return [Call(op="text", body={**body, "text": text}, keep=keep)]
            case _:
                raise AssertionError(content)

    def request(self, call: Call) -> Request:
        body = {"op": call.op, "id": call.id, "at": call.at, **call.body}
        return Request(url=f"{self._url}/{call.op}", body=msgspec.json.encode(body))

    def check(self, reply: Reply) -> str | None:
        match reply.status:
            case 200:
                return None
            case 301:
                raise Moved("moved", to=reply.headers["location"])
            case 401:
                raise Unauthorized("bad token")
            case 415:
                raise ContentRefused("form")
            case 429:
                scope: Any = reply.headers.get("scope", "chat")
                raise Unavailable("slow down", retry_after=float(reply.headers["retry-after"]), scope=scope)
            case status if status >= 500:
                raise Unavailable("down")
            case _:
                raise Rejected("blocked")
