"""Platforms' webhooks: verified and read by the channel, queued by chat, answered as the platform asks."""

from __future__ import annotations

import json

import msgspec
import pytest
import structlog

from bridge.channels import Call, Click, Errand, Failed, Incoming, Seen, User, UserMessage
from bridge.queue import Ack
from tests.ingress.conftest import ECHO, SECRET, Ingress, Serve
from tests.ingress.echo import Posted, posted
from tests.workers.platform import Answer, platform

KEYED = "tests.ingress.echo:Keyed"
TOKEN = {"X-Token": "canary-token"}
HELLO = UserMessage(chat="c1", id="e1", text="hello", user=User(name="Ann"))


async def post(ingress: Ingress, body: bytes, query: str = "", **headers: str) -> tuple[int, bytes]:
    url = f"{ingress.addresses.url}/channels/support{query}"
    async with ingress.http.post(url, data=body, headers=TOKEN | headers) as response:
        return response.status, await response.read()


async def received(ingress: Ingress) -> list[tuple[str, Incoming]]:
    decode = msgspec.json.Decoder(Incoming).decode
    return [(session, decode(payload)) for session, payload in await ingress.queued("in")]


async def test_messages_and_clicks_are_queued_by_chat(ingress: Ingress) -> None:
    click = Click(chat="c2", id="e2", payload="p", acknowledge=(Call(op="answer", body={"id": "e2"}),))
    assert await post(ingress, posted(HELLO, click)) == (200, b"")
    assert sorted(await received(ingress)) == [("c1", HELLO), ("c2", click)]
    assert (
        'moveo_bridge_messages_total{integration="support",outcome="accepted"} 2.0' in await ingress.metrics()
    )
    assert await ingress.queued("out") == []


async def test_messages_of_one_chat_keep_their_order(ingress: Ingress) -> None:
    many = [UserMessage(chat="c", id=str(number), text=str(number)) for number in range(20)]
    await post(ingress, posted(*many))
    queue, order = ingress.queue("in"), []
    while deliveries := (await queue.turn([], 1)).deliveries:
        order.append(json.loads(deliveries[0].payload)["text"])
        await queue.turn([Ack(deliveries[0])], 0)
    assert order == [str(number) for number in range(20)]


async def test_a_repeat_is_known_by_the_platforms_id_not_by_its_bytes(ingress: Ingress) -> None:
    await post(ingress, posted(HELLO))
    again = msgspec.structs.replace(HELLO, text="hello again")
    other = msgspec.structs.replace(HELLO, id="e2")
    assert (await post(ingress, posted(again, other)))[0] == 200
    stats = await ingress.queue("in").stats()
    assert (stats.depth, stats.duplicates_total) == (2, 1)


async def test_messages_without_an_id_are_known_by_their_bytes(ingress: Ingress) -> None:
    one, two = UserMessage(chat="c", id="", text="one"), UserMessage(chat="c", id="", text="two")
    await post(ingress, posted(one, two, one))
    assert (await ingress.queue("in").stats()).depth == 2


async def test_the_platform_gets_its_answer(ingress: Ingress) -> None:
    url = f"{ingress.addresses.url}/channels/support"
    async with ingress.http.get(url, params={"challenge": "42"}, headers=TOKEN) as response:
        assert (response.status, await response.text(), response.content_type) == (200, "42", "text/plain")
    body = posted(answer='{"type":1}', answer_type="application/json")
    async with ingress.http.post(url, data=body, headers=TOKEN) as response:
        assert (await response.text(), response.content_type) == ('{"type":1}', "application/json")


@pytest.mark.parametrize(
    ("query", "token"),
    [
        pytest.param("", "wrong", id="wrong-token"),
        pytest.param("", "", id="no-token"),
        pytest.param("?verify=crash", "canary-token", id="a-check-that-crashes"),
    ],
)
async def test_what_is_not_verified_is_a_fixed_401(ingress: Ingress, query: str, token: str) -> None:
    assert await post(ingress, posted(HELLO), query, **{"X-Token": token}) == (401, b'{"status":"unsigned"}')
    assert await ingress.queued("in") == []
    assert (
        'moveo_bridge_messages_total{integration="support",outcome="unsigned"} 1.0' in await ingress.metrics()
    )


