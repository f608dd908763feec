"""No text of a stranger's stalls a process: each regular expression, and each way that texts take, is linear.

A quadratic expression takes minutes for 100 kB, in which the event loop stands still. Bounds are of processor
time and several times what is needed; what is quadratic takes many times the bound.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, Final, cast
from urllib.parse import urlencode

import pytest

from bridge.channels import Inbound, TwoWay, registry, text
from bridge.events import decode
from bridge.plan import plan
from bridge.samples import sample
from bridge.translate import translate
from tests.channels import test_googlechat_inbound, test_teams_inbound
from tests.channels.test_contract import made
from tests.hostile.signers import FORM, SIGNERS
from tests.regexes import Found, hidden, patterns, slowness

SIZE: Final = 100_000
CPU_SECONDS: Final = 2.0
"""For all that is done with 100 kB: a tenth of it is usual, and what is quadratic takes ten times as long."""
PIECES: Final = (
    "x", "0", " ", "\n", "<", "<at>", "<@U1> ", "<!--", "<a ", "&", "*", "_", "[", "(", "/", "“", "é.",
)  # fmt: skip


def cpu_seconds(run: Callable[[], object]) -> float:
    start = time.thread_time()
    run()
    return time.thread_time() - start


# ---- the patterns ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("found", patterns(), ids=lambda found: found.place)
def test_every_regular_expression_is_linear(found: Found) -> None:
    """A new one is found in the source, and tried as well."""
    assert slowness(found.pattern, found.methods) == ""


def test_no_regular_expression_is_hidden() -> None:
    assert hidden() == []
    assert len(patterns()) > 100


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (re.compile(r".*[/\\]", re.DOTALL), "sub"),
        (re.compile(r"\+?[0-9*#().-]*[0-9][0-9*#().-]*"), "fullmatch"),
        (re.compile(r"<at(?:\s[^>]*)?>(.*?)</at>", re.IGNORECASE | re.DOTALL), "sub"),
        (re.compile(r"(['\"]).*\1|“.*”", re.DOTALL), "sub"),
        (re.compile(r"\s+$"), "search"),
        (re.compile(r"(a+)+b"), "match"),
        (re.compile(rb"a[^c]*c"), "search"),
    ],
    ids=["folders", "telephone", "mention", "quotation", "space-at-the-end", "exponential", "bytes"],
)
def test_one_that_is_not_linear_is_found_out(pattern: re.Pattern[Any], method: str) -> None:
    """The first four were in the source."""
    assert slowness(pattern, frozenset({method}))


# ---- what Moveo says, on its way out -----------------------------------------------------------------------


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list | tuple):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    elif isinstance(value, str):
        yield path


def put(value: Any, path: tuple[Any, ...], said: Any) -> Any:
    place = changed = deepcopy(value)
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = said
    return changed


def event(kind: str, response: str | None = None) -> dict[str, Any]:
    return sample(kind, response_type=response, session="s", number=1, now_ms=1)


def answer(place: str, said: Any, response: str = "text") -> dict[str, Any]:
    """An event with `said` at `place` in its only response."""
    path = [int(key) if key.isdigit() else key for key in place.split(".")]
    return cast(
        "dict[str, Any]", put(event("message:brain_send", response), ("output", "responses", 0, *path), said)
    )


def attached(field: str, said: str) -> dict[str, Any]:
    made = event("message:send")
    made["body"]["attachments"][0][field] = said
    return made


FIELDS: Final[dict[str, Callable[[str], dict[str, Any]]]] = {
    "file-name": lambda said: attached("filename", said),
    "file-title": lambda said: attached("title", said),
    "file-address": lambda said: attached("url", f"https://a.example/{said}"),
    "host": lambda said: attached("url", f"https://{said}"),
    "text": lambda said: answer("text", said),
    "label": lambda said: answer("options.0.label", said),
    "card-title": lambda said: answer("cards.0.title", said, "carousel"),
    "button": lambda said: answer("cards.0.buttons.0.value", said, "carousel"),
    "telephone": lambda said: answer("cards.0.buttons.1.url", f"tel:{said}", "carousel"),
}
MANY: Final = {
    "options": answer(
        "options", [{"label": f"a label of it {n // 2:06}", "text": f"{n}"} for n in range(2_200)]
    ),
    "buttons": answer(
        "cards.0.buttons",
        [{"type": "postback", "label": f"a label of it {n // 2:06}", "value": "v"} for n in range(1_300)],
        "carousel",
    ),
    "links": answer(
        "cards.0.buttons",
        [{"type": "url", "label": "a", "url": "https://a.example"}] * 1_500,
        "carousel",
    ),
    "cards": answer("cards", [{"title": "a title", "subtitle": "and more"}] * 2_000, "carousel"),
}


@pytest.mark.parametrize("kind", registry.BUILT_IN)
def test_no_field_of_an_event_stalls_a_worker(kind: str) -> None:
    channel = made(kind)
    for name, of in FIELDS.items():
        for piece in PIECES:
            raw = json.dumps(of(piece * (SIZE // len(piece)) + "!")).encode()
            contents = translate(decode(raw).event).contents
            assert cpu_seconds(lambda: plan(contents, channel, "chat", key="k")) < CPU_SECONDS, (name, piece)  # noqa: B023 -- at once


@pytest.mark.parametrize("field", FIELDS)
def test_no_field_of_an_event_stalls_its_reading(field: str) -> None:
    for piece in PIECES:
        raw = json.dumps(FIELDS[field](piece * (SIZE // len(piece)) + "!")).encode()
        assert cpu_seconds(lambda: translate(decode(raw).event)) < CPU_SECONDS, piece  # noqa: B023 -- at once


@pytest.mark.parametrize("kind", registry.BUILT_IN)
@pytest.mark.parametrize("name", MANY)
def test_no_number_of_elements_stalls_a_worker(name: str, kind: str) -> None:
    contents = translate(decode(json.dumps(MANY[name]).encode()).event).contents
    assert cpu_seconds(lambda: plan(contents, made(kind), "chat", key="k")) < CPU_SECONDS


def test_labels_that_shorten_alike_take_no_longer() -> None:
    many = [f"a label of it {number // 2:06}" for number in range(4_000)]
    assert cpu_seconds(lambda: text.labels(many, 20)) < CPU_SECONDS
    assert len(set(text.labels(many, 20))) == len(many)


# ---- what platforms tell, on its way in --------------------------------------------------------------------

RICH: Final = {
    **test_teams_inbound.activity(text=""),
    "attachments": [{"contentType": "text/html", "content": "<img src='https://a.example/b.png'>"}],
}
SEEDS: Final[dict[str, tuple[Any, ...]]] = {
    **{kind: signer.seeds for kind, signer in SIGNERS.items()},
    "teams": (*SIGNERS["teams"].seeds, RICH),
    "googlechat": (test_googlechat_inbound.classic(message=test_googlechat_inbound.message()),),
    "webhook": (
        {
            "type": "message",
            "chat": "1",
            "text": "Hello",
            "attachments": [{"type": "file", "url": "https://a.example/b.pdf", "filename": "b.pdf"}],
        },
        {"type": "click", "chat": "1", "payload": "yes", "label": "Yes"},
    ),
}


def two_way(kind: str) -> TwoWay:
    settings = {kind: dict(SIGNERS[kind].settings)} if kind in SIGNERS else None
    channel = registry.build(kind, settings) if settings else made(kind)
    assert isinstance(channel, TwoWay)
    return channel


def test_every_way_in_is_tried() -> None:
    assert set(SEEDS) == {kind for kind in registry.BUILT_IN if isinstance(made(kind), TwoWay)}


@pytest.mark.parametrize("kind", SEEDS)
def test_no_field_that_a_platform_tells_stalls_the_ingress(kind: str) -> None:
    channel, signer = two_way(kind), SIGNERS.get(kind)
    for seed in map(deepcopy, SEEDS[kind]):
        for path in leaves(seed):
            for piece in PIECES:
                told = put(seed, path, piece * (SIZE // len(piece)))
                body = json.dumps(told).encode()
                if signer and signer.content_type == FORM:
                    body = urlencode(told if kind == "twilio" else {"payload": body}).encode()
                inbound = Inbound(
                    method=cast("Any", signer.method if signer else "POST"),
                    url="https://bridge.example/",
                    path=signer.path if signer else "",
                    headers={"content-type": signer.content_type if signer else "application/json"},
                    body=body,
                )
                assert cpu_seconds(lambda: channel.read(inbound)) < CPU_SECONDS, (path, piece)  # noqa: B023 -- at once
