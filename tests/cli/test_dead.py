"""`dead`: dead letters are listed, shown, replayed and purged, and only those that are meant."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import redis

from bridge.queue import Queue
from tests.cli.conftest import Run
from tests.cli.queued import bury, configure, with_queue

BODY = {"text": "wört"}


@pytest.fixture(autouse=True)
def _letters(folder: Path, redis_url: str) -> None:
    """Three of support out, one of support in, one of sales out."""

    async def support(queue: Queue) -> None:
        await bury(queue, "s-1", json.dumps(BODY).encode(), "rejected", "Forbidden:\nbot was blocked")
        await bury(queue, "s-1", b"second", "expired")
        await bury(queue, "s-2", b"third", "rejected")

    configure(folder, redis_url)
    with_queue(redis_url, support)
    with_queue(redis_url, lambda queue: bury(queue, "chat-1", b"fourth"), direction="in")
    with_queue(redis_url, lambda queue: bury(queue, "s-9", b"fifth"), name="sales")


def listed(run: Run, *options: str) -> list[dict[str, Any]]:
    result = run("dead", "list", "--json", *options)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def bodies(run: Run, *options: str) -> list[Any]:
    return [json.loads(run("dead", "show", row["id"]).stdout)["body"] for row in listed(run, *options)]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        pytest.param([], [BODY, "second", "third", "fourth", "fifth"], id="all"),
        pytest.param(["--integration", "support"], [BODY, "second", "third", "fourth"], id="integration"),
        pytest.param(["--direction", "in"], ["fourth"], id="direction"),
        pytest.param(["--session", "s-1"], [BODY, "second"], id="session"),
        pytest.param(["--reason", "expired"], ["second"], id="reason"),
        pytest.param(["--session", "s-1", "--reason", "rejected"], [BODY], id="session and reason"),
        pytest.param(["--since", "1h"], [BODY, "second", "third", "fourth", "fifth"], id="since"),
        pytest.param(["--until", "1h"], [], id="until"),
        pytest.param(["--since", "2999-01-01"], [], id="since then"),
        pytest.param(["--limit", "1"], [BODY, "fourth", "fifth"], id="limit, of each queue"),
    ],
)
def test_letters_are_chosen_by_the_options(run: Run, options: list[str], found: list[Any]) -> None:
    assert bodies(run, *options) == found


def test_the_list_has_ids_reasons_and_times_and_no_body(run: Run) -> None:
    row = listed(run, "--session", "s-1")[0]
    assert set(row) == {
        "id", "integration", "direction", "session", "reason", "tries", "accepted_at", "died_at", "error",
    }  # fmt: skip
    assert (row["integration"], row["direction"], row["session"]) == ("support", "out", "s-1")
    assert (row["reason"], row["error"]) == ("rejected", "Forbidden:\nbot was blocked")
    table = run("dead", "list").stdout
    assert len(table.splitlines()) == 6
    assert "Forbidden: bot was blocked" in table
    assert "wört" not in table


def test_no_letters_is_said(run: Run) -> None:
    assert run("dead", "list", "--session", "none").stdout == "no dead letters\n"


def test_a_letter_that_is_not_there(run: Run) -> None:
    for letter in ("support/out/1-1", "none/out/1-1"):
        result = run("dead", "show", letter)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == f"moveo-bridge: no dead letter {letter}\n"


@pytest.mark.parametrize("letter", ["1-1", "support/out/", "support/up/1-1"])
@pytest.mark.parametrize("verb", ["show", "replay", "purge"])
def test_what_is_no_id_is_said(run: Run, verb: str, letter: str) -> None:
    result = run("dead", verb, letter)
    assert result.exit_code == 2
    assert "as `dead list` shows them" in result.stderr


def test_replay_puts_the_chosen_back_into_their_queue(run: Run, redis_url: str) -> None:
    assert run("dead", "replay", "--session", "s-1").stdout == "replayed 2\n"
    assert bodies(run) == ["third", "fourth", "fifth"]

    async def waiting(queue: Queue) -> list[bytes]:
        return [delivery.payload for delivery in (await queue.turn([], 10)).deliveries]

    assert with_queue(redis_url, waiting) == [json.dumps(BODY).encode()]
    assert with_queue(redis_url, lambda queue: queue.stats()).depth == 2


def test_replay_by_id(run: Run) -> None:
    _, second, _, fourth, _ = listed(run)
    assert run("dead", "replay", second["id"], fourth["id"]).stdout == "replayed 2\n"
    assert bodies(run) == [BODY, "third", "fifth"]


@pytest.mark.parametrize("options", [("replay",), ("purge", "--yes")], ids=lambda each: each[0])
def test_a_named_letter_that_is_not_there_is_said(run: Run, options: tuple[str, ...]) -> None:
    here = listed(run)[1]["id"]
    result = run("dead", *options, here, here, "support/out/1-1", "none/out/1-1")
    assert result.exit_code == 1
    assert result.stdout == f"{options[0]}{'d' if options[0] == 'purge' else 'ed'} 1\n"
    assert result.stderr == "moveo-bridge: 2 of the letters that were named: not there\n"


def test_an_id_means_the_letter_of_one_queue(run: Run, redis_url: str) -> None:
    """Two queues may bury in the same millisecond, and their streams then give the same id."""
    with redis.Redis.from_url(redis_url) as client:
        [(at, fields)] = client.xrange("{bridge:sales:out}:dead")
        client.xadd("{bridge:sales:in}:dead", fields, at)
    assert run("dead", "purge", f"sales/in/{at.decode()}", "--yes").stdout == "purged 1\n"
    assert bodies(run, "--integration", "sales") == ["fifth"]


def test_all_means_every_queue(run: Run, redis_url: str) -> None:
    assert run("dead", "replay", "--all").stdout == "replayed 5\n"
    assert listed(run) == []
    assert with_queue(redis_url, lambda queue: queue.stats(), name="sales").depth == 1


def test_more_letters_than_one_batch(run: Run, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["bridge.cli.dead"], "BATCH", 2)
    assert run("dead", "replay", "--integration", "support").stdout == "replayed 4\n"


def test_purge_asks_first(run: Run) -> None:
    refused = run("dead", "purge", "--all", input="n\n")
    assert refused.exit_code == 1
    assert len(listed(run)) == 5
    assert run("dead", "purge", "--reason", "expired", input="y\n").stdout.endswith("purged 1\n")
    assert run("dead", "purge", "--all", "--yes").stdout == "purged 4\n"
    assert listed(run) == []


@pytest.mark.parametrize("verb", ["replay", "purge"])
def test_which_letters_must_be_said(run: Run, verb: str) -> None:
    result = run("dead", verb)
    assert result.exit_code == 2
    assert "or --all" in result.stderr
    assert len(listed(run)) == 5


@pytest.mark.parametrize(
    "options",
    [["--integration", "none"], ["--since", "soon"], ["--direction", "up"]],
    ids=lambda each: each[0],
)
def test_a_wrong_choice_is_exit_code_2(run: Run, options: list[str]) -> None:
    assert run("dead", "list", *options).exit_code == 2
