"""What a person sees in a real client, on a real homeserver, of what an agent says through a real worker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nio
import pytest
from redis.asyncio import Redis

from bridge.channels import Call
from bridge.channels.matrix import Matrix, MatrixSettings
from bridge.channels.matrix.messages import TEXT
from bridge.embedded import EmbeddedServer
from bridge.emulator.files import MEDIA
from bridge.errors import Forbidden, Rejected, Unauthorized
from bridge.events.responses import RESPONSE_TYPES
from bridge.samples import MEDIA_URL, sample
from bridge.secret import Secret
from bridge.sender import Sender, open_http
from bridge.sessions import Sessions
from tests.matrix.homeserver import AS_TOKENS, SENDER, Homeserver
from tests.matrix.person import Person
from tests.matrix.worker import NAME, Pusher, config, lossy, working
from tests.workers.bench import quiet


@pytest.fixture
async def room(synapse: Homeserver, ada: Person) -> str:
    """Where the person and the bot are."""
    room = await ada.open_room(SENDER)
    await asyncio.to_thread(
        synapse.call, "POST", f"/_matrix/client/v3/rooms/{room}/join", {}, token=AS_TOKENS[SENDER]
    )
    return room


@pytest.fixture
async def pusher(redis_client: Redis, room: str) -> Pusher:
    return Pusher(redis_client, room)


@pytest.fixture(scope="module")
def worker(
    synapse: Homeserver, server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    with working(tmp_path_factory.mktemp("worker"), config(synapse.url), server.url):
        yield


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def at(media: str, event: dict[str, Any]) -> dict[str, Any]:
    """The sample with its files where they are."""
    found: dict[str, Any] = json.loads(json.dumps(event).replace(MEDIA_URL, media))
    return found


def shown(event: nio.RoomMessage) -> tuple[str, str]:
    """A message in two words: what it is, and its text."""
    return str(event.source["content"]["msgtype"]), event.body


def card(media: str, name: str, title: str, number: int) -> list[tuple[str, str]]:
    links = f"Picture: {media}/{name}.png\nBook: {media}/form.html"
    return [
        ("m.image", f"{name}.png"),
        ("m.text", f"{title}\nA walk of two hours\n{links}\n\n{number}. Choose"),
    ]


@pytest.mark.usefixtures("worker")
async def test_every_kind_of_response_is_seen_in_order(pusher: Pusher, ada: Person, media: str) -> None:
    for number, kind in enumerate(RESPONSE_TYPES, 1):
        said = sample("message:brain_send", response_type=kind, session="s", number=number, now_ms=1)
        await pusher.post(at(media, said))
    await pusher.post(at(media, sample("message:send", session="s", number=99, now_ms=1)))
    expected = [
        ("m.text", "Your order 1 is on its way.\n\n1. Track order\n2. Talk to a person"),
        ("m.image", "Green hills"),
        ("m.video", "A sunrise"),
        ("m.audio", "A chime"),
        ("m.file", "guide.pdf"),
        ("m.text", f"{media}/guide.pdf"),
        *card(media, "hills", "Green hills", 1),
        *card(media, "lake", "Evening lake", 2),
        *card(media, "dunes", "Warm dunes", 3),
        ("m.text", "I am connecting you with a person."),
        ("m.text", f"A form\nBook a table: {media}/form.html"),
        ("m.text", f"Rate this chat: {media}/form.html"),
        ("m.notice", "This conversation has ended."),
        ("m.text", "Sarah Johnson: Hello, this is Sarah. I have read message 99; here is the guide."),
        ("m.file", "Sarah Johnson: guide.pdf"),
    ]
    await ada.bodies(len(expected))
    assert [shown(event) for event in ada.events] == expected
    assert {event.sender for event in ada.events} == {SENDER}
    await quiet(pusher.queue)
    assert await pusher.letters() == []


FILES = {
    "image": ("hills.png", "image/png"),
    "video": ("sunrise.mp4", "video/mp4"),
    "audio": ("chime.wav", "audio/wav"),
    "file": ("guide.pdf", "application/pdf"),
}


@pytest.mark.usefixtures("worker")
async def test_files_are_in_the_homeserver_as_they_were(pusher: Pusher, ada: Person, media: str) -> None:
    await pusher.push(*({"type": kind, "url": f"{media}/{name}"} for kind, (name, _) in FILES.items()))
    await ada.bodies(len(FILES))
    for event, (name, mime_type) in zip(ada.events, FILES.values(), strict=True):
        assert isinstance(event, nio.RoomMessageMedia)
        content = event.source["content"]
        original = (MEDIA / name).read_bytes()
        told = content["info"]["mimetype"]
        assert told == mime_type or told.partition("/")[0] == mime_type.partition("/")[0]
        assert (content["filename"], content["info"]["size"]) == (name, len(original))
        assert await ada.load(event.url) == original


@pytest.mark.usefixtures("worker")
async def test_a_file_that_cannot_be_shown_is_a_link_in_its_place(
    pusher: Pusher, ada: Person, media: str
) -> None:
    """One is larger than the homeserver takes, one is not there, one is at an address that is not public."""
    large, gone, private = f"{media}/large.bin", f"{media}/gone.png", "https://localhost/a.png"
    await pusher.push(
        text("before"),
        {"type": "file", "url": large, "name": "All of it"},
        {"type": "image", "url": gone},
        {"type": "image", "url": private},
        text("after"),
    )
    assert await ada.bodies(5) == ["before", f"All of it: {large}", gone, private, "after"]


async def test_an_answer_that_is_lost_does_not_show_a_message_twice(
    synapse: Homeserver,
    tmp_path: Path,
    server: EmbeddedServer,
    redis_client: Redis,
    ada: Person,
    room: str,
    media: str,
) -> None:
    pusher, lost = Pusher(redis_client, room, "lossy"), [1, 3, 4]
    async with lossy(synapse.url, lost) as (url, sent):
        with working(tmp_path, config(url, name="lossy"), server.url):
            await pusher.push(text("one"), text("two"), {"type": "image", "url": f"{media}/hills.png"})
            await pusher.push(text("three"))
            await quiet(pusher.queue, 30)
    assert await ada.bodies(4) == ["one", "two", "hills.png", "three"]
    assert len(sent) == 4 + len(lost)


@pytest.mark.usefixtures("worker")
async def test_the_longest_texts_are_taken_and_lose_nothing(pusher: Pusher, ada: Person) -> None:
    said = '"' * TEXT + "\\" * TEXT + "😀" * TEXT
    await pusher.push(text(said))
    assert "".join(await ada.bodies(6)) == said


@pytest.mark.usefixtures("worker")
async def test_a_person_sees_that_somebody_types_and_has_read(
    pusher: Pusher, ada: Person, redis_client: Redis
) -> None:
    event = await ada.say("Are you there?")
    await Sessions(redis_client, NAME).remember(ada.room, {"event": event})
    await pusher.post(sample("message:read", session="s", number=1, now_ms=1))
    await ada.sees(lambda: event in ada.read)
    await pusher.post(sample("message:compose", session="s", number=1, now_ms=1))
    await ada.sees(lambda: ada.typing[-1:] == [[SENDER]])
    await pusher.post(sample("message:compose", session="s", number=2, now_ms=1))
    await ada.sees(lambda: ada.typing[-1:] == [[]])


@pytest.mark.usefixtures("worker")
async def test_a_pause_is_filled_with_a_typing_sign(pusher: Pusher, ada: Person) -> None:
    await pusher.push({"type": "pause", "duration": 1, "show_typing": True}, text("Here I am."))
    await ada.sees(lambda: [SENDER] in ada.typing)
    assert await ada.bodies(1) == ["Here I am."]


@pytest.mark.usefixtures("worker")
async def test_a_room_without_the_bot_is_a_dead_letter_and_the_next_goes_on(
    pusher: Pusher, ada: Person, redis_client: Redis
) -> None:
    other = Pusher(redis_client, "!nobody/is%here:matrix.test")
    await other.push(text("Is anybody here?"))
    await pusher.push(text("after"))
    assert await ada.bodies(1) == ["after"]
    await quiet(pusher.queue)
    assert await pusher.letters() == ["rejected: HTTP 403 M_FORBIDDEN"]


async def test_a_homeserver_that_wants_less_is_obeyed(
    synapse: Homeserver, tmp_path: Path, server: EmbeddedServer, redis_client: Redis, ada: Person
) -> None:
    """An ordinary account of a bot's, whose messages Synapse limits."""
    clerk = await asyncio.to_thread(synapse.register, "clerk")
    admin = await asyncio.to_thread(synapse.register, "admin", admin=True)
    limit = {"messages_per_second": 5, "burst_count": 1}
    path = f"/_synapse/admin/v1/users/{clerk['user_id']}/override_ratelimit"
    await asyncio.to_thread(synapse.call, "POST", path, limit, token=admin["access_token"])
    room = await ada.open_room(clerk["user_id"])
    join = f"/_matrix/client/v3/rooms/{room}/join"
    await asyncio.to_thread(synapse.call, "POST", join, {}, token=clerk["access_token"])
    pusher = Pusher(redis_client, room, "clerk")
    settings = config(synapse.url, name="clerk", user_id=clerk["user_id"], token=clerk["access_token"])
    with working(tmp_path, settings, server.url):
        await pusher.push(text("one"), text("two"), text("three"))
        assert await ada.bodies(3) == ["one", "two", "three"]
        await quiet(pusher.queue)
    stats = await pusher.queue.stats()
    assert (stats.retried_total, stats.dead) == (0, 0)


