"""Answers a channel's `check` has to live with: a platform's, a proxy's, and nobody's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bridge.channels import Inbound, Reply

STATUSES: Final = (
    *(
        200,
        201,
        202,
        204,
        301,
        302,
        304,
        400,
        401,
        402,
        403,
        404,
        405,
        408,
        409,
        410,
        412,
        413,
        415,
        418,
        422,
    ),
    *(425, 429, 431, 451, 499, 500, 501, 502, 503, 504, 520, 529, 599),
)
BODIES: Final = (
    b"",
    b"OK",
    b"<html><body><h1>502 Bad Gateway</h1></body></html>",
    b"\xff\xfe\x00 no text at all",
    b'{"cut": "of',
    b"null",
    b"true",
    b"42",
    b'"text"',
    b"[]",
    b"[[[1]]]",
    b"{}",
    b'{"ok": false, "error": "something"}',
    b'{"ok": "yes", "result": {"message_id": {"a": 1}}}',
    b'{"ok": false, "error_code": "x", "description": 7, "parameters": [1]}',
    b'{"ok": false, "parameters": {"retry_after": "soon", "migrate_to_chat_id": null}}',
    b'{"error": {"code": "x", "message": null, "error_data": 1}}',
    b'{"error": "text"}',
    b'{"error": []}',
    b'{"status": "0", "status_message": null, "message_token": []}',
    b'{"messages": []}',
    b'{"messages": [null]}',
    b'{"messages": {"id": 1}}',
    b'{"errcode": 5, "retry_after_ms": "x"}',
    b'{"id": [1]}',
    b'{"name": 1, "sid": {}, "ts": false, "event_id": 0}',
    b'{"code": null, "message": {"a": []}, "retry_after": {}, "global": "x"}',
)
YES: Final = (b'{"ok": true, "result": null}', b'{"ok": true, "result": []}', b'{"ok": true, "result": {}}')
"""What no platform says with an error's status."""
HEADERS: Final[tuple[dict[str, str], ...]] = (
    {},
    {"content-type": "text/html"},
    {"retry-after": "7"},
    {"retry-after": ""},
    {"retry-after": "soon"},
    {"retry-after": "-1"},
    {"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"},
)


def replies() -> Iterator[Reply]:
    """Every status with every body, and every header with those that matter."""
    for status in STATUSES:
        for body in (*BODIES, *(YES if status < 300 else ())):
            yield Reply(status=status, body=body)
    for status in (200, 400, 429, 503):
        for headers in HEADERS:
            for body in (b"", b"{}", BODIES[2]):
                yield Reply(status=status, headers=headers, body=body)


def intruders() -> Iterator[Inbound]:
    """Requests to a channel's webhook that did not come from its platform."""
    for method in ("GET", "POST"):
        for body in (
            *BODIES,
            b'{"message": {"chat": 1, "text": []}}',
            b'{"update_id": 1, "callback_query": 5}',
        ):
            yield Inbound(
                method=method, url="https://bridge.example/channels/x", body=body, at=1_700_000_000.0
            )
    for name in (
        "x-hub-signature-256",
        "x-signature-ed25519",
        "x-telegram-bot-api-secret-token",
        "authorization",
    ):
        yield Inbound(
            method="POST", url="https://bridge.example/channels/x", headers={name: "é\udcff"}, at=1.0
        )
