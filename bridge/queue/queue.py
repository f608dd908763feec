"""The queue of one integration and direction: the scripts as typed methods.

Every method raises StoreUnavailable when the server is not there or says "not now". What was asked may then
have happened or not: push is safe to repeat (the digest), a settle is safe to repeat (the token), and a claim
whose answer was lost comes back when its lease is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from redis.asyncio import Redis

from bridge.channels.capabilities import Pace
from bridge.queue import scripts
from bridge.queue.commit import Argument, GroupCommit
from bridge.queue.keys import Keys, decode, encode
from bridge.queue.letters import Wanted, read_pages
from bridge.queue.mail import unwrap
from bridge.queue.values import (
    SUSPICION,
    Beat,
    DeadLetter,
    Delivery,
    Direction,
    Held,
    Limits,
    Pushed,
    Settle,
    Stats,
    Turn,
)
from bridge.queue.words import digest_of, held_of, ms_of, text_of, words_of, words_of_cursor, words_of_text

EPHEMERAL_PART: Final = 100
"""A session that holds this part of what it may takes nothing ephemeral: it would come too late."""


class Queue:
    """The FIFOs of all sessions of one integration and direction."""

    def __init__(
        self,
        redis: Redis,
        name: str,
        direction: Direction,
        limits: Limits = Limits(),  # noqa: B008 -- a frozen value
        commit: GroupCommit | None = None,
    ) -> None:
        """`commit` is shared by all queues of a process; without one the queue has its own."""
        self.name: Final = name
        self.direction: Final = direction
        self._keys: Final = Keys(name, direction)
        self.wake_key: Final = self._keys.wake
        self._limits: Final = limits
        self._commit: Final = commit or GroupCommit(redis)
        self._lease_ms: Final = ms_of(limits.lease_seconds)
        self._remember_ms: Final = max(1, ms_of(limits.seen_seconds))
        self._chat_held = False
        """Whether a chat is held, as the last turn saw it."""
        keys = self._keys
        self._turn_keys: Final = (
            *(keys.due, keys.head, keys.stats, keys.wake, keys.dead),
            *(keys.failing, keys.failed, keys.refused, keys.denied, keys.closed),
        )
        self._push: Final = (
            (keys.due, keys.head, keys.stats, keys.wake, keys.dead),
            (
                limits.depth,
                self._remember_ms,
                limits.session_depth,
                max(1, limits.session_depth // EPHEMERAL_PART),
                limits.dead,
            ),
        )

    async def push(
        self, session: str, payload: bytes, digest: bytes | None = None, *, ephemeral: bool = False
    ) -> Pushed:
        """Appends an event to its session, unless its digest was accepted lately or there is no room for it.

        The digest is that of the payload where none is given. `ephemeral` is what is of use for seconds only.
        """
        keys, name = self._keys, encode(session)
        digest = digest or digest_of(payload)
        return Pushed(
            await self._commit.join(
                scripts.PUSH,
                self._push,
                (keys.seen(digest), keys.mail(name)),
                (name, payload, b"1" if ephemeral else b""),
            )
        )

    async def place(
        self,
        session: str,
        payload: bytes,
        arrived_at: int,
        sent_at: int | None = None,
        digest: bytes | None = None,
    ) -> Pushed:
        """Takes in an event that was accepted earlier, in front of what is newer and still waits; never FULL.

        `arrived_at` is the time of that (ms of the server's clock, as near as it is known), `sent_at` that of
        its sender (ms). What is newer is said in place.lua.
        """
        keys, name = self._keys, encode(session)
        digest = digest or digest_of(payload)
        return Pushed(
            await self._commit.join(
                scripts.PLACE,
                ((keys.due, keys.head, keys.stats, keys.wake), (self._remember_ms,)),
                (keys.seen(digest), keys.mail(name), keys.state(name)),
                (name, payload, arrived_at, b"" if sent_at is None else sent_at),
            )
        )

    async def turn(
        self,
        settles: Sequence[Settle],
        slots: int,
        suspicion: int | None = None,
        claims_until_ms: int | None = None,
    ) -> Turn:
        """Settles what the worker is done with, then claims up to `slots` deliveries, longest due first.

        `suspicion` bounds that of the deliveries together (see Delivery); None does not. Once the server's
        clock is past `claims_until_ms` it only settles.

        Do not give a turn up while it is under way: what it claims would be left to its leases, each of which
        would count as a crash.
        """
        suspicion = slots * SUSPICION if suspicion is None else suspicion
        until: Argument = b"" if claims_until_ms is None else claims_until_ms
        arguments: list[Argument] = [self._keys.prefix, slots, suspicion]
        arguments += (self._lease_ms, self._limits.dead, until)
        for settle in settles:
            arguments += words_of(settle)
        reply = await self._commit.run(scripts.TURN, self._turn_keys, arguments)
        refused, claims, wait, paused, chat_held, opened, closed_after, at_ms, late, pause, lifted = reply
        self._chat_held = bool(chat_held)
        deliveries = []
        for session, token, tries, crashes, cursor, value, refusal in claims:
            _, aged_from, payload = unwrap(value)
            name, words = decode(session), text_of(refusal)
            deliveries.append(Delivery(name, token, tries, crashes, cursor, payload, aged_from, words))
        return Turn(
            frozenset(held_of(settles[number - 1].delivery) for number in refused),
            tuple(deliveries),
            None if wait < 0 else wait / 1000,
            bool(paused),
            bool(opened),
            None if closed_after < 0 else closed_after / 1000,
            at_ms,
            bool(late),
            text_of(pause),
            bool(lifted),
        )

    async def beat(self, beats: Sequence[Beat]) -> frozenset[Held]:
        """Starts the leases anew and stores cursors; returns those that are lost (nothing was done there)."""
        if not beats:
            return frozenset()
        arguments: list[Argument] = [self._keys.prefix, self._lease_ms]
        for beat in beats:
            arguments += (encode(beat.delivery.session), beat.delivery.token, words_of_cursor(beat.cursor))
        lost = await self._commit.run(scripts.BEAT, (self._keys.due,), arguments)
        return frozenset(held_of(beats[number - 1].delivery) for number in lost)

    async def pace(self, chat: str, chat_pace: Pace | None, channel_pace: Pace | None) -> float:
        """Reserves one call in the rate limits that all workers share; returns the seconds until it may go.

        The reservation is taken: wait that long and call, without asking again.
        """
        keys: list[Argument] = []
        arguments: list[Argument] = []
        for bucket, pace in ((b"chat:" + encode(chat), chat_pace), (b"channel", channel_pace)):
            if pace is not None:
                interval = 1000 / pace.per_second
                keys.append(self._keys.pace(bucket))
                arguments += (f"{interval:.3f}", f"{interval * (pace.burst - 1):.3f}")
        if not keys:
            return 0.0
        wait: int = await self._commit.run(scripts.PACE, keys, arguments)
        return wait / 1000

    async def hold(self, seconds: float, chat: str | None = None) -> None:
        """Lets no worker claim anything for that long; with `chat`, send anything there (see `held`).

        A longer hold that is under way stays.
        """
        keys: list[Argument] = [self._keys.stats]
        if chat is not None:
            keys.append(self._keys.hold(encode(chat)))
            self._chat_held = True
        await self._commit.run(scripts.HOLD, keys, (ms_of(seconds),))

    async def held(self, chat: str) -> float:
        """Seconds for which nothing is to be sent to the chat; 0.0 as a rule, and then at no cost."""
        if not self._chat_held:
            return 0.0
        ms: int = await self._commit.command("PTTL", self._keys.hold(encode(chat)))
        return max(0, ms) / 1000

    async def pause(self, reason: str) -> bool:
        """Lets no worker claim anything until resume(). What is claimed already can be settled.

        False where it was paused before: then the former reason stays.
        """
        return await self._pause(reason or "paused")

    async def resume(self) -> None:
        """Lift the pause, close the breaker, and wake a worker. A hold stays: the platform asked for it.

        Where refusals paused the queue, one delivery goes first, of a session that was not refused if any is
        due. The others follow as soon as the platform has answered it.
        """
        await self._pause("")

    async def _pause(self, reason: str) -> bool:
        keys = self._keys
        names = (keys.stats, keys.due, keys.wake, keys.refused, keys.denied, keys.failed)
        return bool(await self._commit.run(scripts.PAUSE, names, (words_of_text(reason), keys.prefix)))

    async def stats(self) -> Stats:
        """One look at the queue, at the cost of a few O(log N) reads."""
        keys = self._keys
        reply = await self._commit.run(scripts.STATS, (keys.due, keys.head, keys.stats, keys.dead), ())
        depth, in_flight, delivered, retried, duplicates, buried, paused, *rest = reply
        sessions, ready, oldest, dead, held, down = rest
        return Stats(
            depth=depth,
            sessions=sessions,
            ready=ready,
            parked=max(0, sessions - ready - in_flight),
            in_flight=in_flight,
            oldest_age_seconds=oldest / 1000,
            dead=dead,
            delivered_total=delivered,
            retried_total=retried,
            duplicates_total=duplicates,
            buried_total=buried,
            paused=text_of(paused),
            held_seconds=held / 1000,
            down_seconds=None if down < 0 else down / 1000,
        )

    async def reject(self, payload: bytes, reason: str, session: str = "", error: str = "") -> bool:
        """Keeps a body that cannot become an event as a dead letter; False for one that came lately.

        A repeat must cost nothing: letters are bounded in number, so the oldest would go for it.
        """
        keys = (self._keys.stats, self._keys.dead, self._keys.seen(digest_of(payload)))
        words = (self._limits.dead, self._remember_ms, encode(session), reason, words_of_text(error), payload)
        return bool(await self._commit.run(scripts.REJECT, keys, words))

    def pages(self, wanted: Wanted) -> AsyncIterator[Sequence[DeadLetter]]:
        """All dead letters that are wanted, oldest first, a page at a time: bodies may be more than fits."""
        return read_pages(self._commit, self._keys.dead, wanted)

    async def letters(self, wanted: Wanted) -> AsyncIterator[DeadLetter]:
        """The same one by one, for those who do nothing with them."""
        async for page in self.pages(wanted):
            for letter in page:
                yield letter

    async def dead(
        self,
        *,
        session: str | None = None,
        reason: str | None = None,
        since_at: int | None = None,
        until_at: int | None = None,
        ids: Sequence[str] | None = None,
        limit: int = 100,
    ) -> list[DeadLetter]:
        """The first of `letters`, as a list."""
        wanted = Wanted(session=session, reason=reason, since_at=since_at, until_at=until_at, ids=ids)
        found: list[DeadLetter] = []
        async for letter in self.letters(wanted):
            if len(found) == limit:
                break
            found.append(letter)
        return found

    async def replay(self, letters: Sequence[DeadLetter]) -> int:
        """Puts the letters back into their sessions, each before what was accepted after it and still waits.

        Returns how many were still there.
        """
        # Together, so that many cost few round trips; group commit keeps their order.
        return sum(await asyncio.gather(*map(self._replay, letters)))

    async def _replay(self, each: DeadLetter) -> int:
        keys, name = self._keys, encode(each.session)
        mailbox = (keys.mail(name), keys.state(name), keys.due, keys.head, keys.stats, keys.wake)
        count: int = await self._commit.run(scripts.REPLAY, (keys.dead, *mailbox), (each.id, name))
        return count

    async def purge(self, letters: Sequence[DeadLetter]) -> int:
        """Deletes the letters for good; returns how many were still there."""
        if not letters:
            return 0
        count: int = await self._commit.command("XDEL", self._keys.dead, *(each.id for each in letters))
        return count

    async def waiting(self, session: str) -> int:
        """How many events of the session wait or are being delivered."""
        count: int = await self._commit.command("LLEN", self._keys.mail(encode(session)))
        return count

    async def drop(self, session: str) -> int:
        """Forgets a session with all that waits in it; returns how many events that were."""
        keys, name = self._keys, encode(session)
        mailbox = (keys.due, keys.head, keys.stats, keys.mail(name), keys.state(name))
        count: int = await self._commit.run(scripts.DROP, mailbox, (name,))
        return count
