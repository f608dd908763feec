"""The sessions of the stand-in: what it knows of each conversation, until it expires."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bridge.emulator.script import Action, Talk


@dataclass
class Session:
    """One conversation. `waiting` is what still has to be done or posted, in order."""

    id: str
    external_id: str
    context: dict[str, Any]
    media_url: str
    talk: Talk = field(default_factory=Talk)
    waiting: deque[Action] = field(default_factory=deque)
    timer: asyncio.TimerHandle | None = None


class Sessions:
    """All living sessions. One that nobody touches for `seconds` is given to `expire`."""

    def __init__(self, seconds: float, expire: Callable[[Session], None]) -> None:
        self._seconds = seconds
        self._expire = expire
        self._sessions: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, external_id: str, context: dict[str, Any], media_url: str) -> Session:
        session = Session(f"sess-{uuid.uuid4().hex}", external_id, context, media_url)
        self._sessions[session.id] = session
        self.touch(session)
        return session

    def get(self, session_id: str) -> Session | None:
        return self._sessions.get(session_id)

    def touch(self, session: Session) -> None:
        """Starts the time to its expiry anew."""
        if session.timer:
            session.timer.cancel()
        session.timer = asyncio.get_running_loop().call_later(self._seconds, self._expire, session)

    def forget(self, session: Session) -> None:
        """It is gone: its id means nothing from now on."""
        if session.timer:
            session.timer.cancel()
        self._sessions.pop(session.id, None)

    def clear(self) -> None:
        for session in list(self._sessions.values()):
            self.forget(session)
