"""A plug-in that is wrong is refused when it is loaded, in one line that says where and what to change."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

from bridge.channels import registry
from bridge.channels.capabilities import Capabilities, Pace
from bridge.channels.methods import ARGUMENTS
from bridge.content import Carousel, Text
from bridge.errors import ConfigError

PAGER = """\
import dataclasses, functools, msgspec
from bridge.channels import Call, Reading, Request
from bridge.channels.capabilities import Capabilities, Pace
from bridge.channels.methods import ARGUMENTS
from bridge.channels.console import Console
from bridge.content import Carousel, Text

class Pager:
    name = "pager"
    capabilities = Capabilities()

    def render(self, content, to):
        return [Call(op="say", body={"text": content.text})]

    def request(self, call):
        return Request(url="https://pager.example")

    def check(self, reply):
        return None

    def verify(self, inbound):
        return False

    def read(self, inbound):
        return Reading()

class Broken(Pager):
"""
FIRST = PAGER.count("\n") + 1
"""The line on which the body of Broken begins."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current directory; the modules that are loaded from it are forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def refused(here: Path, body: str) -> str:
    """Write a plug-in whose class Broken has this body; return the line with which it is refused."""
    (here / "pager.py").write_text(PAGER + indent(dedent(body).strip("\n"), "    ") + "\n")
    with pytest.raises(ConfigError) as caught:
        registry.build("pager:Broken", {})
    [line] = str(caught.value).splitlines()
    head = f'channel "pager:Broken": {here}/pager.py:'
    assert line.startswith(head), line
    place, _, problem = line.removeprefix(head).partition(": ")
    assert 0 < int(place) <= FIRST + body.count("\n")
    return problem


METHODS = [*ARGUMENTS]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("async def {}(self, *a): return None", "must be a plain function, not async"),
        ("async def {}(self, *a): yield None", "must be a plain function, not a generator"),
        ("def {}(self, *a): yield None", "must be a plain function, not a generator"),
        ("{} = 5", "must be a method, not int"),
        ("def {}(self, a, b, c): return None", "must take the arguments ("),
        ("def {}(self, *a, key): return None", "must take the arguments ("),
    ],
    ids=["async", "async generator", "generator", "not callable", "too many arguments", "a keyword only"],
)
def test_a_method_is_a_plain_function(here: Path, method: str, kind: str, problem: str) -> None:
    assert refused(here, kind.format(method)).startswith(f"Broken.{method} {problem}")


PLAIN = "must be a plain function"
TAKES = "must take the arguments (inbound)"
CAN = "Broken.capabilities must be a Capabilities, not"
STRUCT = "Broken.Settings must be a subclass of msgspec.Struct, not"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("@staticmethod\nasync def verify(inbound): ...", f"Broken.verify {PLAIN}, not async"),
        ("@classmethod\nasync def verify(cls, inbound): ...", f"Broken.verify {PLAIN}, not async"),
        ("@staticmethod\ndef verify(): ...", f"Broken.verify {TAKES}"),
        ("async def f(self, i): ...\nverify = functools.partial(f, None)", f"Broken.verify {PLAIN}"),
        ("class V:\n    async def __call__(self, i): ...\nverify = V()", f"Broken.verify {PLAIN}"),
        ("def __init__(self): self.read = self.f\nasync def f(self, i): ...", f"Broken.read {PLAIN}"),
        ("verify = lambda self: False", f"Broken.verify {TAKES}"),
        ("@property\ndef verify(self): return True", "Broken.verify must be a method, not bool"),
        ("def upload(self, file): ...", "Broken has upload but no uploaded: add or rename"),
        ("async def __init__(self): ...", f"Broken.__init__ {PLAIN}, not async"),
        ("def __init__(self, token): ...", "TypeError: "),
        ("@property\ndef capabilities(self): 1 / 0", "ZeroDivisionError: division by zero"),
        ("@property\ndef capabilities(self): return self.missing", "AttributeError: "),
        ("@property\nasync def capabilities(self): ...", f"{CAN} a coroutine"),
        ("def capabilities(self): return Capabilities()", f"{CAN} method"),
        ("capabilities = {'text': 5}", f"{CAN} dict"),
        ("capabilities = Capabilities(caption=-1)", "ValueError: Capabilities.caption must be"),
        ("capabilities = Capabilities(chat_pace=Pace(0))", "ValueError: Pace.per_second must be"),
        ("name = ''", "Broken.name must be a word"),
        ("name = 'My Pager'", "Broken.name must be a word"),
        ("name = 5", "Broken has no name"),
        ("key_urls = 'https://keys.example'", "Broken.key_urls must be a tuple of str, not str"),
        ("key_urls = (None,)", "Broken.key_urls must be a tuple of str, not tuple"),
        ("def key_urls(self): return ()", "Broken.key_urls must be a tuple of str, not method"),
        ("@property\ndef key_urls(self): return self.missing", "AttributeError: "),
        ("@dataclasses.dataclass\nclass Settings:\n    token: str = ''", f"{STRUCT} the class Settings"),
        ("Settings = None", f"{STRUCT} None"),
        ("Settings = {'token': str}", f"{STRUCT} dict"),
        ("class Settings(msgspec.Struct):\n    token: 'Missing'", "NameError: "),
        ("class Settings(msgspec.Struct):\n    def __post_init__(self): {}['x']", "KeyError: "),
    ],
)
def test_what_is_wrong_is_named_with_its_line(here: Path, body: str, problem: str) -> None:
    assert refused(here, body).startswith(problem)


