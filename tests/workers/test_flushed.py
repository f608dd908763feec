"""Redis forgets its scripts, and then everything, while all works: nobody ends, hangs or falls over."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bridge.queue import Queue
from tests.ingress.conftest import Ingress, Serve, serve  # noqa: F401 -- a fixture
from tests.workers.bench import quiet, until
from tests.workers.children import worker
from tests.workers.events import answer
from tests.workers.platform import platform
from tests.workers.test_process import CONFIG, by_session


@pytest.mark.parametrize(
    "commands", [["SCRIPT FLUSH"], ["FLUSHALL"], ["FLUSHALL", "SCRIPT FLUSH"]], ids=" ".join
)
async def test_scripts_are_loaded_again_and_work_goes_on(
    serve: Serve,  # noqa: F811
    redis_client: Redis,
    redis_url: str,
    tmp_path: Path,
    commands: list[str],
) -> None:
    queue = Queue(redis_client, "support", "out")
    async with platform() as there:
        ingress: Ingress = await serve()
        with worker(tmp_path, CONFIG.format(url=there.url), redis_url) as child:
            await until(lambda: child.started, 20)
            for number in range(3):
                assert (await ingress.post(answer("s", f"{number}")))[0] == 200
                await there.has(number + 1, 20)
                for command in commands:
                    await redis_client.execute_command(*command.split())  # type: ignore[no-untyped-call]
            await quiet(queue)
            assert "worker.fault" not in child.log
            child.signal(signal.SIGTERM)
            assert child.ended() == 0
        assert by_session(there) == {"s": ["0", "1", "2"]}
    stats = await queue.stats()
    assert (stats.depth, stats.sessions) == (0, 0)
