"""A Bot API server on loopback: answers as Telegram does, checks what it is sent, and fails on request.

    async with FakeTelegram() as telegram:
        telegram.will(too_many(2), chat=7)             # the next call for chat 7 is answered so, once
        ...                                            # Settings(token=telegram.token, api_url=telegram.url)
        await telegram.received(3)                     # until three calls have come
        assert telegram.shown(7) == ["Hello!"]

A call that Telegram would refuse is answered 400 and noted in `problems`, which every test may assert empty.
`files` are those it keeps, by their file_id.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeAlias

import orjson
from aiohttp import web

from tests.channels.telegram_rules import MEDIA, problems

TOKEN = "123456:a-token-that-must-never-be-seen"


@dataclass(frozen=True)
class Received:
    """A call as it arrived. `message_id` is set once it was answered with one: the user has seen it."""

    op: str
    body: Mapping[str, Any]
    message_id: list[int] = field(default_factory=list)

    @property
    def chat(self) -> int | str | None:
        return self.body.get("chat_id")

    @property
    def said(self) -> str:
        """What the user reads; the address of a file that has no caption."""
        words = self.body.get("text") or self.body.get("caption") or self.body.get(MEDIA.get(self.op, ""), "")
        return str(words)


Answer: TypeAlias = Callable[["FakeTelegram"], Awaitable[web.StreamResponse]]
"""What is done in place of a proper answer."""


def failure(code: int, description: str, *, wait: int | None = None, **parameters: Any) -> Answer:
    """Telegram's own no; `wait` is its Retry-After header."""
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = parameters
    headers = {} if wait is None else {"Retry-After": str(wait)}

    async def answer(_: FakeTelegram) -> web.StreamResponse:
        return _json(body, status=code, headers=headers)

    return answer


def too_many(seconds: int) -> Answer:
    reason = f"Too Many Requests: retry after {seconds}"
    return failure(429, reason, wait=seconds, retry_after=seconds)


BLOCKED = failure(403, "Forbidden: bot was blocked by the user")
CHAT_NOT_FOUND = failure(400, "Bad Request: chat not found")
CANNOT_FETCH = failure(400, "Bad Request: failed to get HTTP URL content")
BAD_TOKEN = failure(401, "Unauthorized")
SERVER_ERROR = failure(500, "Internal Server Error")


def upgraded(to: int) -> Answer:
    """The group has become another chat."""
    return failure(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=to)


def garbage(status: int = 502, body: bytes = b"<html>Bad Gateway</html>") -> Answer:
    """What a proxy on the way says."""

    async def answer(_: FakeTelegram) -> web.StreamResponse:
        return web.Response(status=status, body=body, content_type="text/html")

    return answer


async def hang(server: FakeTelegram) -> web.StreamResponse:
    """The call is taken, and never answered."""
    await server.stopping.wait()
    return web.Response(status=503)


async def cut(server: FakeTelegram) -> web.StreamResponse:
    """The call is taken, and the connection dies before the answer."""
    raise ConnectionResetError


@dataclass
class _Order:
    answer: Answer
    op: str | None
    chat: int | None

    def fits(self, call: Received) -> bool:
        return self.op in (None, call.op) and self.chat in (None, call.chat)


