"""Files are loaded within bounds, and from no address that could do harm."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from bridge.channels import Loaded, Request
from bridge.errors import Rejected, SendError, Unavailable
from bridge.fetch import Fetcher, download, open_fetcher, public
from bridge.sender import open_http
from tests.workers.platform import Answer, Platform, platform

NOT_PUBLIC = (
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "127.0.0.1", "127.1.2.3"),  # noqa: S104 -- refused
    *("169.254.1.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1"),
    *("192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255"),
    *("240.0.0.1", "255.255.255.255", "::", "::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0"),
    *("fec0::1", "ff02::1", "2001:db8::1", "100::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    *("::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::1", "2002:a00:1::"),
    "2001:0:53aa:64c:0:0:f5ff:fffe",
    # carrier-grade NAT to its end, benchmarks, documentation, protocols and relays
    *("100.127.255.255", "198.19.255.255", "192.0.0.8", "192.0.0.9", "192.0.0.170", "192.88.99.1", "3fff::1"),
    *("2001:2::1", "2001:10::1", "2001:20::1", "2001:1::1", "5f00::1", "100:0:0:1::1", "::ffff:0:7f00:1"),
    # clouds' own services
    *("100.100.100.200", "168.63.129.16", "fd00:ec2::254", "::ffff:168.63.129.16", "64:ff9b::a9fe:a9fe"),
    # IPv4 within IPv6 by every way: compatible, NAT64 of one network, 6to4, Teredo
    *("::7f00:1", "::127.0.0.1", "::8.8.8.8", "64:ff9b:1::7f00:1", "64:ff9b:1::808:808", "2002:c0a8:101::1"),
    *("2002:a9fe:a9fe::", "2001:0:808:808:0:0:8000:fefe", "fe80::5efe:7f00:1"),
    # no address, whatever a resolver makes of it
    *(
        "",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "010.8.8.8",
        "1.1.1.1.",
        "fe80::1%25eth0",
    ),
    *("fdff:ffff::1", "ff0e::1", "4000::1", "e000::1"),
)
PUBLIC = ("1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")
BAD_URLS = (
    *(f"https://{address}/x" for address in NOT_PUBLIC if ":" not in address),
    *(f"https://[{address}]/x" for address in NOT_PUBLIC if ":" in address),
    *(f"https://{address}:8443/x" for address in NOT_PUBLIC if ":" not in address),
    "https://127。0。0。1/x",
    "https://１２７.0.0.1/x",
    "https://१२७.0.0.1/x",
    "https://127.0.0.1。/x",
    "https://0300.0250.0.1/x",
    "https://0x7f.0x0.0x0.0x1/x",
    "https://0X7F000001/x",
    "https://127.0.0.0x1/x",
    "https://1.1.1/x",
    "https://0/x",
    "https://[::ffff:7f00:1]/x",
    "https://[::1%25lo]/x",
    "https://[127.0.0.1]/x",
    "https://[v1.fe80]/x",
    "https://[]/x",
    "https://127.0.0.1:443@93.184.216.34/x",
    "https://127.0.0.1%2f@93.184.216.34/x",
    "https://:secret@example.com/x",
    "https:\\\\127.0.0.1/x",
    "https:/127.0.0.1/x",
    "https://%6c%6fcalhost/x",
    "https://localhost%00.example.com/x",
    "https://loc\tal\nhost/x",
    "https://ⓛocalhost/x",
    "https://xn--/x",
    f"https://{'a' * 70}.example/x",
    "https://example.com:443:80/x",
    "https://example.com:99999/x",
    "https://metadata.google.internal/x",
    "https://metadata/x",
    "https://instance-data.ec2.internal/x",
    "https://169.254.169.254.nip.io/x",
    "HTTPS://10.0.0.1/x",
    "javascript:alert(1)",
    "https:",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0x7f.1/x",
    "https://0177.0.0.1/x",
    "https://127.1/x",
    "https://127.0.0.1./x",
    "https://①②⑦.⓪.⓪.①/x",
    "https://localhost/x",
    "https://localhost./x",
    "https://LOCALHOST/x",
    "https://user:secret@example.com/x",
    "https://example.com@127.0.0.1/x",
    "http://93.184.216.34/x",
    "ftp://example.com/x",
    "file:///etc/passwd",
    "data:text/plain,x",
    "//example.com/x",
    "/etc/passwd",
    "https://",
    "https:///x",
    "https://example.com:port/x",
    "https://[::1/x",
    "",
)


class Names(AbstractResolver):
    """A resolver that knows what the test says; whatever else is asked is at home."""

    def __init__(self, **names: list[str]) -> None:
        self._names = {name.replace("_", "."): addresses for name, addresses in names.items()}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
            for address in self._names.get(host, ["127.0.0.1"])
        ]

    async def close(self) -> None: ...


@pytest.fixture
async def there() -> AsyncIterator[Platform]:
    async with platform() as started:
        started.answer = lambda *_: Answer(body=b"12345", headers={"content-type": "Image/PNG; x=y"})
        yield started


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    """One that trusts this machine."""
    async with open_fetcher(["127.0.0.1"]) as made:
        yield made


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_is_not_public(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_is_public(address: str) -> None:
    assert public(address)


@pytest.mark.parametrize("url", BAD_URLS)
async def test_an_address_is_refused_before_anything_is_sent(url: str) -> None:
    async with open_fetcher(resolver=Names()) as fetcher:
        with pytest.raises(Rejected):
            await fetcher.load(url, 100)


@pytest.mark.parametrize(
    "addresses",
    [
        pytest.param(["127.0.0.1"], id="a private address"),
        pytest.param(["93.184.216.34", "10.0.0.1"], id="a private one among public ones"),
        pytest.param(["::1"], id="an IPv6 one"),
    ],
)
async def test_a_name_is_refused_for_an_address_it_has(addresses: list[str]) -> None:
    async with open_fetcher(resolver=Names(evil_example=addresses)) as fetcher:
        with pytest.raises(Rejected, match="not public"):
            await fetcher.load("https://evil.example/x", 100)


async def test_the_connection_goes_to_the_address_that_was_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that is another address a moment later (DNS rebinding) is asked for once."""
    asked: list[str] = []
    connected: list[tuple[str, int]] = []

    class Fickle(Names):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            self._names[host] = ["127.0.0.1"] if asked else ["93.184.216.34"]
            asked.append(host)
            return await super().resolve(host, port, family)

    async def connect(_: socket.socket, address: tuple[str, int]) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", connect)
    async with open_fetcher(resolver=Fickle()) as fetcher:
        with pytest.raises(Unavailable):
            await fetcher.load("https://fickle.example/x", 100)
        with pytest.raises(Rejected, match="not public"):
            await fetcher.load("https://fickle.example/x", 100)
    assert asked == ["fickle.example"] * 2
    assert connected == [("93.184.216.34", 443)]


