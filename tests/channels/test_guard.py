"""What a channel's method returns is checked by type, and a mistake names the channel's file and line."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from bridge.channels import (
    Call,
    Click,
    Errand,
    Failed,
    Inbound,
    Loaded,
    Reading,
    Reply,
    Request,
    Seen,
    UserMessage,
    guard,
)
from bridge.channels.capabilities import Capabilities
from bridge.channels.methods import where
from bridge.content import Text
from bridge.errors import ChannelFault, Moved, PayloadError, Rejected, StoreUnavailable, Unavailable
from bridge.plan import plan

REQUEST = Request(url="https://x.example")
HELLO = UserMessage(chat="c", id="1", text="hello")
ASK: dict[str, Callable[[Any], object]] = {
    "render": lambda channel: guard.render(channel, Text("hi"), "c"),
    "request": lambda channel: guard.request(channel, Call(op="say")),
    "check": lambda channel: guard.check(channel, Reply(status=500)),
    "upload": lambda channel: guard.upload(channel, Loaded()),
    "uploaded": lambda channel: guard.uploaded(channel, Reply(status=200)),
    "verify": lambda channel: guard.verify(channel, Inbound(method="POST", url="https://b.example")),
    "read": lambda channel: guard.read(channel, Inbound(method="POST", url="https://b.example")),
    "locate": lambda channel: guard.locate(channel, "file"),
    "download": lambda channel: guard.download(channel, "file", None),
    "identify": guard.identify,
    "identified": lambda channel: guard.identified(channel, Reply(status=200)),
    "connect": lambda channel: guard.connect(channel, "https://b.example"),
    "steps": lambda channel: guard.steps(channel, "https://b.example"),
    "token": lambda channel: guard.token(channel, 0.0),
}
"""How the bridge asks each method."""


def returning(method: str, result: object) -> Any:
    """A channel whose method returns this."""

    def answer(self: Any, *given: object) -> object:
        return result() if callable(result) else result

    answer.__name__ = method
    return type("Pager", (), {"name": "pager", method: answer})()


async def later() -> bool:
    return True


# Without types, as a plug-in may be written.
reading: Any = Reading
message: Any = UserMessage
call: Any = Call
request: Any = Request


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("render", []), ("render", (call(op="say", body={"a": [1]}, fallback=(call(op="other"),)),)),
        ("request", REQUEST), ("check", None), ("check", "m1"), ("upload", REQUEST), ("uploaded", "f1"),
        ("verify", True), ("verify", False), ("read", reading()),
        ("read", reading(
            [HELLO, Click(chat="c", id="2", payload="p")], b"ok", failed=(Failed(chat="c", reason="r"),),
            errands=(Errand(chat="c", id="3", call=call(op="join")),), seen=(Seen(chat="c", id="4"),),
        )),
        ("locate", None), ("locate", REQUEST), ("download", REQUEST), ("identify", REQUEST),
        ("identified", "me"), ("connect", ()), ("connect", [REQUEST]), ("steps", ""), ("token", "t"),
    ],
)  # fmt: skip
def test_a_right_result_is_given_back(method: str, result: object) -> None:
    assert ASK[method](returning(method, result)) is result


@pytest.mark.parametrize("method", ASK)
@pytest.mark.parametrize(
    ("result", "said"),
    [
        (later, "a coroutine"), (b"ok", "bytes"), (5, "int"), (object, "object"), ([later], "list"),
        (lambda: [later()], "list"), (Rejected, "Rejected"), ({}, "dict"), (lambda: (5,), "tuple"),
    ],
    ids=["coroutine", "bytes", "int", "object", "functions", "coroutines", "an error", "dict", "tuple"],
)  # fmt: skip
def test_a_wrong_result_names_method_and_place(method: str, result: object, said: str) -> None:
    """Also, no coroutine is left that Python warns of: warnings are errors here."""
    with pytest.raises(ChannelFault) as caught:
        ASK[method](returning(method, result))
    assert "test_guard.py:" in str(caught.value)
    assert f": Pager.{method} returned {said}" in str(caught.value)
    assert "; expected " in str(caught.value)


@pytest.mark.parametrize(
    ("method", "result", "said"),
    [
        ("check", True, "returned bool; expected a str or None"),
        ("check", b"m1", "returned bytes; expected a str or None"),
        ("verify", 1, "returned int; expected True or False"),
        ("verify", "", "returned str; expected True or False"),
        ("verify", None, "returned None; expected True or False"),
        ("render", "", "returned str; expected a list or tuple of Call"),
        ("read", (HELLO,), "returned tuple; expected a Reading"),
        ("render", (REQUEST,), "returned tuple with Request in it; expected a list or tuple of Call"),
        ("render", (call(op=5),), "a wrong Call: Expected `str`, got `int` - at `$.op`"),
        ("render", (call(op="a", fallback=call(op="b")),), "wrong Call: Expected `array`"),
        ("render", (call(op="a", body={"x": object()}),), "wrong Call: Encoding objects of type object"),
        ("render", (call(op="a", body={"x": "\ud800"}),), "wrong Call: no JSON (UnicodeEncodeError)"),
        ("request", request(url=5), "with int in it; expected str in its url"),
        ("request", request(url="x:", body="text"), "with str in it; expected bytes in its body"),
        ("request", request(url="x:", headers={"a": 5}), "with int in it; expected str in its headers"),
        ("connect", [REQUEST, None], "returned list with None in it; expected a list or tuple of Request"),
        ("read", reading(HELLO), "incoming is UserMessage; expected a tuple of UserMessage or Click"),
        ("read", reading(({"chat": "c"},)), "incoming has dict in it; expected UserMessage or Click"),
        ("read", reading((Seen(chat="c", id=""),)), "incoming has Seen in it"),
        ("read", reading((message(chat=5, id="1"),)), "incoming: Expected `str`, got `int` - at `$.chat`"),
        ("read", reading((message(chat="c", id=5),)), "incoming: Expected `str`, got `int` - at `$.id`"),
        ("read", reading((message(chat="c", id="1", text=None),)), "incoming: Expected `str`, got `null`"),
        ("read", reading((message(chat="c", id="1", attachments=({"type": "gif"},)),)), "Invalid enum"),
        ("read", reading(answer="ok"), "answer is str; expected bytes"),
        ("read", reading(answer_type="a\r\nb"), "answer_type must be one line"),
        ("read", reading(status=42), "status must be from 200 to 599"),
        ("read", reading(failed=(HELLO,)), "failed has UserMessage in it; expected Failed"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_result(method: str, result: object, said: str) -> None:
    with pytest.raises(ChannelFault) as caught:
        ASK[method](returning(method, result))
    assert said in str(caught.value)


def raising(method: str, error: Exception) -> Any:
    def answer(self: Any, *given: object) -> object:
        raise error

    return type("Pager", (), {"name": "pager", method: answer})()


@pytest.mark.parametrize("method", ASK)
@pytest.mark.parametrize("error", [KeyError("what a person wrote"), StoreUnavailable("x"), PayloadError("x")])
def test_an_error_is_a_fault_that_quotes_nobody(method: str, error: Exception) -> None:
    with pytest.raises(ChannelFault, match=rf"test_guard\.py:\d+: {type(error).__name__}$"):
        ASK[method](raising(method, error))


@pytest.mark.parametrize("method", sorted(ASK.keys() - {"verify", "read"}))
def test_a_send_error_passes(method: str) -> None:
    error = Unavailable("later", retry_after=5)
    with pytest.raises(Unavailable) as caught:
        ASK[method](raising(method, error))
    assert caught.value is error


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("x", retry_after=float("inf")),
        Unavailable("x", retry_after=float("nan")),
        Moved("x", to=""),
        Moved("x", to=5),  # type: ignore[arg-type]
    ],
    ids=repr,
)
def test_a_send_error_that_cannot_be_obeyed_is_a_fault(error: Exception) -> None:
    with pytest.raises(ChannelFault, match=r"test_guard\.py:\d+: Pager\.answer raised "):
        ASK["check"](raising("check", error))


def test_the_place_is_the_plug_ins_own_even_if_another_library_failed() -> None:
    class Pager:
        def check(self, reply: Reply) -> str | None:
            return functools.reduce(lambda one, other: one, [])

    with pytest.raises(ChannelFault) as caught:
        ASK["check"](Pager())
    assert (
        str(caught.value)
        == f"{where(Pager.check).rpartition(':')[0]}:{Pager.check.__code__.co_firstlineno + 1}: TypeError"
    )


def test_a_decorator_that_makes_a_method_async_is_seen_when_it_is_called() -> None:
    def traced(method: Callable[..., Any]) -> Callable[..., Any]:
        async def run(*given: Any) -> Any:
            return method(*given)

        @functools.wraps(method)
        def start(*given: Any) -> Any:
            return run(*given)

        return start

    class Pager:
        name: ClassVar[str] = "pager"

        @traced
        def verify(self, inbound: Inbound) -> bool:
            return False

    with pytest.raises(ChannelFault, match=r"test_guard\.py:\d+: Pager\.verify returned a coroutine"):
        ASK["verify"](Pager())


def test_side_by_side_is_asked_for_a_bool() -> None:
    from bridge.content import Card, Carousel

    class Pager:
        name: ClassVar[str] = "pager"
        capabilities = Capabilities(
            shows=frozenset({Text, Card, Carousel}),
            cards=3,
            side_by_side=lambda cards: later(),  # type: ignore[arg-type, return-value]
        )
        render, request, check = (lambda *_: (),) * 3

    channel: Any = Pager()
    with pytest.raises(ChannelFault, match=r"test_guard\.py:\d+: <lambda> returned a coroutine"):
        plan((Carousel((Card("a"), Card("b"))),), channel, "c", key="k")
