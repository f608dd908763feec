"""The contract kit: what every channel has to hold, as functions to call from any test framework.

from bridge.secret import Secret
from bridge.testing import check_channel, golden

def test_viber() -> None:
    channel = Viber(Viber.Settings(token=Secret("s3cret")))
    check_channel(channel, secrets=["s3cret"])
    assert golden(channel) == Path("viber.jsonl").read_text()
"""

from __future__ import annotations

from bridge.testing.contract import check_channel, problems
from bridge.testing.corpus import corpus
from bridge.testing.golden import golden

__all__ = ["check_channel", "corpus", "golden", "problems"]
