"""Files that users send: LINE keeps them for a while, and gives them to the account alone.

https://developers.line.biz/en/reference/messaging-api/#get-content, at a host of its own. A video or a sound
has to be made ready first; until then LINE has nothing to give, so it is asked how far it is:
reference/messaging-api/#verify-video-or-audio-preparation-status. What comes from elsewhere ("external": sent
by a page inside LINE) has a public address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from bridge.channels import Attachment, Reply
from bridge.channels.line import replies
from bridge.channels.links import web_address
from bridge.channels.mime import Kind
from bridge.errors import Rejected, Unavailable, Uncertain

KINDS: Final[Mapping[str, Kind]] = {"image": "image", "video": "video", "audio": "audio", "file": "file"}
PREPARED: Final = frozenset({"video", "audio"})
API: Final = "https://api.line.me"
DATA: Final = "https://api-data.line.me"
"""Where the content is; another address of the API has it beside the rest."""
_ID: Final = re.compile("[0-9]{1,40}")


class Provider(msgspec.Struct, frozen=True, rename="camel"):
    """Who has the file."""

    type: str = "line"
    original_content_url: str | None = None


def attached(kind: str, message: str, provider: Provider, name: str) -> tuple[Attachment, ...]:
    """The message's file, if it is one; its source is the kind and the message's id."""
    if kind not in KINDS:
        return ()
    url = web_address(provider.original_content_url or "")
    if provider.type == "external" and url:
        return (Attachment(type=KINDS[kind], url=url, filename=name),)
    if provider.type != "line" or not _ID.fullmatch(message):
        return ()
    return (Attachment(type=KINDS[kind], source=f"{kind}/{message}", filename=name),)


def content(api_url: str, source: str) -> str:
    """Where the file is. Raises Rejected for a source that is none of ours."""
    _, _, message = source.partition("/")
    if not _ID.fullmatch(message):
        raise Rejected("LINE has no such file")
    return f"{DATA if api_url == API else api_url}/v2/bot/message/{message}/content"


def preparation(api_url: str, source: str) -> str | None:
    """Where LINE tells whether the file is ready; None for one that is ready from the first."""
    kind, _, _ = source.partition("/")
    return f"{content(api_url, source)}/transcoding" if kind in PREPARED else None


def ready(located: Reply | None) -> None:
    """Raises Unavailable while the file is not, and the SendError that fits where it will never be."""
    if located is None:
        return
    match located.json():
        case {"status": "succeeded"} if located.status == 200:
            return
        case {"status": "processing"} if located.status == 200:
            raise Unavailable("LINE is still preparing the file")
        case {"status": "failed"} if located.status == 200:
            raise Rejected("LINE could not prepare the file")
        case _:
            try:
                replies.check(located)
            except Uncertain as error:  # asking twice does no harm
                raise Unavailable(str(error)) from None
            raise Unavailable("LINE does not say whether the file is ready")
