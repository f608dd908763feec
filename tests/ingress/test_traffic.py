"""A stop waits for the requests under way, for as long as it may."""

from __future__ import annotations

import asyncio

from bridge.ingress.traffic import Traffic


async def test_without_traffic_a_drain_is_over_at_once() -> None:
    assert await Traffic().drain(0)


async def test_a_drain_ends_with_the_last_request() -> None:
    traffic = Traffic()
    with traffic:
        with traffic:
            drain = asyncio.create_task(traffic.drain(60))
            await asyncio.sleep(0)
            assert traffic.stopping
        await asyncio.sleep(0)
        assert not drain.done()
    assert await drain


async def test_a_drain_gives_up_in_the_end() -> None:
    traffic = Traffic()
    with traffic:
        assert not await traffic.drain(0.01)
