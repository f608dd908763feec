"""What a worker says of its work: counts, times and log lines of one queue. Ids only, never a text."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Final

import structlog

from bridge.content import Loss
from bridge.errors import BridgeError, ChannelFault, SendError
from bridge.metrics import Metrics
from bridge.queue import Ack, Bury, Delivery, Direction, Park, Refuse, Settle
from workers.retry import describe

LINE_SECONDS: Final = 1.0
LOGGED_LOSSES: Final = 20
"""Lines of one delivery: an event can have thousands of losses."""
SHOWN: Final = 4
"""One part in so many is shown of the name of a chat that is its key."""


class Observer:
    """Label values are bound once: the path of every event goes through here."""

    def __init__(
        self, metrics: Metrics, integration: str, direction: Direction, *, chat_is_key: bool = False
    ) -> None:
        """With `chat_is_key` (see Capabilities) sessions, which may be named as their chats, are not told."""
        self._integration = integration
        self._chat_is_key = chat_is_key
        self._said_at: dict[str, float] = {}
        self._log = structlog.get_logger(__name__).bind(integration=integration, direction=direction)
        self._outcome = {
            outcome: metrics.deliveries.labels(integration, direction, outcome)
            for outcome in ("delivered", "skipped", "parked", "buried", "lost")
        }
        self._losses = metrics.losses
        self._calls = metrics.calls
        self._sent = metrics.calls.labels(integration, "sent")
        self._seconds = metrics.delivery_seconds.labels(integration, direction)
        self._end_to_end = metrics.end_to_end_seconds.labels(integration, direction)

    # ---- deliveries ------------------------------------------------------------------------------------

    def settled(self, settle: Settle, outcome: str, seconds: float, age_seconds: float) -> None:
        """Redis took it. `outcome` is an ack's; `seconds` is the time spent on this claim."""
        self._seconds.observe(seconds)
        match settle:
            case Ack(delivery):
                self._outcome[outcome].inc()
                self._end_to_end.observe(age_seconds)
                self._log.debug("delivery.sent", **self._ids(delivery), outcome=outcome)
            case Park() | Refuse():
                self._outcome["parked"].inc()
            case Bury(delivery, reason, error):
                self._outcome["buried"].inc()
                self._log.warning("delivery.buried", **self._ids(delivery), reason=reason, error=error)

    def failed(self, settle: Settle, error: Exception) -> None:
        """A try ended with an error; `settle` is what was decided."""
        match settle:
            case Park(delivery, seconds):
                mistake = isinstance(error, ChannelFault) or not isinstance(error, BridgeError)
                say = self._log.error if mistake else self._log.warning
                say("delivery.parked", **self._ids(delivery), seconds=seconds, error=describe(error))
            case Refuse(delivery):
                self._log.warning("delivery.refused", **self._ids(delivery), error=describe(error))

    def lost(self, delivery: Delivery) -> None:
        """Another worker has the session: what was done here does not count."""
        self._outcome["lost"].inc()
        self._log.warning("lease.lost", **self._ids(delivery))

    def abandoned(self, delivery: Delivery, error: Exception) -> None:
        """What to do with a failed delivery could not be decided, or not be done."""
        self._log.error("delivery.abandoned", **self._ids(delivery), error=describe(error))

    def restarted(self, delivery: Delivery) -> None:
        """The plan is not the one the cursor was stored for."""
        self._log.warning("delivery.restarted", **self._ids(delivery))

    # ---- calls -----------------------------------------------------------------------------------------

    def sent(self) -> None:
        self._sent.inc()

    def refused(self, error: SendError) -> None:
        self._calls.labels(self._integration, type(error).__name__.lower()).inc()

    def losses(self, delivery: Delivery, losses: Sequence[Loss]) -> None:
        """Count what the chat does not show as it was meant, and log the first LOGGED_LOSSES of it."""
        for loss in losses:
            self._losses.labels(self._integration, loss.content.partition("[")[0]).inc()
        for loss in losses[:LOGGED_LOSSES]:
            self._log.warning(
                "content.lost", **self._ids(delivery), content=loss.content, lost=loss.lost, shown=loss.shown
            )
        if len(losses) > LOGGED_LOSSES:
            self._log.warning("content.lost", **self._ids(delivery), more=len(losses) - LOGGED_LOSSES)

    # ---- the queue -------------------------------------------------------------------------------------

    def paused(self, reason: str) -> None:
        """A settle of this worker paused the queue."""
        self._log.error("queue.paused", reason=reason, advice=f"moveo-bridge resume {self._integration}")

    def resumed(self) -> None:
        """A call got through: the chats that were refused had paused the queue for their own sake."""
        self._log.warning("queue.resumed")

    def opened(self) -> None:
        """The breaker: nothing gets through for anybody, so one delivery now and then probes for all."""
        if self._is_due("platform.down"):
            self._log.error("platform.down")

    def closed(self, seconds: float) -> None:
        if self._is_due("platform.up"):
            self._log.warning("platform.up", after_seconds=round(seconds, 1))

    def _is_due(self, line: str) -> bool:
        """A platform that fails by half may come and go many times a second: it is said once in one."""
        now = time.monotonic()
        due = now - self._said_at.get(line, -math.inf) >= LINE_SECONDS
        if due:
            self._said_at[line] = now
        return due

    def _ids(self, delivery: Delivery) -> dict[str, object]:
        session = delivery.session
        if self._chat_is_key:  # enough to find it among the dead letters, too little to get in
            session = session[: len(session) // SHOWN] + "…"
        return {"session": session, "tries": delivery.tries}