async def test_what_a_channel_fails_to_read_is_kept(ingress: Ingress) -> None:
    assert await post(ingress, b"no json") == (200, b'{"status":"undecodable"}')
    assert await ingress.dead("in") == [("undecodable", b"no json")]
    assert await post(ingress, b"no json") == (200, b'{"status":"duplicate"}')
    assert await ingress.dead("in") == [("undecodable", b"no json")]


async def test_a_body_without_a_bottom_is_kept_and_is_nobodys_mistake(serve: Serve) -> None:
    table = {"channel": "telegram", "secrets": [SECRET], "telegram": {"token": "1:x", "secret_token": "t"}}
    ingress = await serve(integrations={"support": table})
    deep = b'{"a":' * 5000
    with structlog.testing.capture_logs() as logs:
        answer = await post(ingress, deep, **{"X-Telegram-Bot-Api-Secret-Token": "t"})
    assert answer == (200, b'{"status":"undecodable"}')
    assert await ingress.dead("in") == [("undecodable", deep)]
    assert [(line["event"], line["log_level"]) for line in logs] == [("message.kept", "warning")]


async def test_a_message_without_a_chat_is_kept(ingress: Ingress) -> None:
    lost = UserMessage(chat="", id="e", text="where am I")
    assert (await post(ingress, posted(lost, HELLO)))[0] == 200
    assert await ingress.dead("in") == [("unroutable", msgspec.json.encode(lost))]
    assert await received(ingress) == [("c1", HELLO)]


async def test_bodies_are_bounded_as_everywhere(serve: Serve) -> None:
    ingress = await serve(ingress={"max_body_bytes": 100})
    assert (await post(ingress, b"x" * 101))[0] == 413
    assert (await post(ingress, b"x", **{"Content-Encoding": "gzip"}))[0] == 415


async def test_a_flooded_chat_sheds_receipts_and_keeps_the_rest_as_dead_letters(serve: Serve) -> None:
    ingress = await serve(queue={"session_depth": 1})
    more = msgspec.structs.replace(HELLO, id="e2")
    body = msgspec.json.encode(Posted(incoming=(HELLO, more), seen=(Seen(chat="c1", id="r1"),)))
    assert (await post(ingress, body))[0] == 200
    assert await received(ingress) == [("c1", HELLO)]
    assert await ingress.dead("in") == [("flood", msgspec.json.encode(more))]
    assert 'moveo_bridge_messages_total{integration="support",outcome="shed"} 1.0' in await ingress.metrics()


async def test_a_full_queue_lets_the_platform_come_again(serve: Serve) -> None:
    ingress = await serve(queue={"depth": 1})
    second = msgspec.structs.replace(HELLO, id="e2")
    assert await post(ingress, posted(HELLO, second)) == (503, b'{"status":"full"}')
    (delivery,) = (await ingress.queue("in").turn([], 1)).deliveries
    await ingress.queue("in").turn([Ack(delivery)], 0)
    assert (await post(ingress, posted(HELLO, second)))[0] == 200
    assert await received(ingress) == [("c1", second)]


async def test_only_channels_with_a_way_back_are_there(serve: Serve) -> None:
    ingress = await serve(
        integrations={
            "support": {"channel": ECHO, "secrets": [SECRET]},
            "oneway": {"channel": "tests.ingress.echo:OneWay", "secrets": [SECRET]},
        }
    )
    for name, status in (("support", 200), ("oneway", 404), ("missing", 404)):
        async with ingress.http.post(
            f"{ingress.addresses.url}/channels/{name}", data=posted(), headers=TOKEN
        ) as response:
            assert response.status == status, name


async def test_the_channels_own_table_reaches_it(serve: Serve) -> None:
    ingress = await serve(
        integrations={"support": {"channel": ECHO, "secrets": [SECRET], "echo": {"token": "other"}}}
    )
    assert (await post(ingress, posted(), **{"X-Token": "other"}))[0] == 200


