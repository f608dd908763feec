"""A list of options, answered by SMS: real processes between Moveo and Twilio."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import aiohttp
from redis.asyncio import Redis
from twilio.request_validator import RequestValidator

from bridge.queue import Queue
from tests.workers.bench import until
from tests.workers.children import worker
from tests.workers.events import event
from tests.workers.platform import Answer, Platform, Received
from tests.workers.test_process import started
from tests.zygote import zygote

ADA, NUMBER, ACCOUNT = "+306900000000", "+15550001111", "AC" + "0" * 32
URL = "https://bridge.example/channels/support"
CONFIG = f"""
[ingress]
host = "127.0.0.1"
port = 0
admin_port = 0
[worker]
admin_port = 0
[moveo]
url = "{{url}}"
[integrations.support]
channel = "twilio"
secrets = ["x"]
integration_id = "int"
api_key = "key"
chat_per_second = 0
channel_per_second = 0
[integrations.support.twilio]
account_sid = "{ACCOUNT}"
auth_token = "t0ken"
sender = "{NUMBER}"
webhook_url = "{URL}"
api_url = "{{url}}"
"""
STARS = [(f"{n} star{'s' * (n > 1)}", f"{n}") for n in (5, 4, 3, 2, 1)]
RATED = [(label, f"rating {text}") for label, text in STARS]


def _answer(received: Received, number: int) -> Answer:
    """Twilio and Moveo in one."""
    if received.path.endswith("/Messages.json"):
        return Answer(status=201, body=b'{"sid": "SM1"}')
    if received.path.endswith("/sessions"):
        return Answer(status=201, body=b'{"session_id": "s1"}')
    return Answer(status=202)


class Phone:
    """A person's phone: what it was sent, what she answers, and what Moveo is told of the answer."""

    def __init__(self, there: Platform, queue: Queue, url: str, http: aiohttp.ClientSession) -> None:
        self._there, self._queue, self._url, self._http = there, queue, url, http
        self._asked = self._answered = 0

    def _received(self, ending: str) -> list[Received]:
        return [each for each in self._there.received if each.path.endswith(ending)]

    async def asked(self, text: str, options: list[tuple[str, str]]) -> str:
        """What it shows when the agent asks."""
        self._asked += 1
        shown = [{"label": label, "text": said} for label, said in options]
        response = {"type": "text", "text": text, "options": shown}
        await self._queue.push(ADA, event(ADA, [response], number=self._asked))
        await until(lambda: len(self._received("/Messages.json")) == self._asked)
        return parse_qs(self._received("/Messages.json")[-1].body.decode())["Body"][0]

    async def answers(self, text: str) -> str:
        """What Moveo is told when she sends this."""
        self._answered += 1
        told = {
            "MessageSid": f"SM{self._answered:032}",
            "AccountSid": ACCOUNT,
            "From": ADA,
            "To": NUMBER,
            "Body": text,
            "NumMedia": "0",
        }
        signed = RequestValidator("t0ken").compute_signature(URL, told)
        headers = {"X-Twilio-Signature": signed, "Content-Type": "application/x-www-form-urlencoded"}
        url = f"{self._url}/channels/support"
        async with self._http.post(url, data=urlencode(told), headers=headers) as response:
            assert response.status == 200
        await until(lambda: len(self._received("/messages")) == self._answered)
        input_: dict[str, Any] = self._received("/messages")[-1].json["input"]
        return str(input_["text"])


@asynccontextmanager
async def phone(redis: Redis, redis_url: str, there: Platform, folder: Path) -> AsyncIterator[Phone]:
    there.answer = _answer
    config, log = CONFIG.format(url=there.url), folder / "ingress.log"
    (folder / "ingress.toml").write_text(config)
    environ = {"REDIS_URL": redis_url, "BRIDGE_CONFIG": str(folder / "ingress.toml")}
    log.touch()
    ingress = zygote().fork("ingress", environ, log)
    try:
        with worker(folder, config, redis_url) as child:
            await started(child)
            await until(lambda: "ingress.started" in log.read_text(), 20)
            lines = map(json.loads, log.read_text().splitlines())
            url = next(line["url"] for line in lines if line["event"] == "ingress.started")
            async with aiohttp.ClientSession() as http:
                yield Phone(there, Queue(redis, "support", "out"), url, http)
    finally:
        ingress.kill()
        ingress.wait()


SHOWN = "How was it?\n\nA. 5 stars\nB. 4 stars\nC. 3 stars\nD. 2 stars\nE. 1 star"


async def test_what_is_typed_is_the_option_that_is_meant(
    redis: Redis, redis_url: str, there: Platform, tmp_path: Path
) -> None:
    async with phone(redis, redis_url, there, tmp_path) as ada:
        for options, answers in (
            (STARS, {"5 stars": "5", "5": "5", "1 STAR": "1", "e": "1", "(B)": "4", "great": "great"}),
            (RATED, {"5 stars": "rating 5", "5": "5", "e": "rating 1", "Rating 2": "rating 2"}),
        ):
            for typed, told in answers.items():
                assert await ada.asked("How was it?", options) == SHOWN
                assert await ada.answers(typed) == told
        for typed, told in {"2": "no thanks", "yes": "yes please", "3": "3"}.items():
            shown = await ada.asked("Again?", [("Yes", "yes please"), ("No", "no thanks")])
            assert shown == "Again?\n\n1. Yes\n2. No"
            assert await ada.answers(typed) == told
        assert await ada.answers("2") == "2", "a question is answered once"
