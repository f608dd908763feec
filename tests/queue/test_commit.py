"""Group commit: together on the wire, apart in everything else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any
from unittest.mock import Mock

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bridge.errors import StoreUnavailable
from bridge.queue import GroupCommit, Limits, Pushed, Queue
from bridge.queue.commit import BATCH
from tests.queue.hands import Hands, claim, somebody_blocks


@pytest.fixture
def commit(redis: Redis) -> GroupCommit:
    return GroupCommit(redis)


async def outcomes(*waiting: Awaitable[Any]) -> list[Any]:
    return list(await asyncio.gather(*waiting, return_exceptions=True))


async def reads(redis: Redis) -> int:
    info = await redis.info("stats")
    return int(info["total_reads_processed"])


async def test_each_gets_its_own_answer(commit: GroupCommit) -> None:
    words = [str(n) for n in range(3 * BATCH)]
    answers = await asyncio.gather(*(commit.command("ECHO", word) for word in words))
    assert answers == [word.encode() for word in words]


async def test_what_waits_goes_out_together(redis_client: Redis) -> None:
    """A hundred concurrent pushes are a handful of reads for the server, not a hundred."""
    commit = GroupCommit(redis_client)
    await commit.command("PING")
    before = await reads(redis_client)
    await asyncio.gather(*(commit.command("INCR", "n") for _ in range(100)))
    assert await reads(redis_client) - before < 10
    assert await redis_client.get("n") == b"100"


async def test_queues_of_a_process_share_one_connection(redis_client: Redis) -> None:
    commit = GroupCommit(redis_client)
    queues = [Queue(redis_client, f"n{n}", "out", Limits(), commit) for n in range(20)]
    before = len(await redis_client.client_list())
    await asyncio.gather(*(queue.push("s", b"%d" % n) for queue in queues for n in range(10)))
    assert len(await redis_client.client_list()) == before + 1


async def test_commands_go_out_in_the_order_they_came(commit: GroupCommit, hands: Hands) -> None:
    await asyncio.gather(*(commit.command("RPUSH", "list", n) for n in range(2000)))
    assert await hands.do("LRANGE", "list", 0, -1) == [b"%d" % n for n in range(2000)]


async def test_an_error_is_that_of_one_command(commit: GroupCommit) -> None:
    await commit.command("SET", "text", "x")
    answers = await outcomes(
        commit.command("INCR", "n"),
        commit.command("RPUSH", "text", "y"),
        commit.command("NO-SUCH-COMMAND"),
        commit.command("INCR", "n"),
    )
    assert answers[0] == 1
    assert isinstance(answers[1], ResponseError)
    assert isinstance(answers[2], ResponseError)
    assert answers[3] == 2


async def test_words_that_cannot_be_sent_fail_at_their_caller(commit: GroupCommit) -> None:
    answers = await outcomes(
        commit.command("INCR", "n"),
        commit.command("SET", "x", object()),  # type: ignore[arg-type]
        commit.command("INCR", "n"),
    )
    assert (answers[0], answers[2]) == (1, 2)
    assert isinstance(answers[1], TypeError)


async def test_a_waiter_that_gives_up_harms_nobody(commit: GroupCommit) -> None:
    tasks = [asyncio.create_task(commit.command("INCR", "n")) for _ in range(10)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks[3].cancel()
    answers = await outcomes(*tasks)
    assert isinstance(answers.pop(3), asyncio.CancelledError)
    assert answers == sorted(set(answers))
    assert await commit.command("ECHO", "still in step") == b"still in step"


async def test_what_is_given_up_before_it_was_sent_is_not_sent(commit: GroupCommit, hands: Hands) -> None:
    first = asyncio.create_task(commit.command("SET", "first", "1"))
    second = asyncio.create_task(commit.command("SET", "second", "1"))
    await asyncio.sleep(0)  # both wait by now, and nothing is sent yet
    second.cancel()
    await first
    await asyncio.gather(second, return_exceptions=True)
    assert await hands.do("EXISTS", "first", "second") == 1


async def test_scripts_the_server_forgot_are_loaded_again(queue: Queue, hands: Hands) -> None:
    await queue.push("s0", b"0")
    await hands.do("SCRIPT", "FLUSH")
    async with asyncio.TaskGroup() as tasks:
        pushes = [tasks.create_task(queue.push(f"s{n % 3}", b"new %d" % n)) for n in range(9)]
        turn = tasks.create_task(queue.turn([], 0))
        stats = tasks.create_task(queue.stats())
    assert {push.result() for push in pushes} == {Pushed.ACCEPTED}
    assert (turn.result().refused, stats.result().paused) == (frozenset(), "")
    assert {delivery.session for delivery in await claim(queue)} == {"s0", "s1", "s2"}


async def test_a_flush_between_any_two_calls_is_not_noticed(queue: Queue, hands: Hands) -> None:
    for n in range(5):
        await hands.do("SCRIPT", "FLUSH")
        assert await queue.push("s", b"%d" % n) is Pushed.ACCEPTED
    assert (await queue.stats()).depth == 5


async def test_a_connection_that_was_lost_before_the_write_is_not_there(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvloop says so with a RuntimeError, which is no bug of ours: the next command connects anew."""
    commit = GroupCommit(redis_client)
    assert await commit.command("PING") == b"PONG"
    closed = RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")
    with monkeypatch.context() as lost:
        lost.setattr(asyncio.StreamWriter, "writelines", Mock(side_effect=closed))
        with pytest.raises(StoreUnavailable):
            await commit.command("PING")
    assert await commit.command("PING") == b"PONG"


