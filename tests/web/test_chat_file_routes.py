"""Files by the routes: taken within bounds, given so that they run nothing, said with a message, once."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from bridge.channels import Attachment, UserMessage
from bridge.config import Integration
from bridge.ingress import chat
from bridge.ingress.chat import brought, posting
from bridge.secret import Secret
from bridge.web.files import WEIGHT
from tests.browser import media
from tests.web.site import NAME, Site

CHAT = "chat-0001"
PNG = media.png(16, 10)
HTML = b"<!doctype html><script>alert(1)</script>"


async def bring(
    site: Site, http: aiohttp.ClientSession, body: Any = PNG, name: str = "photo.png", **headers: str
) -> tuple[int, Any]:
    """The status, and the JSON or the words of the answer."""
    params = {"chat": CHAT, "name": name}
    headers = {"Content-Type": "image/png"} | {key.replace("_", "-"): each for key, each in headers.items()}
    async with http.post(f"{site.url}/files", params=params, data=body, headers=headers) as answer:
        return answer.status, await (answer.json() if answer.status == 200 else answer.text())


async def brought_id(site: Site, http: aiohttp.ClientSession, body: Any = PNG, **how: str) -> str:
    status, answer = await bring(site, http, body, **how)
    assert status == 200, answer
    return str(answer["id"])


async def say(
    site: Site, http: aiohttp.ClientSession, *ids: str, headers: dict[str, str] | None = None, **more: Any
) -> int:
    body = {"chat": CHAT, "id": "m-00000001", "files": [{"id": each} for each in ids]} | more
    async with http.post(f"{site.url}/messages", json=body, headers=headers) as answer:
        return answer.status


# ---- what comes in -----------------------------------------------------------------------------------------


async def test_a_file_is_named_by_the_server_and_known_by_its_bytes(
    site: Site, http: aiohttp.ClientSession
) -> None:
    status, answer = await bring(site, http, name="../../C:\\photos\\évora \u202egnp.png")
    assert status == 200
    assert answer == {"id": answer["id"], "type": "image", "name": "évora  gnp.png", "size": len(PNG)}
    assert len(answer["id"]) == 32


@pytest.mark.parametrize(
    ("body", "told", "name", "expected"),
    [
        pytest.param(HTML, "text/html", "page.html", ("file", "page.html"), id="a page is a file"),
        pytest.param(HTML, "image/png", "photo.png", ("file", "photo.png"), id="whatever it is called"),
        pytest.param(b"%PDF-1.7", "", "", ("file", "file"), id="without a name"),
        pytest.param(PNG, "", "", ("image", "picture"), id="a picture without a name"),
        pytest.param(PNG, "", "x" * 300 + ".png", ("image", "x" * 116 + ".png"), id="a long name"),
        pytest.param(PNG, "", "." * 300, ("image", "picture"), id="a name of points"),
        pytest.param(b"\0\0\0\x18ftypheic", "image/heic", "a.heic", ("file", "a.heic"), id="unshown picture"),
    ],
)
async def test_what_a_file_is_called_and_shown_as(
    site: Site, http: aiohttp.ClientSession, body: bytes, told: str, name: str, expected: tuple[str, str]
) -> None:
    _, answer = await bring(site, http, body, name, Content_Type=told or "application/octet-stream")
    assert (answer["type"], answer["name"]) == expected


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(PNG, {"Origin": "https://evil.example"}, 403, id="another site"),
        pytest.param(PNG, {"Origin": "null"}, 403, id="no site"),
        pytest.param(PNG, {"Content_Encoding": "gzip"}, 415, id="encoded"),
        pytest.param(b"", {}, 400, id="empty"),
        pytest.param(b"x" * 2001, {}, 413, id="too large"),
    ],
)
async def test_what_is_refused_is_not_kept(
    redis_client: Redis, http: aiohttp.ClientSession, body: bytes, headers: dict[str, str], status: int
) -> None:
    async with Site(redis_client, table={"file_bytes": 2000}) as site:
        assert (await bring(site, http, body, **headers))[0] == status
        assert not [key for key in await redis_client.keys("*") if b":file:" in key]


async def test_a_body_longer_than_it_says_is_not_read_to_its_end(
    redis_client: Redis, http: aiohttp.ClientSession
) -> None:
    async def endless() -> Any:
        while True:
            yield b"x" * 1000

    async with Site(redis_client, table={"file_bytes": 2000}) as site:
        try:
            status, words = await bring(site, http, endless())
            assert (status, words) == (413, "at most 2000 bytes")
        except aiohttp.ClientError:
            pass  # the connection was closed while it still wrote


async def test_the_largest_file_is_taken(redis_client: Redis, http: aiohttp.ClientSession) -> None:
    async with Site(redis_client, table={"file_bytes": 5_000_000}) as site:
        body = PNG + b"\0" * (5_000_000 - len(PNG))
        name = await brought_id(site, http, io.BytesIO(body))
        async with http.get(f"{site.url}/files/{name}") as answer:
            assert await answer.read() == body


@pytest.mark.parametrize("chat_id", ["", "short", "a/../../etc"])
async def test_a_file_for_no_chat_is_refused(site: Site, http: aiohttp.ClientSession, chat_id: str) -> None:
    async with http.post(f"{site.url}/files", params={"chat": chat_id}, data=PNG) as answer:
        assert answer.status == 400


async def test_the_page_itself_may_bring_files(site: Site, http: aiohttp.ClientSession) -> None:
    assert (await bring(site, http, Origin=site.origin))[0] == 200


async def test_who_brings_too_much_has_to_wait(site: Site, http: aiohttp.ClientSession) -> None:
    statuses = [(await bring(site, http))[0] for _ in range(brought.BURST + 1)]
    assert statuses == [200] * brought.BURST + [429]


async def test_who_is_too_slow_is_let_go_and_makes_room_for_others(
    site: Site, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brought, "BODY_SECONDS", 0.5)
    monkeypatch.setattr(brought, "AT_ONCE", 1)

    async def slow() -> Any:
        yield PNG
        await asyncio.sleep(1.5)

    waiting = asyncio.create_task(bring(site, http, slow()))
    await asyncio.sleep(0.2)
    assert (await bring(site, http))[0] == 429
    assert (await waiting)[0] == 408
    assert (await bring(site, http))[0] == 200


async def test_who_only_drips_holds_no_place_for_a_minute(
    site: Site, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has to come on as fast as the slowest phone: slower than that is let go, as fast is not."""
    monkeypatch.setattr(posting, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(posting, "SLOWEST", 100)

    async def drip(size: int) -> Any:
        yield PNG
        for _ in range(20):
            await asyncio.sleep(0.2)
            yield b"x" * size

    dripped, slow = await asyncio.gather(bring(site, http, drip(1)), bring(site, http, drip(200)))
    assert (dripped[0], slow[0]) == (408, 200)


async def test_strangers_cannot_fill_the_store(redis_client: Redis, http: aiohttp.ClientSession) -> None:
    total = 2 * (len(PNG) + WEIGHT)
    async with Site(redis_client, table={"file_bytes": 2000, "file_total_bytes": total}) as site:
        assert [(await bring(site, http))[0] for _ in range(3)] == [200, 200, 507]
        assert (await bring(site, http))[1] == "there is no room for files at present"
        await site.log.forget(CHAT)
        assert (await bring(site, http))[0] == 200


async def test_without_files_there_is_no_way_to_bring_any(
    redis_client: Redis, http: aiohttp.ClientSession
) -> None:
    async with Site(redis_client, table={"file_bytes": 0}) as site:
        assert (await bring(site, http))[0] in (404, 405)
        async with http.get(site.url) as answer:
            assert "&quot;fileBytes&quot;:0" in await answer.text()


# ---- what is given -----------------------------------------------------------------------------------------


async def test_a_picture_is_given_so_that_it_can_be_shown_and_runs_nothing(
    site: Site, http: aiohttp.ClientSession
) -> None:
    name = await brought_id(site, http, name="a b.png")
    async with http.get(f"{site.url}/files/{name}") as answer:
        assert await answer.read() == PNG
        headers = answer.headers
    assert headers["Content-Type"] == "image/png"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Content-Disposition"] == "inline; filename*=UTF-8''a%20b.png"
    assert headers["Content-Length"] == str(len(PNG))
    assert headers["Cache-Control"].startswith("private")


@pytest.mark.parametrize(
    ("body", "told", "kind"),
    [
        (HTML, "text/html", "application/octet-stream"),
        (HTML, "image/png", "application/octet-stream"),
        (b"<svg onload='alert(1)'/>", "image/svg+xml", "application/octet-stream"),
        (b"%PDF-1.7", "application/pdf", "application/pdf"),
        (b"plain", "text/plain", "text/plain"),
    ],
)
async def test_anything_else_is_a_download(
    site: Site, http: aiohttp.ClientSession, body: bytes, told: str, kind: str
) -> None:
    name = await brought_id(site, http, body, name='x".html', Content_Type=told)
    async with http.get(f"{site.url}/files/{name}") as answer:
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''x%22.html"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-1", 206, slice(0, 2)),
        ("bytes=5-", 206, slice(5, None)),
        ("bytes=-4", 206, slice(-4, None)),
        ("bytes=3-99999", 206, slice(3, None)),
        ("bytes=0-", 200, slice(None)),
        ("bytes=1-2,4-5", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
        ("bytes=99999-", 416, slice(0, 0)),
    ],
)
async def test_a_part_can_be_asked_for(
    site: Site, http: aiohttp.ClientSession, asked: str, status: int, part: slice
) -> None:
    """Safari plays no film from a server without ranges."""
    name = await brought_id(site, http)
    async with http.get(f"{site.url}/files/{name}", headers={"Range": asked}) as answer:
        assert answer.status == status
        body = await answer.read()
        if status == 206:
            start = int(answer.headers["Content-Range"].removeprefix("bytes ").split("-")[0])
            assert PNG[start : start + len(body)] == body
        if status != 416:
            assert body == PNG[part]


