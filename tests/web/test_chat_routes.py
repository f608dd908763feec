"""The routes: the page and its headers, the stream and where it goes on, what the user may say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from bridge.channels import Click, UserMessage
from bridge.content import Receipt, Text, Typing
from bridge.errors import ConfigError
from bridge.ingress import chat
from bridge.ingress.chat import said, told
from bridge.queue import Limits
from bridge.web.stream import PAGE
from tests.web.site import NAME, Site

CHAT = "chat-0001"
JSON = {"Content-Type": "application/json"}


def message(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {"chat": CHAT, "id": f"m-000000{number}", "text": "hi"} | fields


class Stream:
    """A browser's end of the stream: events as (name, id, data)."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def event(self) -> tuple[str, str, Any]:
        fields = {"event": "message", "id": ""}
        async with asyncio.timeout(10):
            while line := (await self.response.content.readline()).decode():
                name, _, value = line.rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                elif "data" in fields:
                    return fields["event"], fields["id"], json.loads(fields["data"])
        raise EOFError("the stream ended")

    async def until_ready(self) -> list[tuple[str, str, Any]]:
        found = []
        while (event := await self.event())[0] != "ready":
            found.append(event)
        return found

    async def texts(self, count: int) -> list[str]:
        found: list[str] = []
        while len(found) < count:
            name, _, data = await self.event()
            if name == "message":
                found.append(data["content"]["text"])
        return found


@asynccontextmanager
async def stream(
    site: Site, http: aiohttp.ClientSession, after: str = "", chat_id: str = CHAT
) -> AsyncIterator[Stream]:
    headers = {"Last-Event-ID": after} if after else {}
    async with http.get(f"{site.url}/events", params={"chat": chat_id}, headers=headers) as response:
        assert response.status == 200
        yield Stream(response)


async def post(site: Site, http: aiohttp.ClientSession, body: Any, **headers: str) -> int:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with http.post(f"{site.url}/messages", data=data, headers=JSON | headers) as response:
        return response.status


# ---- the page ----------------------------------------------------------------------------------------------


