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
from redis.exceptions import NoScriptError, ResponseError

from bridge.errors import StoreUnavailable
from bridge.queue.connection import FAILURES, not_now, store_error
from bridge.queue.scripts import Script

BATCH: Final = 512
IDLE_SECONDS: Final = 0.5
"""After this long without a round trip the connection is looked at before use: it may have been closed."""
TIMEOUT_SECONDS: Final = 5.0
"""For a whole round trip, where the client was made without a socket timeout."""
REPLICA_MS: Final = 150
"""How long replicas may take to have what was written."""

Argument: TypeAlias = bytes | str | int


class NotReplicated(StoreUnavailable):
    """It is done, but the server may die before a replica knows of it."""


class _Link(Protocol):
    """What is used of a connection of redis-py: its public surface below the slower layers."""

    socket_timeout: float | None

    async def connect(self) -> None: ...
    async def disconnect(self) -> None: ...
    async def can_read_destructive(self) -> bool: ...
    async def send_packed_command(self, command: bytes, check_health: bool) -> None: ...
    async def read_response(self) -> Any: ...


class _Command:
    """One command and who waits for its reply."""

    __slots__ = ("future", "packed", "script")

    def __init__(self, packed: bytes, script: Script | None, future: asyncio.Future[Any]) -> None:
        self.packed = packed
        self.script = script
        self.future = future

    def pack(self) -> bytes:
        """What is sent; nothing when nobody waits for it any more."""
        return b"" if self.future.done() else self.packed

    def succeed(self, reply: Any) -> None:
        if not self.future.done():
            self.future.set_result(reply)

    def fail(self, error: Exception) -> None:
        _fail(self.future, error)

    def cancel(self) -> None:
        self.future.cancel()


class _Joint:
    """Calls of one script that go out as one call; its reply is a list with an answer for each."""

    __slots__ = ("_arguments", "_calls", "_keys", "script")

    def __init__(self, script: Script, keys: Sequence[Argument], arguments: Sequence[Argument]) -> None:
        self.script = script
        self._keys = keys
        self._arguments = arguments
        self._calls: list[tuple[asyncio.Future[Any], Sequence[Argument], Sequence[Argument]]] = []

    def add(
        self, future: asyncio.Future[Any], keys: Sequence[Argument], arguments: Sequence[Argument]
    ) -> int:
        """Returns how many there are now."""
        self._calls.append((future, keys, arguments))
        return len(self._calls)

    def pack(self) -> bytes:
        """What is sent for those who still wait."""
        self._calls = [call for call in self._calls if not call[0].done()]
        if not self._calls:
            return b""
        keys, arguments = list(self._keys), list(self._arguments)
        for _, own_keys, own_arguments in self._calls:
            keys += own_keys
            arguments += own_arguments
        return _pack(b"EVALSHA", self.script.sha, len(keys), *keys, *arguments)

    def succeed(self, reply: Sequence[Any]) -> None:
        for (future, _, _), answer in zip(self._calls, reply, strict=True):
            if not future.done():
                future.set_result(answer)

    def fail(self, error: Exception) -> None:
        for future, _, _ in self._calls:
            _fail(future, error)

    def cancel(self) -> None:
        for future, _, _ in self._calls:
            future.cancel()


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if future.done():
        return
    if not_now(error):
        unavailable = store_error(error)
        unavailable.__cause__ = error
        future.set_exception(unavailable)
    else:
        future.set_exception(error)


