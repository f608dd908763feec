"""A person in a Matrix client: matrix-nio, which keeps what it has seen of a room in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import nio

from tests.matrix.homeserver import Homeserver

SYNC_MS = 2000


class Person:
    """`events` are the messages of others in the room, as they came; `typing` is who types, each time that
    changes; `read` are the events that others have read.
    """

    def __init__(self, client: nio.AsyncClient) -> None:
        self.client = client
        self.room = ""
        self.events: list[nio.RoomMessage] = []
        self.typing: list[list[str]] = []
        self.read: list[str] = []
        self._since: str | None = None

    @property
    def id(self) -> str:
        return str(self.client.user_id)

    async def open_room(self, *invited: str) -> str:
        """A new room, as a client makes one for a talk with somebody."""
        made = await self.client.room_create(
            is_direct=True, preset=nio.RoomPreset.trusted_private_chat, invite=list(invited)
        )
        assert isinstance(made, nio.RoomCreateResponse), made
        self.room = made.room_id
        return self.room

    async def joined(self, user: str, seconds: float = 45.0) -> None:
        """Waits until somebody is in the room."""
        async with asyncio.timeout(seconds):
            while True:
                found = await self.client.joined_members(self.room)
                assert isinstance(found, nio.JoinedMembersResponse), found
                if user in {member.user_id for member in found.members}:
                    return
                await asyncio.sleep(0.05)

    async def say(self, body: str, **content: Any) -> str:
        return await self.send({"msgtype": "m.text", "body": body, **content})

    async def send(self, content: dict[str, Any], kind: str = "m.room.message") -> str:
        sent = await self.client.room_send(self.room, kind, content)
        assert isinstance(sent, nio.RoomSendResponse), sent
        return str(sent.event_id)

    async def load(self, mxc: str) -> bytes:
        """A file, as the client shows it."""
        loaded = await self.client.download(mxc)
        assert isinstance(loaded, nio.MemoryDownloadResponse), loaded
        return bytes(loaded.body)

    async def sees(self, seen: Callable[[], bool], seconds: float = 45.0) -> None:
        """Looks at the room until it is so."""
        async with asyncio.timeout(seconds):
            while not seen():
                await self._look()

    async def bodies(self, count: int) -> list[str]:
        """What others wrote, once it is that much."""
        await self.sees(lambda: len(self.events) >= count)
        return [event.body for event in self.events]

    async def _look(self) -> None:
        news = await self.client.sync(timeout=SYNC_MS, since=self._since)
        assert isinstance(news, nio.SyncResponse), news
        self._since = news.next_batch
        room = news.rooms.join.get(self.room)
        if room is None:
            return
        self.events += [
            event
            for event in room.timeline.events
            if isinstance(event, nio.RoomMessage) and event.sender != self.id
        ]
        for sign in room.ephemeral:
            match sign:
                case nio.TypingNoticeEvent():
                    self.typing.append(sign.users)
                case nio.ReceiptEvent():
                    self.read += [each.event_id for each in sign.receipts if each.user_id != self.id]


@asynccontextmanager
async def person(there: Homeserver, name: str) -> AsyncIterator[Person]:
    """A new user, logged in."""
    account = await asyncio.to_thread(there.register, name)
    client = nio.AsyncClient(there.url, account["user_id"])
    client.restore_login(account["user_id"], account["device_id"], account["access_token"])
    try:
        yield Person(client)
    finally:
        await client.close()
