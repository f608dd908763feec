"""Bearer tokens for client credentials: asked for once, renewed in time, and never quoted."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

import aiohttp
import pytest

from bridge.channels import Grant, Reply, Request
from bridge.errors import SendError, Unauthorized, Unavailable, Uncertain
from bridge.secret import Secret
from bridge.sender import Sender, open_http
from bridge.tokens import Tokens
from tests.workers.platform import Answer, Platform, Received, platform

SECRET = "CANARY-client-secret"


def grant(url: str = "https://login.test/token", client_id: str = "app") -> Grant:
    return Grant(url=url, client_id=client_id, client_secret=Secret(SECRET), scope="chat/.default")


class Server:
    """Gives out the tokens t1, t2, ...; or answers as it is told."""

    def __init__(self, *answers: Reply | SendError, life: object = 3600) -> None:
        self.answers = list(answers)
        self.life = life
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Reply:
        self.requests.append(request)
        await asyncio.sleep(0)
        if self.answers:
            match self.answers.pop(0):
                case Reply() as answer:
                    return answer
                case error:
                    raise error
        token = {"access_token": f"t{len(self.requests)}", "token_type": "Bearer", "expires_in": self.life}
        return Reply(status=200, body=json.dumps(token).encode())


async def test_a_token_is_asked_for_as_the_standard_says() -> None:
    server = Server()
    assert await Tokens(server.send).token(grant()) == "t1"
    (request,) = server.requests
    assert (request.method, request.url) == ("POST", "https://login.test/token")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(request.body.decode())) == {
        "grant_type": "client_credentials",
        "client_id": "app",
        "client_secret": SECRET,
        "scope": "chat/.default",
    }


async def test_many_at_once_ask_once_and_each_account_has_its_own() -> None:
    server = Server()
    tokens = Tokens(server.send)
    assert set(await asyncio.gather(*(tokens.token(grant()) for _ in range(50)))) == {"t1"}
    assert await tokens.token(grant(client_id="other")) == "t2"
    assert await tokens.token(grant()) == "t1"


@pytest.mark.parametrize(
    ("life", "second"),
    [
        pytest.param(3600, "t1", id="an hour"),
        pytest.param("3600", "t1", id="an hour, as a text"),
        pytest.param(0, "t2", id="no time at all"),
        pytest.param(-5, "t2", id="a time that is over"),
        pytest.param(None, "t2", id="no word of it"),
        pytest.param("soon", "t2", id="no number"),
        pytest.param({}, "t2", id="nonsense"),
    ],
)
async def test_a_token_is_kept_while_it_is_surely_good(life: object, second: str) -> None:
    tokens = Tokens(Server(life=life).send)
    await tokens.token(grant())
    assert await tokens.token(grant()) == second


async def test_a_refused_token_is_replaced_once_for_all_that_were_refused_with_it() -> None:
    server = Server()
    tokens = Tokens(server.send)
    old = await tokens.token(grant())
    new = await asyncio.gather(*(tokens.token(grant(), refused=old) for _ in range(5)))
    assert (set(new), len(server.requests)) == ({"t2"}, 2)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        pytest.param(
            Reply(status=401, body=b'{"error":"invalid_client","error_description":"CANARY"}'),
            Unauthorized,
            "no token: HTTP 401 invalid_client",
            id="wrong secret",
        ),
        pytest.param(
            Reply(status=400, body=b'{"error":"unauthorized_client"}'),
            Unauthorized,
            "no token: HTTP 400 unauthorized_client",
            id="unknown app",
        ),
        pytest.param(
            Reply(status=400, body=b'{"error":"CANARY"}'),
            Unavailable,
            "no token: HTTP 400",
            id="another word",
        ),
        pytest.param(
            Reply(status=502, body=b"<html>"), Unavailable, "no token: HTTP 502", id="a proxy's page"
        ),
        pytest.param(Reply(status=200, body=b"[]"), Unavailable, "no token: HTTP 200", id="no token in it"),
        pytest.param(
            Reply(status=200, body=b'{"access_token":"a\\r\\nb: c"}'),
            Unavailable,
            "no token: HTTP 200",
            id="a token that would break the header",
        ),
        pytest.param(Uncertain("no reply in time"), Unavailable, "no token: no reply in time", id="a hang"),
    ],
)
async def test_without_a_token_the_error_says_what_to_do(
    answer: Reply | SendError, error: type[SendError], words: str
) -> None:
    with pytest.raises(error) as caught:
        await Tokens(Server(answer).send).token(grant())
    assert (type(caught.value), str(caught.value)) == (error, words)


async def test_the_wait_of_an_overloaded_server_is_kept() -> None:
    busy = Reply(status=429, headers={"retry-after": "7"})
    with pytest.raises(Unavailable) as caught:
        await Tokens(Server(busy).send).token(grant())
    assert caught.value.retry_after == 7.0


# ---- in the sender -----------------------------------------------------------------------------------------


@pytest.fixture
async def there() -> AsyncIterator[Platform]:
    async with platform() as started:
        yield started


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_http(total_seconds=1.0) as session:
        yield session


def gives_tokens(there: Platform, *, good: str) -> None:
    """The login gives t1, t2, ...; the platform takes `good` only."""
    given = 0

    def answer(received: Received, _: int) -> Answer:
        nonlocal given
        if received.path == "/token":
            given += 1
            return Answer(body=b'{"access_token":"t%d","expires_in":3600}' % given)
        return Answer(status=200 if received.headers["authorization"] == f"Bearer {good}" else 401)

    there.answer = answer


@pytest.mark.parametrize(
    ("good", "status", "paths"),
    [
        pytest.param("t1", 200, ["/token", "/say"], id="good at once"),
        pytest.param("t2", 200, ["/token", "/say", "/token", "/say"], id="ended before its time"),
        pytest.param("t3", 401, ["/token", "/say", "/token", "/say"], id="refused again"),
    ],
)
async def test_a_request_with_a_grant_goes_out_with_a_token(
    there: Platform, http: aiohttp.ClientSession, good: str, status: int, paths: list[str]
) -> None:
    gives_tokens(there, good=good)
    request = Request(url=f"{there.url}/say", body=b"{}", grant=grant(f"{there.url}/token"))
    assert (await Sender(http).send(request)).status == status
    assert [received.path for received in there.received] == paths


async def test_a_request_can_be_authorized_for_others_to_send(
    there: Platform, http: aiohttp.ClientSession
) -> None:
    gives_tokens(there, good="t1")
    sender, request = Sender(http), Request(url="https://x.test/", grant=grant(f"{there.url}/token"))
    assert (await sender.authorized(request)).headers == {"authorization": "Bearer t1"}
    bare = Request(url="https://x.test/")
    assert await sender.authorized(bare) is bare


class Key:
    def token(self, at: float) -> str:
        return f"signed-at-{at:.0f}"


async def test_a_key_signs_with_the_time_of_sending(there: Platform, http: aiohttp.ClientSession) -> None:
    before = time.time()
    there.answer = lambda *_: Answer(status=401)
    assert (await Sender(http).send(Request(url=there.url, grant=Key()))).status == 401
    (received,) = there.received
    signed_at = int(received.headers["authorization"].removeprefix("Bearer signed-at-"))
    assert before - 1 <= signed_at <= time.time() + 1
