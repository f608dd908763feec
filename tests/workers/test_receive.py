from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
import msgspec
import pytest
from redis.asyncio import Redis

from bridge.channels import Attachment, Call, Click, Errand, Incoming, Seen, User, UserMessage
from bridge.channels.choices import mark
from bridge.content import Option
from bridge.errors import StoreUnavailable
from bridge.fetch import download
from bridge.metrics import Metrics
from bridge.moveo import Moveo
from bridge.queue import Clock, Park
from bridge.secret import Secret
from bridge.sender import Sender
from bridge.sessions import Numbers, Sessions
from tests.workers.bench import NAME, queue_of, quiet, running, until
from tests.workers.files import Files
from tests.workers.platform import Answer, Platform, Received, platform
from workers.attach import MAX_BYTES, TRIES, Attacher
from workers.dispatch import Dispatcher
from workers.observe import Observer
from workers.outage import Outage
from workers.receive import Receiver
from workers.retry import Policy

COLOURS = mark((Option("Red", "Red!"), Option("Green", "Green!")))


class FakeMoveo:
    """Moveo's two calls on the recording platform; a session in `gone` is not known any more."""

    def __init__(self, there: Platform) -> None:
        self.there = there
        self.gone: set[str] = set()
        self.made = 0
        there.answer = self.answer

    def answer(self, received: Received, number: int) -> Answer:
        if received.path.endswith("/sessions"):
            self.made += 1
            return Answer(status=201, body=b'{"session_id":"new-%d"}' % self.made)
        if any(f"/{session}/" in received.path for session in self.gone):
            return Answer(status=404, body=b'{"error_code":"session-not-found"}')
        return Answer(status=202)

    @property
    def posted(self) -> list[tuple[str, object]]:
        """Session and input of each message, as Moveo saw them."""
        messages = [each for each in self.there.received if each.path.endswith("/messages")]
        return [(each.path.split("/")[-2], each.json["input"]) for each in messages]


@pytest.fixture
async def moveo() -> AsyncIterator[FakeMoveo]:
    async with platform() as there:
        yield FakeMoveo(there)


class Back:
    """A worker's way back for one integration."""

    def __init__(self, redis: Redis, http: aiohttp.ClientSession, moveo: FakeMoveo) -> None:
        self.redis = redis
        self.queue = queue_of(redis)
        self.sessions = Sessions(redis, NAME)
        self._http = http
        self._send = Sender(http).send
        self._url = moveo.there.url

    @asynccontextmanager
    async def running(self, *, key: bool = True) -> AsyncIterator[None]:
        observer, clock = Observer(Metrics(), NAME, "in"), Clock()
        moveo = Moveo(self._send, self._url, "int", Secret("k"))
        channel = Files(self._url)
        receiver = Receiver(
            channel,
            send=self._send,
            moveo=moveo if key else None,
            attacher=Attacher(channel, moveo, download=partial(download, self._http), send=self._send),
            sessions=self.sessions,
            clock=clock,
            observer=observer,
        )
        queue = queue_of(self.redis)
        policy = Policy(max_age_seconds=60.0)
        dispatcher = Dispatcher(
            queue,
            receiver,
            clock=clock,
            outage=Outage(),
            observer=observer,
            policy=policy,
            concurrency=8,
            lease_seconds=5.0,
            max_crashes=5,
        )
        async with running(self.redis, dispatcher):
            yield

    async def deliver(self, *incoming: Incoming, key: bool = True) -> None:
        await self.push(*incoming)
        async with self.running(key=key):
            await quiet(self.queue)

    async def push(self, *incoming: Incoming) -> None:
        for each in incoming:
            await self.queue.push(each.chat, msgspec.json.encode(each))

    async def dead(self) -> list[str]:
        return [letter.reason for letter in await self.queue.dead()]


@pytest.fixture
def back(redis: Redis, http: aiohttp.ClientSession, moveo: FakeMoveo) -> Back:
    return Back(redis, http, moveo)


