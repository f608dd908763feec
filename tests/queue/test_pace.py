"""pace: rate limits shared by all workers, by reservation."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from bridge.channels.capabilities import Pace
from bridge.queue import Queue
from tests.queue.conftest import Make
from tests.queue.hands import Hands


class Watch:
    """What waits must be, however slow the test itself is: shorter at most by the time it took so far."""

    def __init__(self) -> None:
        self.start = time.monotonic()

    def agrees(self, waits: Sequence[float], expected: Sequence[float]) -> bool:
        elapsed = time.monotonic() - self.start
        return all(
            wait == 0 if due == 0 else due - elapsed - 0.002 <= wait <= due + 0.002
            for wait, due in zip(waits, expected, strict=True)
        )


async def test_without_a_limit_every_call_goes_now(queue: Queue, hands: Hands) -> None:
    assert [await queue.pace("c", None, None) for _ in range(3)] == [0, 0, 0]
    assert await hands.keys() == set()


@pytest.mark.parametrize(
    ("pace", "waits"),
    [
        (Pace(1), [0, 1, 2, 3]),
        (Pace(1, burst=3), [0, 0, 0, 1]),
        (Pace(0.1), [0, 10, 20, 30]),
        (Pace(2.5, burst=2), [0, 0, 0.4, 0.8]),
    ],
    ids=["one-a-second", "burst", "slow", "fraction"],
)
@pytest.mark.parametrize("bucket", ["chat", "channel"])
async def test_calls_are_spread(make: Make, pace: Pace, waits: list[float], bucket: str) -> None:
    """Whichever process asks: the buckets are the server's."""
    got, watch = [], Watch()
    for _ in waits:
        chat, channel = (pace, None) if bucket == "chat" else (None, pace)
        got.append(await make().pace("c", chat, channel))
    assert watch.agrees(got, waits)


async def test_chats_have_buckets_of_their_own_and_share_the_channels(queue: Queue) -> None:
    watch = Watch()
    waits = [await queue.pace(chat, Pace(0.1), Pace(1)) for chat in ("a", "b", "c", "a")]
    assert watch.agrees(waits, [0, 1, 2, 10])


async def test_a_chat_that_has_to_wait_does_not_hold_up_the_channel(queue: Queue) -> None:
    for _ in range(5):
        await queue.pace("busy", Pace(0.1), Pace(10, burst=10))
    assert await queue.pace("calm", Pace(0.1), Pace(10, burst=10)) == 0


@pytest.mark.parametrize("chat", ["channel", "", "\ud800", "chat:c"])
async def test_any_text_may_name_a_chat(queue: Queue, chat: str) -> None:
    assert await queue.pace(chat, Pace(0.1), Pace(1000)) == 0
    assert await queue.pace(chat, Pace(0.1), Pace(1000)) == pytest.approx(10, abs=5)


async def test_a_bucket_expires_when_it_is_empty(queue: Queue, hands: Hands) -> None:
    await queue.pace("c", Pace(0.1), Pace(0.01))
    ttl = {key: await hands.do("PTTL", hands.prefix + key) for key in await hands.keys()}
    assert ttl == {
        "pace:chat:c": pytest.approx(10_000, abs=5000),
        "pace:channel": pytest.approx(100_000, abs=5000),
    }
