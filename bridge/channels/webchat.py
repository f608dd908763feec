"""The web chat: the bridge's own page in the browser, which shows every content as it is.

A call becomes an entry of the chat's history (see bridge.web.log); the page does the rendering. Typing signs
are only told to the browsers that look now; of receipts only the latest of a kind matters: they move a mark.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, get_args
from urllib.parse import quote

import msgspec

from bridge.channels import Call, Reply, Request
from bridge.channels.capabilities import Capabilities
from bridge.content import Content, Pause, Receipt, Typing
from bridge.errors import Rejected, Unavailable

SHOWS: Final = frozenset(get_args(Content)) - {Pause}
TYPING_SECONDS: Final = 5.0
"""The page shows a typing sign a little longer than this, so that a renewed one does not flicker."""
FILE_BYTES_MAX: Final = 50_000_000
"""The most a setting may allow: an ingress holds a file in memory while it comes in."""

_ENCODE: Final = msgspec.json.Encoder().encode


class WebChatSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [integrations.NAME.webchat]; all of it is optional.

    `greeting` and `starters` (words to begin with) are shown while a chat is empty. `origins` are the sites
    that may embed the page, as "https://shop.example" (and the page's own, where a proxy changes the header
    Host). `accent` is a colour, as "#1f5eff". A history is kept for `keep_days` after its last message.

    A file that a user sends may have `file_bytes` (0: users send no files), and all that are kept, each for a
    day, `file_total_bytes` together: they are in Redis' memory, and strangers must leave room for events.
    """

    title: str = "Chat"
    subtitle: str = ""
    greeting: str = ""
    starters: tuple[str, ...] = ()
    accent: str = ""
    origins: tuple[str, ...] = ()
    keep_days: float = 30
    file_bytes: int = 5_000_000
    file_total_bytes: int = 250_000_000

    def __post_init__(self) -> None:
        if self.accent and not re.fullmatch(r"#[0-9A-Fa-f]{6}", self.accent):
            raise ValueError('accent must be a colour like "#1f5eff"')
        for origin in self.origins:
            if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?", origin):
                raise ValueError('origins must be sites like "https://shop.example", without a path')
        if not self.keep_days > 0:
            raise ValueError("keep_days must be more than 0")
        if not 0 <= self.file_bytes <= FILE_BYTES_MAX:
            raise ValueError(f"file_bytes must be 0 for no files, or at most {FILE_BYTES_MAX}")
        if self.file_total_bytes < self.file_bytes:
            raise ValueError("file_total_bytes must be at least file_bytes")

    @property
    def keep_seconds(self) -> int:
        return max(1, round(self.keep_days * 86_400))


_DEFAULT: Final = WebChatSettings()


class WebChat:
    name = "webchat"
    Settings = WebChatSettings
    capabilities = Capabilities(
        shows=SHOWS,
        text=20_000,
        caption=1_000,
        options=50,
        option_label=200,
        cards=50,
        card_title=500,
        card_text=4_000,
        card_buttons=20,
        button_label=200,
        payload_bytes=4_096,
        card_action=True,
        links=frozenset({"http", "https", "mailto", "tel"}),
        typing_seconds=TYPING_SECONDS,
        authors=True,
        idempotent=True,
        chat_is_key=True,
    )

    def __init__(self, settings: WebChatSettings = _DEFAULT) -> None:
        self.settings: Final = settings

    def render(self, content: Content, to: str) -> Sequence[Call]:
        match content:
            case Typing():
                return (Call(op="sign", body=msgspec.to_builtins(content), ephemeral=True),)
            case Receipt():
                return (Call(op="mark", body=msgspec.to_builtins(content), ephemeral=True),)
            case _:
                return (Call(op="append", body=msgspec.to_builtins(content)),)

    def request(self, call: Call) -> Request:
        """APPEND to the history, PUBLISH a typing sign, MARK what was read; the body is the page's entry."""
        methods = {"append": "APPEND", "sign": "PUBLISH", "mark": "MARK"}
        return Request(
            method=methods[call.op],
            url=f"chat:{quote(call.to, safe='')}",
            headers={"idempotency-key": call.id, "keep-seconds": str(self.settings.keep_seconds)},
            body=_ENCODE({"id": call.id, "from": "agent", "content": call.body}),
        )

    def check(self, reply: Reply) -> str | None:
        if reply.status == 429 or reply.status >= 500:
            raise Unavailable(f"the chat's history answered {reply.status}")
        if reply.status >= 300:
            raise Rejected(f"the chat's history answered {reply.status}")
        answer = reply.json()
        found = answer.get("id") if isinstance(answer, dict) else None
        return found if isinstance(found, str) else None
