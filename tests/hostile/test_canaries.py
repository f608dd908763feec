"""Real processes at their most talkative, while everything fails: what operators read has no canary in it.

Ingress and worker log at debug level; platform and Moveo answer in every bad way, and repeat in their answers
the secrets they were sent, and in quotes what was said. Then every log, metric, command, key and dead letter
is read.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
import redis

from bridge.ingress.signature import HEADER, sign
from bridge.samples import sample
from bridge.secret import Secret
from tests.canaries import CANARY, TEXT
from tests.channels.telegram_updates import message_update
from tests.workers.platform import Answer, Received, platform

SECRET: Final = "canary-secret"
TOKEN: Final = f"123456:canary-token-{'A' * 22}"
CONFIG: Final = f"""
[log]
level = "debug"
format = "json"

[ingress]
host = "127.0.0.1"
port = 0
admin_port = 0
admin_token = "canary-admin-token"
window_seconds = 0

[worker]
admin_port = 0

[moveo]
url = "URL/moveo"
timeout_seconds = 1.0

[integrations.support]
channel = "telegram"
secrets = ["{SECRET}"]
integration_id = "1"
api_key = "canary-api-key"
max_age_seconds = 2.0
chat_per_second = 0
channel_per_second = 0

[integrations.support.telegram]
token = "{TOKEN}"
secret_token = "canary-webhook-token"
api_url = "URL"
"""
BAD: Final = (
    Answer(status=400, body=b"ECHO"),
    Answer(status=400, body=b'{"ok":false,"error_code":400,"description":"ECHO"}'),
    Answer(status=500, body=b"ECHO"),
    Answer(status=429, body=b'{"ok":false,"description":"ECHO","parameters":{"retry_after":1}}'),
    Answer(status=302, headers={"location": "https://elsewhere.example/ECHO"}),
    Answer(status=200, body=b"<html>ECHO</html>"),
    Answer(status=200, body=b'{"ok":false,"description":"ECHO"}'),
    Answer(status=500, body=b'{"ok":false,"error_code":500,"description":"ECHO"}'),
    Answer(cut=True),
    Answer(status=200, body=b'{"ok":true,"result":{"message_id":1}}'),
)


def _bad(received: Received, number: int) -> Answer:
    """One after the other; each says again what it was asked."""
    answer = BAD[number % len(BAD)]
    asked = f"{received.url} {received.headers}" if answer.status != 200 else "it"  # which is no refusal
    said = json.dumps(f'no to {asked} of "{TEXT}"')[1:-1].encode()
    return Answer(
        status=answer.status, body=answer.body.replace(b"ECHO", said), headers=answer.headers, cut=answer.cut
    )


class Setting:
    """The processes, and all that is read of them; `outputs` by where each comes from."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self._folder = folder
        self._env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")},
            "REDIS_URL": redis_url,
            "BRIDGE_CONFIG": str(folder / "bridge.toml"),
        }
        self.outputs: dict[str, str] = {}

    @asynccontextmanager
    async def process(self, name: str) -> AsyncIterator[dict[str, str]]:
        """The process, and the line that says where it listens."""
        log = self._folder / f"{name}.log"
        with log.open("wb") as stream:
            started = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bridge", name, env=self._env, stdout=stream, stderr=stream
            )
        try:
            async with asyncio.timeout(30):
                while f'"{name}.started"' not in log.read_text():
                    await asyncio.sleep(0.05)
            [line] = [line for line in log.read_text().splitlines() if f'"{name}.started"' in line]
            yield json.loads(line)
        finally:
            if started.returncode is None:
                started.terminate()
            await asyncio.wait_for(started.wait(), 20)
            self.outputs[name] = log.read_text()

    async def command(self, *words: str) -> str:
        made = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bridge", *words,
            env=self._env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(made.communicate(), 60)
        self.outputs[" ".join(words)] = out.decode()
        return out.decode()


async def _events(http: aiohttp.ClientSession, url: str, first: int) -> None:
    """Of several chats, signed and not, whole and broken; and what a user writes."""
    numbers = itertools.count(first)
    for chat in range(6):
        for response in ("text", "image", "carousel", "file"):
            event = sample(
                "message:brain_send",
                response_type=response,
                session=str(chat + 1),
                number=next(numbers),
                now_ms=1,
            )
            event["output"]["responses"].append({"type": "text", "text": TEXT})
            event["output"]["responses"].append({"type": "unheard-of", "name": TEXT})
            event["context"]["user"]["display_name"] = TEXT
            body = json.dumps(event).encode()
            for raw, secret in ((body, SECRET), (body, "canary-guess"), (body[: len(body) // 2], SECRET)):
                headers = {HEADER: sign(Secret(secret), raw)}
                async with http.post(f"{url}/moveo/support", data=raw, headers=headers) as answer:
                    assert TEXT not in await answer.text()
        update = json.dumps(message_update(first + chat, chat + 1, TEXT))
        for token in ("canary-webhook-token", "canary-guess"):
            headers = {"X-Telegram-Bot-Api-Secret-Token": token}
            async with http.post(f"{url}/channels/support", data=update, headers=headers) as answer:
                assert TEXT not in await answer.text()


async def _events_until(done: Callable[[], bool], http: aiohttp.ClientSession, url: str, first: int) -> None:
    """Again and again: what is not tried in time, on a busy machine, is too old to be sent."""
    for number in itertools.count(first, 1000):
        await _events(http, url, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                while not done():
                    await asyncio.sleep(0.05)
                return


async def test_what_operators_read_has_no_secret_and_nobodys_words_in_it(
    tmp_path: Path, redis_url: str
) -> None:
    setting = Setting(tmp_path, redis_url)
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(platform())
        there.answer = _bad
        (tmp_path / "bridge.toml").write_text(CONFIG.replace("URL", there.url))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        ingress = await stack.enter_async_context(setting.process("ingress"))
        worker = await stack.enter_async_context(setting.process("worker"))
        await _events_until(lambda: len(there.received) >= 60, http, ingress["url"], 1)
        there.answer = lambda received, _: msgspec.structs.replace(_bad(received, 1), status=401)
        log = tmp_path / "worker.log"
        await _events_until(lambda: "queue.paused" in log.read_text(), http, ingress["url"], 100_000)
        await setting.command("resume", "support")
        for name, line in (("ingress", ingress), ("worker", worker)):
            headers = {"Authorization": "Bearer canary-admin-token"} if name == "ingress" else {}
            for path in ("/metrics", "/readyz", "/livez"):
                async with http.get(line["admin"] + path, headers=headers) as answer:
                    setting.outputs[f"{name} {path}"] = await answer.text()
        for words in (
            *(["check"], ["status"], ["status", "--json"], ["sessions", "list"], ["channels"]),
            *(["dead", "list"], ["connect", "support"], ["sessions", "show", "1"]),
        ):
            await setting.command(*words)

    seen = {name: found[0] for name, text in setting.outputs.items() if (found := CANARY.search(text))}
    assert seen == {}
    assert "moveo_bridge_" in setting.outputs["ingress /metrics"]
    for event in ("event.accepted", "event.refused", "event.kept", "message.accepted"):
        assert event in setting.outputs["ingress"]
    for event in ("delivery.", "content.lost"):
        assert event in setting.outputs["worker"]
    await _nothing_is_kept_in_names(redis_url)


async def _nothing_is_kept_in_names(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        for key in client.scan_iter():
            assert not CANARY.search(key.decode("utf-8", "replace"))
        letters = client.xrange("{bridge:support:out}:dead")
    assert letters
    for _, fields in letters:
        assert not CANARY.search(f"{fields[b'reason']} {fields[b'error']}")
