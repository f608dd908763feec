"""Commands on a Redis without free memory: what shows and what makes room works."""

from __future__ import annotations

import json
from pathlib import Path

import redis

from bridge.embedded import EmbeddedServer
from bridge.queue import Queue
from tests.cli.conftest import Run
from tests.cli.queued import bury, configure, with_queue


def test_a_full_server_shows_its_queues_and_letters_and_gives_them_back(
    run: Run, folder: Path, own_server: EmbeddedServer
) -> None:
    async def fill(queue: Queue) -> None:
        for number in range(3):
            await bury(queue, "s", b"%d" % number)
        await queue.pause("unauthorized")

    configure(folder, own_server.url)
    with_queue(own_server.url, fill)
    with redis.Redis.from_url(own_server.url) as client:
        client.config_set("maxmemory", 1)

    [row] = [row for row in json.loads(run("status", "--json").stdout)["queues"] if row["paused"]]
    assert (row["depth"], row["dead"]) == (0, 3)
    ids = [json.loads(line)["id"] for line in run("dead", "list", "--json").stdout.splitlines()]
    assert json.loads(run("dead", "show", ids[0]).stdout)["body"] == 0
    assert run("resume", "support").exit_code == 0
    assert run("dead", "replay", ids[0]).stdout == "replayed 1\n"
    assert run("dead", "purge", ids[1], "--yes").exit_code == 0
    [row] = [row for row in json.loads(run("status", "--json").stdout)["queues"] if row["depth"]]
    assert (row["paused"], row["dead"]) == ("", 1)
