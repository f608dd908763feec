"""Group commit: commands of a process that wait while a round trip is under way go out together in the next.

One connection, one round trip at a time. Alone, a command goes out at once; under load the cost of a round
trip, and of the server's fsync, is shared by all that gathered meanwhile. Commands of one batch know nothing
of each other: one's error is its own, and a waiter that gives up harms nobody (what waits is not sent).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Protocol, TypeAlias

import hiredis
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError, ResponseError

from bridge.errors import StoreUnavailable
from bridge.queue.connection import not_now
from bridge.queue.scripts import Script

BATCH: Final = 512
IDLE_SECONDS: Final = 0.5
"""After this long without a round trip the connection is looked at before use: it may have been closed."""
TIMEOUT_SECONDS: Final = 5.0
"""For a whole round trip, where the client was made without a socket timeout."""

Argument: TypeAlias = bytes | str | int


class _Link(Protocol):
    """What is used of a connection of redis-py: its public surface below the slower layers."""

    socket_timeout: float | None

    @property
    def is_connected(self) -> bool: ...
    async def connect(self) -> None: ...
    async def disconnect(self) -> None: ...
    async def can_read_destructive(self) -> bool: ...
    async def send_packed_command(self, command: bytes, check_health: bool) -> None: ...
    async def read_response(self) -> Any: ...


class _Command:
    __slots__ = ("future", "packed", "script")

    def __init__(self, packed: bytes, script: Script | None, future: asyncio.Future[Any]) -> None:
        self.packed = packed
        self.script = script
        self.future = future

    def fail(self, error: Exception) -> None:
        if self.future.done():
            return
        if not_now(error):
            reason = str(error) or type(error).__name__
            unavailable = StoreUnavailable(reason)
            unavailable.__cause__ = error
            self.future.set_exception(unavailable)
        else:
            self.future.set_exception(error)


class GroupCommit:
    """Shared by all queues of a process. Its connection is the client's own: closing the client closes it.

    Commands that are not sent in one batch may overtake none that was waiting before them.
    """

    def __init__(self, redis: Redis) -> None:
        self._pool = redis.connection_pool
        self._timeout: float = self._pool.connection_kwargs.get("socket_timeout") or TIMEOUT_SECONDS
        self._connection: _Link | None = None
        self._used_at = 0.0
        self._waiting: list[_Command] = []
        self._task: asyncio.Task[None] | None = None

    async def run(self, script: Script, keys: Sequence[Argument], arguments: Sequence[Argument]) -> Any:
        """What the script returns. Raises StoreUnavailable, or redis.ResponseError for a wrong command."""
        return await self._answer(_pack(b"EVALSHA", script.sha, len(keys), *keys, *arguments), script)

    async def command(self, *words: Argument) -> Any:
        """The server's reply to a plain command, unparsed. Errors as for `run`."""
        return await self._answer(_pack(*words), None)

    def _answer(self, packed: bytes, script: Script | None) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        command = _Command(packed, script, loop.create_future())
        self._waiting.append(command)
        if self._task is None:
            self._task = loop.create_task(self._work())
        return command.future

    async def _work(self) -> None:
        batch: list[_Command] = []
        try:
            while self._waiting:
                batch = [command for command in self._waiting[:BATCH] if not command.future.done()]
                del self._waiting[:BATCH]
                if batch:
                    await self._round_trip(batch)
        except BaseException as error:  # the event loop is closing, or a bug: leave nobody waiting
            for command in (*batch, *self._waiting):
                if isinstance(error, Exception):
                    command.fail(error)
                else:
                    command.future.cancel()
            self._waiting.clear()
            raise
        finally:
            self._task = None

    async def _round_trip(self, batch: list[_Command]) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                connection = await self._ready()
                if unknown := await _exchange(connection, batch):
                    await _load(connection, {command.script for command in unknown if command.script})
                    for command in await _exchange(connection, unknown):
                        command.fail(NoScriptError("the server does not keep its scripts"))
        except (RedisError, OSError) as error:
            for command in batch:
                command.fail(error)
        self._used_at = asyncio.get_running_loop().time()

    async def _ready(self) -> _Link:
        connection = self._connection
        if connection is None:
            connection = self._connection = await self._pool.get_connection()
            connection.socket_timeout = None  # the round trip as a whole has one; one a reply costs more
        elif not connection.is_connected:
            await connection.connect()
        elif asyncio.get_running_loop().time() - self._used_at > IDLE_SECONDS and await _stale(connection):
            await connection.disconnect()
            await connection.connect()
        return connection


def _pack(*words: Argument) -> bytes:
    # The stub means any number of words and says exactly one.
    packed: bytes = hiredis.pack_command(words)  # type: ignore[arg-type]
    return packed


async def _stale(connection: _Link) -> bool:
    """Whether the server has closed the connection (nothing is under way, so nothing else is to be read)."""
    try:
        return bool(await connection.can_read_destructive())
    except (RedisError, OSError):
        return True


async def _exchange(connection: _Link, batch: Sequence[_Command]) -> list[_Command]:
    """Sends all, gives each its reply, and returns those whose script the server does not know."""
    await connection.send_packed_command(b"".join([command.packed for command in batch]), check_health=False)
    unknown = []
    for command in batch:
        try:
            reply = await connection.read_response()
        except NoScriptError:
            unknown.append(command)
        except ResponseError as error:
            command.fail(error)
        else:
            if not command.future.done():
                command.future.set_result(reply)
    return unknown


async def _load(connection: _Link, scripts: set[Script]) -> None:
    for script in scripts:
        await connection.send_packed_command(_pack(b"SCRIPT", b"LOAD", script.source), check_health=False)
        await connection.read_response()
