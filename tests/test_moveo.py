from __future__ import annotations

import json

import pytest

from bridge.channels import Loaded, Reply, Request, User
from bridge.errors import Forbidden, Rejected, SendError, Unauthorized, Unavailable, Uncertain
from bridge.moveo import Attached, Moveo, SessionGone
from bridge.secret import Secret


class Fake:
    """Moveo's side: answers as told, keeps what it was asked."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.replies.pop(0)


def moveo(fake: Fake, url: str = "https://moveo.test") -> Moveo:
    return Moveo(fake.send, url, "int 1", Secret("CANARY"))


def reply(status: int, body: object = None, **headers: str) -> Reply:
    return Reply(
        status=status, headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=json.dumps(body).encode(),
    )  # fmt: skip


@pytest.mark.parametrize("url", ["https://moveo.test", "https://moveo.test/"])
async def test_a_session_is_made_for_a_chat(url: str) -> None:
    fake = Fake(reply(201, {"session_id": "s1"}))
    user = User(id="42", name="Ada", language="el")
    assert await moveo(fake, url).create_session("chat:7", user) == "s1"
    (request,) = fake.requests
    assert (request.method, request.url) == ("POST", "https://moveo.test/v1/custom/int%201/sessions")
    assert request.headers == {"authorization": "apikey CANARY", "content-type": "application/json"}
    assert json.loads(request.body) == {
        "external_session_id": "chat:7",
        "channel_user_id": "42",
        "context": {"user": {"display_name": "Ada", "language": "el"}},
    }


async def test_a_session_of_an_unknown_user_says_nothing_of_one() -> None:
    fake = Fake(reply(201, {"session_id": "s1"}))
    await moveo(fake).create_session("c", User())
    assert json.loads(fake.requests[0].body) == {"external_session_id": "c"}


@pytest.mark.parametrize(
    ("text", "attachments", "sent"),
    [
        pytest.param("hi", (), {"text": "hi"}, id="text"),
        pytest.param(
            "",
            (Attached(type="image", url="https://x/y.png", mime_type="image/png"),),
            {"attachments": [{"type": "image", "url": "https://x/y.png", "mime_type": "image/png"}]},
            id="attachment",
        ),
        pytest.param(
            "look",
            (Attached(type="file", url="https://x/y"),),
            {"text": "look", "attachments": [{"type": "file", "url": "https://x/y"}]},
            id="both",
        ),
    ],
)
async def test_a_message_is_posted(text: str, attachments: tuple[Attached, ...], sent: object) -> None:
    fake = Fake(reply(202, {"request_id": "r"}))
    await moveo(fake).send_message("s/1", text, attachments)
    assert fake.requests[0].url == "https://moveo.test/v1/custom/int%201/sessions/s%2F1/messages"
    assert json.loads(fake.requests[0].body) == {"input": sent}


async def test_a_file_is_uploaded_to_where_moveo_says_and_without_the_key() -> None:
    fake = Fake(reply(200, {"upload_url": "https://store.test/u?sig=1", "file_id": "f 1"}), reply(200))
    file = Loaded(name="a.png", mime_type="image/png", body=b"...")
    assert await moveo(fake).upload("s/1", file) == "f 1"
    asked, put = fake.requests
    assert asked.url == "https://moveo.test/v1/custom/int%201/sessions/s%2F1/files/upload-url"
    assert json.loads(asked.body) == {"filename": "a.png", "content_type": "image/png"}
    assert put == Request(
        method="PUT", url="https://store.test/u?sig=1", headers={"content-type": "image/png"}, body=b"..."
    )


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        pytest.param([reply(404, {"error_code": "session-not-found"})], SessionGone, id="no session"),
        pytest.param([reply(200, {"file_id": "f"})], Unavailable, id="no address"),
        pytest.param([reply(200, {"upload_url": "https://s.test/", "file_id": ""})], Unavailable, id="no id"),
        pytest.param(
            [reply(200, {"upload_url": "https://s.test/", "file_id": "f"}), reply(403)],
            Unavailable,
            id="the store says no",
        ),
    ],
)
async def test_an_upload_that_fails_says_what_to_do(replies: list[Reply], error: type[SendError]) -> None:
    with pytest.raises(error) as caught:
        await moveo(Fake(*replies)).upload("s", Loaded(name="a", mime_type="image/png"))
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (reply(400, {"error_code": "invalid-payload"}), Rejected, "Moveo answered 400 invalid-payload"),
        (reply(401, {"error_code": "unauthorized"}), Unauthorized, "Moveo answered 401 unauthorized"),
        (reply(403), Forbidden, "Moveo answered 403"),
        (
            reply(404, {"error_code": "gone"}),
            SessionGone,
            "Moveo answered 404 gone",
        ),
        (reply(408), Unavailable, "Moveo answered 408"),
        (reply(429), Unavailable, "Moveo answered 429"),
        (reply(500, {"error_code": "a b, what the user said"}), Unavailable, "Moveo answered 500"),
        (reply(502, ["no object"]), Unavailable, "Moveo answered 502"),
        (reply(504), Uncertain, "Moveo answered 504"),
        (reply(302), Unavailable, "Moveo answered 302"),
        (reply(418), Rejected, "Moveo answered 418"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Reply) else "",
)
async def test_an_error_says_what_to_do(answer: Reply, error: type[SendError], text: str) -> None:
    with pytest.raises(error) as caught:
        await moveo(Fake(answer)).send_message("s", "hello")
    assert type(caught.value) is error
    assert str(caught.value) == text


async def test_a_rate_limit_holds_the_whole_integration() -> None:
    with pytest.raises(Unavailable) as caught:
        await moveo(Fake(reply(429, retry_after="7"))).send_message("s", "hello")
    assert (caught.value.retry_after, caught.value.scope) == (7.0, "channel")


async def test_an_integration_that_moveo_does_not_know_is_a_wrong_setting() -> None:
    with pytest.raises(Unauthorized, match="integration_id"):
        await moveo(Fake(reply(404))).create_session("c", User())


@pytest.mark.parametrize("body", [None, [], {}, {"session_id": ""}, {"session_id": 7}], ids=repr)
async def test_a_session_without_an_id_is_tried_again(body: object) -> None:
    with pytest.raises(Unavailable):
        await moveo(Fake(reply(201, body))).create_session("c", User())