async def test_a_platform_may_post_below_the_address_and_with_put(serve: Serve) -> None:
    ingress = await serve(ingress={"public_url": "https://bridge.example/"})
    url = f"{ingress.addresses.url}/channels/support/_matrix/app/v1/a%20b?verify=told"
    async with ingress.http.put(url, data=posted(), headers=TOKEN) as response:
        assert (response.status, response.content_type) == (207, "application/json")
        assert await response.json() == {
            "method": "PUT",
            "path": "/_matrix/app/v1/a b",
            "url": "https://bridge.example/channels/support/_matrix/app/v1/a%20b?verify=told",
        }
    for wrong in ("supportive", "support_/x"):
        async with ingress.http.post(f"{ingress.addresses.url}/channels/{wrong}", headers=TOKEN) as response:
            assert response.status == 404, wrong


async def test_what_the_platform_waits_for_is_queued_before_the_chats_messages(ingress: Ingress) -> None:
    errand = Errand(chat="c1", id="e0", call=Call(op="join", to="c1"))
    await post(ingress, posted(HELLO, errands=(errand,)))
    queue, kinds = ingress.queue("in"), []
    while deliveries := (await queue.turn([], 1)).deliveries:
        kinds.append(json.loads(deliveries[0].payload)["type"])
        await queue.turn([Ack(deliveries[0])], 0)
    assert kinds == ["errand", "message"]


async def test_what_the_platform_could_not_deliver_is_counted_and_told(ingress: Ingress) -> None:
    failed = Failed(chat="c1", reason="131026", message="m1")
    with structlog.testing.capture_logs() as logs:
        assert await post(ingress, posted(failed=(failed, failed))) == (200, b"")
    assert 'moveo_bridge_calls_total{integration="support",outcome="failed"} 2.0' in await ingress.metrics()
    (told, _) = logs
    assert (told["event"], told["chat"], told["message"], told["reason"]) == (
        "message.failed",
        "c1",
        "m1",
        "131026",
    )


async def test_a_chat_whose_name_is_endless_is_kept(ingress: Ingress) -> None:
    lost = msgspec.structs.replace(HELLO, chat="c" * 513)
    assert (await post(ingress, posted(lost)))[0] == 200
    assert await ingress.dead("in") == [("unroutable", msgspec.json.encode(lost))]


async def test_a_platforms_keys_are_fetched_for_its_channel(serve: Serve) -> None:
    async with platform() as there:
        key = {"kid": "a", "kty": "RSA", "n": "AQAB", "e": "AQAB"}
        there.answer = lambda *_: Answer(body=json.dumps({"keys": [key]}).encode())
        table = {"channel": KEYED, "secrets": [SECRET], "keyed": {"keys_url": there.url}}
        ingress = await serve(integrations={"support": table})
        for _ in range(2):
            assert await post(ingress, posted(HELLO), Authorization="Bearer x") == (200, b"1 keys")
        assert len(there.received) == 1


async def test_without_the_platforms_keys_it_is_asked_to_come_again(serve: Serve) -> None:
    async with platform() as there:
        there.answer = lambda *_: Answer(status=500)
        table = {"channel": KEYED, "secrets": [SECRET], "keyed": {"keys_url": there.url}}
        ingress = await serve(integrations={"support": table})
        assert (await post(ingress, posted(HELLO)))[0] == 503
        assert await ingress.queued("in") == []


@pytest.mark.parametrize("body", [b'{"update_id": 1, "mess', b'{"a":' * 5000], ids=["cut off", "deep"])
async def test_what_begins_as_json_and_is_none_is_kept(serve: Serve, body: bytes) -> None:
    table = {"channel": "telegram", "secrets": [SECRET], "telegram": {"token": "1:x", "secret_token": "t"}}
    ingress = await serve(integrations={"support": table})
    told = {"X-Telegram-Bot-Api-Secret-Token": "t"}
    assert await post(ingress, body, **told) == (200, b'{"status":"undecodable"}')
    assert await ingress.dead("in") == [("undecodable", body)]
    assert await post(ingress, b'{"update_id": 2, "poll": {}}', **told) == (200, b"")
    assert len(await ingress.dead("in")) == 1
