"""What a file is by its MIME type: as platforms' events name it, and as Moveo tells files apart."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["image", "video", "audio", "file"]

_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}")


def mime_type(said: str) -> str:
    """The type in small letters and without parameters; "" for what is none."""
    found = said.partition(";")[0].strip().lower()
    return found if _TYPE.fullmatch(found) else ""


def kind(mime_type: str) -> Kind:
    """What to show the file as; what has a picture, a film or a sound in it only by its name is a file."""
    match mime_type.partition("/"):
        case ("image", _, form) if form not in ("svg+xml", "vnd.adobe.photoshop", "vnd.dwg", "vnd.dxf"):
            return "image"
        case ("video", _, _):
            return "video"
        case ("audio", _, _):
            return "audio"
        case _:
            return "file"
