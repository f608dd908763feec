"""One event shows a bounded number of parts, whatever it holds; the rest is reported as lost."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest

from bridge.channels import registry
from bridge.content import Card, Carousel, Content, Image, Loss, Option, Postback, Text
from bridge.events import decode
from bridge.plan import plan
from bridge.translate import translate
from bridge.translate.bounds import PARTS, bounded

REST = Loss("event", f"more than {PARTS} parts", f"the first {PARTS}")
CPU_SECONDS = 10.0


def options(count: int) -> tuple[Option, ...]:
    return tuple(Option(f"label {n}", f"text {n}") for n in range(count))


def cards(count: int, buttons: int = 0) -> tuple[Card, ...]:
    return tuple(
        Card(f"card {n}", buttons=tuple(Postback(f"b{m}", f"v{m}") for m in range(buttons)))
        for n in range(count)
    )


@pytest.mark.parametrize(
    "content",
    [
        Text("x", options(PARTS - 1)),
        Carousel(cards(PARTS - 1)),
        Carousel(cards((PARTS - 1) // 3, buttons=2)),
    ],
    ids=["options", "cards", "buttons"],
)
def test_what_fits_is_shown_as_it_is(content: Content) -> None:
    assert list(bounded([content])) == [content]


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        pytest.param([Text("x")] * (PARTS + 1), [Text("x")] * PARTS, id="contents"),
        pytest.param([Text("x", options(PARTS))], [Text("x", options(PARTS - 1))], id="options"),
        pytest.param([Carousel(cards(PARTS))], [Carousel(cards(PARTS - 1))], id="cards"),
        pytest.param(
            [Image("u"), Carousel(cards(PARTS, buttons=2))],
            [
                Image("u"),
                Carousel((*cards(332, buttons=2), Card("card 332", buttons=(Postback("b0", "v0"),)))),
            ],
            id="buttons",
        ),
        pytest.param(
            [*[Text("x")] * (PARTS - 1), Text("y", options(5)), Text("z")],
            [*[Text("x")] * (PARTS - 1), Text("y")],
            id="an option too many",
        ),
        pytest.param([*[Text("x")] * PARTS, Text("y", options(5))], [Text("x")] * PARTS, id="no room at all"),
        pytest.param(
            [*[Text("x")] * (PARTS - 1), Carousel(cards(2)), Text("z")],
            [Text("x")] * (PARTS - 1),
            id="no room for a card",
        ),
    ],
)
def test_the_first_parts_are_shown_and_the_rest_is_one_loss(
    found: list[Content], shown: list[Content]
) -> None:
    assert list(bounded(found)) == [*shown, REST]


def test_losses_are_no_parts() -> None:
    lost = Loss("text", "a text with nothing in it")
    assert list(bounded([lost] * (PARTS + 5))) == [lost] * (PARTS + 5)


def _responses(count: int) -> dict[str, list[dict[str, Any]]]:
    return {
        "texts": [{"type": "text", "text": f"t{n}", "options": [{"label": f"l{n}"}]} for n in range(count)],
        "cards": [
            {"type": "carousel", "cards": [{"title": f"t{n}", "buttons": [BUTTON]} for n in range(count)]}
        ],
    }


BUTTON = {"type": "postback", "label": "b", "value": "v"}


@pytest.mark.parametrize("kind", ["googlechat", "matrix", "teams", "twilio"])
@pytest.mark.parametrize("shape", ["texts", "cards"])
def test_the_largest_event_that_is_taken_stalls_no_worker(kind: str, shape: str) -> None:
    """40,000 cards took the square of their number: minutes, in which nothing else was delivered."""
    responses = _responses(40_000)[shape]
    event = {"event_type": "message:brain_send", "session_id": "s", "output": {"responses": responses}}
    body = orjson.dumps(event)
    assert 2_000_000 < len(body) < 8_388_608
    channel, began = registry.placeholder(kind), time.process_time()
    translation = translate(decode(body).event)
    made = plan(translation.contents, channel, "c", key="0" * 32, pause_max_seconds=60.0)
    assert made.digest
    assert len(made.steps) <= PARTS
    assert REST in translation.losses
    assert time.process_time() - began < CPU_SECONDS
