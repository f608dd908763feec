"""The queue: one FIFO a session, over ordinary Redis types and a few Lua scripts.

    push ──> mailbox ──turn──> Delivery ──> Ack | Park | Bury | Refuse ──turn──> gone, later, kept as dead
                                   │
                                  beat, while it is worked on

The promise, whatever dies: an accepted event stays at the head of its session until it is acked or buried,
events of a session are claimed in the order of their acceptance and one at a time, and who has lost a claim
can no longer change anything (the token).
"""

from bridge.queue.clock import Clock, server_ms
from bridge.queue.commit import GroupCommit, NotReplicated
from bridge.queue.connection import connect
from bridge.queue.letters import Wanted
from bridge.queue.presence import Worker, announce, leave, present
from bridge.queue.queue import Queue
from bridge.queue.values import (
    SUSPICION,
    Ack,
    Beat,
    Bury,
    DeadLetter,
    Delivery,
    Direction,
    Held,
    Limits,
    Park,
    Pushed,
    Refuse,
    Said,
    Settle,
    Stats,
    Turn,
)
from bridge.queue.wake import wait_for_wake

__all__ = [
    "SUSPICION",
    "Ack",
    "Beat",
    "Bury",
    "Clock",
    "DeadLetter",
    "Delivery",
    "Direction",
    "GroupCommit",
    "Held",
    "Limits",
    "NotReplicated",
    "Park",
    "Pushed",
    "Queue",
    "Refuse",
    "Said",
    "Settle",
    "Stats",
    "Turn",
    "Wanted",
    "Worker",
    "announce",
    "connect",
    "leave",
    "present",
    "server_ms",
    "wait_for_wake",
]
