"""Samples are what Moveo would send: read without loss, shown without loss."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.emulator.files import MEDIA
from bridge.errors import ConfigError
from bridge.events import EVENT_TYPES, decode, event_type, route
from bridge.events.responses import RESPONSE_TYPES
from bridge.samples import sample
from bridge.translate import translate

CASES = [(name, None) for name in EVENT_TYPES] + [("message:brain_send", name) for name in RESPONSE_TYPES]


def make(name: str, response_type: str | None = None, number: int = 1) -> dict[str, Any]:
    return sample(
        name,
        response_type=response_type,
        session="s-1",
        number=number,
        now_ms=1234,
        media_url="http://m/media",
    )


@pytest.mark.parametrize(("name", "response_type"), CASES)
def test_a_sample_is_read_and_shown_without_loss(name: str, response_type: str | None) -> None:
    raw = json.dumps(make(name, response_type)).encode()
    decoded = decode(raw)
    translation = translate(decoded.event)
    assert event_type(decoded.event) == name
    assert decoded.losses == translation.losses == ()
    assert len(translation.contents) == (2 if name == "message:send" else 1)
    assert route(raw).session == "s-1"
    assert decoded.event.external_session_id == "s-1"
    assert route(raw).timestamp == 1234


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_numbers_tell_samples_apart(name: str) -> None:
    assert make(name, number=1) != make(name, number=2)


def test_the_sign_of_typing_comes_and_goes() -> None:
    assert [make("message:compose", number=number)["action"] for number in (1, 2)] == ["start", "stop"]


def test_media_of_samples_are_files_the_emulator_serves() -> None:
    """Name and size are those of the file, so that a picture is never broken and a size never wrong."""
    urls = {
        value: item.get("size")
        for name in RESPONSE_TYPES
        for item in _objects(make("message:brain_send", name))
        if isinstance(value := item.get("url"), str)
    }
    assert len(urls) >= 7
    for url, size in urls.items():
        base, _, file = url.rpartition("/")
        assert base == "http://m/media"
        assert (MEDIA / file).is_file()
        assert size in (None, (MEDIA / file).stat().st_size)


def _objects(value: Any) -> list[dict[str, Any]]:
    match value:
        case dict():
            return [value, *(found for item in value.values() for found in _objects(item))]
        case list():
            return [found for item in value for found in _objects(item)]
    return []


@pytest.mark.parametrize(
    ("name", "response_type", "message"),
    [
        (
            "message:brainsend",
            None,
            "no event type is called message:brainsend: did you mean message:brain_send?",
        ),
        ("x", None, "no event type is called x: one of message:brain_send, message:send, "),
        ("message:brain_send", "carrousel", "no response type is called carrousel: did you mean carousel?"),
        ("message:read", "text", "only message:brain_send has a response type, message:read has none"),
    ],
)
def test_a_wrong_type_is_refused_in_one_line(name: str, response_type: str | None, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        make(name, response_type)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