@pytest.mark.parametrize("name", ["a" * 32, "x", "..%2f..%2fmessages", "%00"])
async def test_what_is_not_kept_is_not_found(site: Site, http: aiohttp.ClientSession, name: str) -> None:
    async with http.get(f"{site.url}/files/{name}") as answer:
        assert answer.status == 404


# ---- what is said with files -------------------------------------------------------------------------------


async def test_a_message_brings_its_files_to_moveo_and_into_the_history(
    site: Site, http: aiohttp.ClientSession
) -> None:
    picture = await brought_id(site, http)
    page = await brought_id(site, http, HTML, name="page.html", Content_Type="text/html")
    assert await say(site, http, picture, page, text="look") == 200
    (heard,) = await site.heard()
    assert isinstance(heard, UserMessage)
    assert heard.text == "look"
    base = f"{site.url}/files"
    assert heard.attachments == (
        Attachment(type="image", url=f"{base}/{picture}", mime_type="image/png", filename="photo.png"),
        Attachment(
            type="file", url=f"{base}/{page}", mime_type="application/octet-stream", filename="page.html"
        ),
    )
    (entry,) = await site.log.read(CHAT)
    assert json.loads(entry.data) == {
        "id": "m-00000001",
        "from": "user",
        "content": {
            "type": "sent",
            "text": "look",
            "files": [
                {"id": picture, "type": "image", "name": "photo.png", "size": len(PNG)},
                {"id": page, "type": "file", "name": "page.html", "size": len(HTML)},
            ],
        },
    }
    async with http.get(heard.attachments[0].url) as answer:
        assert await answer.read() == PNG


