"""Requests to fire: whole and well-framed ones with anything in them, each with the answers it may get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Final
from urllib.parse import quote

import msgspec

from bridge.events import EVENT_TYPES
from bridge.events.responses import RESPONSE_TYPES
from bridge.ingress.signature import HEADER, sign
from bridge.samples import sample
from bridge.secret import Secret
from tests.hostile.mutations import encoded, garbled, mutated
from tests.hostile.signers import FORM, SIGNERS, written
from tests.hostile.target import MOVEO
from tests.seed import payloads

KEPT: Final = frozenset({200})
REFUSED: Final = frozenset({401})
UNREADABLE: Final = frozenset({400, 413, 415})
"""What is said of a request that was not taken in, signed or not."""
NAMES: Final = (*SIGNERS, "web")
MOST: Final = 2**20
"""Bytes of a body: what is too large is tried where framing is."""


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    raw: bytes
    allowed: frozenset[int]
    name: str = ""
    body: bytes = b""
    """Of an event of Moveo's that has to be kept for the integration `name`, once, if it is answered 200."""


def request(
    path: str, body: bytes, headers: Mapping[str, str], *, port: int, method: str = "POST", chunks: int = 0
) -> bytes:
    """A request, chunked where `chunks` says how large."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if not chunks:
        lines.append(f"Content-Length: {len(body)}")
        return _head(lines) + body
    lines.append("Transfer-Encoding: chunked")
    parts = [body[at : at + chunks] for at in range(0, len(body), chunks)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return _head(lines) + framed + b"0\r\n\r\n"


def _head(lines: list[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _seeds() -> tuple[Any, ...]:
    """Moveo's own page, and the samples of all types."""
    kinds = [(event, None) for event in EVENT_TYPES] + [
        ("message:brain_send", kind) for kind in RESPONSE_TYPES
    ]
    made = [
        sample(event, response_type=response, session=f"s-{number}", number=number, now_ms=1)
        for number, (event, response) in enumerate(kinds)
    ]
    return (*(payload.data for payload in payloads()), *made)


_SEEDS: Final = _seeds()
_SECRET: Final = Secret(MOVEO)


def signed(rng: Random, count: int, port: int) -> Iterator[Shot]:
    """Two of Moveo's for one of a platform's."""
    for number in range(count):
        yield _event(rng, number, port) if number % 3 else _message(rng, number, port)


def unsigned(rng: Random, count: int, port: int) -> Iterator[Shot]:
    """The same, with no signature or one that is none."""
    for number in range(count):
        if number % 3 == 0:
            yield _message(rng, number, port, known=False)
        elif number % 3 == 1:
            yield _event(rng, number, port, known=False)
        else:
            yield _stray(rng, number, port)


def _event(rng: Random, number: int, port: int, *, known: bool = True) -> Shot:
    body = encoded(rng, mutated(rng, rng.choice(_SEEDS), number))
    if rng.random() < 0.4:
        body = garbled(rng, body)
    body = body[:MOST]
    name, right = rng.choice(NAMES), sign(_SECRET, body)
    headers = {HEADER: _as_written(rng, right)} if known else _forged(rng, HEADER, right)
    raw, encoded_so = _posted(rng, f"/moveo/{name}", body, headers, port)
    if encoded_so:
        return Shot(raw=raw, allowed=UNREADABLE)
    return Shot(raw=raw, allowed=KEPT if known else REFUSED, name=name if known else "", body=body)


def _as_written(rng: Random, signature: str) -> str:
    """The same signature as others might write it."""
    return rng.choice((signature, signature, signature.upper(), f" {signature}  "))


def _forged(rng: Random, header: str, right: str) -> dict[str, str]:
    """Whatever it is, it is not the signature."""
    wrong: tuple[dict[str, str], ...] = (
        {},
        {header: ""},
        {header: right[:-1]},
        {header: right + "00"},
        {header: right[:-2] + ("00" if right[-2:] != "00" else "01")},
        {header: right.replace("a", "é").replace("1", "é").replace("0", "é") + "é"},
        {header: "\xff" * 64},
        {header: "sha256=" + right[::-1]},
        {header: f'{right}", {right}'},
        {header: "0" * 64},
        {header: "x" * 4000},
        {header: "null"},
        {f"X-{header}": right},
    )
    return rng.choice(wrong)


def _message(rng: Random, number: int, port: int, *, known: bool = True) -> Shot:
    kind = rng.choice(list(SIGNERS))
    signer = SIGNERS[kind]
    told = mutated(rng, rng.choice(signer.seeds), number)
    body = written(signer, told) if signer.content_type == FORM else encoded(rng, told)
    if rng.random() < 0.4:
        body = garbled(rng, body)
    body = body[:MOST]
    path = f"/channels/{kind}{signer.path}"
    proof = signer.sign(body, f"http://127.0.0.1:{port}{path}")
    if not known:
        (name, right) = list(proof.items())[-1]
        proof = {**dict(list(proof.items())[:-1]), **_forged(rng, name, right)}
    headers = {"content-type": signer.content_type, **proof}
    raw, encoded_so = _posted(rng, path, body, headers, port, signer.method)
    if encoded_so:
        return Shot(raw=raw, allowed=UNREADABLE)
    return Shot(raw=raw, allowed=_TAKEN.get(kind, KEPT) if known else REFUSED)


_TAKEN: Final = {
    "twilio": KEPT | REFUSED,  # what is no form cannot be signed
    "teams": KEPT | REFUSED,  # the address to answer to is signed, and the garbage may have changed it
    "matrix": KEPT | {404},  # what a homeserver gets for what is no path of its
}