def says(text: str, number: int = 1, **more: object) -> UserMessage:
    return UserMessage(chat="c1", id=str(number), text=text, **more)  # type: ignore[arg-type]


def clicks(payload: str, label: str = "", **more: object) -> Click:
    return Click(chat="c1", id="9", payload=payload, label=label, **more)  # type: ignore[arg-type]


async def test_first_messages_make_one_session_and_arrive_in_order(back: Back, moveo: FakeMoveo) -> None:
    await back.deliver(*(says(f"message {number}", number) for number in range(5)))
    assert moveo.made == 1
    assert moveo.posted == [("new-1", {"text": f"message {number}"}) for number in range(5)]
    assert await back.sessions.session_of("c1") == "new-1"


async def test_the_user_is_named_when_the_session_is_made(back: Back, moveo: FakeMoveo) -> None:
    await back.deliver(says("hi", user=User(id="7", name="Ada")))
    made = moveo.there.received[0].json
    assert made == {
        "external_session_id": "c1",
        "channel_user_id": "7",
        "context": {"user": {"display_name": "Ada"}},
    }


async def test_a_known_session_is_used(back: Back, moveo: FakeMoveo) -> None:
    await back.sessions.link("c1", "old")
    await back.deliver(says("hi"))
    assert (moveo.made, moveo.posted) == (0, [("old", {"text": "hi"})])


async def test_an_expired_session_is_made_anew_and_the_message_repeated(back: Back, moveo: FakeMoveo) -> None:
    moveo.gone.add("old")
    await back.sessions.link("c1", "old")
    await back.deliver(says("hi"), says("there", 2))
    assert moveo.posted == [("old", {"text": "hi"}), ("new-1", {"text": "hi"}), ("new-1", {"text": "there"})]


async def test_a_new_session_that_is_gone_at_once_is_given_up(back: Back, moveo: FakeMoveo) -> None:
    moveo.gone |= {"new-1"}
    await back.deliver(says("hi"), says("again", 2))
    assert await back.dead() == ["rejected"]
    assert moveo.posted[-1] == ("new-2", {"text": "again"})


async def test_a_message_that_moveo_has_is_not_posted_again(back: Back, moveo: FakeMoveo) -> None:
    """As when Redis goes away between Moveo's answer and the last of our own notes."""
    await back.sessions.keep("c1", {}, COLOURS)
    spend, failing = Sessions.spend, True

    async def failing_once(self: Sessions, chat: str, numbers: Numbers) -> None:
        nonlocal failing
        if failing:
            failing = False
            raise StoreUnavailable("away")
        await spend(self, chat, numbers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sessions, "spend", failing_once)
        await back.deliver(says("1"))
    assert moveo.posted == [("new-1", {"text": "Red!"})]
    assert await back.sessions.numbers("c1") is None


@pytest.mark.parametrize(
    "cursor", [b"posted", b'{"posted":true}'], ids=["of an earlier version", "of this one"]
)
async def test_a_message_whose_cursor_says_posted_is_not_posted(
    back: Back, moveo: FakeMoveo, cursor: bytes
) -> None:
    await back.push(says("hi"))
    [delivery] = (await back.queue.turn([], 1)).deliveries
    await back.queue.turn([Park(delivery, 0.0, cursor)], 0)
    await back.deliver(says("there", 2))
    assert moveo.posted == [("new-1", {"text": "there"})]


