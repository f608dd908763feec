"""What /readyz of ingress says: with a spool it works around Redis being away, so nobody need send less."""

from __future__ import annotations

from redis.asyncio import Redis

from bridge.ingress.admin import GROW, redis_problems
from bridge.ingress.spool import Spool
from bridge.ingress.traffic import Traffic


class Health:
    """`problems` keep ingress from taking events; `degraded` is what it works around."""

    def __init__(self, redis: Redis, traffic: Traffic, spool: Spool | None) -> None:
        self._redis = redis
        self._traffic = traffic
        self._spool = spool

    async def problems(self) -> list[str]:
        if self._traffic.stopping:
            return ["stopping"]
        if self._spool is None:
            return await redis_problems(self._redis, GROW)
        return [f"spool: {self._spool.refusing}"] if self._spool.refusing else []

    async def degraded(self) -> list[str]:
        spool = self._spool
        if spool is None:
            return []
        held = [f"spool: {spool.log.events} events wait for Redis"] if spool.holding else []
        return held + await redis_problems(self._redis, GROW)
