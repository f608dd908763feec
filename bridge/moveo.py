"""The client of Moveo's API: sessions and messages of one integration.

Its errors are those every sender speaks (bridge.errors); what Moveo says of a request is reported by its
`error_code` alone, since its message may quote what a person wrote.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote

import msgspec
import orjson

from bridge.channels import Loaded, Reply, Request, User
from bridge.channels.retry_after import retry_after
from bridge.errors import Forbidden, Rejected, SendError, Unauthorized, Unavailable, Uncertain
from bridge.secret import Secret

Send: TypeAlias = Callable[[Request], Awaitable[Reply]]

_CODE: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


class Attached(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file of the user's as Moveo takes it: by a public `url`, or by the `id` of an upload."""

    type: Literal["image", "video", "audio", "file"]
    url: str = ""
    id: str = ""
    mime_type: str = ""
    filename: str = ""


class SessionGone(Rejected):
    """Moveo knows no such session (any more): start a new one."""


class Moveo:
    """Moveo's API as one integration sees it. `send` carries its requests (Sender.send)."""

    def __init__(self, send: Send, url: str, integration_id: str, api_key: Secret) -> None:
        self._send = send
        self._base = f"{url.rstrip('/')}/v1/custom/{quote(integration_id, safe='')}"
        self._api_key = api_key

    async def create_session(self, chat: str, user: User) -> str:
        """Starts a session for the chat, which becomes its external_session_id; gives Moveo's id of it."""
        about = {"display_name": user.name, "language": user.language}
        body: dict[str, Any] = {"external_session_id": chat}
        if user.id:
            body["channel_user_id"] = user.id
        if known := {name: value for name, value in about.items() if value}:
            body["context"] = {"user": known}
        try:
            reply = await self._post(("sessions",), body)
        except SessionGone:
            raise Unauthorized("Moveo does not know this integration_id") from None
        match reply.json():
            case {"session_id": str(session)} if session:
                return session
            case _:
                raise Unavailable("Moveo's reply names no session")

    async def send_message(self, session: str, text: str, attachments: Sequence[Attached] = ()) -> None:
        """Posts what the user said. Raises SessionGone when the session has ended."""
        message: dict[str, Any] = {}
        if text:
            message["text"] = text
        if attachments:
            message["attachments"] = [msgspec.to_builtins(attached) for attached in attachments]
        await self._post(("sessions", session, "messages"), {"input": message})

    async def mark_read(self, session: str) -> None:
        """Says that the user has read what was said so far. Raises SessionGone when the session has ended."""
        await self._post(("sessions", session, "messages", "read"), {})

    async def upload(self, session: str, file: Loaded) -> str:
        """Hands over a file of the user's; gives the id by which an attachment names it."""
        asked = {"filename": file.name, "content_type": file.mime_type}
        reply = await self._post(("sessions", session, "files", "upload-url"), asked)
        match reply.json():
            case {"upload_url": str(url), "file_id": str(file_id)} if file_id:
                put = Request(method="PUT", url=url, headers={"content-type": file.mime_type}, body=file.body)
            case _:
                raise Unavailable("Moveo's reply names no upload")
        try:
            stored = await self._send(put)
        except Uncertain as error:  # a file that is there twice is seen once
            raise Unavailable(str(error)) from None
        if not 200 <= stored.status < 300:
            raise Unavailable(f"Moveo's upload answered {stored.status}")
        return file_id

    async def _post(self, path: tuple[str, ...], body: dict[str, Any]) -> Reply:
        url = "/".join((self._base, *(quote(part, safe="") for part in path)))
        headers = {"authorization": f"apikey {self._api_key.reveal()}", "content-type": "application/json"}
        reply = await self._send(Request(url=url, headers=headers, body=orjson.dumps(body)))
        if not 200 <= reply.status < 300:
            raise error_of(reply)
        return reply


def error_of(reply: Reply) -> SendError:
    """What a reply other than 2xx means."""
    reason = f"Moveo answered {reply.status}"
    match reply.json():
        case {"error_code": str(code)} if _CODE.fullmatch(code):
            reason += f" {code}"
    match reply.status:
        case 401:
            return Unauthorized(reason)
        case 403:  # not one of Moveo's answers: of a firewall that dislikes this body, or us
            return Forbidden(reason)
        case 404:
            return SessionGone(reason)
        case 429:
            return Unavailable(reason, retry_after=retry_after(reply.headers), scope="channel")
        case 504:
            return Uncertain(reason)
        case status if status in (408, 425):
            return Unavailable(reason, scope="chat")
        case status if status >= 500 or status < 400:
            return Unavailable(reason)
        case _:
            return Rejected(reason)
