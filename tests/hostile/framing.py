"""Requests that are wrong as HTTP, or right in ways that few expect; each is followed by an honest one."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from typing import Final

from bridge.ingress.signature import HEADER, sign
from bridge.secret import Secret
from tests.hostile.target import MOVEO

HOST: Final = b"Host: bridge.example\r\n"
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
_SECRET: Final = Secret(MOVEO)


def event(name: str) -> bytes:
    return b'{"session_id": "framing", "n": "%b"}' % name.encode()


def proof(body: bytes, secret: Secret = _SECRET) -> bytes:
    return f"{HEADER}: {sign(secret, body)}\r\n".encode()


def length(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n" % len(body)


def post(
    body: bytes, head: bytes, *, path: bytes = b"/moveo/web", version: bytes = b"HTTP/1.1", host: bytes = HOST
) -> bytes:
    return b"POST " + path + b" " + version + b"\r\n" + host + head + b"\r\n" + body


def get(path: bytes, head: bytes = HOST) -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\n" + head + b"\r\n"


def whole(name: str, head: bytes = b"") -> bytes:
    """As Moveo would post it."""
    body = event(name)
    return post(body, proof(body) + length(body) + head)


def after(name: str) -> bytes:
    """An honest request that follows, the last of its connection."""
    return whole(f"after {name}", b"Connection: close\r\n")


def chunks(body: bytes, size: int = 5) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def _right() -> Mapping[str, bytes]:
    """Odd and allowed: taken, once, and the connection goes on."""

    def signed(name: str, head: bytes = b"", **more: bytes) -> bytes:
        body = event(name)
        return post(body, proof(body) + length(body) + head, **more)

    capital = event("capital")
    return {
        "plain": whole("plain"),
        "absolute": signed("absolute", path=b"http://elsewhere.example/moveo/web"),
        "fragment": signed("fragment", path=b"/moveo/web#x"),
        "query": signed("query", path=b"/moveo/web?a=%00&%zz=%ff"),
        "odd host": signed("odd host", host=b"Host: a b/\\@:x:99999\r\n"),
        "bytes in a header": signed("bytes in a header", b"X: \xff\xfe\xc3\xa9\r\n"),
        "many cookies": signed("many cookies", b"Cookie: " + b"a=b;" * 1000 + b"\r\n"),
        "expectation": signed("expectation", b"Expect: 100-continue\r\n"),
        "signature in capitals": post(
            capital, f"{HEADER}: {sign(_SECRET, capital).upper()}\r\n".encode() + length(capital)
        ),
        "signature twice": signed("signature twice", proof(event("signature twice"))),
        "another signature behind": signed("another signature behind", f"{HEADER}: 00\r\n".encode()),
    }


def _last() -> Mapping[str, bytes]:
    """Taken, once, and the last of its connection: it could have a say in what follows."""

    def chunked(name: str, framed: bytes | None = None, head: bytes = CHUNKED) -> bytes:
        body = event(name)
        return post(chunks(body) if framed is None else framed, proof(body) + head)

    upgrade, extended = event("upgrade to h2c"), event("extension")
    h2c = b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
    return {
        "upgrade to h2c": post(upgrade, proof(upgrade) + length(upgrade) + h2c),
        "chunks": chunked("chunks"),
        "chunks of a byte": chunked("chunks of a byte", chunks(event("chunks of a byte"), 1)),
        "extensions of chunks": chunked(
            "extension", b"%x;a=b;%b\r\n%b\r\n0;x\r\n\r\n" % (len(extended), b"c" * 9000, extended)
        ),
        "trailers": chunked("trailers", chunks(event("trailers"))[:-2] + b"X-Moveo-Signature: 00\r\n\r\n"),
        "chunked by a tab": chunked("chunked by a tab", head=b"Transfer-Encoding:\tcHuNkEd\r\n"),
    }


def _wrong() -> Mapping[str, tuple[bytes, frozenset[int]]]:
    """Refused, and nothing of it is kept; what follows on the connection is not another request."""
    body = event("wrong")
    good, size, framed = proof(body), length(body), chunks(body)
    packed = gzip.compress(body)
    inner = post(event("inner"), proof(event("inner")) + length(event("inner")))
    bad, gone = frozenset({400}), frozenset({400, 404, 405})
    cut = frozenset({0, 400})  # the rest is not read, so its sender may not hear the answer

    def framing(head: bytes, sent: bytes = framed) -> tuple[bytes, frozenset[int]]:
        return post(sent, good + head), cut if len(head) + len(sent) > 50_000 else bad

    def te(value: bytes, name: bytes = b"Transfer-Encoding: ") -> tuple[bytes, frozenset[int]]:
        return framing(name + value + b"\r\n")

    def cl(value: bytes, name: bytes = b"Content-Length: ") -> tuple[bytes, frozenset[int]]:
        return framing(name + value + b"\r\n", body)

    number = b"%d" % len(body)
    return {
        "nul bytes": (b"\x00" * 1000, bad),
        "all bytes": (bytes(range(256)) * 4, bad),
        "http 0.9": (b"GET / \r\n\r\n", bad),
        "http 2 preface": (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\0" * 18,
            bad,
        ),
        "tls": (bytes.fromhex("16030100a5010000a10303") + bytes(160), bad),
        "http 9.9": (post(body, good + size, version=b"HTTP/9.9"), bad),
        "http in small letters": (post(body, good + size, version=b"http/1.1"), bad),
        "no method": (b" / HTTP/1.1\r\n\r\n", bad),
        "nul in the method": (b"GE\x00T / HTTP/1.1\r\n\r\n", bad),
        "endless method": (b"A" * 20_000 + b" / HTTP/1.1\r\n\r\n", bad),
        "space in the path": (post(body, good + size, path=b"/moveo web"), bad),
        "nul in the path": (post(body, good + size, path=b"/moveo/web\x00"), bad),
        "raw utf-8 in the path": (post(body, good + size, path="/moveo/é".encode()), bad),
        "endless path": (post(body, good + size, path=b"/" + b"x" * 20_000), bad),
        "port out of range": (post(body, good + size, path=b"http://h:99999999/moveo/web"), bad),
        "broken ipv6": (post(body, good + size, path=b"http://[::1/moveo/web"), bad),
        "no host": (post(body, good + size, host=b""), bad),
        "two hosts": (post(body, good + size, host=HOST + b"Host: b\r\n"), bad),
        "line feeds alone": (post(body, good + size).replace(b"\r\n", b"\n"), bad),
        "endless header": framing(size + b"X: " + b"x" * 100_000 + b"\r\n", body),
        "5,000 headers": framing(size + b"".join(b"X%d: y\r\n" % n for n in range(5000)), body),
        "8 MB of headers": framing(
            size + b"".join(b"X%d: %b\r\n" % (n, b"y" * 8000) for n in range(1000)), body
        ),
        "no colon": framing(size + b"Nonsense\r\n", body),
        "no name": framing(size + b": x\r\n", body),
        "space in a name": framing(size + b"A B: x\r\n", body),
        "nul in a value": framing(size + b"A: x\x00y\r\n", body),
        "carriage return in a value": framing(size + b"A: x\ry\r\n", body),
        "folded line": framing(size + b"A: x\r\n y\r\n", body),
        "length twice": framing(size + size, body),
        "two lengths": framing(size + b"Content-Length: 3\r\n", body),
        "negative length": cl(b"-1"),
        "signed length": cl(b"+" + number),
        "hexadecimal length": cl(b"0x10"),
        "list of lengths": cl(number + b", " + number),
        "empty length": cl(b""),
        "underscore in the length": cl(b"3_6"),
        "length beyond 64 bits": cl(b"9" * 30),
        "space before the colon": cl(number, b"Content-Length : "),
        "length and chunks": framing(size + CHUNKED),
        "chunks and length": framing(CHUNKED + size),
        "length zero and chunks around a request": framing(
            b"Content-Length: 0\r\n" + CHUNKED, chunks(inner, 1000)
        ),
        "length of the first chunk alone": framing(b"Content-Length: 4\r\n" + CHUNKED, chunks(inner, 1000)),
        "identity with a length": framing(size + b"Transfer-Encoding: identity\r\n", body),
        "chunked twice": framing(CHUNKED + CHUNKED),
        "chunked, then gzip": te(b"chunked, gzip"),
        "gzip alone": te(b"gzip"),
        "xchunked": te(b"xchunked"),
        "quoted chunked": te(b'"chunked"'),
        "chunked behind a vertical tab": te(b"\x0bchunked"),
        "chunked with a space before the colon": te(b"chunked", b"Transfer-Encoding : "),
        "chunked in a folded line": te(b"\r\n chunked"),
        "no size of a chunk": framing(CHUNKED, b"zz\r\n" + body),
        "negative size": framing(CHUNKED, b"-1\r\n" + body),
        "size beyond 64 bits": framing(CHUNKED, b"f" * 17 + b"\r\n" + body),
        "size as 0x5": framing(CHUNKED, b"0x5\r\nhello\r\n0\r\n\r\n"),
        "more than the size": framing(CHUNKED, b"5\r\nhelloX\r\n0\r\n\r\n"),
        "chunks by line feeds": framing(CHUNKED, framed.replace(b"\r\n", b"\n")),
        "3 MB of trailers": framing(
            CHUNKED, framed[:-2] + b"".join(b"T%d: %b\r\n" % (n, b"y" * 1000) for n in range(3000))
        ),
        "no length": (post(body, good), frozenset({400, 401})),
        "a length too short": (post(body, good + b"Content-Length: 3\r\n"), frozenset({400, 401})),
        "gzip": (
            post(packed, proof(packed) + length(packed) + b"Content-Encoding: gzip\r\n"),
            frozenset({415}),
        ),
        "bad gzip": (post(body, good + size + b"Content-Encoding: gzip\r\n"), frozenset({415})),
        "another expectation": (post(body, good + size + b"Expect: 200-ok\r\n"), frozenset({417})),
        "connect": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", gone),
        "trace": (b"TRACE /moveo/web HTTP/1.1\r\n" + HOST + b"\r\n", gone),
        "options of everything": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", gone),
        "websocket": (get(b"/moveo/web", HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"), gone),
        "encoded nul in the path": (post(body, good + size, path=b"/moveo/web%00"), gone),
        "no percent encoding": (post(body, good + size, path=b"/moveo/%zz%"), gone),
        "signature of full-width digits": (
            post(body, f"{HEADER}: ０１\r\n".encode() + size),
            frozenset({401}),
        ),
        "signature of bytes": (post(body, f"{HEADER}: ".encode() + b"\xff\xc3\r\n" + size), frozenset({401})),
        "endless signature": (post(body, f"{HEADER}: {'0' * 8000}\r\n".encode() + size), frozenset({401})),
        "another signature before": (
            post(body, f"{HEADER}: 00\r\n".encode() + good + size),
            frozenset({401}),
        ),
        "deep and unsigned": (post(b"[" * 100_000, length(b"[" * 100_000)), frozenset({401})),
        "too large by its own word": (post(b"", good + b"Content-Length: 9999999999\r\n"), frozenset({413})),
    }


RIGHT: Final = _right()
LAST: Final = _last()
WRONG: Final = _wrong()
