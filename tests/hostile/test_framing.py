"""Broken, odd and smuggling requests: each has its answer, and no request hides another or doubles it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

from redis.asyncio import Redis

from tests.hostile.framing import CHUNKED, HOST, LAST, RIGHT, WRONG, after, event, get, post, proof, whole
from tests.hostile.ledger import kept
from tests.hostile.target import Target
from tests.hostile.wire import Answer, answers, connection


async def test_what_is_odd_and_allowed_is_taken_once_and_so_is_what_follows(
    ingress: Target, redis_client: Redis
) -> None:
    async def both(name: str, raw: bytes) -> list[int]:
        found = await answers(ingress.port, raw + after(name))
        return [answer.status for answer in found if answer.status >= 200]

    statuses = dict(zip(RIGHT, await asyncio.gather(*(both(*each) for each in RIGHT.items())), strict=True))
    assert statuses == {name: [200, 200] for name in RIGHT}
    found = await kept(redis_client, "web")
    assert set(found.values()) == {1}
    assert len(found) == 2 * len(RIGHT)


async def test_what_could_have_a_say_in_the_next_request_is_the_last_of_its_connection(
    ingress: Target, redis_client: Redis
) -> None:
    """The trailers of a chunked body came with the next request: behind a proxy, somebody else's."""

    async def both(raw: bytes, *, at_once: bool) -> list[Answer]:
        other = after("it")
        return await answers(ingress.port, *([raw + other] if at_once else [raw, other]))

    for at_once in (True, False):
        found = await asyncio.gather(*(both(raw, at_once=at_once) for raw in LAST.values()))
        given = {
            name: [(each.status, each.closes) for each in all_]
            for name, all_ in zip(LAST, found, strict=True)
        }
        assert given == {name: [(200, True)] for name in LAST}
    assert set((await kept(redis_client, "web")).values()) == {1}
    assert event("after it") not in await kept(redis_client, "web")


async def test_what_is_wrong_is_refused_and_hides_nothing(ingress: Target, redis_client: Redis) -> None:
    """What follows on the connection is taken once where it is answered, else not at all."""

    async def both(name: str, raw: bytes) -> list[Answer]:
        return await answers(ingress.port, raw + after(name))

    found = dict(
        zip(WRONG, await asyncio.gather(*(both(name, raw) for name, (raw, _) in WRONG.items())), strict=True)
    )
    statuses = {name: [answer.status for answer in given] for name, given in found.items()}
    assert {name: given for name, given in statuses.items() if (given or [0])[0] not in WRONG[name][1]} == {}
    taken = {event(f"after {name}"): 1 for name, given in statuses.items() if 200 in given[1:]}
    assert await kept(redis_client, "web") == Counter(taken)


async def test_what_is_pipelined_is_answered_in_order(ingress: Target, redis_client: Redis) -> None:
    names = [f"pipelined {number}" for number in range(500)]
    bad = post(event("unsigned"), b"Content-Length: %d\r\n" % len(event("unsigned")))
    raw = b"".join(whole(name) + bad for name in names) + get(b"/", HOST + b"Connection: close\r\n")
    assert [answer.status for answer in await answers(ingress.port, raw)] == [*([200, 401] * len(names)), 404]
    assert await kept(redis_client, "web") == Counter({event(name): 1 for name in names})


async def test_who_asks_and_never_listens_is_no_burden(ingress: Target) -> None:
    """A flood of pipelined requests whose answers nobody reads is not read on, and kept in no memory."""
    before = ingress.rss
    flood = get(b"/chat/web/embed.js") * 1000
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(8):
            reader, writer = await stack.enter_async_context(connection(ingress.port))
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(0.5):
                    while True:
                        writer.write(flood)
                        await writer.drain()
        assert ingress.rss - before < 100 * 2**20
        assert [answer.status for answer in await answers(ingress.port, get(b"/chat/web"))] == [200]


async def test_a_flood_of_chunks_ends_at_the_bound(ingress: Target) -> None:
    """And the connection with it: what is still coming is no other request."""
    before = ingress.rss
    part = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    head = b"POST /moveo/web HTTP/1.1\r\n" + HOST + proof(b"") + CHUNKED + b"\r\n"

    async def flood() -> list[int]:
        pieces = [head, *([part] * 400)]
        return [answer.status for answer in await answers(ingress.port, *pieces)]

    assert await asyncio.gather(*(flood() for _ in range(8))) == [[413]] * 8
    assert ingress.rss - before < 150 * 2**20


async def test_the_admin_port_takes_no_nonsense_either(ingress: Target) -> None:
    raws = [raw for raw, _ in WRONG.values()]
    found = await asyncio.gather(*(answers(ingress.admin_port, raw) for raw in raws))
    assert {answer.status for given in found for answer in given} <= {400, 404, 405, 413, 417}
    assert [answer.status for answer in await answers(ingress.admin_port, get(b"/livez"))] == [200]
