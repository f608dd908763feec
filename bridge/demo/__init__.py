"""`moveo-bridge demo`: a deployment on one machine, from nothing but this package.

    embedded server <── ingress, worker ──> emulator (Moveo's API, signed webhooks, a scripted agent)

The demo is only the parent of ordinary processes with ordinary settings. It ends when it is told to (Ctrl-C,
SIGTERM, a closed terminal) or when one of them does, and leaves none: a child that does not end is killed,
and on Linux a killed demo takes its children along. What waits in the queue is on disk for the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import socket
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

from bridge.demo.child import Child
from bridge.demo.folder import HOST, INTEGRATION, Ports, config_of, default_folder, running, write
from bridge.demo.word import Word
from bridge.embedded import EmbeddedServer
from bridge.errors import BridgeError, ConfigError

__all__ = ["DemoError", "default_folder", "run", "running"]

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 12.0  # a worker may take 10 to finish what it is sending
SERVER_POLL_SECONDS: Final = 0.25

BANNER: Final = """\
The demo is running; Ctrl-C ends it.

  Chat      {web}/chat/{name}
  Webhook   {web}/moveo/{name}
  Secret    {secret}

  Settings  {config}
  Redis     {redis}
  Metrics   http://{host}:{ports.ingress_admin}/metrics  (ingress)
            http://{host}:{ports.worker_admin}/metrics  (worker)
  Logs      {folder}/*.log

Open the chat and write "menu", send it a photo, answer "numbers" with one, let the session "expire" and
talk on. Or say it from another terminal:

  moveo-bridge{options} trigger --type carousel
  moveo-bridge{options} status --watch
"""

Say = Callable[[str], None]


class DemoError(BridgeError):
    """A process of the demo ended by itself, or did not come up."""


def run(folder: Path, port: int, say: Say) -> None:
    """Runs the demo until it is told to. Raises ConfigError if it cannot run, DemoError if a part fails."""
    folder = folder.expanduser().absolute()
    with Word() as word, EmbeddedServer(folder) as server:
        asyncio.run(_run(folder, server, reserve(port), say, word))
    with contextlib.suppress(OSError):  # the terminal may be closed
        say(f"Ended by {word.signal}. What was queued waits in the data folder for the next start.")


async def _run(folder: Path, server: EmbeddedServer, ports: Ports, say: Say, word: Word) -> None:
    secret = write(folder, server.url, ports)
    children = _children(folder, ports)
    try:
        for child in children:
            await child.start(_environment())
        if await _first(_come_up(children), word.given(), *_watches(server, children)) == 0:
            say(_banner(folder, server, ports, secret))
            await _first(word.given(), *_watches(server, children))
    finally:
        word.forget()
        await _first(_stop(children), word.given())
        for child in children:
            await child.end()  # told again: without waiting


def _children(folder: Path, ports: Ports) -> list[Child]:
    """In the order in which they end: nothing comes, nothing is accepted, what is being sent is finished."""
    config = ("--config", str(config_of(folder)))
    emulator = (*config, "emulator", "--host", HOST, "--port", str(ports.emulator))
    return [
        Child("emulator", emulator, folder / "emulator.log", ports.emulator),
        Child("ingress", (*config, "ingress"), folder / "ingress.log", ports.ingress_admin, "/readyz"),
        Child("worker", (*config, "worker"), folder / "worker.log", ports.worker_admin, "/readyz"),
    ]


def _environment() -> dict[str, str]:
    """The demo's settings are its own: the deployment whose variables may stand here is not touched."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("BRIDGE_") and name != "REDIS_URL"
    }


def reserve(port: int) -> Ports:
    """The port asked for (0: any), and free ones for the rest. Raises ConfigError when it is taken."""
    with contextlib.ExitStack() as stack:  # all open at once, so that no two are the same
        taken: list[int] = []
        for wanted in (port, 0, 0, 0):
            listener = stack.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((HOST, wanted))
            except OSError as error:
                raise ConfigError(
                    f"port {wanted} cannot be used ({error.strerror}): choose another with --port; 0 is any"
                ) from error
            taken.append(listener.getsockname()[1])
    return Ports(*taken)


async def _come_up(children: Sequence[Child]) -> None:
    try:
        async with asyncio.timeout(READY_SECONDS):
            for child in children:
                await child.ready(HOST)
    except TimeoutError:
        raise DemoError(f"the {child.name} is not ready after {READY_SECONDS:.0f} s: {child.why()}") from None


def _watches(server: EmbeddedServer, children: Sequence[Child]) -> list[Coroutine[Any, Any, None]]:
    return [_watch_server(server), *map(_watch, children)]


async def _watch(child: Child) -> None:
    code = await child.ended()
    raise DemoError(f"the {child.name} ended unexpectedly ({_end(code)}): {child.why()}")


async def _watch_server(server: EmbeddedServer) -> None:
    while server.alive:  # noqa: ASYNC110 -- a process that the event loop does not own
        await asyncio.sleep(SERVER_POLL_SECONDS)
    raise DemoError(f"the server ended unexpectedly: see {server.data / 'server.log'}")


def _end(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"


async def _first(*ways: Coroutine[Any, Any, object]) -> int:
    """Waits until one of the ways ends and gives up the others. Says which it was, or raises its error."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
    return min(map(tasks.index, done))


async def _stop(children: Sequence[Child]) -> None:
    for child in children:
        await child.stop(STOP_SECONDS)


def _banner(folder: Path, server: EmbeddedServer, ports: Ports, secret: str) -> str:
    config = config_of(folder)
    return BANNER.format(
        web=f"http://{HOST}:{ports.ingress}",
        name=INTEGRATION,
        secret=secret,
        config=config,
        redis=server.url,
        host=HOST,
        ports=ports,
        folder=folder,
        options="" if folder == default_folder() else f" --config {shlex.quote(str(config))}",
    )
