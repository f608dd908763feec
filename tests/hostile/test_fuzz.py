"""40,000 requests with anything in them, half of them properly signed.

None is answered 5xx, none makes the process complain or grow; what is signed is kept or refused as it should
be, what is not leaves nothing behind; and Moveo is served meanwhile. HOSTILE_SEED=number repeats a run,
HOSTILE_COUNT=number makes it another size.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from bridge.ingress.signature import HEADER, sign
from bridge.secret import Secret
from tests.hostile.honest import honest
from tests.hostile.ledger import kept
from tests.hostile.shots import NAMES, Shot, request, signed, unsigned
from tests.hostile.signers import SIGNERS
from tests.hostile.target import MOVEO, Target
from tests.hostile.wire import Answer, Wire

COUNT: Final = int(os.environ.get("HOSTILE_COUNT", "20000"))
SEED: Final = int(os.environ.get("HOSTILE_SEED", "0")) or secrets.randbelow(10**9) + 1
WIRES: Final = 48
GROWTH: Final = 80 * 2**20
"""Bytes of memory that the process may have more after it than before."""

Make = Callable[[Random, int, int], Iterator[Shot]]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("make", [signed, unsigned], ids=["signed", "unsigned"])
async def test_whatever_comes_is_answered_as_it_deserves(
    make: Make, ingress: Target, redis_client: Redis
) -> None:
    shots = make(Random(SEED), COUNT, ingress.port)
    accepted: dict[str, set[bytes]] = {name: set() for name in NAMES}
    statuses: Counter[int] = Counter()
    wrong: list[tuple[int, bytes]] = []

    async def fire(some: Iterator[Shot]) -> None:
        wire = Wire(ingress.port)
        for shot in some:
            given: Answer | None = await wire.ask(shot.raw)
            status = given.status if given else 0
            statuses[status] += 1
            if status not in shot.allowed:
                wrong.append((status, shot.raw[:2000]))
            elif status == 200 and shot.name:
                accepted[shot.name].add(shot.body)
        wire.close()

    await fire(itertools.islice(shots, COUNT // 10))  # caches and pools get their size
    before = ingress.rss
    async with honest(ingress.port) as moveo:
        await asyncio.gather(*(fire(shots) for _ in range(WIRES)))
    print(f"HOSTILE_SEED={SEED}", dict(statuses), f"+{(ingress.rss - before) >> 20} MB")
    assert wrong[:3] == [], f"HOSTILE_SEED={SEED}: {len(wrong)} of them"
    await ingress.drained()
    await moveo.check(redis_client)
    assert ingress.rss - before < GROWTH
    for name, bodies in accepted.items():
        found = await kept(redis_client, name)
        ours = Counter({body: times for body, times in found.items() if b"honest-" not in body})
        assert ours == Counter(bodies), f"HOSTILE_SEED={SEED}: {name}"
    assert bool(sum(map(len, accepted.values()))) == (make is signed)
    said = {kind: sum((await kept(redis_client, kind, "in")).values()) for kind in SIGNERS}
    assert all(said.values()) if make is signed else not any(said.values()), said


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=15,
)
KEYS: Final = st.sampled_from(["event_type", "session_id", "external_session_id", "timestamp", "output", "x"])


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.dictionaries(KEYS, JSON).map(lambda value: json.dumps(value).encode()))
async def test_whatever_is_signed_is_kept(ingress: Target, body: bytes) -> None:
    """The same, shrunk to the least that fails."""
    wire, headers = Wire(ingress.port), {HEADER: sign(Secret(MOVEO), body)}
    answer = await wire.ask(request("/moveo/web", body, headers, port=ingress.port))
    wire.close()
    assert answer is not None
    assert answer.status == 200
