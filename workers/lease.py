"""A delivery in this process's hands, as its handler sees it.

Before anything is sent the handler asks `hold`, and so does the sender at the moment of writing; after each
part that went out the handler says `progress`. A process that slept past its lease finds out in one of these,
and sends nothing that another worker may have sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from bridge.queue import Beat, Delivery, Said

Renew: TypeAlias = Callable[[Beat], Awaitable[bool]]
"""Asks Redis to move a lease forward, waiting for Redis if need be: whether it is still ours."""


class LeaseLost(Exception):  # noqa: N818 -- no error: another worker has the session now
    """The handler stops; what it would settle is no longer its own."""


class Lease:
    """`cursor` is what survives of the work so far; `outcome` is what an acked delivery is counted as.

    The handler sets `chat` to where it sends, and `said` to what it heard of the other side meanwhile.
    """

    __slots__ = (
        "_renew",
        "_stopping",
        "chat",
        "claimed_at",
        "cursor",
        "delivery",
        "lost",
        "outcome",
        "said",
        "task",
        "until",
    )

    def __init__(
        self, delivery: Delivery, claimed_at: float, until: float, renew: Renew, stopping: asyncio.Event
    ) -> None:
        self.delivery = delivery
        self.cursor = delivery.cursor
        self.claimed_at = claimed_at
        self.until = until
        """Up to this time of the event loop's clock the lease is surely ours."""
        self.lost = False
        self.outcome = "delivered"
        self.chat = ""
        self.said: Said = ""
        self.task: asyncio.Task[None] | None = None
        self._renew = renew
        self._stopping = stopping

    @property
    def stopping(self) -> bool:
        """The process is asked to end: finish the part in flight, hand over the rest."""
        return self._stopping.is_set()

    async def hold(self) -> None:
        """Returns while the session is ours. Raises LeaseLost."""
        if self.lost:
            raise LeaseLost
        if asyncio.get_running_loop().time() >= self.until:
            await self._beat(None)

    async def progress(self, cursor: bytes) -> None:
        """Returns once the cursor is stored. Raises LeaseLost."""
        self.cursor = cursor
        await self._beat(cursor)

    async def _beat(self, cursor: bytes | None) -> None:
        if self.lost or not await self._renew(Beat(self.delivery, cursor)):
            self.lost = True
            raise LeaseLost
