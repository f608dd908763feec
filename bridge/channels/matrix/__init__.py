"""Matrix, by the client-server API (v1.11 to v1.19) of any homeserver.

A chat's address is the id of its room ("!…"), in which the bot has to be. A call with a transaction id that
the homeserver has seen is answered with the first event and shown once; the id is the call's own.

What Matrix takes, and where it says so, all under https://spec.matrix.org/latest/client-server-api/ :

    an event            65,536 bytes, as it is passed on     #size-limits
    a file              what the homeserver likes            #post_matrixmediav3upload
    a caption           the body beside a filename           #media-captions
    a typing sign       as long as it is asked for           #typing-notifications
    a read receipt      up to an event                       #receipts
    calls               what the homeserver likes            #rate-limiting

Files go out only when they are in the homeserver's content repository, so the worker hands them over. There
are no buttons: options are numbered lines, and cards a picture and a text.

What people write comes to an application service (v1.4 and later of its API), which a homeserver tells of all
events of the rooms the bot is in. It joins the rooms it is invited to.

`messages` renders, `replies` reads what came back, `inbound` and `said` the way back, `setup` helps to set it
up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, assert_never
from urllib.parse import quote

import msgspec
import orjson

from bridge.channels import Call, Inbound, Loaded, Reading, Reply, Request
from bridge.channels.capabilities import Capabilities
from bridge.channels.matrix import inbound as events
from bridge.channels.matrix import messages, replies, setup
from bridge.channels.settings import base_url
from bridge.content import (
    Audio,
    Card,
    Carousel,
    Content,
    File,
    Handover,
    Image,
    Notice,
    Pause,
    Receipt,
    Text,
    Typing,
    Video,
    Webview,
    kind,
)
from bridge.errors import ConfigError
from bridge.secret import Secret

MB: Final = 2**20
_USER_ID: Final = re.compile(r"@[!-9;-~]+:[!-~]+|\*+")
"""https://spec.matrix.org/latest/appendices/#user-identifiers, with room for what older servers let in."""


class MatrixSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [integrations.NAME.matrix]."""

    api_url: str
    """The homeserver, as https://matrix.example.org."""
    user_id: str
    """The bot's own id, as @support:example.org."""
    token: Secret
    """The application service's as_token, or an access token of the bot's."""
    hs_token: Secret | None = None
    """The application service's hs_token, which the homeserver shows; without it nothing is taken."""
    upload_bytes: int = 20 * MB
    """The largest file that is handed over to the homeserver: no more than it takes itself."""


class Matrix:
    """A user of a Matrix homeserver as a channel."""

    name: ClassVar[str] = "matrix"
    Settings = MatrixSettings

    def __init__(self, settings: MatrixSettings) -> None:
        for key, secret in (("token", settings.token), ("hs_token", settings.hs_token)):
            if secret is not None and not re.fullmatch(r"[!-~]+", secret.reveal()):
                raise ConfigError(f"{key}: must be of ASCII letters, digits and signs, without spaces")
        if not _USER_ID.fullmatch(settings.user_id):
            raise ConfigError("user_id: must be the bot's whole id, as @support:example.org")
        if settings.upload_bytes < 1:
            raise ConfigError("upload_bytes: must be at least 1")
        self._api_url = base_url(settings.api_url)
        self._user_id = settings.user_id
        self._token = settings.token
        self._hs_token = settings.hs_token
        self._upload_bytes = settings.upload_bytes
        self.capabilities = Capabilities(
            shows=frozenset({Text, Image, Video, Audio, File, Notice, Typing, Receipt}),
            unit="bytes",
            text=messages.TEXT,
            caption=messages.CAPTION,
            media_bytes=dict.fromkeys(("image", "video", "audio", "file"), settings.upload_bytes),
            typing_seconds=messages.TYPING_SECONDS,
            receipts=frozenset({"read"}),
            idempotent=True,
        )

    def render(self, content: Content, to: str) -> Sequence[Call]:
        match content:
            case Text():
                return messages.text_message(content)
            case Notice():
                return messages.notice(content)
            case Image() | Video() | Audio() | File():
                return messages.file_message(content, self._upload_bytes)
            case Typing(on=on):
                return messages.typing_sign(on=on)
            case Receipt():
                return messages.receipt()
            case Card() | Carousel() | Webview() | Handover() | Pause():
                raise ValueError(f"matrix shows no {kind(content)}: its capabilities say so")
            case _:
                assert_never(content)

    def request(self, call: Call) -> Request:
        method, place = self._place(call)
        path = f"/_matrix/client/v3/rooms/{_part(call.to)}/{place}"
        return self._ask(method, path, messages.body(call))

    def _place(self, call: Call) -> tuple[str, str]:
        match call.op:
            case messages.TYPING:
                return "PUT", f"{call.op}/{_part(self._user_id)}"
            case messages.READ:
                return "POST", f"{call.op}/{_part(call.memo.get(messages.EVENT, ''))}"
            case messages.JOIN:
                return "POST", call.op
            case _:
                return "PUT", f"{call.op}/{_part(call.id)}"

    def check(self, reply: Reply) -> str | None:
        return replies.check(reply)

    def upload(self, file: Loaded) -> Request:
        mime_type = file.mime_type or messages.UNKNOWN_TYPE
        return Request(
            url=f"{self._api_url}/_matrix/media/v3/upload?filename={quote(file.name, safe='')}",
            headers={**self._bearer, "content-type": mime_type},
            body=file.body,
        )

    def uploaded(self, reply: Reply) -> str:
        return replies.uploaded(reply)

    # ---- the way back ----------------------------------------------------------------------------------

    def verify(self, inbound: Inbound) -> bool:
        return events.verify(inbound, self._hs_token)

    def read(self, inbound: Inbound) -> Reading:
        return events.read(inbound, self._user_id)

    def locate(self, source: str) -> Request | None:
        return None  # a file's address says where it is

    def download(self, source: str, located: Reply | None) -> Request:
        server, _, media = source.partition("/")
        url = f"{self._api_url}/_matrix/client/v1/media/download/{_part(server)}/{_part(media)}"
        return Request(method="GET", url=url, headers=self._bearer)

    # ---- setting it up ---------------------------------------------------------------------------------

    def identify(self) -> Request:
        return Request(method="GET", url=f"{self._api_url}{setup.WHOAMI}", headers=self._bearer)

    def identified(self, reply: Reply) -> str:
        return setup.whose(reply, self._user_id)

    def connect(self, url: str) -> Sequence[Request]:
        if not self._hs_token:
            return ()
        return (
            self._ask("POST", setup.REGISTER, setup.account(self._user_id)),
            self._ask("POST", setup.ping_path(self._user_id), {}),
        )

    def steps(self, url: str) -> str:
        return setup.steps(url, self._user_id, complete=self._hs_token is not None)

    def _ask(self, method: str, path: str, body: Mapping[str, Any]) -> Request:
        return Request(
            method=method,
            url=f"{self._api_url}{path}",
            headers={**self._bearer, "content-type": "application/json"},
            body=orjson.dumps(body),
        )

    @property
    def _bearer(self) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self._token.reveal()}"}


def _part(identifier: str) -> str:
    """An identifier as one part of a path; what identifiers begin with stays readable.

    Dots alone would be a way up in the path, escaped or not: twice escaped they are a name that nobody has.
    """
    return quote(identifier if identifier.strip(".") else identifier.replace(".", "%2E"), safe="!@$:")
