"""The spool: where ingress keeps events while Redis does not take them."""

from bridge.ingress.spool.frames import Frame
from bridge.ingress.spool.log import Log
from bridge.ingress.spool.placer import Placer
from bridge.ingress.spool.spool import Place, Spool

__all__ = ["Frame", "Log", "Place", "Placer", "Spool"]