async def test_an_event_loop_that_ends_leaves_nobody_waiting(redis_client: Redis) -> None:
    commit = GroupCommit(redis_client)
    waiting = asyncio.create_task(commit.command("BLPOP", "nothing", 30))
    await somebody_blocks(redis_client)
    behind = asyncio.create_task(commit.command("PING"))
    await asyncio.sleep(0)
    (work,) = [task for task in asyncio.all_tasks() if "_work" in repr(task)]
    work.cancel()
    answers = await outcomes(waiting, behind)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError] * 2
    assert await commit.command("ECHO", "in step") == b"in step"


async def test_pushes_that_wait_together_are_one_call(redis_client: Redis) -> None:
    async def calls() -> int:
        stats = await redis_client.info("commandstats")
        return int(stats["cmdstat_evalsha"]["calls"])

    queue = Queue(redis_client, "n", "out")
    await queue.push("s", b"first")
    before = await calls()
    await asyncio.gather(*(queue.push(f"s{n}", b"%d" % n) for n in range(BATCH)))
    assert await calls() - before == 1


async def test_each_push_of_one_call_has_its_own_answer(queue: Queue) -> None:
    await queue.push("s", b"first")
    pushes = [queue.push("s", payload) for payload in (b"a", b"first", b"a", b"b")]
    assert await asyncio.gather(*pushes) == [
        Pushed.ACCEPTED,
        Pushed.DUPLICATE,
        Pushed.DUPLICATE,
        Pushed.ACCEPTED,
    ]
    stats = await queue.stats()
    assert (stats.depth, stats.duplicates_total) == (3, 2)


async def test_a_push_that_is_given_up_before_it_was_sent_is_not_sent(queue: Queue) -> None:
    await queue.push("s", b"0")
    pushes = [asyncio.create_task(queue.push("s", b"%d" % n)) for n in (1, 2, 3)]
    await asyncio.sleep(0)  # all wait by now, and nothing is sent yet
    pushes[1].cancel()
    assert [await pushes[0], await pushes[2]] == [Pushed.ACCEPTED, Pushed.ACCEPTED]
    assert (await queue.stats()).depth == 3