class FakeTelegram:
    """See the module. `calls` has every call in the order of arrival, refused ones too."""

    def __init__(self, token: str = TOKEN, *, validate: bool = True) -> None:
        self.token = token
        self.calls: list[Received] = []
        self.problems: list[str] = []
        self.files: dict[str, bytes] = {}
        self.stopping = asyncio.Event()
        self._validate = validate
        self._orders: list[_Order] = []
        self._numbers = itertools.count(1)
        self._arrived = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/bot{token}/{op}", self._take)
        app.router.add_get("/file/bot{token}/files/{file_id}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self.stopping.set()
        if self._runner:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """The setting `api_url`."""
        return f"http://127.0.0.1:{self._port}"

    def will(self, *answers: Answer, op: str | None = None, chat: int | None = None) -> None:
        """The next calls (of this method, for this chat) are answered so, one each."""
        self._orders += [_Order(answer, op, chat) for answer in answers]

    async def received(self, count: int, *, seconds: float = 10) -> None:
        """Returns once `count` calls have arrived in all."""
        async with asyncio.timeout(seconds), self._arrived:
            await self._arrived.wait_for(lambda: len(self.calls) >= count)

    def shown(self, chat: int) -> list[str]:
        """What the chat's user has read, in order: only calls that were answered with a message."""
        return [call.said for call in self.calls if call.chat == chat and call.message_id]

    async def _take(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self.token:
            return _json({"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401)
        call = Received(request.match_info["op"], orjson.loads(await request.read() or b"{}"))
        async with self._arrived:
            self.calls.append(call)
            self._arrived.notify_all()
        order = next((order for order in self._orders if order.fits(call)), None)
        if order is not None:
            self._orders.remove(order)
            try:
                return await order.answer(self)
            except ConnectionResetError:
                assert request.transport
                request.transport.abort()
                return web.Response(status=503)
        return self._answer(call)

    def _answer(self, call: Received) -> web.StreamResponse:
        faults = problems(call.op, call.body) if self._validate else []
        if faults:
            self.problems += faults
            return _json(
                {"ok": False, "error_code": 400, "description": f"Bad Request: {faults[0]}"}, status=400
            )
        if call.op == "getMe":
            return _result({"id": 123456, "is_bot": True, "first_name": "Fake", "username": "fake_bot"})
        if call.op == "getFile":
            return self._located(call.body["file_id"])
        if call.op == "getWebhookInfo":
            hooks = [made.body for made in self.calls if made.op in ("setWebhook", "deleteWebhook")]
            url = hooks[-1].get("url", "") if hooks else ""
            return _result({"url": url, "has_custom_certificate": False, "pending_update_count": 0})
        if not call.op.startswith("send") or call.op == "sendChatAction":
            return _result(True)
        call.message_id.append(next(self._numbers))
        return _result(
            {"message_id": call.message_id[0], "date": 1_700_000_000, "chat": {"id": call.chat}, **call.body}
        )

    def _located(self, file_id: str) -> web.Response:
        if file_id not in self.files:
            wrong = "Bad Request: wrong file_id or the file is temporarily unavailable"
            return _json({"ok": False, "error_code": 400, "description": wrong}, status=400)
        found = {"file_id": file_id, "file_unique_id": "u", "file_path": f"files/{file_id}"}
        return _result(found)

    async def _file(self, request: web.Request) -> web.Response:
        file = self.files.get(request.match_info["file_id"])
        if request.match_info["token"] != self.token or file is None:
            raise web.HTTPNotFound
        return web.Response(body=file, content_type="application/octet-stream")


def _result(result: object) -> web.Response:
    return _json({"ok": True, "result": result})


def _json(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status, headers=headers, body=orjson.dumps(body), content_type="application/json"
    )


# ---- what Telegram posts -----------------------------------------------------------------------------------


def sender(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": number, "is_bot": False, "first_name": "Ada", "language_code": "en", **fields}


def message_update(update_id: int, chat: int, text: str = "", **fields: Any) -> dict[str, Any]:
    """An update with a message of the user; further fields as `photo`, `caption` or `location`."""
    message = {
        "message_id": update_id,
        "date": 1_700_000_000,
        "chat": {"id": chat, "type": "private"},
        "from": sender(chat),
        **fields,
    }
    if text:
        message["text"] = text
    return {"update_id": update_id, "message": message}


def press_update(update_id: int, chat: int, button: Mapping[str, Any]) -> dict[str, Any]:
    """An update with a press on a button as it was sent ({"text", "callback_data"})."""
    under = message_update(update_id, chat, "…", reply_markup={"inline_keyboard": [[button]]})["message"]
    return {
        "update_id": update_id,
        "callback_query": {
            "id": f"press-{update_id}",
            "from": sender(chat),
            "chat_instance": "1",
            "message": under,
            "data": button["callback_data"],
        },
    }
