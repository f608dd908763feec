"""Small real files to show: a picture, a sound, a film, a document, and a page for webviews."""

from __future__ import annotations

import io
import struct
import wave
import zlib
from math import pi, sin
from pathlib import Path

from aiohttp import web

FILM = Path(__file__).with_name("clip.webm")
PAGE = """<!doctype html><meta charset="utf-8"><title>Booking</title>
<body style="font:16px system-ui;margin:24px"><h1>Pick a time</h1>
<p>Tuesday, 10:30</p><button>Book</button></body>"""


def png(width: int = 640, height: int = 400, hue: float = 0.0) -> bytes:
    """Hills under a sky, so that a screenshot shows whether it is cropped or stretched."""

    def pixel(x: int, y: int) -> bytes:
        along, down = x / width, y / height
        far = 0.55 + 0.10 * sin(along * 7 + hue)
        near = 0.75 + 0.08 * sin(along * 5 + 2 + hue)
        if down > near:
            return bytes((30, int(90 + 40 * along), 80))
        if down > far:
            return bytes((70, int(130 + 30 * along), 130))
        return bytes((int(250 - 60 * down), int(190 + 30 * down - 20 * hue), int(150 + 90 * down)))

    rows = b"".join(b"\0" + b"".join(pixel(x, y) for x in range(width)) for y in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def wav(seconds: float = 2.0) -> bytes:
    rate = 8_000
    tone = (int(8_000 * sin(2 * pi * 440 * n / rate)) for n in range(int(seconds * rate)))
    target = io.BytesIO()
    with wave.open(target, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"".join(struct.pack("<h", value) for value in tone))
    return target.getvalue()


def routes() -> list[web.AbstractRouteDef]:
    """The files below /media, as some other server of the agent's would serve them."""
    files = {
        "hills.png": (png(), "image/png"),
        "dunes.png": (png(hue=1.5), "image/png"),
        "face.png": (png(96, 96, 2.5), "image/png"),
        "note.wav": (wav(), "audio/wav"),
        "clip.webm": (FILM.read_bytes(), "video/webm"),
        "manual.pdf": (b"%PDF-1.4\n%%EOF\n", "application/pdf"),
        "booking.html": (PAGE.encode(), "text/html"),
    }

    async def get(request: web.Request) -> web.Response:
        body, kind = files[request.match_info["name"]]
        return web.Response(body=body, content_type=kind)

    return [web.get("/media/{name}", get)]