@pytest.mark.parametrize("gone", [False, True], ids=["first message", "expired session"])
async def test_a_session_whose_link_was_not_stored_is_used_by_the_next_try(
    back: Back, moveo: FakeMoveo, gone: bool
) -> None:
    """However often Redis does not store it: no other session is made."""
    if gone:
        await back.sessions.link("c1", "old")
        moveo.gone.add("old")
    link, failures = Sessions.link, iter((True, True, False))

    async def failing_twice(self: Sessions, chat: str, session: str) -> None:
        if next(failures):
            raise StoreUnavailable("away")
        await link(self, chat, session)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sessions, "link", failing_twice)
        await back.deliver(says("hi"), says("there", 2))
    assert moveo.made == 1
    assert moveo.posted[gone:] == [("new-1", {"text": "hi"}), ("new-1", {"text": "there"})]
    assert await back.sessions.session_of("c1") == "new-1"


async def test_attachments_go_along(back: Back, moveo: FakeMoveo) -> None:
    await back.deliver(says("", attachments=(Attachment(type="image", url="https://x/y"),)))
    assert moveo.posted == [("new-1", {"attachments": [{"type": "image", "url": "https://x/y"}]})]


@pytest.mark.parametrize(
    ("incoming", "text"),
    [
        pytest.param(clicks("yes please", "Yes"), "yes please", id="payload"),
        pytest.param(clicks("~long", "Yes"), "the long value", id="token"),
        pytest.param(clicks("~expired", "Yes"), "Yes", id="expired token"),
        pytest.param(clicks("", "Yes"), "Yes", id="label alone"),
        pytest.param(says("2"), "Green!", id="number"),
        pytest.param(says("3"), "3", id="no such number"),
        pytest.param(says(" green"), "Green!", id="label"),
        pytest.param(says("red!"), "Red!", id="text"),
        pytest.param(says("Green please"), "Green please", id="words"),
    ],
)
async def test_what_the_user_meant(back: Back, moveo: FakeMoveo, incoming: Incoming, text: str) -> None:
    await back.sessions.keep("c1", {"~long": "the long value"}, COLOURS)
    await back.deliver(incoming)
    assert moveo.posted == [("new-1", {"text": text})]


async def test_a_number_answers_its_question_once(back: Back, moveo: FakeMoveo) -> None:
    await back.sessions.keep("c1", {}, COLOURS)
    await back.deliver(says("1", 1), says("1", 2))
    assert [posted for _, posted in moveo.posted] == [{"text": "Red!"}, {"text": "1"}]


@pytest.mark.parametrize("status", [200, 400, 503])
async def test_a_click_is_acknowledged_first_and_whatever_comes_of_it(
    back: Back, moveo: FakeMoveo, status: int
) -> None:
    answer = moveo.answer
    moveo.there.answer = lambda received, number: (
        Answer(status=status) if received.path in ("/seen", "/used") else answer(received, number)
    )
    await back.deliver(clicks("yes", acknowledge=(Call(op="seen"), Call(op="used"))))
    assert [each.path.split("/")[-1] for each in moveo.there.received] == [
        "seen",
        "used",
        "sessions",
        "messages",
    ]


@pytest.mark.parametrize(
    ("incoming", "reason"),
    [
        pytest.param(says("   "), None, id="blank is the user's own"),
        pytest.param(says(""), "empty", id="nothing"),
        pytest.param(clicks("~expired"), "empty", id="a token that stands for nothing any more"),
    ],
)
async def test_what_says_nothing_is_kept_as_dead(back: Back, incoming: Incoming, reason: str | None) -> None:
    await back.deliver(incoming)
    assert await back.dead() == ([reason] if reason else [])


async def test_without_a_key_there_is_no_way_back(back: Back, moveo: FakeMoveo) -> None:
    await back.deliver(says("hi"), key=False)
    assert await back.dead() == ["no-moveo-key"]


async def test_what_is_no_message_is_kept_as_undecodable(back: Back) -> None:
    await back.queue.push("c1", b'{"type":"carrier pigeon"}')
    async with back.running():
        await quiet(back.queue)
    assert await back.dead() == ["undecodable"]


# ---- files -------------------------------------------------------------------------------------------------