class GroupCommit:
    """Shared by all queues of a process. Its connection is the client's own: closing the client closes it.

    Commands that are not sent in one batch may overtake none that was waiting before them.
    """

    def __init__(self, redis: Redis, patience_seconds: float | None = None, replicas: int = 0) -> None:
        """With `patience_seconds` nobody waits longer than that: a round trip that does lets go of all.

        They are told StoreUnavailable, while the round trip goes on; one timer serves a whole batch.
        With `replicas`, what fewer than so many have within REPLICA_MS ends as NotReplicated.
        """
        self._pool = redis.connection_pool
        self._replicas = replicas
        self._patience = patience_seconds
        self._alarm: asyncio.TimerHandle | None = None
        self._timeout: float = self._pool.connection_kwargs.get("socket_timeout") or TIMEOUT_SECONDS
        self._connection: _Link | None = None
        self._used_at = 0.0
        self._waiting: list[_Command | _Joint] = []
        self._open: dict[tuple[Script, Argument], _Joint] = {}
        """Joints that wait, so that calls may still be added, by script and first key."""
        self._task: asyncio.Task[None] | None = None

    async def run(self, script: Script, keys: Sequence[Argument], arguments: Sequence[Argument]) -> Any:
        """What the script returns. Raises StoreUnavailable, or redis.ResponseError for a wrong command."""
        return await self._answer(_pack(b"EVALSHA", script.sha, len(keys), *keys, *arguments), script)

    def join(
        self,
        script: Script,
        shared: tuple[Sequence[Argument], Sequence[Argument]],
        keys: Sequence[Argument],
        arguments: Sequence[Argument],
    ) -> asyncio.Future[Any]:
        """As `run`, for a script that takes many calls at once: those that wait together become one.

        `shared` are the keys and arguments that the script takes once, before those of each call; all calls
        with the same first key must share the same. An error of the script is that of all of them.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        name = (script, shared[0][0])
        joint = self._open.get(name)
        if joint is None:
            joint = self._open[name] = _Joint(script, *shared)
            self._enqueue(joint)
        if joint.add(future, keys, arguments) >= BATCH:
            del self._open[name]
        return future

    async def command(self, *words: Argument) -> Any:
        """The server's reply to a plain command, unparsed. Errors as for `run`."""
        return await self._answer(_pack(*words), None)

    def _answer(self, packed: bytes, script: Script | None) -> asyncio.Future[Any]:
        command = _Command(packed, script, asyncio.get_running_loop().create_future())
        self._enqueue(command)
        return command.future

    def _enqueue(self, command: _Command | _Joint) -> None:
        self._waiting.append(command)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        batch: list[_Command | _Joint] = []
        try:
            while self._waiting:
                batch = self._waiting[:BATCH]
                del self._waiting[:BATCH]
                self._open.clear()  # what waits behind this batch may go with it no more
                await self._round_trip(batch)
        except BaseException as error:  # the event loop is closing, or a bug: leave nobody waiting
            for command in (*batch, *self._waiting):
                if isinstance(error, Exception):
                    command.fail(error)
                else:
                    command.cancel()
            self._waiting.clear()
            self._open.clear()
            raise
        finally:
            self._task = None

    async def _round_trip(self, batch: Sequence[_Command | _Joint]) -> None:
        self._arm(batch)
        try:
            async with asyncio.timeout(self._timeout):
                connection = await self._ready()
                if unknown := await _exchange(connection, batch, self._replicas):
                    await _load(connection, {command.script for command in unknown if command.script})
                    for command in await _exchange(connection, unknown, self._replicas):
                        command.fail(NoScriptError("the server does not keep its scripts"))
        except FAILURES as error:
            for command in batch:
                command.fail(error)
        finally:
            if self._alarm:
                self._alarm.cancel()
        self._used_at = asyncio.get_running_loop().time()

    def _arm(self, batch: Sequence[_Command | _Joint]) -> None:
        if self._patience is not None:
            self._alarm = asyncio.get_running_loop().call_later(self._patience, self._let_go, batch)

    def _let_go(self, batch: Sequence[_Command | _Joint]) -> None:
        """The round trip takes too long: those of the batch, and those behind it, wait no more."""
        for command in (*batch, *self._waiting):
            command.fail(TimeoutError("no answer in time"))
        self._waiting.clear()
        self._open.clear()
        self._arm(batch)  # for those who come while it still goes on

    async def _ready(self) -> _Link:
        connection = self._connection
        if connection is None:
            connection = self._connection = await self._pool.get_connection()
            connection.socket_timeout = None  # the round trip as a whole has one; one a reply costs more
        elif asyncio.get_running_loop().time() - self._used_at > IDLE_SECONDS and await _stale(connection):
            await connection.disconnect()
        await connection.connect()  # does nothing, unless it is closed or has to be replaced
        return connection


def _pack(*words: Argument) -> bytes:
    # The stub means any number of words and says exactly one.
    packed: bytes = hiredis.pack_command(words)  # type: ignore[arg-type]
    return packed


async def _stale(connection: _Link) -> bool:
    """Whether the server has closed the connection (nothing is under way, so nothing else is to be read)."""
    try:
        return bool(await connection.can_read_destructive())
    except FAILURES:
        return True


async def _exchange(
    connection: _Link, batch: Sequence[_Command | _Joint], replicas: int
) -> list[_Command | _Joint]:
    """Sends all, gives each its reply, and returns those whose script the server does not know."""
    sent = [(command, packed) for command in batch if (packed := command.pack())]
    if not sent:
        return []
    words = [packed for _, packed in sent]
    if replicas:
        words.append(_pack(b"WAIT", replicas, REPLICA_MS))
    await connection.send_packed_command(b"".join(words), check_health=False)
    replies = [await _reply(connection) for _ in sent]
    short = None
    if replicas:
        have = await _reply(connection)
        if not isinstance(have, int):
            raise have
        if have < replicas:
            short = NotReplicated(f"{have} of {replicas} replicas have it")
    unknown = []
    for (command, _), reply in zip(sent, replies, strict=True):
        if isinstance(reply, NoScriptError):
            unknown.append(command)
        elif isinstance(reply, ResponseError):
            command.fail(reply)
        elif short:
            command.fail(short)
        else:
            command.succeed(reply)
    return unknown


async def _reply(connection: _Link) -> Any:
    """The next reply; an error of the server's is one too."""
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error


async def _load(connection: _Link, scripts: set[Script]) -> None:
    for script in scripts:
        await connection.send_packed_command(_pack(b"SCRIPT", b"LOAD", script.source), check_health=False)
        await connection.read_response()
