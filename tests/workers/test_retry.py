from __future__ import annotations

import pytest

from bridge.errors import (
    ContentRefused,
    Forbidden,
    Moved,
    Rejected,
    StoreFull,
    StoreUnavailable,
    Unauthorized,
    Unavailable,
    Uncertain,
)
from bridge.moveo import SessionGone
from bridge.queue import Bury, Delivery, Park, Refuse
from workers.retry import CAP_SECONDS, Decision, Policy, backoff_seconds, decide, describe

POLICY = Policy(max_age_seconds=100.0)
HOLD = Policy(max_age_seconds=100.0, resend="hold")
IDEMPOTENT = Policy(max_age_seconds=100.0, resend="hold", idempotent=True)


def settled(error: Exception, *, tries: int = 0, age: float = 0.0, policy: Policy = POLICY) -> Decision:
    delivery = Delivery("s", 1, tries, 0, b"old", b"{}", 0)
    return decide(error, delivery, chat="chat", cursor=b"new", age_seconds=age, policy=policy, random=0.5)


@pytest.mark.parametrize(
    ("error", "given", "settle"),
    [
        pytest.param(Rejected("gone"), {}, ("bury", "rejected", "gone"), id="rejected"),
        pytest.param(ContentRefused("x"), {}, ("bury", "rejected", "x"), id="refused without a fallback"),
        pytest.param(SessionGone("404"), {}, ("bury", "rejected", "404"), id="session gone twice"),
        pytest.param(Moved("again", to="x"), {}, ("bury", "rejected", "again"), id="moves in circles"),
        pytest.param(Unavailable("down"), {}, ("park", 0.5, True), id="unavailable"),
        pytest.param(Unavailable("down"), {"tries": 3}, ("park", 4.0, True), id="backs off"),
        pytest.param(Unavailable("down"), {"tries": 99}, ("park", CAP_SECONDS / 2, True), id="up to a cap"),
        pytest.param(Unavailable("down"), {"age": 99.9, "tries": 9}, ("park", 30.0, True), id="up to an age"),
        pytest.param(Unavailable("down"), {"age": 100.0}, ("bury", "expired", "down"), id="too old"),
        pytest.param(Unavailable("slow", retry_after=7), {}, ("park", 7, False), id="obeys"),
        pytest.param(Unavailable("slow", retry_after=0.0), {}, ("park", 0.1, False), id="nearly at once"),
        pytest.param(Unavailable("slow", retry_after=-3), {}, ("park", 0.1, False), id="nothing negative"),
        pytest.param(
            Unavailable("x", retry_after=7), {"age": 1e6}, ("park", 7, False), id="obeys at any age"
        ),
        pytest.param(Uncertain("cut"), {}, ("park", 0.5, True), id="uncertain, resend"),
        pytest.param(Uncertain("cut"), {"policy": HOLD}, ("bury", "uncertain", "cut"), id="uncertain, hold"),
        pytest.param(Uncertain("x"), {"policy": IDEMPOTENT}, ("park", 0.5, True), id="uncertain, idempotent"),
        pytest.param(Uncertain("cut"), {"age": 100.0}, ("bury", "expired", "cut"), id="uncertain, too old"),
        pytest.param(Unauthorized("401"), {"age": 1e6}, ("refuse", "401", True), id="unauthorized"),
        pytest.param(Forbidden("200"), {"age": 1e6}, ("refuse", "200", False), id="forbidden"),
        pytest.param(Unavailable("x", scope="chat"), {"tries": 3}, ("park", 4.0, True), id="chat backs off"),
        pytest.param(
            Unavailable("x", scope="chat"), {"age": 100.0}, ("bury", "expired", "x"), id="chat, too old"
        ),
        pytest.param(StoreUnavailable("x"), {"age": 1e6, "tries": 99}, ("park", 0.5, False), id="store"),
        pytest.param(StoreFull("oom"), {"age": 0.1}, ("park", 0.5, False), id="full"),
        pytest.param(StoreFull("oom"), {"age": 20.0}, ("park", 10.0, False), id="still full"),
        pytest.param(
            StoreFull("oom"), {"age": 1e6, "tries": 99}, ("park", CAP_SECONDS / 2, False), id="full for long"
        ),
        pytest.param(KeyError("x"), {"tries": 1}, ("park", 1.0, True), id="fault"),
        pytest.param(KeyError("x"), {"tries": 4}, ("bury", "fault", "KeyError"), id="last fault"),
    ],
)
def test_what_becomes_of_it(error: Exception, given: dict[str, object], settle: tuple[object, ...]) -> None:
    match settled(error, **given).settle:  # type: ignore[arg-type]
        case Park(delivery, seconds, cursor, counted):
            assert ("park", seconds, counted) == settle
            assert (delivery.cursor, cursor) == (b"old", b"new")
        case Bury(_, reason, text):
            assert ("bury", reason, text) == settle
        case Refuse(_, words, chat, cursor, account):
            assert ("refuse", words, account) == settle
            assert (chat, cursor) == ("chat", b"new")


@pytest.mark.parametrize(
    ("error", "given", "holds", "said"),
    [
        pytest.param(
            Unavailable("x", retry_after=7.0, scope="channel"),
            {},
            (7.0, 0.0),
            "answered",
            id="channel's limit",
        ),
        pytest.param(Unavailable("x", retry_after=7.0), {}, (0.0, 7.0), "answered", id="the chat's limit"),
        pytest.param(Unavailable("x", scope="channel"), {}, (0.0, 0.0), "shut", id="shut for all"),
        pytest.param(
            Unavailable("x", scope="chat"), {"tries": 3}, (0.0, 4.0), "answered", id="the chat's own"
        ),
        pytest.param(
            Unavailable("x", scope="chat"), {"age": 100.0}, (0.0, 0.0), "answered", id="the chat's, too old"
        ),
        pytest.param(Unavailable("x"), {}, (0.0, 0.0), "down", id="unavailable"),
        pytest.param(Unavailable("x"), {"age": 100.0}, (0.0, 0.0), "down", id="and too old"),
        pytest.param(Uncertain("x"), {}, (0.0, 0.0), "down", id="uncertain"),
        pytest.param(Uncertain("x"), {"policy": HOLD}, (0.0, 0.0), "down", id="uncertain, hold"),
        pytest.param(Rejected("x"), {}, (0.0, 0.0), "answered", id="one message's own"),
        pytest.param(StoreUnavailable("oom"), {}, (0.0, 0.0), "", id="our store's"),
        pytest.param(KeyError("x"), {}, (0.0, 0.0), "", id="our own fault"),
    ],
)
def test_what_it_means_for_the_rest_of_the_queue(
    error: Exception, given: dict[str, object], holds: tuple[float, float], said: str
) -> None:
    decision = settled(error, **given)  # type: ignore[arg-type]
    assert (decision.hold_seconds, decision.chat_seconds) == holds
    assert isinstance(decision.settle, Park | Bury)
    assert decision.settle.said == said


@pytest.mark.parametrize("tries", [0, 1, 5, 6, 7, 10_000])
def test_jitter_is_full(tries: int) -> None:
    bound = min(60.0, 2.0 ** min(tries, 16))
    assert backoff_seconds(tries, 0.0) == 0.0
    assert backoff_seconds(tries, 0.999) == pytest.approx(bound * 0.999)


def test_a_foreign_error_is_named_by_its_place_and_never_quoted() -> None:
    try:
        raise KeyError("what the person wrote")
    except KeyError as error:
        said = describe(error)
    assert said.startswith("KeyError at ")
    assert "test_retry:" in said
    assert "person" not in said