async def test_trust_in_one_host_is_trust_in_no_other(there: Platform) -> None:
    url = there.url.replace("127.0.0.1", "inside.example")
    async with open_fetcher(["inside.example"], resolver=Names()) as fetcher:
        assert (await fetcher.load(f"{url}/a.png", 100)).body == b"12345"
        with pytest.raises(Rejected):
            await fetcher.load(f"{there.url}/a.png", 100)


async def test_a_file_comes_with_its_name_and_type(there: Platform, fetcher: Fetcher) -> None:
    loaded = await fetcher.load(f"{there.url}/files/a%20b.png?sig=1", 5)
    assert loaded == Loaded(name="a b.png", mime_type="image/png", body=b"12345")
    assert not {"cookie", "authorization"} & there.received[0].headers.keys()


@pytest.mark.parametrize("said", ["", "nonsense", "text/html\t<x>", "a" * 200 + "/b"], ids=repr)
async def test_a_type_that_is_none_is_left_out(there: Platform, fetcher: Fetcher, said: str) -> None:
    there.answer = lambda *_: Answer(headers={"content-type": said})
    assert (await fetcher.load(there.url, 100)).mime_type == ""


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(Answer(status=404), Rejected, id="gone"),
        pytest.param(Answer(status=403), Rejected, id="forbidden"),
        pytest.param(Answer(status=204), Rejected, id="nothing"),
        pytest.param(Answer(status=302, headers={"location": "/other"}), Rejected, id="redirect"),
        pytest.param(Answer(status=429), Unavailable, id="too many"),
        pytest.param(Answer(status=503), Unavailable, id="down"),
        pytest.param(Answer(cut=True), Unavailable, id="cut off"),
        pytest.param(Answer(body=b"x" * 101), Rejected, id="too large"),
    ],
)
async def test_a_file_that_is_not_to_be_had_says_whether_it_may_be_later(
    there: Platform, fetcher: Fetcher, answer: Answer, error: type[SendError]
) -> None:
    there.answer = lambda *_: answer
    with pytest.raises(error) as caught:
        await fetcher.load(f"{there.url}/CANARY?CANARY", 100)
    assert type(caught.value) is error
    assert "CANARY" not in str(caught.value)
    assert {received.path for received in there.received} == {"/CANARY"}


async def test_a_body_without_a_length_is_bounded_too(fetcher: Fetcher) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)
            sent += 65_536
            await asyncio.sleep(0)

    app = web.Application()
    app.router.add_get("/", endless)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        with pytest.raises(Rejected, match="too large"):
            await fetcher.load(f"http://127.0.0.1:{runner.addresses[0][1]}/", 200_000)
        assert sent < 20_000_000
    finally:
        await runner.cleanup()


async def test_a_server_that_is_not_there_may_be_later(fetcher: Fetcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with pytest.raises(Unavailable):
        await fetcher.load(f"http://127.0.0.1:{port}/", 100)


# ---- from a platform ---------------------------------------------------------------------------------------


async def test_a_platform_may_send_on_and_no_other_host_gets_the_secret(there: Platform) -> None:
    async with platform() as store, open_http() as http:
        store.answer = lambda *_: Answer(body=b"file", headers={"content-type": "audio/ogg"})
        there.answer = lambda *_: Answer(status=307, headers={"location": f"{store.url}/v.oga"})
        request = Request(
            method="GET", url=f"{there.url}/media/1", headers={"authorization": "Bearer CANARY"}
        )
        loaded = await download(http, request, 100)
        assert loaded == Loaded(name="v.oga", mime_type="audio/ogg", body=b"file")
        assert there.received[0].headers["authorization"] == "Bearer CANARY"
        assert "authorization" not in store.received[0].headers


async def test_a_platform_that_sends_in_circles_is_left(there: Platform) -> None:
    there.answer = lambda *_: Answer(status=302, headers={"location": "/again"})
    async with open_http() as http:
        with pytest.raises(Rejected):
            await download(http, Request(method="GET", url=f"{there.url}/"), 100)
    assert len(there.received) <= 4
