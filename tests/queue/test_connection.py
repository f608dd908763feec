"""Which errors mean "not now", and how a client is made."""

from __future__ import annotations

import pytest
from redis import exceptions as redis_errors

from bridge.errors import StoreFull, StoreUnavailable
from bridge.queue.connection import connect, not_now, store_error, unavailable

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
