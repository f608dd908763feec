"""`trigger` posts what Moveo would post, signed as Moveo signs."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.events import EVENT_TYPES
from tests.cli.conftest import Run


class Posted(msgspec.Struct):
    path: str
    signature: str | None
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)


class Webhook:
    """A webhook that keeps what it got, and answers the next of `statuses`, else 200."""

    def __init__(self) -> None:
        self.posted: list[Posted] = []
        self.statuses: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posted.append(Posted(self.path, self.headers["X-Moveo-Signature"], body))
                self.send_response(outer.statuses.pop(0) if outer.statuses else 200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"x" * 1000)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/moveo/support"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    made = Webhook()
    yield made
    made.close()


@pytest.fixture
def configured(folder: Path, webhook: Webhook) -> Path:
    port = webhook.url.split(":")[2].split("/")[0]
    path = folder / "bridge.toml"
    path.write_text(
        f'[ingress]\nport = {port}\n[integrations.support]\nchannel = "webchat"\nsecrets = ["new", "old"]\n'
    )
    return path


def signed(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_address_and_secret_come_from_the_settings(run: Run, webhook: Webhook, configured: Path) -> None:
    result = run("trigger", "--session", "chat-1")
    assert (result.exit_code, result.stdout) == (0, "200 message:brain_send\n")
    [posted] = webhook.posted
    assert posted.path == "/moveo/support"
    assert posted.signature == signed("new", posted.body)
    assert posted.event["external_session_id"] == "chat-1"
    assert f"{webhook.url.replace('/moveo/', '/chat/')}?session=chat-1" in result.stderr


def test_with_address_and_secret_no_settings_are_read(run: Run, webhook: Webhook, folder: Path) -> None:
    (folder / "bridge.toml").write_text("no settings")
    assert run("trigger", "--url", webhook.url, "--secret", "s").exit_code == 0
    assert webhook.posted[0].signature == signed("s", webhook.posted[0].body)


def test_an_unsigned_integration_gets_no_signature(run: Run, webhook: Webhook, folder: Path) -> None:
    (folder / "bridge.toml").write_text(
        '[ingress]\nhost = "127.0.0.1"\n[integrations.x]\nchannel = "console"\nunsigned = true\n'
    )
    assert run("trigger", "--url", webhook.url).exit_code == 0
    assert webhook.posted[0].signature is None


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_every_event_type_can_be_posted_and_is_in_the_help(
    run: Run, webhook: Webhook, event_type: str
) -> None:
    assert run("trigger", event_type, "--url", webhook.url, "--secret", "s").exit_code == 0
    assert webhook.posted[0].event["event_type"] == event_type
    assert event_type in run("trigger", "--help").stdout


def test_a_response_type(run: Run, webhook: Webhook) -> None:
    assert run("trigger", "--type", "carousel", "--url", webhook.url, "--secret", "s").exit_code == 0
    assert webhook.posted[0].event["output"]["responses"][0]["type"] == "carousel"


@pytest.mark.parametrize(
    ("moveo", "shown"),
    [
        ("", "https://example.com/hills.png"),
        ('[moveo]\nurl = "http://127.0.0.1:8090/"\n', "http://127.0.0.1:8090/media/hills.png"),
        ('[moveo]\nurl = "https://moveo.example"\n', "https://example.com/hills.png"),
    ],
    ids=["moveo", "emulator", "another"],
)
def test_media_are_the_emulators_where_there_is_one(
    run: Run, webhook: Webhook, configured: Path, moveo: str, shown: str
) -> None:
    configured.write_text(moveo + configured.read_text())
    run("trigger", "--type", "image")
    run("trigger", "--type", "image", "--url", webhook.url)
    for posted in webhook.posted:
        assert posted.event["output"]["responses"][0]["url"] == shown


def test_count_posts_different_events_of_one_session(run: Run, webhook: Webhook) -> None:
    result = run("trigger", "--count", "3", "--url", webhook.url, "--secret", "s")
    assert result.stdout == "200 message:brain_send\n" * 3
    assert len({posted.body for posted in webhook.posted}) == 3
    assert len({posted.event["session_id"] for posted in webhook.posted}) == 1


def test_a_file_is_posted_as_it_is(run: Run, webhook: Webhook, folder: Path) -> None:
    """Byte for byte, broken ones too: it is a means to test with."""
    lines = [b'{"event_type":"a",   "n": 1}', b"{broken", b'{"n": "\xc3\xa9"}']
    (folder / "events").write_bytes(b"\n".join(lines) + b"\n\n")
    result = run("trigger", "--file", "events", "--url", webhook.url, "--secret", "s")
    assert [posted.body for posted in webhook.posted] == lines
    assert all(posted.signature == signed("s", posted.body) for posted in webhook.posted)
    assert result.stdout == "200 line 1\n200 line 2\n200 line 3\n"


@pytest.mark.parametrize(("status", "exit_code"), [(200, 0), (202, 0), (301, 1), (401, 1), (503, 1)])
def test_the_exit_code_says_whether_all_were_accepted(
    run: Run, webhook: Webhook, status: int, exit_code: int
) -> None:
    webhook.statuses = [200, status, 200]
    result = run("trigger", "--count", "3", "--url", webhook.url, "--secret", "s")
    assert result.exit_code == exit_code
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["200", str(status), "200"]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        pytest.param(
            ["--url", "http://127.0.0.1:1/x"], 1, "http://127.0.0.1:1/x does not answer: ", id="refused"
        ),
        pytest.param(["--url", "ftp://x/"], 2, "starts with http:// or https://", id="no http"),
        pytest.param(
            ["nonsense", "--url", "http://127.0.0.1:1"], 2, "no event type is called nonsense", id="event"
        ),
        pytest.param(
            ["--type", "car", "--url", "http://127.0.0.1:1"], 2, "no response type is called car", id="type"
        ),
    ],
)
def test_what_cannot_be_done_is_one_line(run: Run, arguments: list[str], exit_code: int, said: str) -> None:
    result = run("trigger", "--secret", "canary", *arguments)
    assert result.exit_code == exit_code
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert "canary" not in result.output
