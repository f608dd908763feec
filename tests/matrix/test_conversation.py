"""A person with a real client talks with the agent of the stand-in for Moveo: through a real homeserver,
ingress and worker, and back.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path

import nio
import pytest

from bridge.embedded import EmbeddedServer
from bridge.emulator.files import MEDIA
from tests.matrix.homeserver import AS_TOKENS, BOT, HS_TOKEN, Homeserver, free_port
from tests.matrix.person import Person
from tests.workers.bench import until
from tests.workers.children import Child

CONFIG = """
[log]
level = "debug"
[redis]
url = "{redis}"
[ingress]
host = "127.0.0.1"
port = {told}
admin_port = 0
[worker]
admin_port = 0
media_hosts = ["127.0.0.1"]
[moveo]
url = "http://127.0.0.1:{moveo}"
[integrations.support]
channel = "matrix"
secrets = ["whsec"]
integration_id = "i"
api_key = "k"
[integrations.support.matrix]
api_url = "{homeserver}"
user_id = "{bot}"
token = "{token}"
hs_token = "{hs_token}"
"""
START_SECONDS = 30.0


class Bridge:
    """The processes of the bridge, and the stand-in for Moveo."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def running(self, command: str, *options: str) -> Iterator[Child]:
        log = self._folder / f"{command}.log"
        log.unlink(missing_ok=True)
        arguments = [sys.executable, "-m", "bridge", command, "--config", str(self._folder / "bridge.toml")]
        with log.open("wb") as stream:
            process = subprocess.Popen([*arguments, *options], stdout=stream, stderr=stream)
        child = Child(process, log)
        try:
            self._await(child, f"{command}.started")
            yield child
        finally:
            if child.alive:
                child.signal(signal.SIGTERM)
            child.ended()

    def asked(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        """A command that ends by itself."""
        arguments = [sys.executable, "-m", "bridge", command, "--config", str(self._folder / "bridge.toml")]
        return subprocess.run([*arguments, *options], capture_output=True, text=True, timeout=30, check=False)

    def _await(self, child: Child, said: str) -> None:
        ends_at = time.monotonic() + START_SECONDS
        while said not in child.log:
            assert child.alive, child.log
            assert time.monotonic() < ends_at, child.log
            time.sleep(0.02)


@pytest.fixture(scope="module")
def bridge(
    synapse: Homeserver, told: int, server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bridge]:
    """All that runs but the ingress."""
    folder, moveo = tmp_path_factory.mktemp("bridge"), free_port()
    (folder / "bridge.toml").write_text(
        CONFIG.format(
            redis=server.url,
            told=told,
            moveo=moveo,
            homeserver=synapse.url,
            bot=BOT,
            token=AS_TOKENS[BOT],
            hs_token=HS_TOKEN,
        )
    )
    made = Bridge(folder)
    with ExitStack() as stack:
        stack.enter_context(made.running("emulator", f"--port={moveo}"))
        stack.enter_context(made.running("worker"))
        yield made


@pytest.fixture(scope="module")
def ingress(bridge: Bridge) -> Iterator[Child]:
    with bridge.running("ingress") as child:
        yield child


@pytest.fixture
async def talk(ingress: Child, ada: Person) -> Person:
    """The person, in a room to which the bot was invited, and came."""
    await ada.open_room(BOT)
    await ada.joined(BOT)
    return ada


def number_of(label: str, body: str) -> str:
    """What to answer for an option of a numbered list."""
    found = re.search(rf"(?m)^(\d+)\. {label}$", body)
    assert found, body
    return found[1]


async def test_a_person_talks_with_the_agent(talk: Person) -> None:
    await talk.say("Hello")
    (menu,) = await talk.bodies(1)
    assert menu.startswith("Hello! I am the demo agent")
    await talk.say(number_of("Carousel", menu))
    *_, dunes = await talk.bodies(7)
    assert [type(each) for each in talk.events[1:]] == [nio.RoomMessageImage, nio.RoomMessageText] * 3
    await talk.say(number_of("Choose", dunes))
    assert (await talk.bodies(8))[-1].startswith("You chose dunes. A good choice!")


async def test_a_human_agent_reads_types_and_answers_in_order(talk: Person) -> None:
    await talk.say("handover please")
    greeting = await talk.bodies(4)
    assert type(talk.events[1]) is nio.RoomMessageNotice, greeting
    asked = [f"question {number}" for number in (1, 2)]
    ids = [await talk.say(each) for each in asked]
    await talk.sees(lambda: len(talk.events) >= 4 + len(asked))
    answers = [event.body for event in talk.events[-len(asked) :]]
    assert [each for each, answer in zip(asked, answers, strict=True) if f"“{each}”" in answer] == asked
    assert ids[-1] in talk.read
    assert [BOT] in talk.typing


async def test_a_file_reaches_the_agent(talk: Person) -> None:
    content = (MEDIA / "guide.pdf").read_bytes()
    kept, _ = await talk.client.upload(
        BytesIO(content), "application/pdf", "bill 7.pdf", filesize=len(content)
    )
    assert isinstance(kept, nio.UploadResponse), kept
    info = {"mimetype": "application/pdf", "size": len(content)}
    await talk.send({"msgtype": "m.file", "body": "bill 7.pdf", "url": kept.content_uri, "info": info})
    assert (await talk.bodies(1))[0].startswith("Thank you, I have received bill 7.pdf.")


async def test_what_a_person_has_read_is_told(ingress: Child, talk: Person) -> None:
    await talk.say("Hello")
    await talk.bodies(1)
    answer = talk.events[0].event_id
    await talk.client.update_receipt_marker(talk.room, answer)
    await until(lambda: f'"{answer}:{talk.id}", "event": "message.accepted"' in ingress.log, 30)


async def test_an_edit_and_a_notice_are_no_messages(talk: Person) -> None:
    first = await talk.say("text")
    await talk.bodies(1)
    relation = {"rel_type": "m.replace", "event_id": first}
    new = {"msgtype": "m.text", "body": "image"}
    await talk.say("* image", **{"m.new_content": new, "m.relates_to": relation})
    await talk.send({"msgtype": "m.notice", "body": "image"})
    await talk.say("video")
    await talk.bodies(2)
    assert [type(event) for event in talk.events] == [nio.RoomMessageText, nio.RoomMessageVideo]


def test_connecting_finds_the_bridge(bridge: Bridge, ingress: Child, told: int) -> None:
    """A second time too: the account is there then."""
    for _ in range(2):
        done = bridge.asked("connect", "support", f"--url=http://127.0.0.1:{told}")
        assert done.returncode == 0, done.stderr
        assert f"credentials are good: {BOT}" in done.stdout
        assert f"registered: http://127.0.0.1:{told}/channels/support" in done.stdout
        assert not {HS_TOKEN, AS_TOKENS[BOT]} & set(re.findall(r"[\w-]+", done.stdout + done.stderr))


async def test_what_is_written_while_the_bridge_is_away_comes_once_and_in_order(
    bridge: Bridge, ingress: Child, talk: Person
) -> None:
    await talk.say("Hello")
    await talk.bodies(1)
    ingress.signal(signal.SIGTERM)
    ingress.ended()
    for word in ("text", "image", "audio"):
        await talk.say(word)
    with bridge.running("ingress"):
        await talk.sees(lambda: len(talk.events) >= 4)
    kinds = [nio.RoomMessageText, nio.RoomMessageText, nio.RoomMessageImage, nio.RoomMessageAudio]
    assert [type(event) for event in talk.events] == kinds
