"""Files that a platform wants handed over, and calls about the user's last message."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest
from redis.asyncio import Redis

from bridge.channels import Loaded, Upload
from bridge.config import Integration
from bridge.errors import Rejected, Unavailable
from bridge.fetch import Fetcher, open_fetcher
from bridge.metrics import Metrics
from bridge.queue import Clock
from bridge.secret import Secret
from bridge.sender import Sender
from bridge.sessions import Sessions
from tests.workers.bench import NAME, queue_of, quiet, running
from tests.workers.files import Files
from tests.workers.platform import Answer, Platform, Received
from workers.deliver import Deliverer
from workers.dispatch import Dispatcher
from workers.observe import Observer
from workers.outage import Outage
from workers.retry import Policy
from workers.upload import TRIES, Uploader

PNG = {"content-type": "image/png"}


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with open_fetcher(["127.0.0.1"]) as made:
        yield made


class Out:
    """A worker's way out for a channel that hands files over; what the platform saw, in order."""

    def __init__(self, redis: Redis, http: aiohttp.ClientSession, fetcher: Fetcher, there: Platform) -> None:
        self.queue = queue_of(redis)
        self.sessions = Sessions(redis, NAME)
        self.there = there
        self.answers: dict[str, list[Answer]] = {}
        self._redis, self._http, self._fetcher = redis, http, fetcher
        there.answer = self.answer

    def answer(self, received: Received, _: int) -> Answer:
        kind = received.path.split("/")[1]
        if waiting := self.answers.get(kind):
            return waiting.pop(0)
        if kind == "cat.png":
            return Answer(body=b"12345", headers=PNG)
        return Answer(body=b'{"at":"kept/1"}') if kind == "upload" else Answer()

    async def deliver(self, *events: dict[str, Any], seconds: float = 10.0) -> None:
        for number, fields in enumerate(events):
            event = {"session_id": "s1", "external_session_id": "c1", "number": number, **fields}
            await self.queue.push("s1", json.dumps(event).encode())
        channel, clock, send = Files(self.there.url), Clock(), Sender(self._http).send
        integration = Integration(name=NAME, channel="x", secrets=(Secret("x"),))
        observer = Observer(Metrics(), NAME, "out")
        deliverer = Deliverer(
            integration,
            channel,
            send=send,
            queue=queue_of(self._redis),
            sessions=self.sessions,
            clock=clock,
            observer=observer,
            uploader=Uploader(channel, load=self._fetcher.load, send=send),
        )
        dispatcher = Dispatcher(
            queue_of(self._redis),
            deliverer,
            clock=clock,
            outage=Outage(),
            observer=observer,
            policy=Policy(max_age_seconds=60.0),
            concurrency=8,
            lease_seconds=5.0,
            max_crashes=5,
        )
        async with running(self._redis, dispatcher):
            await quiet(self.queue)

    @property
    def paths(self) -> list[str]:
        return [received.path.removeprefix("/") for received in self.there.received]

    def bodies(self, op: str) -> list[Any]:
        return [received.json for received in self.there.received if received.path == f"/{op}"]


@pytest.fixture
def out(redis: Redis, http: aiohttp.ClientSession, fetcher: Fetcher, there: Platform) -> Out:
    return Out(redis, http, fetcher, there)


def says(*responses: dict[str, Any]) -> dict[str, Any]:
    return {"event_type": "message:brain_send", "output": {"responses": responses}}


def picture(out: Out, name: str = "cat.png") -> dict[str, Any]:
    return {"type": "image", "url": f"{out.there.url}/{name}"}


HELLO = {"type": "text", "text": "hello"}
READS = {"event_type": "message:compose", "action": "start", "author_type": "agent"}


async def test_a_file_is_loaded_handed_over_and_named_in_its_call(out: Out) -> None:
    await out.sessions.remember("c1", {"home": "x"})
    await out.deliver(says(HELLO, picture(out), HELLO))
    assert out.paths == ["text", "cat.png", "upload/cat.png", "image", "text"]
    handed = next(received for received in out.there.received if received.path.startswith("/upload"))
    assert (handed.headers["content-type"], handed.body) == ("image/png", b"12345")
    (image,) = out.bodies("image")
    assert image["file"] == {"address": "kept/1", "mime_type": "image/png", "size": 5}
    assert image["memo"] == {"home": "x"}


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        pytest.param("cat.png", Answer(status=404), id="gone"),
        pytest.param("cat.png", Answer(status=503), id="its server is down"),
        pytest.param("cat.png", Answer(body=b"x" * 101), id="too large"),
        pytest.param("upload", Answer(status=413), id="the platform does not take it"),
    ],
)
async def test_a_file_that_cannot_be_handed_over_gives_way_to_the_fallback_in_its_place(
    out: Out, kind: str, answer: Answer
) -> None:
    out.answers[kind] = [answer]
    await out.deliver(says(HELLO, picture(out), {"type": "text", "text": "after"}))
    texts = [body["text"] for body in out.bodies("text")]
    link = f"{out.there.url}/cat.png"
    assert texts == ["hello", link, link, "after"], "the channel's fallback has two parts"
    assert out.bodies("image") == []


async def test_an_upload_that_may_work_later_is_tried_later(out: Out) -> None:
    out.answers["upload"] = [Answer(status=500), Answer(cut=True)]
    await out.deliver(says(picture(out), HELLO))
    assert [path for path in out.paths if path in ("image", "text")] == ["image", "text"]


async def test_an_upload_is_not_tried_for_ever(out: Out) -> None:
    out.answers["upload"] = [Answer(status=500)] * 9
    await out.deliver(says(picture(out), HELLO))
    link = f"{out.there.url}/cat.png"
    assert [body["text"] for body in out.bodies("text")] == [link, link, "hello"]
    assert len([path for path in out.paths if path.startswith("upload")]) == TRIES


async def test_a_call_that_is_repeated_does_not_hand_its_file_over_again(out: Out) -> None:
    out.answers["image"] = [Answer(status=429, headers={"retry-after": "0.2"}), Answer(status=503)]
    await out.deliver(says(picture(out)))
    assert out.paths == ["cat.png", "upload/cat.png", "image", "image", "image"]


async def test_a_sign_about_the_last_message_is_left_out_where_none_is_known(out: Out) -> None:
    await out.deliver(READS)
    assert out.paths == []
    await out.sessions.remember("c1", {"message": "m1"})
    await out.deliver({**READS, "number": 9})
    assert out.paths == ["typing"]


async def test_what_is_refused_says_nothing_of_the_address() -> None:
    async def load(url: str, max_bytes: int) -> Loaded:
        raise Unavailable("the file's server cannot be reached")

    uploader = Uploader(Files(""), load=load, send=lambda _: _never())
    with pytest.raises(Rejected) as caught:
        await uploader("1", Upload(url="https://CANARY/", max_bytes=1), 0)
    assert "CANARY" not in f"{caught.value!r}{msgspec.json.encode(str(caught.value))!r}"


async def _never() -> Any:
    raise AssertionError("nothing is sent")
