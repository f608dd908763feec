"""Ingress that waits for a replica: a failover loses nothing that it had acknowledged."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from bridge.ingress.server import serving
from bridge.queue import Queue, connect
from tests.chaos.proxy import Proxy
from tests.ingress.conftest import Ingress, settings
from tests.ingress.test_spooling import ACCEPTED, SPOOLED, delivered, event
from tests.pair import linked, pair
from tests.workers.bench import until


@pytest.mark.parametrize("replicas", [1, 0])
async def test_a_failover_to_a_replica_that_lags(tmp_path: Path, replicas: int) -> None:
    """Without waiting, what the replica had not received is lost: that is what the setting is for."""
    async with pair(tmp_path) as (first, second, replication):
        here, there = connect(first.url), connect(second.url)
        await linked(here)
        async with Proxy(first.data / "server.sock") as link, aiohttp.ClientSession() as http:
            configured = settings(
                link.url,
                ingress={"spool": tmp_path / "spool"},
                redis={"replicas": replicas},
            )
            async with serving(configured) as addresses:
                ingress = Ingress(addresses, http, there)
                for n in range(3):
                    assert await ingress.post(event(n)) == ACCEPTED
                await linked(here)
                replication.freeze()
                for n in range(3, 40):
                    assert await ingress.post(event(n)) in ((SPOOLED,) if replicas else (ACCEPTED, SPOOLED))

                async def deliverable() -> bool:
                    return (await Queue(here, "support", "out").stats()).depth == 40

                await until(deliverable, 20)
                first.kill()
                replication.cut()
                await there.replicaof("NO", "ONE")
                link._socket = second.data / "server.sock"
                found: list[int] = []

                async def arrived() -> bool:
                    await ingress.post(event(40))  # the sender repeats it until it is taken
                    found.extend(await delivered(ingress.queue()))
                    return 40 in found

                await until(arrived, 30)
                if replicas:
                    assert found == [*range(41)]
                else:
                    assert found[:3] == [0, 1, 2]
                    assert len(found) < 41, "what the replica had not received"
        await here.aclose()
        await there.aclose()
