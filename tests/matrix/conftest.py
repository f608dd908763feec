"""One homeserver for the whole run, people of it, and the files that an agent shows."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from itertools import count

import pytest
from aiohttp import web

from bridge.emulator.files import MEDIA
from tests.matrix.homeserver import Homeserver, free_port, homeserver
from tests.matrix.person import Person, person

_numbers = count(1)


@pytest.fixture(scope="session")
def told() -> int:
    """The port at which the homeserver tells the bridge of events."""
    return free_port()


@pytest.fixture(scope="session")
def synapse(tmp_path_factory: pytest.TempPathFactory, told: int) -> Iterator[Homeserver]:
    if find_spec("synapse") is None:
        if os.environ.get("CI"):
            pytest.fail("matrix-synapse is not installed")
        pytest.skip("matrix-synapse is not installed (it has wheels for Linux only)")
    folder = tmp_path_factory.mktemp("synapse")
    with homeserver(folder, f"http://127.0.0.1:{told}/channels/support") as started:
        yield started


@pytest.fixture
async def ada(synapse: Homeserver) -> AsyncIterator[Person]:
    async with person(synapse, f"ada{next(_numbers)}") as made:
        yield made


@pytest.fixture
async def media() -> AsyncIterator[str]:
    """Where the samples' files are; "large.bin" is one that the homeserver does not take."""
    app = web.Application()
    app.router.add_get("/large.bin", _large)
    app.router.add_static("/", MEDIA)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def _large(_: web.Request) -> web.Response:
    return web.Response(body=b"x" * 300_000, content_type="application/octet-stream")