def test_the_line_is_that_of_the_method(here: Path) -> None:
    (here / "pager.py").write_text(
        PAGER + "    x = 1\n\n    async def check(self, reply):\n        return None\n"
    )
    with pytest.raises(ConfigError) as caught:
        registry.build("pager:Broken", {})
    assert str(caught.value) == (
        f'channel "pager:Broken": {here}/pager.py:{FIRST + 2}: Broken.check must be a plain function, '
        "not async: remove `async`, and do no I/O in it"
    )


def test_a_metaclass_that_fails_is_one_line(here: Path) -> None:
    meta = "class Meta(type):\n    def __getattr__(cls, name): raise RuntimeError('no')\n"
    (here / "pager.py").write_text(meta + "class Broken(metaclass=Meta): ...\n")
    with pytest.raises(ConfigError) as caught:
        registry.build("pager:Broken", {})
    assert str(caught.value) == f'channel "pager:Broken": {here}/pager.py:2: RuntimeError: no'


@pytest.mark.parametrize(
    "body",
    [
        "verify = staticmethod(lambda inbound: False)",
        "@classmethod\ndef verify(cls, inbound): return False",
        "def verify(self, inbound, now=None): return False",
        "def verify(self, *given): return False",
        "verify = None",
        "key_urls = ()",
        "identify = identified = connect = steps = None",
        "class Settings(msgspec.Struct): ...\ndef __init__(self, settings): ...",
    ],
)
def test_what_works_is_taken(here: Path, body: str) -> None:
    (here / "pager.py").write_text(PAGER + indent(body, "    ") + "\n")
    assert registry.build("pager:Broken", {}).name == "pager"


# ---- capabilities ------------------------------------------------------------------------------------------

NOT_A_LIMIT = (-1, 2**64, True, 5.0, "5", None, math.nan)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        *((name, value) for name in ("text", "option_label", "card_title", "button_label", "url")
          for value in (0, *NOT_A_LIMIT)),
        *((name, value) for name in ("caption", "options", "cards", "card_text", "card_buttons")
          for value in NOT_A_LIMIT),
        *(("payload_bytes", value) for value in (0, 1, *NOT_A_LIMIT)),
        *(("media_url", value) for value in (0, *NOT_A_LIMIT) if value is not None),
        *(("typing_seconds", value) for value in (0, -1, True, "5", math.nan, math.inf, 1e300)),
        *(("shows", value) for value in (frozenset(), frozenset({Carousel}), frozenset({Text, "image"}),
                                         frozenset({Text, int}), Text, "text", None)),
        ("unit", "letters"), ("unit", None), ("card_unit", "letters"),
        *((name, value) for name in ("card_action", "card_action_says", "authors", "idempotent")
          for value in (None, 1, "yes")),
        ("chat_is_key", None), ("side_by_side", True), ("side_by_side", lambda: True),
        *((name, value) for name in ("card_media", "media_sized")
          for value in ("image", frozenset({"gif"}), None)),
        *((name, value) for name in ("links", "media_schemes")
          for value in ("https", frozenset({"https://"}), frozenset({"HTTPS"}), frozenset({5}), None)),
        *(("media_bytes", value)
          for value in ({"gif": 5}, {"image": 0}, {"image": 5.0}, {"image": None}, 5, None)),
        ("media_endings", {"gif": frozenset({""})}), ("media_endings", {"image": ".jpg"}),
        ("media_endings", None),
        *(("media_endings", {"image": frozenset({ending})}) for ending in ("jpg", ".JPG", ".a/b", ".")),
        ("receipts", frozenset({"seen"})), ("receipts", "read"),
        *((name, value) for name in ("chat_pace", "channel_pace") for value in (5, (1, 1), 0)),
    ],
)  # fmt: skip
def test_a_capability_that_no_platform_can_mean(field: str, wrong: Any) -> None:
    with pytest.raises(ValueError, match=rf"^Capabilities\.{field} [^\n]*$"):
        Capabilities(**{field: wrong})


async def _async(cards: object) -> bool:
    return True


def test_side_by_side_is_a_plain_function() -> None:
    with pytest.raises(ValueError, match=r"^Capabilities\.side_by_side must be a plain function, not async"):
        Capabilities(side_by_side=_async)  # type: ignore[arg-type]


def test_a_carousel_has_cards() -> None:
    with pytest.raises(ValueError, match=r"^Capabilities\.cards must be at least 1"):
        Capabilities(shows=frozenset({Text, Carousel}))


@pytest.mark.parametrize(
    ("per_second", "burst", "field"),
    [
        *((value, 1, "per_second") for value in (0, -1, math.nan, math.inf, 1e9, 1e-9, True, "1", None)),
        *((1.0, value, "burst") for value in (0, -1, 1.5, 10**9, True, None)),
    ],
)
def test_a_pace_that_cannot_be_kept(per_second: Any, burst: Any, field: str) -> None:
    with pytest.raises(ValueError, match=rf"^Pace\.{field} "):
        Pace(per_second, burst)


def test_every_field_is_checked() -> None:
    """A new field of Capabilities has to say what is valid: `object()` is it nowhere."""
    for field in Capabilities.__struct_fields__:
        wrong: Any = {field: object()}
        with pytest.raises(ValueError, match=re.escape(field)):
            Capabilities(**wrong)
