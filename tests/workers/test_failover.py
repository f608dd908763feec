"""A failover behind a virtual address: old connections stay on the demoted server, new ones reach the master.

Two real servers, a proxy as the address, and an ingress and a worker as processes of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from bridge.embedded import EmbeddedServer
from bridge.ingress.signature import HEADER, sign
from bridge.queue import connect
from bridge.secret import Secret
from tests.chaos.proxy import Proxy
from tests.ingress.children import process, said
from tests.ingress.conftest import SECRET
from tests.pair import linked, pair
from tests.workers.bench import until
from tests.workers.children import Child, worker
from tests.workers.events import answer
from tests.workers.platform import Platform
from tests.workers.test_process import CONFIG, by_session, started

SESSIONS = 3
SOON_SECONDS = 10.0
"""Far more than it takes, and less than the 12 s after which an idle worker looks without being woken."""


class Site:
    """The two servers, the address in front of them, and the processes that know the address alone."""

    def __init__(self, servers: list[EmbeddedServer], clients: list[Redis], sources: list[Proxy]) -> None:
        self.servers, self.clients, self.sources = servers, clients, sources
        self.address = Proxy(servers[0].data / "server.sock")
        self.master = 0
        self.sent: dict[str, list[str]] = {}
        self.accepted_at = 0.0
        self.admin: dict[str, str] = {}
        self._number = 0

    async def up(self, ingress: Process, child: Child) -> str:
        """Wait until both processes have started; the address to post events to."""
        line, _ = await said(ingress, "ingress.started")
        await started(child)
        self.admin = {"ingress": line["admin"], "worker": admin_of(child)}
        return f"{line['url']}/moveo/support"

    async def demote(self) -> None:
        """The master takes no writes any more; its replica has received all that it took."""
        old, new = self.clients[self.master], self.clients[1 - self.master]
        await old.replicaof("127.0.0.1", "1")

        async def level() -> bool:
            there, here = [await each.info("replication") for each in (old, new)]
            return bool(there["master_repl_offset"] == here["slave_repl_offset"])

        await until(level)

    async def promote(self) -> None:
        """The replica is the new master, and the old one its replica; new connections reach the new one."""
        self.master = 1 - self.master
        await self.clients[self.master].replicaof("NO", "ONE")
        self.address._socket = self.servers[self.master].data / "server.sock"
        port = self.sources[self.master].url.rpartition(":")[2].partition("/")[0]
        await self.clients[1 - self.master].replicaof("127.0.0.1", port)

    async def post(self, http: aiohttp.ClientSession, url: str) -> None:
        """Posts the next event, again and again until it is taken, as Moveo does."""
        session, text = f"s{self._number % SESSIONS}", f"text {self._number}"
        self._number += 1
        body = answer(session, text)
        headers = {HEADER: sign(Secret(SECRET), body)}
        async with asyncio.timeout(20):
            while True:
                async with http.post(url, data=body, headers=headers) as response:
                    status = (await response.json())["status"]
                if response.status == 200:
                    break
                assert response.status == 503
                await asyncio.sleep(0.05)
        if status == "accepted":
            self.accepted_at = asyncio.get_running_loop().time()
        self.sent.setdefault(session, []).append(text)

    async def ready(self, http: aiohttp.ClientSession, role: str) -> tuple[int, dict[str, Any]]:
        async with http.get(f"{self.admin[role]}/readyz") as response:
            return response.status, await response.json()

    async def well(self, http: aiohttp.ClientSession) -> bool:
        both = [await self.ready(http, role) for role in self.admin]
        return both == [(200, {"ready": True, "problems": [], "degraded": []})] * 2


def all_arrived(site: Site, there: Platform) -> bool:
    """Each event that was taken is there once, and in the order of its session."""
    return by_session(there) == site.sent


async def root(server: EmbeddedServer) -> Redis:
    """A client that may do everything, whatever others may do."""
    async with connect(server.url) as client:
        await set_user(client, "root", "on", ">pw", "~*", "&*", "+@all")
    return connect(server.url.replace("unix://", "unix://root:pw@"))


async def set_user(client: Redis, *rules: str) -> None:
    await client.execute_command("ACL", "SETUSER", *rules)  # type: ignore[no-untyped-call]


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Site]:
    async with contextlib.AsyncExitStack() as stack:
        servers = await stack.enter_async_context(pair(folder))
        both = [servers.first, servers.second]
        clients = [await stack.enter_async_context(await root(each)) for each in both]
        back = await stack.enter_async_context(Proxy(servers.second.data / "server.sock"))
        await linked(clients[0])
        site = Site(both, clients, [servers.link, back])
        await stack.enter_async_context(site.address)
        yield site


@pytest.mark.parametrize("spool", [True, False], ids=["spool", "no-spool"])
async def test_every_connection_moves_to_the_new_master(there: Platform, tmp_path: Path, spool: bool) -> None:
    """And nothing is lost, repeated or out of order; probes say so while writes are refused."""
    env = {"BRIDGE_INGRESS__SPOOL": str(tmp_path / "spool")} if spool else {}
    config = CONFIG.format(url=there.url)
    async with (
        running(tmp_path) as site,
        process(site.address.url, BRIDGE_LOG__LEVEL="info", **env) as ingress,
        aiohttp.ClientSession() as http,
    ):
        with worker(tmp_path, config, site.address.url) as child:
            url = await site.up(ingress, child)

            enough = asyncio.Event()

            async def post_on() -> None:
                while not enough.is_set():
                    await site.post(http, url)
                    await asyncio.sleep(0.005)

            async def refused() -> bool:
                ingress, worker = [await site.ready(http, role) for role in site.admin]
                problem = "redis: ReadOnlyError"
                return (
                    ingress[0] == (200 if spool else 503)
                    and problem in ingress[1]["degraded" if spool else "problems"]
                    and worker == (503, {"ready": False, "problems": [problem], "degraded": []})
                )

            well = partial(site.well, http)

            delivered = partial(all_arrived, site, there)
            await until(well, 20)
            posting = asyncio.create_task(post_on())
            await there.has(100, 30)
            await site.demote()
            await until(refused, SOON_SECONDS)
            await site.promote()
            loop = asyncio.get_running_loop()
            promoted_at = loop.time()
            await until(lambda: site.accepted_at > promoted_at, SOON_SECONDS)
            await until(well, SOON_SECONDS)
            count = len(there.received)
            await there.has(count + 100, 30)
            enough.set()
            await posting

            # Back again, while the ingress idles and the worker waits for a wake.
            await until(delivered, 20)
            await asyncio.sleep(1.0)
            await site.demote()
            await asyncio.sleep(0.5)
            await site.promote()
            await site.post(http, url)
            await until(delivered, SOON_SECONDS)
            await until(well, SOON_SECONDS)
            assert child.alive
            assert ingress.returncode is None


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        pytest.param(("-@all", "+client", "+ping"), "redis: PermissionLostError", id="permissions"),
        pytest.param(("-@scripting", "-@write"), "redis: PermissionLostError", id="some-permissions"),
        pytest.param(("resetpass", ">other"), "redis: AuthenticationError", id="password"),
    ],
)
async def test_a_new_master_that_lets_nobody_in_ends_no_process(
    there: Platform, tmp_path: Path, rules: tuple[str, ...], problem: str
) -> None:
    config = CONFIG.format(url=there.url)
    async with (
        running(tmp_path) as site,
        process(site.address.url, BRIDGE_INGRESS__SPOOL=str(tmp_path / "spool")) as ingress,
        aiohttp.ClientSession() as http,
    ):
        with worker(tmp_path, config, site.address.url) as child:
            url = await site.up(ingress, child)

            delivered = partial(all_arrived, site, there)
            for _ in range(3):
                await site.post(http, url)
            await until(delivered)
            await until(partial(site.well, http))
            await set_user(site.clients[1], "default", *rules)
            await site.demote()
            await site.promote()
            for _ in range(3):
                await site.post(http, url)

            async def refused() -> bool:
                ingress, worker = [await site.ready(http, role) for role in site.admin]
                return (ingress[0], ingress[1]["degraded"][-1:], worker[0], worker[1]["problems"]) == (
                    200, [problem], 503, [problem]
                )  # fmt: skip

            await until(refused, SOON_SECONDS)
            await asyncio.sleep(3.0)  # arq asks every two seconds
            assert child.alive
            assert len(there.received) == 3
            await set_user(site.clients[1], "default", "nopass", "+@all")
            await until(delivered, SOON_SECONDS)
            assert child.alive
            assert ingress.returncode is None


def admin_of(child: Child) -> str:
    lines = (json.loads(line) for line in child.log.splitlines())
    return next(str(line["admin"]) for line in lines if line["event"] == "worker.started")
