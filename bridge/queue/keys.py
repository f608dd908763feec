"""The keys of one queue. All share a hash tag, so that a queue lives in one slot of a cluster."""

from __future__ import annotations

from typing import Final

from bridge.queue.values import Direction


class Keys:
    """The names of all keys. Parts that vary are appended as they are: nothing in them is interpreted."""

    def __init__(self, name: str, direction: Direction) -> None:
        prefix = f"{{bridge:{name}:{direction}}}:"
        self.prefix: Final = prefix.encode()
        self.due: Final = self.prefix + b"due"
        self.head: Final = self.prefix + b"head"
        self.stats: Final = self.prefix + b"stats"
        self.wake: Final = self.prefix + b"wake"
        self.dead: Final = self.prefix + b"dead"
        self.failing: Final = self.prefix + b"failing"
        self.failed: Final = self.prefix + b"failed"
        self.refused: Final = self.prefix + b"refused"
        self.denied: Final = self.prefix + b"denied"
        self.closed: Final = self.prefix + b"closed"
        self._mail: Final = self.prefix + b"mail:"
        self._state: Final = self.prefix + b"state:"
        self._seen: Final = prefix + "seen:"
        self._pace: Final = self.prefix + b"pace:"
        self._hold: Final = self.prefix + b"hold:"

    def mail(self, session: bytes) -> bytes:
        """LIST: the session's events, head first."""
        return self._mail + session

    def state(self, session: bytes) -> bytes:
        """HASH: token, tries, crashes, cursor, refusal of the head; only while the head is touched."""
        return self._state + session

    def seen(self, digest: bytes) -> str:
        """STRING with expiry: an event with this digest was accepted lately."""
        return self._seen + digest.hex()

    def pace(self, bucket: bytes) -> bytes:
        """STRING with expiry: when the bucket of a rate limit is empty again."""
        return self._pace + bucket

    def hold(self, chat: bytes) -> bytes:
        """STRING with expiry: nothing is to be sent to this chat."""
        return self._hold + chat


def encode(session: str) -> bytes:
    """The bytes that name a session on the server."""
    return session.encode("utf-8", "surrogatepass")


def decode(session: bytes) -> str:
    """The name of a session that `encode` wrote."""
    return session.decode("utf-8", "surrogatepass")