async def test_the_page_comes_with_its_policy(site: Site, http: aiohttp.ClientSession) -> None:
    async with http.get(site.url) as response:
        assert response.content_type == "text/html"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_a_slash_at_the_end_leads_to_the_page(site: Site, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{site.url}/?session=chat-0001&x=a%26b") as response:
        assert response.url.raw_query_string == "session=chat-0001&x=a%26b"
        assert response.url.path == f"/chat/{NAME}"


async def test_files_are_kept_for_good_under_their_version_only(
    site: Site, http: aiohttp.ClientSession
) -> None:
    async with http.get(site.url) as response:
        version = (await response.text()).split("/static/")[1].split("/")[0]
    async with http.get(f"{site.url}/static/{version}/app.js") as current:
        assert current.content_type == "text/javascript"
        assert "immutable" in current.headers["Cache-Control"]
    async with http.get(f"{site.url}/static/older/app.js") as older:
        assert (older.status, older.headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.parametrize("name", ["page.html", "..%2Flog.py", "%2e%2e/log.py", "nothing.js"])
async def test_nothing_but_the_files_is_given(site: Site, http: aiohttp.ClientSession, name: str) -> None:
    async with http.get(f"{site.url}/static/v/{name}") as response:
        assert response.status == 404


async def test_the_script_for_other_sites_may_be_loaded_by_them(
    site: Site, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{site.url}/embed.js") as response:
        assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_a_wrong_table_is_refused_before_anything_starts(redis_client: Redis) -> None:
    site = Site(redis_client, table={"acent": "#000000"})
    with pytest.raises(ConfigError, match="acent"):
        chat.routes(site.integration, site.log, site.queue, site.metrics)


# ---- what follows the chat ---------------------------------------------------------------------------------


async def test_history_first_then_what_comes(site: Site, http: aiohttp.ClientSession) -> None:
    await site.agent(CHAT, Text("one"), Text("two"))
    async with stream(site, http) as browser:
        assert [data["content"]["text"] for _, _, data in await browser.until_ready()] == ["one", "two"]
        await site.agent(CHAT, Text("three"))
        assert await browser.texts(1) == ["three"]


async def test_a_long_history_comes_whole(site: Site, http: aiohttp.ClientSession) -> None:
    spoken = [str(number) for number in range(3 * PAGE + 7)]
    await site.agent(CHAT, *map(Text, spoken))
    async with stream(site, http) as browser:
        assert await browser.texts(len(spoken)) == spoken


@pytest.mark.parametrize("way", ["header", "query"])
async def test_it_goes_on_after_the_last_id(site: Site, http: aiohttp.ClientSession, way: str) -> None:
    ids = await site.agent(CHAT, *(Text(str(number)) for number in range(4)))
    last = ids[1] or ""
    params = {"chat": CHAT} | ({"after": last} if way == "query" else {})
    headers = {"Last-Event-ID": last} if way == "header" else {}
    async with http.get(f"{site.url}/events", params=params, headers=headers) as response:
        assert await Stream(response).texts(2) == ["2", "3"]


async def test_typing_is_heard_by_who_looks_and_kept_for_nobody(
    site: Site, http: aiohttp.ClientSession
) -> None:
    async with stream(site, http) as browser:
        await browser.until_ready()
        await site.agent(CHAT, Typing(True))
        assert (await browser.event())[0] == "sign"
    async with stream(site, http) as later:
        assert await later.until_ready() == []


async def test_marks_are_told_when_they_move_and_outlive_the_stream(
    site: Site, http: aiohttp.ClientSession
) -> None:
    (place,) = await site.agent(CHAT, Text("one"))
    async with stream(site, http) as browser:
        await browser.until_ready()
        await site.agent(CHAT, Receipt("read"))
        assert await browser.event() == ("marks", "", {"read": place})
    async with stream(site, http) as later:
        assert ("marks", "", {"read": place}) in await later.until_ready()


async def test_a_quiet_stream_says_that_it_lives(
    site: Site, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "BEAT_SECONDS", 0.05)
    async with stream(site, http) as browser:
        await browser.until_ready()
        assert (await browser.event())[0] == "beat"


async def test_many_browsers_and_chats_each_hear_their_own_in_order(
    site: Site, http: aiohttp.ClientSession
) -> None:
    chats = [f"chat-10{number:02}" for number in range(12)]
    spoken = [str(number) for number in range(20)]

    async def browse(chat_id: str) -> list[str]:
        async with stream(site, http, chat_id=chat_id) as browser:
            return await browser.texts(len(spoken))

    async def speak(chat_id: str) -> None:
        for text in spoken:
            await site.agent(chat_id, Text(f"{chat_id} {text}"))

    async with asyncio.TaskGroup() as group:
        browsers = {chat_id: group.create_task(browse(chat_id)) for chat_id in chats for _ in range(2)}
        for chat_id in chats:
            group.create_task(speak(chat_id))
    for chat_id, browser in browsers.items():
        assert browser.result() == [f"{chat_id} {text}" for text in spoken]


@pytest.mark.parametrize(
    ("query", "header"),
    [
        ("", ""),
        ("?chat=short", ""),
        ("?chat=chat-0001&after=x", ""),
        ("?chat=chat-0001", "0 x"),
        ("?chat=chat-0001", "１-１"),
    ],
    ids=["no chat", "no such chat", "wrong after", "wrong header", "foreign digits"],
)
async def test_a_stream_of_nothing_is_refused(
    site: Site, http: aiohttp.ClientSession, query: str, header: str
) -> None:
    headers = {"Last-Event-ID": header} if header else {}
    async with http.get(f"{site.url}/events{query}", headers=headers) as response:
        assert response.status == 400


async def test_the_windows_on_one_chat_are_bounded(
    site: Site, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "WINDOWS", 1)
    async with stream(site, http) as browser:
        await browser.until_ready()
        async with http.get(f"{site.url}/events", params={"chat": CHAT}) as second:
            assert second.status == 429


async def test_who_takes_nothing_is_let_go(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "WRITE_SECONDS", 0.2)
    monkeypatch.setattr(told, "BEAT_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=1024)
    writer.write(f"GET /chat/{NAME}/events?chat={CHAT} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await reader.readexactly(16)
    async with asyncio.timeout(20):
        for number in range(400):
            await site.agent(CHAT, Text("x" * 19_000 + str(number)))
        while site.watching(CHAT):
            await asyncio.sleep(0.05)
    writer.close()


async def test_stopping_ends_the_streams_at_once(site: Site, http: aiohttp.ClientSession) -> None:
    async with stream(site, http) as browser:
        await browser.until_ready()
        async with asyncio.timeout(3):
            await site.stop()
        with pytest.raises(EOFError):
            await browser.event()


async def test_stopping_waits_for_no_browser_that_takes_nothing(site: Site) -> None:
    for number in range(400):
        await site.agent(CHAT, Text("x" * 19_000 + str(number)))
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=1024)
    writer.write(f"GET /chat/{NAME}/events?chat={CHAT} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await reader.readexactly(16)
    async with asyncio.timeout(3):
        await site.stop()
    writer.close()


# ---- what the user says ------------------------------------------------------------------------------------


async def test_words_are_shown_first_and_pushed_once(site: Site, http: aiohttp.ClientSession) -> None:
    statuses = [await post(site, http, message(), **{"Accept-Language": "el-GR,el;q=0.8"}) for _ in range(3)]
    assert statuses == [200, 200, 200]
    (entry,) = await site.log.read(CHAT)
    assert json.loads(entry.data) == {
        "id": "m-0000001", "from": "user", "content": {"type": "text", "text": "hi"},
    }  # fmt: skip
    (heard,) = await site.heard()
    assert isinstance(heard, UserMessage)
    assert (heard.chat, heard.id, heard.text, heard.user.language) == (CHAT, "m-0000001", "hi", "el-GR")


async def test_a_press_shows_its_label_and_pushes_its_payload(
    site: Site, http: aiohttp.ClientSession
) -> None:
    assert await post(site, http, message(text="", payload="node:7", label="Book it")) == 200
    (entry,) = await site.log.read(CHAT)
    assert json.loads(entry.data)["content"]["text"] == "Book it"
    assert await site.heard() == [Click(chat=CHAT, id="m-0000001", payload="node:7", label="Book it")]


async def test_messages_of_a_chat_are_pushed_in_order(site: Site, http: aiohttp.ClientSession) -> None:
    for number in range(5):
        await post(site, http, message(number, text=str(number)))
    assert [one.id for one in await site.heard()] == [f"m-000000{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(message(), {"Origin": "https://evil.example"}, 403, id="another site"),
        pytest.param(message(), {"Origin": "null"}, 403, id="no site"),
        pytest.param(message(), {"Content-Type": "text/plain"}, 415, id="no JSON"),
        pytest.param(message(), {"Content-Encoding": "gzip"}, 415, id="encoded"),
        pytest.param(b"{", {}, 400, id="broken JSON"),
        pytest.param(message(text=""), {}, 400, id="says nothing"),
        pytest.param(message(text="x" * 9000), {}, 413, id="too large"),
    ],
)
async def test_what_is_refused_is_neither_shown_nor_pushed(
    site: Site, http: aiohttp.ClientSession, body: Any, headers: dict[str, str], status: int
) -> None:
    assert await post(site, http, body, **headers) == status
    assert await site.log.read(CHAT) == []
    assert await site.heard() == []


async def test_the_page_itself_may_speak(site: Site, http: aiohttp.ClientSession) -> None:
    assert await post(site, http, message(), Origin=site.origin) == 200


async def test_who_speaks_too_fast_has_to_wait(site: Site, http: aiohttp.ClientSession) -> None:
    statuses = [await post(site, http, message(id=f"m-{number:08}")) for number in range(said.BURST + 1)]
    assert statuses == [200] * said.BURST + [429]


async def test_a_full_queue_says_not_now_and_the_repeat_is_said_once(
    redis_client: Redis, http: aiohttp.ClientSession
) -> None:
    async with Site(redis_client, limits=Limits(depth=1)) as site:
        assert await post(site, http, message(1)) == 200
        assert await post(site, http, message(2)) == 503
        assert [one.id for one in await site.heard()] == ["m-0000001"]
        assert await post(site, http, message(2)) == 200
        assert [one.id for one in await site.heard()] == ["m-0000002"]
        assert len(await site.log.read(CHAT)) == 2


async def test_what_becomes_of_messages_is_counted(site: Site, http: aiohttp.ClientSession) -> None:
    for body in (message(1), message(1), b"{"):
        await post(site, http, body)
    rendered = (await site.metrics.render([])).decode()
    for outcome in ("accepted", "duplicate", "malformed"):
        assert f'moveo_bridge_messages_total{{integration="{NAME}",outcome="{outcome}"}} 1.0' in rendered
