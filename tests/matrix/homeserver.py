"""A real homeserver, Synapse, as a process of its own, with two bots of the bridge's as application services.

One is told of what people write, by the registration that the channel's steps ask for; the other only sends.
The database is SQLite in a folder of the test's; nothing leaves the machine. The limits are lifted, but for
the size of a file.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bridge.channels.matrix import setup
from bridge.embedded import die_with_parent

START_SECONDS: Final = 60.0
DOMAIN: Final = "matrix.test"
BOT: Final = f"@support:{DOMAIN}"
SENDER: Final = f"@news:{DOMAIN}"
"""The one that is told nothing."""
AS_TOKENS: Final = {BOT: "as-" + "b" * 40, SENDER: "as-" + "s" * 40}
HS_TOKEN: Final = "hs-" + "h" * 40
MAX_UPLOAD: Final = 200_000
PASSWORD: Final = "a-password-of-a-test"
_SHARED: Final = "a-secret-of-a-test"
_FREE: Final = {"per_second": 10_000, "burst_count": 10_000}


class Homeserver:
    """`url` is its client-server API; `folder` has its log. The bridge is told of events at `told`."""

    def __init__(self, folder: Path, told: str) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self._told = told
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._write()
        with (self.folder / "synapse.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "synapse.app.homeserver", "-c", str(self.folder / "homeserver.yaml")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 -- a prctl
            )
        ends_at = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "synapse.log").read_text()[-4000:]
            assert time.monotonic() < ends_at, "the homeserver gave no answer"
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def register(self, name: str, *, admin: bool = False) -> dict[str, Any]:
        """A new user: `user_id`, `access_token` and `device_id`."""
        nonce = self.call("GET", "/_synapse/admin/v1/register")["nonce"]
        words = (nonce, name, PASSWORD, "admin" if admin else "notadmin")
        mac = hmac.new(_SHARED.encode(), "\0".join(words).encode(), hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": name, "password": PASSWORD, "admin": admin, "mac": mac}
        return self.call("POST", "/_synapse/admin/v1/register", body)

    def call(self, method: str, path: str, body: object = None, *, token: str = "") -> dict[str, Any]:
        """One call of its API that has to succeed."""
        request = urllib.request.Request(  # noqa: S310 -- of a URL that is this machine's
            f"{self.url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"authorization": f"Bearer {token}"} if token else {},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=20) as reply:  # noqa: S310
            answer: dict[str, Any] = json.load(reply)
            return answer

    def _answers(self) -> bool:
        try:
            return "versions" in self.call("GET", "/_matrix/client/versions")
        except OSError:
            return False

    def _write(self) -> None:
        key = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        (self.folder / "signing.key").write_text(f"ed25519 a_test {key}\n")
        handler = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr"}
        log = {"version": 1, "handlers": {"all": handler}, "root": {"level": "WARNING", "handlers": ["all"]}}
        self._dump("log.yaml", {**log, "disable_existing_loggers": False})
        for bot, told in ((BOT, self._told), (SENDER, None)):
            self._dump(f"{AS_TOKENS[bot]}.yaml", registration(bot, told))
        self._dump("homeserver.yaml", self._config())

    def _config(self) -> dict[str, Any]:
        port = int(self.url.rpartition(":")[2])
        listener = {
            "port": port,
            "type": "http",
            "bind_addresses": ["127.0.0.1"],
            "resources": [{"names": ["client"], "compress": False}],
        }
        return {
            "server_name": DOMAIN,
            "pid_file": str(self.folder / "synapse.pid"),
            "listeners": [listener],
            "database": {"name": "sqlite3", "args": {"database": str(self.folder / "synapse.db")}},
            "log_config": str(self.folder / "log.yaml"),
            "media_store_path": str(self.folder / "media"),
            "signing_key_path": str(self.folder / "signing.key"),
            "app_service_config_files": [str(self.folder / f"{token}.yaml") for token in AS_TOKENS.values()],
            "registration_shared_secret": _SHARED,
            "max_upload_size": MAX_UPLOAD,
            "trusted_key_servers": [],
            "report_stats": False,
            "presence": {"enabled": False},
            "rc_message": _FREE,
            "rc_registration": _FREE,
            "rc_invites": {"per_room": _FREE, "per_user": _FREE, "per_issuer": _FREE},
            "rc_joins": {"local": _FREE},
            "rc_room_creation": _FREE,
        }

    def _dump(self, name: str, value: object) -> None:
        """JSON is YAML."""
        (self.folder / name).write_text(json.dumps(value))


def registration(bot: str, told: str | None) -> dict[str, Any]:
    """As the steps have it, with the tokens in their places."""
    tokens = {"as_token": AS_TOKENS[bot], "hs_token": HS_TOKEN}
    return {**setup.registration(told or "", bot), **tokens, "url": told}


@contextmanager
def homeserver(folder: Path, told: str) -> Iterator[Homeserver]:
    made = Homeserver(folder, told)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