def _posted(
    rng: Random, path: str, body: bytes, headers: Mapping[str, str], port: int, method: str = "POST"
) -> tuple[bytes, bool]:
    """The request in a well-formed shape, and whether it says that its body is encoded."""
    extra: dict[str, str] = {}
    if rng.random() < 0.04:
        extra["Content-Encoding"] = rng.choice(("gzip", "br", "deflate", "zstd", "identity, gzip", "x", ""))
    if rng.random() < 0.1:
        odd = ("é" * 50, "x" * 3000, "a, b,, c", '"\\"', "\t", "")
        extra[rng.choice(("Cookie", "Accept", "Referer", "X-Forwarded-For", "Content-Type"))] = rng.choice(
            odd
        )
    if rng.random() < 0.1 and "channels/twilio" not in path:
        path += "?" + rng.choice(
            ("a=b", "%00", "%zz", "=", "&&&", "a=%ff%fe", "session=x" * 100, quote("\u202e"))
        )
    chunks = rng.choice((0,) * 6 + (1, 7, 1000, 65_536))
    chunks = max(chunks, len(body) // 400)
    chunks = chunks if rng.random() < 0.3 else 0
    taken = {name.lower() for name in headers}
    extra = {name: value for name, value in extra.items() if name.lower() not in taken}
    raw = request(path, body, {**headers, **extra}, port=port, method=method, chunks=chunks)
    return raw, "Content-Encoding" in extra


_PATHS: Final = (
    "/", "//", "/moveo", "/moveo/", "/moveo/nobody", "/moveo/web/", "/moveo/web/x", "/moveo/%00",
    "/moveo/..%2fweb", "/moveo/%77eb%ff", "/channels/web", "/channels/console", "/channels/nobody/x",
    "/livez", "/readyz", "/metrics",
    "/chat", "/chat/telegram", "/chat/web/static/../../page.html", "/chat/web/static/x/..%2f..%2fpage.py",
    "/chat/web/files/%2e%2e", "/chat/web/files/x", "/.env", "/admin", "/" + "x" * 6000, "/?" + "a=b&" * 1000,
    "http://169.254.169.254/latest", "*", "/\u00e9",
)  # fmt: skip
_METHODS: Final = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "POST")
_NOT_FOUND: Final = frozenset({400, 401, 403, 404, 405, 409, 410, 411, 413, 414, 415, 416, 422, 429})


def _stray(rng: Random, number: int, port: int) -> Shot:
    """A stranger who looks around: other paths, other methods, and the chat, which is for anybody."""
    if rng.random() < 0.4:
        path, method = rng.choice(_PATHS), rng.choice(_METHODS)
        body = b"" if rng.random() < 0.5 else rng.randbytes(rng.randrange(100))
        raw = request(path, body, {}, port=port, method=method)
        return Shot(raw=raw, allowed=_NOT_FOUND)
    return Shot(raw=_chat(rng, number, port), allowed=_NOT_FOUND | {200, 206, 304, 308})


def _chat(rng: Random, number: int, port: int) -> bytes:
    chat = rng.choice(
        (f"chat-{number:08}", f"chat-{number % 50:08}", "x", "", "\ud800", "a" * 200, "../../../x")
    )
    match rng.randrange(5):
        case 0:
            told = {"chat": chat, "id": f"message-{number}", "text": "Hi", "files": [], "label": "a"}
            body = encoded(rng, mutated(rng, told, number))
            kind = rng.choice(("application/json",) * 9 + ("text/plain", "multipart/form-data; boundary=x"))
            headers = {"Content-Type": kind}
            if rng.random() < 0.2:
                headers["Origin"] = rng.choice(
                    ("null", "https://evil.example", f"http://127.0.0.1:{port}", "http://[")
                )
            return request("/chat/web/messages", body, headers, port=port)
        case 1:
            where = f"/chat/web/files?chat={_q(chat)}&name={_q(rng.choice(_NAMES))}"
            head = rng.choice((b"\x89PNG\r\n\x1a\n", b"GIF89a", b"%PDF-1.7", b"<html>", b"PK\x03\x04", b""))
            body = head + rng.randbytes(rng.choice((0, 10, 500)))
            return request(where, body, {"Content-Type": rng.choice(_NAMES)}, port=port)
        case 2:
            after = _q(rng.choice(("0", "1-1", "-", "9" * 30, "x", "99999999999999999999-0")))
            method = rng.choice(("GET", "GET", "HEAD"))
            bad = rng.choice(("x", "", "a" * 200))
            return request(f"/chat/web/events?chat={bad}&after={after}", b"", {}, port=port, method=method)
        case 3:
            ranges = {
                "Range": rng.choice(
                    ("bytes=0-", "bytes=-1", "bytes=9-1", "bytes=" + "9" * 40 + "-", "x", "\xff")
                )
            }
            return request(f"/chat/web/files/{_q(rng.choice(_NAMES))}", b"", ranges, port=port, method="GET")
        case _:
            path = rng.choice(
                ("", "/", "/embed.js", "?session=%ff%00", "/static/x/chat.js", "/static/%2e%2e/x")
            )
            return request(
                f"/chat/web{path}", b"", {"Host": "x"} if path == "?" else {}, port=port, method="GET"
            )


_NAMES: Final = (
    "a.png",
    "../../a",
    "a\x00b",
    "\u202egpj.exe",
    "",
    "x" * 3000,
    "C:\\a.txt",
    "text/html",
    "\ud800",
)


def _q(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"))
