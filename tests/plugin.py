"""A plug-in of one file for tests, as its author would write it, and wrong where the test says."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

CHANNEL: Final = "pager:Pager"
SOURCE: Final = '''\
import functools, json, os
from bridge.channels import Call, Reading, Request, UserMessage
from bridge.channels.capabilities import Capabilities

def traced(method):
    """A decorator that makes a coroutine of a plain function, which nobody can see before the call."""
    @functools.wraps(method)
    def start(*given):
        async def run():
            return method(*given)
        return run()
    return start

class Pager:
    name = "pager"
    capabilities = Capabilities()

    def render(self, content, to):
        return [Call(op="say", body={"to": to, "text": content.text})]

    def request(self, call):
        return Request(url=os.environ["PAGER_URL"], body=json.dumps(call.body).encode())

    def check(self, reply):
        return None

    def verify(self, inbound):
        return inbound.headers.get("x-token") == "s3cret"

    def read(self, inbound):
        return Reading((UserMessage(chat="c", id="1", text=inbound.body.decode()),))
'''


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, right: str, wrong: str) -> str:
    """Write pager.py with `wrong` in the place of `right` where processes find it; give its path."""
    assert SOURCE.count(right) == 1
    (folder / "pager.py").write_text(SOURCE.replace(right, wrong))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return str(folder / "pager.py")


def line_of(path: str, text: str) -> int:
    """The number of the line of a file that has this text."""
    lines = Path(path).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)
