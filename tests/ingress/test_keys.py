"""The keys with which platforms sign: asked for when needed, kept, and asked for again when they change."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from bridge.channels import Reply, Request
from bridge.errors import SendError, Unavailable
from bridge.ingress.keys import AGAIN_SECONDS, KEPT_SECONDS, Keys


def bearer(key_id: str) -> str:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": key_id}).encode()).rstrip(b"=")
    return f"Bearer {head.decode()}.e30.c2ln"


class Platform:
    """What is found at each address; the test changes it, and its clock."""

    def __init__(self, **found: Any) -> None:
        self.found = {f"https://{host}.test/": body for host, body in found.items()}
        self.asked: list[str] = []
        self.now = 1000.0
        self.error: SendError | None = None

    async def send(self, request: Request) -> Reply:
        self.asked.append(request.url)
        if self.error:
            raise self.error
        body = self.found.get(request.url)
        return Reply(status=404 if body is None else 200, body=json.dumps(body).encode())

    def keys(self, *urls: str) -> Keys:
        return Keys(urls, self.send, clock=lambda: self.now)


def ids(keys: tuple[Any, ...]) -> list[str]:
    return [key["kid"] for key in keys]


A, B = {"kid": "a", "kty": "RSA"}, {"kid": "b", "kty": "RSA"}


async def test_keys_are_asked_for_once_and_kept_for_a_day() -> None:
    platform = Platform(k={"keys": [A, B]})
    keys = platform.keys("https://k.test/")
    for _ in range(3):
        assert ids(await keys.for_token(bearer("a"))) == ["a", "b"]
        platform.now += AGAIN_SECONDS + 1
    assert len(platform.asked) == 1
    platform.now += KEPT_SECONDS
    await keys.for_token(bearer("a"))
    assert len(platform.asked) == 2


async def test_the_metadata_says_where_they_are_and_all_addresses_count() -> None:
    platform = Platform(meta={"issuer": "x", "jwks_uri": "https://k.test/"}, k={"keys": [A]}, l={"keys": [B]})
    keys = platform.keys("https://meta.test/", "https://l.test/")
    assert ids(await keys.for_token(bearer("a"))) == ["a", "b"]


async def test_an_unknown_key_is_looked_for_and_not_too_often() -> None:
    platform = Platform(k={"keys": [A]})
    keys = platform.keys("https://k.test/")
    await keys.for_token(bearer("a"))
    platform.found["https://k.test/"] = {"keys": [B]}
    for _ in range(5):
        assert ids(await keys.for_token(bearer("b"))) == ["a"]
    platform.now += AGAIN_SECONDS
    assert ids(await keys.for_token(bearer("b"))) == ["b"]
    assert len(platform.asked) == 2


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Bearer ....", "Basic é", "Bearer W10.x.y"])
async def test_what_is_no_token_is_no_reason_to_ask_again(header: str) -> None:
    platform = Platform(k={"keys": [A]})
    keys = platform.keys("https://k.test/")
    await keys.for_token(bearer("a"))
    platform.now += AGAIN_SECONDS
    assert ids(await keys.for_token(header)) == ["a"]
    assert len(platform.asked) == 1


@pytest.mark.parametrize("body", [None, [], {}, {"keys": 1}, {"jwks_uri": "https://nowhere.test/"}], ids=repr)
async def test_without_keys_nothing_can_be_said_of_a_signature(body: object) -> None:
    platform = Platform(k=body)
    keys = platform.keys("https://k.test/")
    for _ in range(3):
        with pytest.raises(Unavailable):
            await keys.for_token(bearer("a"))
    assert len(platform.asked) <= 2, "one refresh: two requests where there is metadata"
    platform.found["https://k.test/"] = {"keys": [A]}
    platform.now += AGAIN_SECONDS
    assert ids(await keys.for_token(bearer("a"))) == ["a"]


async def test_known_keys_stay_good_while_the_platform_is_away() -> None:
    platform = Platform(k={"keys": [A, "no key"]})
    keys = platform.keys("https://k.test/")
    await keys.for_token(bearer("a"))
    platform.error, platform.now = Unavailable("down"), platform.now + KEPT_SECONDS
    assert ids(await keys.for_token(bearer("a"))) == ["a"]
    assert len(platform.asked) == 2
