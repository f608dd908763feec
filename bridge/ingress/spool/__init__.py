"""The spool: where ingress keeps events while Redis does not take them."""

from bridge.ingress.spool.frames import Frame
from bridge.ingress.spool.log import Log
from bridge.ingress.spool.placer import Placer
from bridge.ingress.spool.spool import Place, Spool
from bridge.ingress.spool.times import Times

__all__ = ["Frame", "Log", "Place", "Placer", "Spool", "Times"]
