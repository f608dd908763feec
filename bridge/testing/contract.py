"""The contract of a channel as checks: what bridge.channels says in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
import orjson

from bridge.channels import Call, Channel, Loaded, Reply, Request, TwoWay, Uploads, guard, registry
from bridge.content import (
    Audio,
    Author,
    Card,
    Carousel,
    Content,
    File,
    Handover,
    Image,
    Link,
    Media,
    Notice,
    OpenWebview,
    Option,
    Postback,
    Text,
    Video,
    Webview,
)
from bridge.errors import ChannelFault, Forbidden, Rejected, SendError, Unauthorized
from bridge.plan import Plan, plan
from bridge.testing.corpus import corpus
from bridge.testing.replies import intruders, replies

KEY: Final = "0" * 32
AT: Final = 1_700_000_000.0
ALREADY_THERE: Final = 409
"""Some platforms answer a repeat with it: the message is there."""
_WORD: Final = re.compile("[A-Za-z0-9]{3,}")
_WORD_MAX: Final = 24
"""Longer words are split by narrow channels."""

T = TypeVar("T")


def check_channel(channel: Channel, *, to: str = "1234567", secrets: Iterable[str] = ()) -> None:
    """Fails with every problem there is. `secrets` are those in the channel's settings."""
    found = problems(channel, to=to, secrets=secrets)
    if found:
        raise AssertionError(f"{len(found)} problems of channel {channel.name}:\n" + "\n".join(found))


def problems(channel: Channel, *, to: str = "1234567", secrets: Iterable[str] = ()) -> list[str]:
    """What the channel does that a channel must not, one line each.

    If the channel would not even be loaded, only the reasons are told: the rest would follow from them.
    """
    secrets = tuple(filter(None, secrets))
    return [*registry.wrong_channel(channel)] or [
        *_rendered(channel, to, secrets),
        *_checked("check", partial(guard.check, channel), secrets),
        *(
            _checked("uploaded", partial(guard.uploaded, channel), secrets)
            if isinstance(channel, Uploads)
            else ()
        ),
        *(_read(channel) if isinstance(channel, TwoWay) else ()),
    ]


# ---- what it renders ---------------------------------------------------------------------------------------


def _rendered(channel: Channel, to: str, secrets: tuple[str, ...]) -> Iterator[str]:
    for name, content in corpus().items():
        planned = partial(plan, (content,), channel, to, key=KEY)
        made = _tried(planned)
        if isinstance(made, Exception):
            yield f"{name}: render raises {made!r}"
            continue
        if made != planned():
            yield f"{name}: renders differently the second time"
        for loss in made.losses:
            if "rendered nothing" in loss.lost:
                yield f"{name}: {loss.lost}"
        calls = [step for step in made.steps if isinstance(step, Call)]
        for call in calls:
            yield from (f"{name}: {problem}" for problem in _call(channel, call, secrets))
        ids = [call.id for call in _with_fallbacks(calls)]
        if len(set(ids)) < len(ids):
            yield f"{name}: two calls have the same id"
        if missing := _unsaid(content, made):
            yield f"{name}: lost without a Loss: {', '.join(missing)}"


def _with_fallbacks(calls: Iterable[Call]) -> Iterator[Call]:
    for call in calls:
        yield call
        yield from _with_fallbacks(call.fallback)


def _call(channel: Channel, call: Call, secrets: tuple[str, ...]) -> Iterator[str]:
    if not call.op:
        yield "a call without an op"
    body = _tried(lambda: orjson.dumps(call.body))
    if isinstance(body, Exception):
        yield f"the body is no JSON: {body}"
        return
    shown = msgspec.json.encode(call).decode()
    if any(secret in shown for secret in secrets):
        yield "a secret is in the call; it belongs into request()"
    for token in call.keep:
        if len(token.encode()) > channel.capabilities.payload_bytes:
            yield f"the token {token} is longer than payload_bytes"
        if token not in body.decode():
            yield f"the token {token} is kept but not in the body"
    yield from _request(partial(guard.request, channel, msgspec.structs.replace(call, at=AT)))
    if call.upload and isinstance(channel, Uploads):
        file = Loaded(name=call.upload.name, mime_type="image/png", body=b"...")
        yield from (f"upload: {problem}" for problem in _request(partial(guard.upload, channel, file)))
    elif call.upload:
        yield "a call with an upload, of a channel without upload() and uploaded()"
    for other in call.fallback:
        yield from (f"fallback: {problem}" for problem in _call(channel, other, secrets))