class Store:
    """Where the platform has its file, and where Moveo has uploads go, beside Moveo's own two calls."""

    def __init__(self, moveo: FakeMoveo, *, file: Answer | None = None) -> None:
        self.uploads: list[bytes] = []
        self.file = file or Answer(body=b"12345", headers={"content-type": "image/png"})
        self.located = Answer(body=b'{"path":"pictures/7.png"}')
        self.moveo = moveo
        self._answer = moveo.answer
        moveo.there.answer = self.answer

    def answer(self, received: Received, number: int) -> Answer:
        url = self.moveo.there.url
        if received.path.startswith("/where/"):
            return self.located
        if received.path.startswith("/file/"):
            return self.file
        gone = any(f"/{session}/" in received.path for session in self.moveo.gone)
        if received.path.endswith("/upload-url") and not gone:
            return Answer(body=json.dumps({"upload_url": f"{url}/put", "file_id": "f1"}).encode())
        if received.path == "/put":
            self.uploads.append(received.body)
            return Answer()
        return self._answer(received, number)


PICTURE = Attachment(type="image", source="7")


@pytest.mark.parametrize(
    ("attachment", "attached"),
    [
        pytest.param(
            PICTURE,
            {"type": "image", "id": "f1", "mime_type": "image/png", "filename": "7.png"},
            id="as the platform's store says",
        ),
        pytest.param(
            Attachment(type="file", source="7", mime_type="application/pdf", filename="../a/b.pdf"),
            {"type": "file", "id": "f1", "mime_type": "application/pdf", "filename": "b.pdf"},
            id="as the message says",
        ),
        pytest.param(
            Attachment(type="audio", source="at:voice", mime_type="audio/mpeg"),
            {"type": "audio", "id": "f1", "mime_type": "audio/mpeg", "filename": "voice.mp3"},
            id="where it is known where it is",
        ),
    ],
)
async def test_a_file_that_only_the_account_can_load_is_uploaded(
    back: Back, moveo: FakeMoveo, attachment: Attachment, attached: dict[str, str]
) -> None:
    store = Store(moveo)
    await back.deliver(says("look", attachments=(attachment,)))
    assert store.uploads == [b"12345"]
    assert moveo.posted == [("new-1", {"text": "look", "attachments": [attached]})]
    put = next(received for received in moveo.there.received if received.path == "/put")
    assert "authorization" not in put.headers


@pytest.mark.parametrize(
    ("file", "located"),
    [
        pytest.param(Answer(status=404), None, id="it is gone"),
        pytest.param(
            Answer(body=b"x" * 10, headers={"content-length": str(MAX_BYTES + 1)}), None, id="too large"
        ),
        pytest.param(None, Answer(status=400), id="the platform knows no such file"),
    ],
)
async def test_a_file_that_is_not_to_be_had_is_named_in_words(
    back: Back, moveo: FakeMoveo, file: Answer | None, located: Answer | None
) -> None:
    store = Store(moveo, file=file)
    store.located = located or store.located
    named = msgspec.structs.replace(PICTURE, filename="cat.png")
    await back.deliver(says("look", attachments=(named, Attachment(type="image", url="https://x/y"))))
    there = {"type": "image", "url": "https://x/y"}
    assert moveo.posted == [("new-1", {"text": "look\n[image: cat.png]", "attachments": [there]})]


async def test_a_file_that_may_be_had_later_is_waited_for(back: Back, moveo: FakeMoveo) -> None:
    store = Store(moveo)
    answers = [Answer(status=503), Answer(cut=True), store.located]
    store.located = Answer(status=500)
    ask = store.answer
    moveo.there.answer = lambda received, number: (
        answers.pop(0) if received.path.startswith("/where/") and answers else ask(received, number)
    )
    await back.deliver(says("look", 1, attachments=(PICTURE,)), says("and this", 2))
    assert [said["text"] for _, said in moveo.posted] == ["look", "and this"]  # type: ignore[index]