@pytest.mark.parametrize(
    ("given", "op", "error"),
    [
        pytest.param({"token": Secret("unknown")}, "", Unauthorized, id="unknown-token"),
        pytest.param({"prefix": "/_matrix"}, "", Forbidden, id="address-amiss"),
        pytest.param({}, "!nobody:here", Rejected, id="no-such-room"),
        pytest.param({}, "..", Rejected, id="dots"),
        pytest.param({"user_id": "@other:matrix.test"}, "typing", Rejected, id="another's-typing"),
    ],
)
async def test_a_refusal_is_understood(
    synapse: Homeserver, room: str, given: dict[str, Any], op: str, error: type[Exception]
) -> None:
    prefix = given.pop("prefix", "")
    settings = {
        "api_url": synapse.url + prefix,
        "user_id": SENDER,
        "token": Secret(AS_TOKENS[SENDER]),
        **given,
    }
    channel = Matrix(MatrixSettings(**settings))
    call = (
        Call(op="typing", to=room, body={"typing": False})
        if op == "typing"
        else Call(op="send/m.room.message", to=op or room, id="1", body={"msgtype": "m.text", "body": "Hi"})
    )
    async with open_http() as http:
        reply = await Sender(http).send(channel.request(call))
    with pytest.raises(error):
        channel.check(reply)
