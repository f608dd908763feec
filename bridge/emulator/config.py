"""What the stand-in for Moveo is told."""

from __future__ import annotations

from msgspec import Struct

from bridge.secret import Secret


class EmulatorConfig(Struct, frozen=True, kw_only=True):
    """Where it listens, where its webhooks go, and what both sides know of each other."""

    host: str = "127.0.0.1"
    port: int = 8090
    public_url: str = ""
    """Where browsers find its media; "" for the address under which its API was called."""
    webhook_url: str
    secret: Secret | None = None
    """Signs the webhooks; None sends them unsigned, as Moveo does without a secret."""
    integration_id: str
    api_key: Secret
    session_seconds: float = 24 * 3600
    """A session without messages for so long expires (Moveo: 60 s to 15 days)."""
    timeout_seconds: float = 30.0
    """How long a webhook may take to be answered."""
    backoff_seconds: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 2.0)
    """Waits before the retries of a webhook that met a 5xx, a timeout or no answer at all."""
    pace: float = 1.0
    """How fast the scripted agent and human type: 1 like people, 0 at once."""
