"""Calls a channel's methods and checks what they return, so that a plug-in's mistake is never a yes.

A coroutine in place of a bool is true, so it would let every stranger in; in place of a message's id it would
make a failure a delivery. Here each wrong result is a ChannelFault that names the plug-in's file and line. A
SendError passes, but from `verify` and `read`; any other exception becomes a ChannelFault.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bridge.channels.call import Call, Loaded, Reply, Request, Signer
from bridge.channels.incoming import Click, Errand, Failed, Inbound, Reading, Seen, UserMessage
from bridge.channels.methods import raised_at, type_name, where
from bridge.errors import ChannelFault, Moved, SendError, Unavailable

if TYPE_CHECKING:
    from bridge.channels import Channel, Downloads, SetUp, TwoWay, Uploads
    from bridge.content import Card, Content

_SEQUENCE: Final = (list, tuple)
_encode: Final = msgspec.json.Encoder().encode
_call_of: Final = msgspec.json.Decoder(Call).decode
_incoming_of: Final = msgspec.json.Decoder(UserMessage | Click).decode
_errand_of: Final = msgspec.json.Decoder(Errand).decode
_seen_of: Final = msgspec.json.Decoder(Seen).decode

# ---- what goes out -----------------------------------------------------------------------------------------


def render(channel: Channel, content: Content, to: str) -> Sequence[Call]:
    calls = _called(channel.render, content, to)
    if not isinstance(calls, _SEQUENCE):
        raise _wrong(channel.render, calls, "a list or tuple of Call")
    for call in calls:
        if not isinstance(call, Call):
            raise _wrong(channel.render, calls, "a list or tuple of Call", inside=call)
        if problem := _misfit(call, None if _is_simple(call) else _call_of):
            raise ChannelFault(f"{_named(channel.render)} returned a wrong Call: {problem}")
    return calls


def request(channel: Channel, call: Call) -> Request:
    return _request(channel.request, call)


def check(channel: Channel, reply: Reply) -> str | None:
    return _text_or_none(channel.check, reply)


def upload(channel: Uploads, file: Loaded) -> Request:
    return _request(channel.upload, file)


def uploaded(channel: Uploads, reply: Reply) -> str:
    return _text(channel.uploaded, reply)


def token(signer: Signer, at: float) -> str:
    return _text(signer.token, at)


def side_by_side(method: Callable[[Sequence[Card]], bool], cards: Sequence[Card]) -> bool:
    """What Capabilities.side_by_side says."""
    return _bool(method, _called(method, cards))


# ---- what comes back ---------------------------------------------------------------------------------------


def verify(channel: TwoWay, inbound: Inbound) -> bool:
    try:
        verified: object = channel.verify(inbound)
    except Exception as error:
        raise _raised(channel.verify, error) from error
    return _bool(channel.verify, verified)


def read(channel: TwoWay, inbound: Inbound) -> Reading:
    try:
        reading: object = channel.read(inbound)
    except Exception as error:
        raise _raised(channel.read, error) from error
    if not isinstance(reading, Reading):
        raise _wrong(channel.read, reading, "a Reading")
    if problem := _misread(reading):
        raise ChannelFault(f"{_named(channel.read)} returned a wrong Reading: {problem}")
    return reading


def locate(channel: Downloads, source: str) -> Request | None:
    return _request_or_none(channel.locate, source)


def download(channel: Downloads, source: str, located: Reply | None) -> Request:
    return _request(channel.download, source, located)


# ---- setting it up -----------------------------------------------------------------------------------------


def identify(channel: SetUp) -> Request:
    return _request(channel.identify)


def identified(channel: SetUp, reply: Reply) -> str:
    return _text(channel.identified, reply)


def connect(channel: SetUp, url: str) -> Sequence[Request]:
    requests = _called(channel.connect, url)
    if not isinstance(requests, _SEQUENCE):
        raise _wrong(channel.connect, requests, "a list or tuple of Request")
    for each in requests:
        if not isinstance(each, Request):
            raise _wrong(channel.connect, requests, "a list or tuple of Request", inside=each)
        _check_request(channel.connect, each)
    return requests


def steps(channel: SetUp, url: str) -> str:
    return _text(channel.steps, url)


# ---- by type -----------------------------------------------------------------------------------------------


def _called(method: Callable[..., object], *arguments: object) -> object:
    try:
        return method(*arguments)
    except SendError as error:
        if problem := _malformed(error):
            raise ChannelFault(f"{_named(method)} raised {problem}") from error
        raise
    except Exception as error:
        raise _raised(method, error) from error


def _text(method: Callable[..., object], *arguments: object) -> str:
    result = _called(method, *arguments)
    if not isinstance(result, str):
        raise _wrong(method, result, "a str")
    return result


def _text_or_none(method: Callable[..., object], *arguments: object) -> str | None:
    result = _called(method, *arguments)
    if result is not None and not isinstance(result, str):
        raise _wrong(method, result, "a str or None")
    return result


def _bool(method: Callable[..., object], result: object) -> bool:
    if result is not True and result is not False:
        raise _wrong(method, result, "True or False")
    return result


def _request(method: Callable[..., object], *arguments: object) -> Request:
    result = _called(method, *arguments)
    if not isinstance(result, Request):
        raise _wrong(method, result, "a Request")
    return _check_request(method, result)


def _request_or_none(method: Callable[..., object], *arguments: object) -> Request | None:
    result = _called(method, *arguments)
    if result is None:
        return None
    if not isinstance(result, Request):
        raise _wrong(method, result, "a Request or None")
    return _check_request(method, result)


def _check_request(method: Callable[..., object], made: Request) -> Request:
    for field, of in _REQUEST:
        if not isinstance(value := getattr(made, field), of):
            raise _wrong(method, made, f"{of.__name__} in its {field}", inside=value)
    headers: Any = made.headers
    if not isinstance(headers, (dict, Mapping)):  # dict first: it is the faster question
        raise _wrong(method, made, "a mapping in its headers", inside=headers)
    for name, value in headers.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise _wrong(method, made, "str in its headers", inside=value if isinstance(name, str) else name)
    return made


_REQUEST: Final = (("method", str), ("url", str), ("body", bytes))


_READING: Final = (("answer", bytes), ("answer_type", str), ("status", int))


def _misread(reading: Reading) -> str:
    """Say what is wrong in a Reading; "" if nothing is."""
    for field, of in _READING:
        if not isinstance(value := getattr(reading, field), of):
            return f"{field} is {type_name(value)}; expected {of.__name__}"
    if not reading.answer_type.isprintable():
        return "answer_type must be one line"
    if not 200 <= reading.status <= 599:
        return "status must be from 200 to 599"
    return (
        _misfits("incoming", reading.incoming, (UserMessage, Click), _incoming_of)
        or _misfits("errands", reading.errands, (Errand,), _errand_of)
        or _misfits("seen", reading.seen, (Seen,), _seen_of)
        or _misfits("failed", reading.failed, (Failed,), None)
    )


def _misfits(
    field: str, values: Iterable[Any], types: tuple[type, ...], decode: Callable[[bytes], object] | None
) -> str:
    if not isinstance(values, _SEQUENCE):
        return f"{field} is {type_name(values)}; expected a tuple of {_names(types)}"
    for value in values:
        if not isinstance(value, types):
            return f"{field} has {type_name(value)} in it; expected {_names(types)}"
        if decode and (problem := _misfit(value, decode)):
            return f"{field}: {problem}"
    return ""


def _names(types: tuple[type, ...]) -> str:
    return " or ".join(each.__name__ for each in types)


def _is_simple(call: Call) -> bool:
    """Return True if only `op` and `body` of the call are set, as in most calls, and have their types."""
    op: object = call.op
    body: object = call.body
    rest = call.keep or call.recall or call.upload or call.fallback or call.ephemeral or call.numbers
    return isinstance(op, str) and isinstance(body, dict) and not rest


def _misfit(value: Any, decode: Callable[[bytes], object] | None) -> str:
    """Say what cannot be written as JSON and read again, as the queue does with it; "" if all can.

    Without `decode` it need only be written.
    """
    try:
        written = _encode(value)
        if decode:
            decode(written)
    except (msgspec.ValidationError, TypeError) as error:  # names types and fields, quotes no text
        return f"{error}"
    except (ValueError, OverflowError, RecursionError) as error:
        return f"no JSON ({type(error).__name__})"
    return ""


def _malformed(error: SendError) -> str:
    """Say what keeps an error from being obeyed; "" if nothing does."""
    match error:
        case Unavailable(retry_after=float() as seconds) if not math.isfinite(seconds):
            return f"Unavailable with retry_after={seconds}; expected seconds or None"
        case Moved(to=to) if not (to and isinstance(to, str)):
            return f"Moved to {type_name(to)}; expected the chat's new address"
    return ""


# ---- in words ----------------------------------------------------------------------------------------------

_ALL_OF_IT: Final = object()


def _wrong(
    method: Callable[..., object], result: object, expected: str, inside: object = _ALL_OF_IT
) -> ChannelFault:
    """The fault of a method that returned `result`; what is wrong may be `inside` of it."""
    said = type_name(result)
    if inside is not _ALL_OF_IT:
        said += f" with {type_name(inside)} in it"
    if isinstance(result, _SEQUENCE):
        for each in result:
            type_name(each)  # ends each coroutine
    return ChannelFault(f"{_named(method)} returned {said}; expected {expected}")


def _raised(method: Callable[..., object], error: Exception) -> ChannelFault:
    """The fault of a method that raised; the error's own text may quote what a person wrote."""
    place = raised_at(error, _owner(method))
    return ChannelFault(f"{place or _named(method)}: {type(error).__name__}")


def _named(method: Callable[..., object]) -> str:
    """File, line and name of a method."""
    of = getattr(method, "__self__", None)
    name = getattr(method, "__name__", type(method).__name__)
    return f"{where(method)}: {f'{type(of).__name__}.' if of is not None else ''}{name}"


def _owner(method: Callable[..., object]) -> str:
    """The module of a method's class, or of the function."""
    while isinstance(method, partial):
        method = method.func
    of = getattr(method, "__self__", None)
    return str((method if of is None else type(of)).__module__)
