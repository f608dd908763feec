"""What Twilio would say of a request: by its own SDK making the same call, and by the limits beside it."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bridge.channels import Request

ADDRESS = re.compile(r"(whatsapp:)?\+[1-9][0-9]{6,14}")
SID = re.compile("(SM|MM)[0-9a-fA-F]{32}")
SENDER = re.compile(r"(whatsapp:)?\+[1-9][0-9]{6,14}|[0-9]{3,8}|[A-Za-z0-9 ]{1,11}")


def fields(request: Request) -> dict[str, Any]:
    """The form: MediaUrl as a list, every other field once."""
    form = parse_qs(request.body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict")
    return {name: values if name == "MediaUrl" else values[0] for name, values in form.items()}


def problems(request: Request) -> list[str]:
    """Everything Twilio would refuse in the request; empty for a good one."""
    if request.url.endswith("/Indicators/Typing.json"):
        return list(_unlike_the_sdk(request, fields(request)))
    form = parse_qs(request.body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict")
    twice = [
        f"{name}: given twice" for name, values in form.items() if name != "MediaUrl" and len(values) > 1
    ]
    sent = fields(request)
    return [*twice, *_unlike_the_sdk(request, sent), *_beyond_limits(sent)]


def _unlike_the_sdk(request: Request, sent: Mapping[str, Any]) -> Iterator[str]:
    credentials = request.headers["authorization"].removeprefix("Basic ")
    user, _, password = b64decode(credentials, validate=True).decode().partition(":")
    path = urlsplit(request.url).path
    account = path.split("/")[3] if "/Accounts/" in path else None
    try:
        wire = _sent_by_sdk(user, password, account, {_argument(name): sent[name] for name in sent})
    except TypeError as error:  # an argument that the SDK does not know
        yield str(error)
        return
    if wire != (request.method, request.url, dict(sent), (user, password)):
        yield f"the SDK sends {wire[:3]}"
    if account is None and not SID.fullmatch(sent["messageId"]):
        yield f"{sent['messageId']} is no message"


def _argument(name: str) -> str:
    snake = re.sub("(?<!^)(?=[A-Z])", "_", name).lower()
    return "from_" if snake == "from" else snake


def _sent_by_sdk(
    user: str, password: str, account: str | None, arguments: Mapping[str, Any]
) -> tuple[Any, ...]:
    """A message of the account; without one, a typing sign."""
    client, wire = _sdk(user, password, account)
    (client.messages if account else client.messaging.v2.typing_indicator).create(**arguments)
    return wire.pop()


@cache
def _sdk(user: str, password: str, account: str | None) -> tuple[Any, list[tuple[Any, ...]]]:
    from twilio.http.response import Response
    from twilio.rest import Client

    wire: list[tuple[Any, ...]] = []

    class Wire:
        def request(self, method: str, url: str, **rest: Any) -> Any:
            wire.append((method, url, rest["data"], rest["auth"]))
            return Response(201, '{"sid": "SM1"}')

    return Client(user, password, account, http_client=Wire()), wire


def _beyond_limits(sent: Mapping[str, Any]) -> Iterator[str]:
    to, sender, body, media = (sent.get(name, "") for name in ("To", "From", "Body", "MediaUrl"))
    if not ADDRESS.fullmatch(to):
        yield f"21211: {to} is no address"
    if ("From" in sent) == ("MessagingServiceSid" in sent):
        yield "either From or MessagingServiceSid"
    if sender and not SENDER.fullmatch(sender):
        yield f"21212: {sender} is no sender"
    if sender and sender.startswith("whatsapp:") != to.startswith("whatsapp:"):
        yield "21910: of two channels"
    if not media and not body.strip():
        yield "21602: nothing to send"
    if _units(body) > 1600:
        yield f"21617: a body of {_units(body)} units"
    if len(media) > (1 if to.startswith("whatsapp:") else 10):
        yield f"21623: {len(media)} files"
    if media and to.startswith("whatsapp:") and _units(body) > 1024:
        yield f"63021: a caption of {_units(body)} units"
    for url in media:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii() or " " in url:
            yield f"21620: {url} is no address to fetch"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
