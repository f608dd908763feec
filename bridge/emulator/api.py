"""Moveo's API as the bridge uses it, under /v1/custom/{integration_id}."""

from __future__ import annotations

import hmac
import uuid
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from bridge.emulator import script
from bridge.emulator.bodies import (
    AgentSays,
    Attachment,
    ContextChange,
    Download,
    Input,
    NewSession,
    Refused,
    Upload,
    UserSays,
    read,
)
from bridge.emulator.config import EmulatorConfig
from bridge.emulator.files import Files
from bridge.emulator.outbox import Outbox
from bridge.emulator.sessions import Session, Sessions


class Api:
    """The handlers. What a call leads to is the script's decision; the outbox carries it out."""

    def __init__(self, config: EmulatorConfig, outbox: Outbox) -> None:
        self._config = config
        self._outbox = outbox
        self.files = Files()
        self.sessions = Sessions(config.session_seconds, self._expired)

    def routes(self) -> list[web.RouteDef]:
        base = "/v1/custom/{integration_id}/sessions"
        one = base + "/{session_id}"
        return [
            web.post(base, self.create),
            web.patch(f"{one}/context", self.change_context),
            web.post(f"{one}/messages", self.hear),
            web.post(f"{one}/messages/agent", self.agent_says),
            web.post(f"{one}/messages/{{what:read|delivered}}", self.receipt),
            web.post(f"{one}/conversation/close", self.close_conversation),
            web.post(f"{one}/conversation/reopen", self.reopen_conversation),
            web.post(f"{one}/handover", self.hand_over),
            web.post(f"{one}/close", self.close),
            web.post(f"{one}/files/upload-url", self.upload_url),
            web.post(f"{one}/files/download-url", self.download_url),
        ]

    @web.middleware
    async def authorized(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """401 unless the key is right, and the integration is the one the key belongs to."""
        if request.path.startswith("/v1/"):
            given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
            right = f"apikey {self._config.api_key.reveal()}".encode()
            own = request.match_info.get("integration_id") in (None, self._config.integration_id)
            if not (hmac.compare_digest(given, right) and own):
                raise Refused(401, "unauthorized", "The API key is not valid for this integration.")
        return await handler(request)

    async def create(self, request: web.Request) -> web.Response:
        new = await read(request, NewSession)
        context = dict(new.context)
        if new.channel_user_id:
            context["user"] = {**_table(context.get("user")), "custom_psid": new.channel_user_id}
        session = self.sessions.open(new.external_session_id, context, f"{self._url(request)}/media")
        return _answer(201, session_id=session.id, context=context)

    async def change_context(self, request: web.Request) -> web.Response:
        session = self._session(request)
        self._merge(session, (await read(request, ContextChange)).context)
        return _answer(200, context=session.context)

    async def hear(self, request: web.Request) -> web.Response:
        session = self._session(request)
        said = await read(request, UserSays)
        files = self._files(request, said.input)
        self._merge(session, said.context)
        self.sessions.touch(session)
        self._turn(session, script.hear(session.talk, said.input.text, files, session.media_url))
        return _answer(202)

    async def agent_says(self, request: web.Request) -> web.Response:
        """A message that an agent outside of Moveo wrote: taken, and of no effect on the script."""
        session = self._session(request)
        self._files(request, (await read(request, AgentSays)).input)
        self.sessions.touch(session)
        return _answer(202)

    async def receipt(self, request: web.Request) -> web.Response:
        self._session(request)
        return _answer(200)

    async def close_conversation(self, request: web.Request) -> web.Response:
        session = self._session(request)
        if not session.talk.closed:
            self._turn(session, script.close(session.talk))
        return _answer(200)

    async def reopen_conversation(self, request: web.Request) -> web.Response:
        session = self._session(request)
        if session.talk.closed:
            self._turn(session, script.reopen(session.talk))
        return _answer(200)

    async def hand_over(self, request: web.Request) -> web.Response:
        session = self._session(request)
        if session.talk.who != "human":
            self._turn(session, script.handover(session.talk, session.media_url))
        return _answer(200)

    async def close(self, request: web.Request) -> web.Response:
        session = self._session(request)
        self._turn(session, script.end(session.talk, "session:closed"))
        return _answer(200)

    async def upload_url(self, request: web.Request) -> web.Response:
        self._session(request)
        upload = await read(request, Upload)
        file_id = self.files.announce(upload.filename, upload.content_type)
        return _answer(200, upload_url=f"{self._url(request)}/files/{file_id}", file_id=file_id)

    async def download_url(self, request: web.Request) -> web.Response:
        self._session(request)
        file_id = (await read(request, Download)).file_id
        if self.files.get(file_id) is None:
            raise Refused(400, "invalid-payload", "No such file.")
        return _answer(200, download_url=f"{self._url(request)}/files/{file_id}", file_id=file_id)

    def _session(self, request: web.Request) -> Session:
        if session := self.sessions.get(request.match_info["session_id"]):
            return session
        raise Refused(404, "session-not-found", "The session does not exist, or has expired.")

    def _turn(self, session: Session, turn: script.Turn) -> None:
        session.talk, actions = turn
        if session.talk.ended:
            self.sessions.forget(session)
        self._outbox.put(session, actions)

    def _expired(self, session: Session) -> None:
        self._turn(session, script.end(session.talk, "session:expired"))

    def _merge(self, session: Session, context: dict[str, Any]) -> None:
        """Top-level keys are replaced, but for `user`, which is completed."""
        user = {**_table(session.context.get("user")), **_table(context.get("user"))}
        session.context = {**session.context, **context} | ({"user": user} if user else {})

    def _files(self, request: web.Request, said: Input) -> tuple[script.Received, ...]:
        """The attachments. Raises Refused(400) for one without a file, or for nothing said."""
        if not (said.text or said.attachments):
            raise Refused(400, "invalid-payload", "Text or attachments are required.")
        return tuple(self._file(request, attachment) for attachment in said.attachments)

    def _file(self, request: web.Request, attachment: Attachment) -> script.Received:
        upload = self.files.get(attachment.id)
        if upload and upload.content is not None:
            name, url = upload.filename, f"{self._url(request)}/files/{attachment.id}"
        elif _is_web(attachment.url):
            name, url = f"your {attachment.type}", attachment.url
        else:
            raise Refused(
                400, "invalid-payload", "An attachment needs a url, or the id of a finished upload."
            )
        return script.Received(attachment.filename or name, attachment.type, url)

    def _url(self, request: web.Request) -> str:
        return self._config.public_url.rstrip("/") or str(request.url.origin())


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _answer(status: int, **fields: object) -> web.Response:
    return web.json_response({"request_id": f"req-{uuid.uuid4().hex}", **fields}, status=status)
