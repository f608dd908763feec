"""Which errors mean "not now", and how a client is made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import hiredis
import pytest
from redis import exceptions as redis_errors
from redis.asyncio import Redis

from bridge.errors import StoreFull, StoreUnavailable
from bridge.queue import GroupCommit
from bridge.queue.connection import (
    REOPEN_SECONDS,
    PermissionLostError,
    connect,
    not_now,
    store_error,
    unavailable,
)

R = redis_errors.ResponseError

NOT_NOW: list[Exception] = [
    redis_errors.ConnectionError("Error 111 connecting"),
    redis_errors.TimeoutError("Timeout reading from socket"),
    redis_errors.BusyLoadingError("Redis is loading the dataset in memory"),
    redis_errors.AuthenticationError("Authentication required."),
    redis_errors.ReadOnlyError("You can't write against a read only replica."),
    redis_errors.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
    redis_errors.NoScriptError("No matching script."),
    R("BUSY Redis is busy running a script."),
    R("MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk."),
    R("NOREPLICAS Not enough good replicas to write."),
    R("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
    redis_errors.MasterDownError("Link with MASTER is down"),  # type: ignore[no-untyped-call]
    redis_errors.ClusterDownError("The cluster is down"),  # type: ignore[no-untyped-call]
    redis_errors.TryAgainError("Multiple keys request"),  # type: ignore[no-untyped-call]
    R("Error running script (call to f_1): @user_script:9: @user_script: 9: -OOM command not allowed"),
    R("Error running script (call to f_1): @user_script:9: -READONLY You can't write against a replica"),
    R("Error running script (call to f_1): @user_script:1: Script killed by user with SCRIPT KILL..."),
    R("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"),
    R("DENIED Redis is running in protected mode because protected mode is enabled"),
    R("WAIT cannot be used with replica instances."),
    R('Command # 1 (SET a 1) of pipeline caused error: ("MASTERDOWN Link with MASTER is down",)'),
    R("Command # 2 (GET a) of pipeline caused error: ('MISCONF Redis is configured to save',)"),
    PermissionLostError("this user has no permissions to run the 'evalsha' command"),
    RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed"),
    TimeoutError(),
    ConnectionResetError(),
]
PASS: list[Exception] = [
    R("WRONGTYPE Operation against a key holding the wrong kind of value"),
    R("wrong number of arguments for 'evalsha' command"),
    R("Error compiling script: NOREPLICAS is not what it is"),
    redis_errors.NoPermissionError("this user has no permissions to run the 'evalsha' command"),
    redis_errors.DataError("Invalid input of type"),
    ValueError("-OOM"),
    RuntimeError("Event loop is closed"),
]


@pytest.mark.parametrize(
    ("error", "expected"),
    [*((error, True) for error in NOT_NOW), *((error, False) for error in PASS)],
    ids=lambda value: f"{type(value).__name__}-{value}"[:60] if isinstance(value, Exception) else str(value),
)
def test_not_now(error: Exception, expected: bool) -> None:
    assert not_now(error) is expected


@pytest.mark.parametrize("error", NOT_NOW, ids=repr)
def test_only_want_of_memory_is_store_full(error: Exception) -> None:
    full = isinstance(error, redis_errors.OutOfMemoryError) or "-OOM" in str(error)
    assert type(store_error(error)) is (StoreFull if full else StoreUnavailable)


@pytest.mark.parametrize("error", [NOT_NOW[0], NOT_NOW[7], NOT_NOW[-1]], ids=repr)
def test_what_means_not_now_is_store_unavailable_with_its_cause(error: Exception) -> None:
    with pytest.raises(StoreUnavailable) as caught, unavailable():
        raise error
    assert caught.value.__cause__ is error
    assert str(caught.value)


def test_other_errors_pass_as_they_are() -> None:
    with pytest.raises(redis_errors.NoPermissionError), unavailable():
        raise redis_errors.NoPermissionError("no")


@pytest.mark.parametrize(
    "url",
    ["redis://127.0.0.1:6379/3", "rediss://user:secret@127.0.0.1:6379/0", "unix:///tmp/server.sock?db=2"],
)
async def test_a_client_is_made_of_any_url(url: str) -> None:
    client = connect(url, timeout_seconds=1.5)
    connection = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
    assert connection.socket_timeout == connection.socket_connect_timeout == 1.5
    assert not connection.encoder.decode_responses
    await client.aclose()


async def test_a_closed_port_is_unavailable_at_once_and_after_retries() -> None:
    for retries in (0, 1):
        client = connect("redis://127.0.0.1:1/0", retries=retries)
        with pytest.raises(StoreUnavailable), unavailable():
            await client.ping()
        await client.aclose()


# ---- leaving the wrong server ------------------------------------------------------------------------------


class Server:
    """Gives each command its reply, OK if none is set, and notes on which connection it came."""

    def __init__(self) -> None:
        self.replies = {b"PING": b"+PONG"}
        self.came: list[tuple[int, bytes]] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number, parser = self.connections, hiredis.Reader()
        while data := await reader.read(65_536):
            parser.feed(data)
            while isinstance(words := parser.gets(), list):
                if words[0] != b"CLIENT":
                    self.came.append((number, words[0]))
                writer.write(self.replies.get(words[0], b"+OK") + b"\r\n")
        writer.close()


@pytest.fixture
async def fake() -> AsyncIterator[tuple[Server, Redis]]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    client = connect(f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}/0")
    yield server, client
    await client.aclose()
    listening.close()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.queue.connection.REOPEN_SECONDS", 0)


Way = Callable[[Redis, GroupCommit], Awaitable[Any]]


async def pipelined(client: Redis, _: GroupCommit) -> Any:
    async with client.pipeline(transaction=False) as pipeline:
        pipeline.set("a", "1")
        return await pipeline.execute()


WAYS: dict[str, Way] = {
    "command": lambda client, _: client.set("a", "1"),
    "pipeline": pipelined,
    "group-commit": lambda _, commit: commit.command("SET", "a", "1"),
}
LEAVE = {
    "replica": b"-READONLY You can't write against a read only replica.",
    "replica-in-a-script": b"-ERR Error running script (call to f_1): @user_script:9: -READONLY You can't",
    "replica-that-is-asked-to-wait": b"-ERR WAIT cannot be used with replica instances.",
    "no-master": b"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "demoted": b"-UNBLOCKED force unblock from blocking operation, instance state changed",
    "cut-off-from-its-replicas": b"-NOREPLICAS Not enough good replicas to write.",
    "disk": b"-MISCONF Redis is configured to save RDB snapshots, but is unable to persist to disk.",
    "cluster": b"-CLUSTERDOWN The cluster is down",
    "loading": b"-LOADING Redis is loading the dataset in memory",
    "not-authenticated": b"-NOAUTH Authentication required.",
    "permission-lost": b"-NOPERM User default has no permissions to run the 'set' command",
    "permission-lost-in-a-script": b"-ERR ACL failure in script: User default has no permissions",
    "permission-lost-in-a-script-before-7.2": b"-ERR The user executing the script can't run this command",
}
STAY = {
    "full": b"-OOM command not allowed when used memory > 'maxmemory'.",
    "busy": b"-BUSY Redis is busy running a script.",
    "migration": b"-TRYAGAIN Multiple keys request during rehashing of slot",
    "type": b"-WRONGTYPE Operation against a key holding the wrong kind of value",
    "words": b"-ERR unknown command 'READONLY'",
}


async def refusal(way: Way, client: Redis, commit: GroupCommit) -> Exception:
    with pytest.raises((redis_errors.RedisError, StoreUnavailable)) as caught:
        await way(client, commit)
    return caught.value


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(
    ("words", "leaves"),
    [*((words, True) for words in LEAVE.values()), *((words, False) for words in STAY.values())],
    ids=[*LEAVE, *STAY],
)
async def test_a_reply_about_the_server_is_the_last_on_its_connection(
    fake: tuple[Server, Redis], at_once: None, way: Way, words: bytes, leaves: bool
) -> None:
    server, client = fake
    commit = GroupCommit(client)
    await way(client, commit)
    server.replies[b"SET"] = words
    error = await refusal(way, client, commit)
    if leaves:
        assert isinstance(error, StoreUnavailable) or not_now(error)
    del server.replies[b"SET"]
    await way(client, commit)
    assert [number for number, name in server.came if name == b"SET"] == [1, 1, 2 if leaves else 1]


async def test_all_replies_of_a_batch_are_read_before(fake: tuple[Server, Redis], at_once: None) -> None:
    server, client = fake
    commit = GroupCommit(client)
    server.replies[b"SET"] = LEAVE["replica"]
    async with client.pipeline(transaction=False) as pipeline:
        for name in ("SET", "PING", "PING"):
            pipeline.execute_command(name)
        answers = await pipeline.execute(raise_on_error=False)
    assert [type(each) for each in answers] == [redis_errors.ReadOnlyError, bool, bool]
    names = ("ECHO", "SET", "ECHO")
    answers = await asyncio.gather(
        *(commit.command(name, "a", "1") for name in names), return_exceptions=True
    )
    assert [type(each) for each in answers] == [bytes, StoreUnavailable, bytes]
    assert await commit.command("ECHO", "a") == b"OK"
    assert [number for number, name in server.came if name == b"ECHO"] == [2, 2, 3]


async def ping_at_once(client: Redis, count: int) -> None:
    """On as many connections."""
    pool = client.connection_pool
    connections = [await pool.get_connection() for _ in range(count)]
    for connection in connections:
        await connection.send_command("PING")
        await connection.read_response()
        await pool.release(connection)


async def test_connections_that_idle_are_left_with_the_one_that_was_refused(
    fake: tuple[Server, Redis], at_once: None
) -> None:
    """They would be refused one by one, long after the failover."""
    server, client = fake
    await ping_at_once(client, 5)
    assert server.connections == 5
    server.replies[b"SET"] = LEAVE["replica"]
    await refusal(WAYS["group-commit"], client, GroupCommit(client))
    del server.came[:]
    await ping_at_once(client, 5)
    assert min(number for number, _ in server.came) > 5


async def test_a_permission_that_was_never_there_is_an_error(
    fake: tuple[Server, Redis], at_once: None
) -> None:
    server, client = fake
    unread = await client.connection_pool.get_connection()
    await unread.send_command("SET", "a", "1")
    await unread.disconnect()
    await client.connection_pool.release(unread)
    await client.ping()
    server.replies[b"SET"] = LEAVE["permission-lost"]
    for _ in range(2):
        error = await refusal(WAYS["command"], client, GroupCommit(client))
        assert not not_now(error)
    assert server.connections == 2


async def test_what_a_careful_server_denies_at_the_connect_is_no_reason(
    fake: tuple[Server, Redis], at_once: None
) -> None:
    server, client = fake
    await client.ping()
    server.replies[b"CLIENT"] = b"-NOPERM User default has no permissions to run the 'client|setinfo' command"
    await client.connection_pool.disconnect()
    for _ in range(3):
        await client.ping()
    assert server.connections == 2


async def test_a_server_that_refuses_for_long_is_not_flooded_with_connections(
    fake: tuple[Server, Redis],
) -> None:
    server, client = fake
    server.replies[b"SET"] = LEAVE["replica"]
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    for _ in range(100):
        await refusal(WAYS["command"], client, GroupCommit(client))
    assert server.connections <= 1 + (loop.time() - began_at) / REOPEN_SECONDS


async def test_connections_that_are_refused_one_after_another_are_one_reason(
    fake: tuple[Server, Redis], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each of them would close the new connections of all others."""
    monkeypatch.setattr("bridge.queue.connection.REOPEN_SECONDS", 60)
    server, client = fake
    server.replies[b"SET"] = LEAVE["replica"]
    old = [await client.connection_pool.get_connection() for _ in range(3)]
    for connection in old:
        connection._opened_at -= 100
        await connection.send_command("SET", "a", "1")
        with pytest.raises(redis_errors.ReadOnlyError):
            await connection.read_response()
        await client.ping()
    assert server.connections == 4


async def test_a_transaction_that_watches_keeps_its_connection(
    fake: tuple[Server, Redis], at_once: None
) -> None:
    """On another one nothing would be watched."""
    server, client = fake
    server.replies[b"EXEC"] = b"*1\r\n+OK"
    async with client.pipeline(transaction=True) as pipeline:
        await pipeline.watch("a")
        server.replies[b"SET"] = LEAVE["replica"]
        await refusal(WAYS["command"], client, GroupCommit(client))
        server.replies[b"SET"] = b"+QUEUED"
        pipeline.multi()  # type: ignore[no-untyped-call]
        pipeline.set("a", "1")
        await pipeline.execute()
    assert {number for number, name in server.came if name in (b"WATCH", b"EXEC")} == {1}
