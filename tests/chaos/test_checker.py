"""The checker, on logs that were made up: each rule is seen broken, and kept where it is."""

from __future__ import annotations

import pytest

from tests.chaos.checker import Kind, check
from tests.chaos.figures import percentile, recovery
from tests.chaos.history import Answer, Fault, History, Post, Receipt

FIRST, SECOND, THIRD = (0, 0), (1, 0), (1, 1)


def post(number: int, parts: int = 1, status: int = 200) -> Post:
    return Post("s", number, parts, float(number), number + 0.1, status)


def came(
    name: tuple[int, int],
    at: float,
    answer: Answer = "taken",
    worker: str = "w0.1",
    key: str = "",
    session: str = "s",
) -> Receipt:
    number, part = name
    key = key or f"{session}{number}.{part}"
    return Receipt(session, number, part, key, worker, at, at + 0.02, answer)


def history(*receipts: Receipt, faults: tuple[Fault, ...] = (), last_status: int = 200) -> History:
    """Of a session with two events, the second of two parts."""
    return History([post(0), post(1, 2, last_status)], list(receipts), list(faults))


def killed(worker: str, at: float) -> Fault:
    return Fault("worker.kill", worker, at, at)


WHOLE = (came(FIRST, 1.0), came(SECOND, 2.0), came(THIRD, 3.0))


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(history(*WHOLE), id="each part once, in order"),
        pytest.param(
            history(came(FIRST, 1.0, "refused"), came(FIRST, 1.5), *WHOLE[1:]), id="again after a refusal"
        ),
        pytest.param(
            history(came(FIRST, 1.0, "cut"), came(FIRST, 1.5), *WHOLE[1:]), id="again after a cut answer"
        ),
        pytest.param(history(came(FIRST, 1.0, "cut"), *WHOLE[1:]), id="a cut answer was an arrival"),
        pytest.param(
            history(
                came(FIRST, 1.0), came(FIRST, 4.0, worker="w1.1"), *WHOLE[1:], faults=(killed("w0.1", 1.01),)
            ),
            id="again after its worker was killed",
        ),
        pytest.param(
            history(
                came(FIRST, 1.0),
                came(FIRST, 4.0, worker="w1.1"),
                *WHOLE[1:],
                faults=(Fault("worker.freeze", "w0.1", 0.9, 4.5),),
            ),
            id="again after its worker was frozen",
        ),
        pytest.param(
            history(
                came(FIRST, 1.0),
                came(FIRST, 4.0),
                *WHOLE[1:],
                faults=(Fault("server.kill", "server", 1.0, 2.0),),
            ),
            id="again after the server was killed",
        ),
        pytest.param(
            history(
                came(FIRST, 1.0),
                came(FIRST, 9.0, worker="w1.1"),
                *WHOLE[1:],
                faults=(Fault("server.freeze", "server", 0.9, 5.0), killed("w0.1", 4.0)),
            ),
            id="again after its worker was killed before a server that stood still could hear of it",
        ),
        pytest.param(history(WHOLE[0], last_status=503), id="what was not accepted need not come"),
        pytest.param(history(*WHOLE, last_status=0), id="what was not answered may come"),
    ],
)
def test_what_the_promise_allows_is_no_finding(log: History) -> None:
    assert check(log).findings == ()


