"""`dead`: dead letters are listed, shown, replayed and purged, and only those that are meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import redis

from bridge.queue import Direction, Queue
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
        "id", "integration", "direction", "session", "event", "message", "chat",
        "reason", "tries", "accepted_at", "died_at", "error",
    }  # fmt: skip
    assert (row["integration"], row["direction"], row["session"]) == ("support", "out", "s-1")
    assert (row["reason"], row["error"]) == ("rejected", "Forbidden:\nbot was blocked")
    assert (row["event"], row["message"], row["chat"]) == ("", "", ""), "the body names none"
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


@pytest.mark.parametrize(
    ("direction", "body", "ids"),
    [
        (
            "out",
            {"event_type": "message:brain_send", "request_id": "r-1", "external_session_id": "4711"},
            ["message:brain_send", "r-1", "4711"],
        ),
        ("in", {"type": "click", "id": "m-1", "chat": "4711", "payload": "yes"}, ["click", "m-1", "4711"]),
        ("out", {"event_type": 7, "request_id": None}, ["", "", ""]),
        ("out", [], ["", "", ""]),
    ],
    ids=["event", "message", "odd", "no-object"],
)
def test_a_letter_is_named_as_its_payload_is(
    run: Run, redis_url: str, direction: Direction, body: Any, ids: list[str]
) -> None:
    with_queue(redis_url, lambda queue: bury(queue, "s-7", json.dumps(body).encode()), direction=direction)
    [row] = listed(run, "--session", "s-7")
    assert [row["event"], row["message"], row["chat"]] == ids


def test_a_list_that_is_cut_says_so(run: Run) -> None:
    result = run("dead", "list", "--limit", "3")
    assert result.stderr == ""
    result = run("dead", "list", "--limit", "2")
    assert result.stderr == "more than 2 of support/out: raise --limit\n"
    assert len(result.stdout.splitlines()) == 5


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
    monkeypatch.setattr("bridge.queue.letters.PAGE", 2)
    assert run("dead", "replay", "--integration", "support").stdout == "replayed 4\n"


def test_purge_asks_first_and_says_how_many(run: Run) -> None:
    refused = run("dead", "purge", "--all", input="n\n")
    assert refused.exit_code == 1
    assert "Delete 5 dead letters for good?" in refused.stdout
    assert run("dead", "purge", "--session", "nobody").stdout == "purged 0\n", "there is nothing to ask"
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


# ---- an integration that was taken out of the settings -----------------------------------------------------


@pytest.fixture
def removed(folder: Path) -> None:
    """There was an integration `sales`; its letter is still there."""
    file = folder / "bridge.toml"
    file.write_text(file.read_text().partition("[integrations.sales]")[0])


@pytest.mark.usefixtures("removed")
def test_letters_of_a_removed_integration_are_listed_and_shown(run: Run) -> None:
    assert bodies(run) == [BODY, "second", "third", "fourth", "fifth"]
    assert bodies(run, "--integration", "sales") == ["fifth"]
    assert run("dead", "list", "--integration", "none").exit_code == 2


@pytest.mark.usefixtures("removed")
@pytest.mark.parametrize("by", ["integration", "id", "all"])
def test_they_are_not_put_where_nobody_delivers_them(run: Run, by: str) -> None:
    row = listed(run, "--integration", "sales")[0]
    options = {"integration": ["--integration", "sales"], "id": [row["id"]], "all": ["--all"]}[by]
    result = run("dead", "replay", *options)
    assert result.exit_code == 1
    assert result.stdout == f"replayed {4 if by == 'all' else 0}\n"
    assert result.stderr == (
        "moveo-bridge: 1 of sales stay: nobody would deliver them without [integrations.sales]\n"
    )
    assert listed(run, "--integration", "sales") == [row]


@pytest.mark.usefixtures("removed")
def test_they_are_purged_as_any(run: Run) -> None:
    """Also when a person's letters are erased by their session, wherever they are."""
    assert run("dead", "purge", "--session", "s-9", "--yes").stdout == "purged 1\n"
    assert bodies(run) == [BODY, "second", "third", "fourth"]
