"""The limits of event streams: in all, for one chat, and for one address where it is known."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from ipaddress import ip_network

import aiohttp
import pytest
from redis.asyncio import Redis

from bridge.ingress.streams import Streams, client_network
from tests.web.site import NAME, Site

LOCAL = [ip_network("127.0.0.0/8")]
PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


async def opened(site: Site, stack: AsyncExitStack, number: int, address: str = "") -> tuple[int, str]:
    """The status of a stream that stays open with the stack, and its Retry-After."""
    http = await stack.enter_async_context(aiohttp.ClientSession())
    headers = {"X-Forwarded-For": address} if address else {}
    url = f"{site.url}/events?chat=chat-{number:04}"
    response = await stack.enter_async_context(http.get(url, headers=headers))
    return response.status, response.headers.get("Retry-After", "")


async def metric(site: Site, name: str) -> str:
    """The value of the first series whose name and labels begin so."""
    rendered = (await site.metrics.render([])).decode()
    return next(line.rpartition(" ")[2] for line in rendered.splitlines() if line.startswith(name))


async def test_what_is_too_much_is_refused_counted_and_let_in_later(redis_client: Redis) -> None:
    site = Site(redis_client)
    site.streams = Streams(site.metrics, most=2, per_address=1)
    async with site:
        async with AsyncExitStack() as stack:
            assert [await opened(site, stack, number) for number in range(3)] == [
                (200, ""),
                (200, ""),
                (503, "10"),
            ]
            assert await metric(site, f'moveo_bridge_streams{{integration="{NAME}"}}') == "2.0"
            refused = f'moveo_bridge_streams_refused_total{{integration="{NAME}",reason="all"}}'
            assert await metric(site, refused) == "1.0"
        await until_none_is_open(site)
        async with AsyncExitStack() as stack:
            assert (await opened(site, stack, 4))[0] == 200


async def test_an_address_has_a_share_where_a_trusted_proxy_names_it(redis_client: Redis) -> None:
    """Whatever the client itself writes into the header."""
    site = Site(redis_client)
    site.streams = Streams(site.metrics, most=100, per_address=2, proxies=LOCAL)
    async with site, AsyncExitStack() as stack:
        forged = [f"198.51.100.{number}, 203.0.113.7" for number in range(3)]
        assert [(await opened(site, stack, at, forged[at]))[0] for at in range(3)] == [200, 200, 429]
        assert (await opened(site, stack, 4, "203.0.113.8"))[0] == 200
        v6 = [f"2001:db8:0:1::{number}" for number in range(3)]
        assert [(await opened(site, stack, 5 + at, v6[at]))[0] for at in range(3)] == [200, 200, 429]
        assert (await opened(site, stack, 9, "2001:db8:0:2::1"))[0] == 200
        assert [(await opened(site, stack, 10 + at))[0] for at in range(4)] == [200] * 4


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST"])
async def test_other_methods_open_no_stream(site: Site, http: aiohttp.ClientSession, method: str) -> None:
    async with http.request(method, f"{site.url}/events?chat=chat-0001") as response:
        assert response.status == 405


async def test_a_refused_stream_leaves_no_watch(redis_client: Redis, http: aiohttp.ClientSession) -> None:
    site = Site(redis_client)
    site.streams = Streams(site.metrics, most=0, per_address=1)
    async with site, http.get(f"{site.url}/events?chat=chat-0001"):
        assert site.watching("chat-0001") == 0


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        pytest.param("10.0.0.1", ["203.0.113.7"], "203.0.113.7/32", id="named by a proxy"),
        pytest.param("10.0.0.1", ["203.0.113.7, 10.0.0.2"], "203.0.113.7/32", id="through two proxies"),
        pytest.param("10.0.0.1", ["203.0.113.7", "198.51.100.1"], "198.51.100.1/32", id="two headers"),
        pytest.param("10.0.0.1", ["192.168.1.5"], "192.168.1.5/32", id="a client within"),
        pytest.param("10.0.0.1", ["203.0.113.7:4711"], "203.0.113.7/32", id="with a port"),
        pytest.param("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::/64", id="IPv6 with a port"),
        pytest.param("fd00::1", ["2001:db8::ffff"], "2001:db8::/64", id="IPv6"),
        pytest.param("::ffff:10.0.0.1", ["::ffff:203.0.113.7"], "203.0.113.7/32", id="IPv4 within IPv6"),
        pytest.param("8.8.8.8", ["203.0.113.7"], "8.8.8.8/32", id="no proxy but a client"),
        pytest.param("192.168.1.5", ["203.0.113.7"], None, id="perhaps a proxy that is not named"),
        pytest.param("10.0.0.1", [], None, id="a proxy that says nothing"),
        pytest.param("10.0.0.1", [""], None, id="an empty header"),
        pytest.param("10.0.0.1", ["203.0.113.7, unknown"], None, id="no address"),
        pytest.param("10.0.0.1", ["10.0.0.2"], None, id="nobody but proxies"),
        pytest.param("", ["203.0.113.7"], None, id="no peer"),
    ],
)
def test_whose_stream_it_is(peer: str, forwarded: list[str], client: str | None) -> None:
    found = client_network(peer, forwarded, PROXIES)
    assert found == (ip_network(client) if client else None)


def test_without_a_trusted_proxy_nobodys_address_is_known() -> None:
    assert client_network("8.8.8.8", ["203.0.113.7"], []) is None


async def until_none_is_open(site: Site) -> None:
    """Returns when the streams' ends have been noticed."""
    async with asyncio.timeout(5):
        while await metric(site, f'moveo_bridge_streams{{integration="{NAME}"}}') != "0.0":
            site.streams.end_lost()
            await asyncio.sleep(0.02)
