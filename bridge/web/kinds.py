"""What a file is by its own first bytes: a browser's word for it is only believed of what is not shown.

A page is shown only what is in SHOWN, pictures, sounds and films that run nothing, and only where the bytes
say so. Everything else is a download, whatever it was called: SVG and HTML first of all.
The signatures are those of "MIME Sniffing" (https://mimesniff.spec.whatwg.org), and of the formats' own pages
where it has none (HEIC and AVIF: ISO/IEC 23008-12 and https://aomediacodec.github.io/av1-avif/).
"""

from __future__ import annotations

from typing import Final

from bridge.channels.mime import mime_type

HEAD: Final = 512
"""Bytes that are enough to know a file by."""
UNKNOWN: Final = "application/octet-stream"

SHOWN: Final = frozenset({
    "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif",
    "audio/mpeg", "audio/wav", "audio/ogg", "audio/flac", "audio/mp4", "audio/aac", "audio/webm",
    "video/mp4", "video/quicktime", "video/webm", "video/ogg",
})  # fmt: skip

_STARTS: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"ID3": "audio/mpeg",
    b"fLaC": "audio/flac",
    b"%PDF-": "application/pdf",
}
_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_BRANDS: Final = {
    b"avif": "image/avif", b"avis": "image/avif",
    b"heic": "image/heic", b"heix": "image/heic", b"hevc": "image/heic", b"mif1": "image/heic",
    b"M4A ": "audio/mp4", b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
}  # fmt: skip
_CONTAINERS: Final = {b"OggS": ("audio/ogg", "video/ogg"), b"\x1a\x45\xdf\xa3": ("audio/webm", "video/webm")}
"""What holds a sound or a film: which of the two is the sender's word."""
_TOLD: Final = frozenset({
    "text/plain", "text/csv", "text/calendar", "text/vcard", "text/markdown",
    "application/zip", "application/json", "application/rtf", "application/msword",
    "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
})  # fmt: skip
"""Believed as told: of these, no browser makes a page that runs anything."""


def kind_of(head: bytes, told: str) -> str:
    """The MIME type of a file that begins with `head` and is `told` to be something."""
    said = mime_type(told)
    for start, found in _STARTS.items():
        if head.startswith(start):
            return found
    for start, (sound, film) in _CONTAINERS.items():
        if head.startswith(start):
            return film if said.startswith("video/") else sound
    if head.startswith(b"RIFF") and (riff := _RIFF.get(head[8:12])):
        return riff
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12]) or ("audio/mp4" if said.startswith("audio/") else "video/mp4")
    if len(head) > 1 and head[0] == 0xFF:  # a frame of sound: layer 0 is AAC, layer 3 is MP3
        match head[1] & 0xF6, head[1] & 0xE6:
            case 0xF0, _:
                return "audio/aac"
            case _, 0xE2:
                return "audio/mpeg"
    return said if said in _TOLD else UNKNOWN