async def test_a_file_is_not_waited_for_for_ever(back: Back, moveo: FakeMoveo) -> None:
    Store(moveo, file=Answer(status=503))
    await back.deliver(says("look", 1, attachments=(PICTURE,)), says("and this", 2))
    assert [said["text"] for _, said in moveo.posted] == ["look\n[image]", "and this"]  # type: ignore[index]
    asked = [received for received in moveo.there.received if received.path.startswith("/file/")]
    assert len(asked) == TRIES


async def test_a_file_goes_to_the_new_session_when_the_old_one_is_gone(back: Back, moveo: FakeMoveo) -> None:
    store = Store(moveo)
    await back.sessions.link("c1", "old")
    moveo.gone.add("old")
    await back.deliver(says("", attachments=(PICTURE,)))
    assert [session for session, _ in moveo.posted] == ["new-1"]
    assert store.uploads == [b"12345"]


# ---- what else a message brings ----------------------------------------------------------------------------


async def test_the_last_messages_memo_is_kept_for_later_calls(back: Back) -> None:
    await back.deliver(
        says("one", 1, memo={"message": "m1", "home": "x"}), says("two", 2, memo={"message": "m2"})
    )
    await back.deliver(says("three", 3))
    assert await back.sessions.memo("c1") == {"message": "m2"}
    assert await back.sessions.memo("c2") == {}


async def test_an_errand_is_run_in_its_place_until_it_is_done(back: Back, moveo: FakeMoveo) -> None:
    answers, answer = [Answer(status=503), Answer(status=200)], moveo.answer
    moveo.there.answer = lambda received, number: (
        answers.pop(0) if received.path == "/join" else answer(received, number)
    )
    errand = Errand(chat="c1", id="e", call=Call(op="join", to="c1"))
    await back.queue.push("c1", msgspec.json.encode(errand))
    await back.deliver(says("hi"))
    assert [received.path.rpartition("/")[2] for received in moveo.there.received] == [
        "join",
        "join",
        "sessions",
        "messages",
    ]


@pytest.mark.parametrize("status", [202, 404, 500])
async def test_what_the_user_has_read_is_told_once(back: Back, moveo: FakeMoveo, status: int) -> None:
    answer = moveo.answer
    moveo.there.answer = lambda received, number: (
        Answer(status=status) if received.path.endswith("/read") else answer(received, number)
    )
    await back.sessions.link("c1", "s1")
    for chat in ("c1", "a chat without a session"):
        await back.queue.push(chat, msgspec.json.encode(Seen(chat=chat, id=f"{chat}:read")))
    await back.deliver(says("hi"))
    paths = [received.path.partition("/sessions/")[2] for received in moveo.there.received]
    assert paths == ["s1/messages/read", "s1/messages"]
    assert await back.dead() == []


async def test_while_moveo_is_down_one_message_probes_for_all(
    redis: Redis, back: Back, moveo: FakeMoveo
) -> None:
    moveo.there.answer = lambda *_: Answer(status=500)
    for number in range(3):
        for chat in range(20):
            await back.push(UserMessage(chat=f"c{chat}", id=f"m{chat}-{number}", text=f"{number}"))
    for chat in range(20):
        await back.sessions.link(f"c{chat}", f"s{chat}")
    async with back.running():
        await until(lambda: is_down(back))
        await asyncio.sleep(0.3)
        before = len(moveo.there.received)
        await asyncio.sleep(2.0)
        assert len(moveo.there.received) - before <= 3
        moveo.there.received.clear()
        moveo.there.answer = moveo.answer
        await quiet(back.queue, 30)
    said: dict[str, list[object]] = {}
    for session, message in moveo.posted:
        said.setdefault(session, []).append(message)
    assert said == {f"s{chat}": [{"text": f"{number}"} for number in range(3)] for chat in range(20)}


async def is_down(back: Back) -> bool:
    return (await back.queue.stats()).down_seconds is not None
