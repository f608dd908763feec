"""A channel for tests whose renderer does to its process what a text says: the plug-in nobody wants."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from typing import ClassVar

import msgspec

from bridge.channels import Call, Reply, Request
from bridge.channels.capabilities import Capabilities
from bridge.content import Content, Text


class Poison:
    name: ClassVar[str] = "poison"
    capabilities = Capabilities(shows=frozenset({Text}))

    class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        url: str

    def __init__(self, settings: Settings) -> None:
        self._url = settings.url

    def render(self, content: Content, to: str) -> Sequence[Call]:
        assert isinstance(content, Text)
        match content.text:
            case "exit":
                os._exit(3)
            case "spin":
                while True:
                    pass
            case "backtrack":
                re.match(r"(a+)+$", "a" * 64 + "b")  # holds the interpreter's lock
            case "block":
                time.sleep(1000)
            case "nap":
                time.sleep(4.0)  # several leases
            case text if text.startswith("raise"):
                raise ValueError(f"cannot render {content.text}")
        return [Call(op="say", body={"to": to, "text": content.text})]

    def request(self, call: Call) -> Request:
        return Request(url=f"{self._url}/{call.op}", body=msgspec.json.encode(call.body))

    def check(self, reply: Reply) -> str | None:
        return None