def _request(made: Callable[[], Request]) -> Iterator[str]:
    request = _tried(made)
    if not isinstance(request, Request):
        yield f"request() gives {request!r} in place of a Request"
        return
    if not re.match("[a-z]+:", request.url) or not request.url.isascii() or re.search(r"\s", request.url):
        yield "the request's url is none"
    if any(re.search("[\r\n\0]", f"{name}{value}") for name, value in request.headers.items()):
        yield "a header of the request has a line end in it"
    if made() != request:
        yield "request() gives something else the second time"


# ---- nothing is lost silently ------------------------------------------------------------------------------


def _unsaid(content: Content, made: Plan) -> list[str]:
    """The words of a content that are neither in the calls nor accounted for by a Loss."""
    if made.losses:
        return []
    said = "\n".join(_strings([_shown(call) for call in made.steps if isinstance(call, Call)]))
    words = {word for text in _visible(content) for word in _WORD.findall(text) if len(word) <= _WORD_MAX}
    return sorted(word for word in words if word not in said)


def _shown(call: Call) -> list[Any]:
    """What reaches the user by it, of which a file that is handed over is a part."""
    return [
        call.body,
        call.keep,
        [choice.text for choice in call.numbers],
        call.upload.url if call.upload else "",
    ]


def _visible(content: Any) -> Iterator[str]:
    """What a person sees of a content, or the agent gets back from it."""
    match content:
        case Text() | Handover() | Notice():
            yield content.text
            if isinstance(content, Text):
                yield from _visible(content.author)
                yield from (text for option in content.options for text in _visible(option))
        case Option(label=label, text=value) | Postback(label=label, value=value):
            yield from (label, value)
        case Link() | OpenWebview():
            yield from (content.label, content.url)
        case Media():
            yield content.url
        case Author():
            yield content.name
        case Card():
            yield from (content.title, content.subtitle)
            yield from (text for part in (content.media, *content.buttons) for text in _visible(part))
            match content.default_action:  # a tap has no label
                case Postback(value=said) | Link(url=said) | OpenWebview(url=said):
                    yield said
        case Carousel():
            yield from (text for card in content.cards for text in _visible(card))
        case Webview():
            yield from (content.name, content.label, content.url)
        case Image() | Video() | Audio() | File():
            yield from (content.name, content.url, *_visible(content.author))


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            yield from (text for pair in value.items() for text in _strings(pair))
        case list() | tuple():
            yield from (text for part in value for text in _strings(part))


# ---- how it reads ------------------------------------------------------------------------------------------


def _checked(name: str, check: Callable[[Reply], str | None], secrets: tuple[str, ...]) -> Iterator[str]:
    for reply in replies():
        where = f"{name} of HTTP {reply.status} {dict(reply.headers)} {reply.body[:60]!r}"
        later = reply.status == 429 or reply.status >= 500
        match _tried(partial(check, reply)):
            case SendError() as error:
                if later and isinstance(error, Rejected | Unauthorized | Forbidden):
                    yield f"{where}: says never where the platform says later"
                if any(secret in str(error) for secret in secrets):
                    yield f"{where}: the error's text has a secret in it"
            case str() | None:
                if reply.status >= 400 and reply.status != ALREADY_THERE:
                    yield f"{where}: is taken for sent"
            case ChannelFault() as fault:
                yield f"{where}: {fault}"
            case other:
                yield f"{where}: gives {other!r}, neither an id nor None nor a SendError"


def _read(channel: TwoWay) -> Iterator[str]:
    for inbound in intruders():
        where = f"{inbound.method} {inbound.body[:60]!r}"
        verified = _tried(partial(guard.verify, channel, inbound))
        if verified is not False:
            yield f"verify: gives {verified!r} for a stranger's {where}"
        reading = _tried(partial(guard.read, channel, inbound))
        if isinstance(reading, Exception):
            yield f"read: gives {reading!r} in place of a Reading for {where}"


def _tried(action: Callable[[], T]) -> T | Exception:
    """What the channel gives, or raises: both are looked at."""
    try:
        return action()
    except ChannelFault as fault:
        return fault.__cause__ if isinstance(fault.__cause__, Exception) else fault
    except Exception as error:  # noqa: BLE001 -- any error of a channel is what is looked for
        return error