@pytest.mark.parametrize(
    ("log", "kind"),
    [
        pytest.param(history(*WHOLE[:2]), "lost", id="a part never comes"),
        pytest.param(
            history(came(FIRST, 1.0, "refused"), *WHOLE[1:]), "lost", id="a refused part never comes again"
        ),
        pytest.param(history(), "lost", id="nothing comes"),
        pytest.param(history(WHOLE[1], WHOLE[2], WHOLE[0]), "reordered", id="an event overtakes"),
        pytest.param(history(WHOLE[0], WHOLE[2], WHOLE[1]), "reordered", id="a part overtakes"),
        pytest.param(
            history(came(FIRST, 1.0, "refused"), WHOLE[1], came(FIRST, 2.5), WHOLE[2]),
            "reordered",
            id="an event overtakes a refused one",
        ),
        pytest.param(
            history(WHOLE[0], came(FIRST, 1.5), *WHOLE[1:]), "repeated", id="again without a reason"
        ),
        pytest.param(
            history(WHOLE[0], came(FIRST, 1.5, worker="w1.1"), *WHOLE[1:], faults=(killed("w2.1", 1.0),)),
            "repeated",
            id="again after another worker was killed",
        ),
        pytest.param(
            history(WHOLE[0], came(FIRST, 9.0, worker="w1.1"), *WHOLE[1:], faults=(killed("w0.1", 8.0),)),
            "repeated",
            id="again after its worker was killed, but much later",
        ),
        pytest.param(
            history(WHOLE[0], came(FIRST, 1.5), *WHOLE[1:], faults=(Fault("worker.term", "w0.1", 1.0, 1.4),)),
            "repeated",
            id="again after its worker was told to stop",
        ),
        pytest.param(
            history(
                WHOLE[0],
                came(FIRST, 9.0, worker="w1.1"),
                *WHOLE[1:],
                faults=(Fault("server.freeze", "server", 0.9, 2.0), killed("w0.1", 4.0)),
            ),
            "repeated",
            id="again after its worker was killed, long after the server went on",
        ),
        pytest.param(
            history(
                WHOLE[0],
                came(FIRST, 6.5, worker="w1.1"),
                *WHOLE[1:],
                faults=(Fault("server.freeze", "server", 1.0, 6.4),),
            ),
            "repeated",
            id="again after the server stood still",
        ),
        pytest.param(
            history(*WHOLE, came(SECOND, 4.0, worker="w1.1"), faults=(killed("w0.1", 3.0),)),
            "repeated",
            id="a part before the one in flight, after a kill",
        ),
        pytest.param(
            history(came(FIRST, 1.0, "refused"), came(FIRST, 1.01), *WHOLE[1:]),
            "repeated",
            id="again before it was refused",
        ),
        pytest.param(history(*WHOLE, came((7, 0), 4.0)), "invented", id="an event nobody posted"),
        pytest.param(history(*WHOLE, came((0, 1), 4.0)), "invented", id="a part that is not there"),
        pytest.param(
            history(*WHOLE, came(FIRST, 4.0, session="other")), "invented", id="a session nobody posted to"
        ),
        pytest.param(
            history(came(FIRST, 1.0, "refused"), came(FIRST, 1.5, key="new"), *WHOLE[1:]),
            "key",
            id="another key at the next try",
        ),
        pytest.param(history(came(FIRST, 1.0, key="s1.0"), *WHOLE[1:]), "key", id="one key for two parts"),
    ],
)
def test_a_broken_promise_is_found_as_what_it_is(log: History, kind: Kind) -> None:
    assert check(log).kinds == {kind}


def test_repeats_are_counted_by_what_explains_them() -> None:
    log = history(
        came(FIRST, 1.0, "refused"),
        came(FIRST, 1.5),
        came(FIRST, 4.0, worker="w1.1"),
        *WHOLE[1:],
        faults=(killed("w0.1", 1.51),),
    )
    assert check(log).repeats == {"refused": 1, "worker.kill": 1}


def test_recovery_is_the_time_until_another_worker_goes_on() -> None:
    faults = (killed("w0.1", 1.01), Fault("server.kill", "server", 6.0, 6.5))
    log = history(came(FIRST, 1.0), came(FIRST, 3.0, worker="w1.1"), came(SECOND, 7.0), faults=faults)
    measured = recovery(log)
    assert measured.worker == measured.quiet
    assert [round(seconds, 2) for seconds in measured.worker] == [1.99]
    assert measured.server == (0.5,)


def test_who_had_nothing_to_wait_for_is_not_measured() -> None:
    """The worker died when it was done, and the next event came after that."""
    log = history(came(FIRST, 1.0), came(SECOND, 5.0, worker="w1.1"), faults=(killed("w0.1", 1.01),))
    assert recovery(log).worker == ()
    log.posts[1] = Post("s", 1, 2, 0.8, 0.9, 200)
    assert [round(seconds, 2) for seconds in recovery(log).worker] == [3.99]


def test_a_server_that_is_struck_again_has_not_recovered() -> None:
    faults = (Fault("server.kill", "server", 1.5, 1.6), Fault("server.freeze", "server", 1.6, 3.0))
    log = history(came(FIRST, 1.0), came(SECOND, 3.1), came(THIRD, 9.5), faults=faults)
    assert recovery(log).server == ()
    log.faults.append(Fault("server.kill", "server", 8.0, 9.0))
    assert recovery(log).server == (0.5,)


def test_what_happens_meanwhile_makes_a_recovery_no_quiet_one() -> None:
    faults = (killed("w0.1", 1.01), Fault("worker.freeze", "w1.1", 2.0, 4.0))
    measured = recovery(history(came(FIRST, 1.0), came(FIRST, 5.0, worker="w2.1"), faults=faults))
    assert (len(measured.worker), len(measured.quiet)) == (1, 0)


def test_a_percentile_of_few_values_is_one_of_them() -> None:
    assert percentile((), 0.5) == 0.0
    assert [percentile((1.0, 2.0, 3.0), share) for share in (0.0, 0.5, 0.99, 1.0)] == [1.0, 2.0, 3.0, 3.0]
