"""A stand-in for Moveo: its API, its signed webhooks with their retries, and a scripted agent.

bridge ──POST /v1/custom/…──> api ──> script ──> outbox ──signed webhook──> bridge
"""

from __future__ import annotations

from bridge.emulator.app import build, run
from bridge.emulator.config import EmulatorConfig

__all__ = ["EmulatorConfig", "build", "run"]