async def test_files_alone_are_a_message_and_a_repeat_says_it_once(
    site: Site, http: aiohttp.ClientSession
) -> None:
    picture = await brought_id(site, http)
    assert [await say(site, http, picture, picture) for _ in range(3)] == [200, 200, 200]
    (heard,) = await site.heard()
    assert isinstance(heard, UserMessage)
    assert (heard.text, len(heard.attachments)) == ("", 1)
    assert len(await site.log.read(CHAT)) == 1


@pytest.mark.parametrize(
    ("public_url", "headers", "base"),
    [
        pytest.param("https://bridge.example", {}, "https://bridge.example", id="as it is set"),
        pytest.param("", {"Host": "chat.example", "Origin": "https://chat.example"}, "https://chat.example",
                     id="as the page's browser sees it"),
        pytest.param("", {"Host": "chat.example"}, "http://chat.example", id="as it sees itself"),
        pytest.param("", {"Origin": "https://shop.example"}, "http://127.0.0.1", id="not where embedded"),
    ],
)  # fmt: skip
async def test_the_address_moveo_gets_is_the_public_one(
    redis_client: Redis, http: aiohttp.ClientSession, public_url: str, headers: dict[str, str], base: str
) -> None:
    table = {"origins": ["https://shop.example"]}
    async with Site(redis_client, table=table, public_url=public_url) as site:
        picture = await brought_id(site, http)
        assert await say(site, http, picture, headers=headers) == 200
        (heard,) = await site.heard()
    assert isinstance(heard, UserMessage)
    port = f":{site.port}" if base.endswith("127.0.0.1") else ""
    assert heard.attachments[0].url == f"{base}{port}/chat/{NAME}/files/{picture}"


async def test_only_the_chats_own_files_are_said(site: Site, http: aiohttp.ClientSession) -> None:
    picture = await brought_id(site, http)
    assert await say(site, http, picture, chat="chat-0002") == 410
    assert await say(site, http, picture, "a" * 32) == 410
    assert await site.heard() == []
    assert await site.log.read(CHAT) == await site.log.read("chat-0002") == []


def test_the_addresses_need_no_settings_of_the_ingress(redis_client: Redis) -> None:
    """Plug-ins and tests build the routes without a public address."""
    site = Site(redis_client)
    integration = Integration(name=NAME, channel="webchat", secrets=(Secret("s"),), extra={})
    assert chat.routes(integration, site.log, site.queue, site.metrics)
