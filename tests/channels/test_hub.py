"""Meta's webhooks: the signature and the handshake that WhatsApp, Messenger and Instagram share."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.channels import Inbound, Reading
from bridge.channels.hub import Hub, challenge
from bridge.errors import ConfigError
from bridge.secret import Secret

APP_SECRET = "0123456789abcdef0123456789abcdef"
HUB = Hub(Secret(APP_SECRET), Secret("wort"))
NOTHING = Hub(None, None)


def signature(body: bytes, secret: str = APP_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def posted(body: bytes, signed: str | None = None, **others: Any) -> Inbound:
    headers = {} if signed is None else {"x-hub-signature-256": signed}
    return Inbound(method="POST", url="https://b.example/channels/x", headers=headers, body=body, **others)


def asked(**query: str) -> Inbound:
    named = {f"hub.{name}": value for name, value in query.items()}
    return Inbound(method="GET", url="https://b.example/channels/x", query=named)


# ---- the signature -----------------------------------------------------------------------------------------


@settings(deadline=None)  # the first example waits for pywa's import
@given(
    st.binary(max_size=200),
    st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1),
)
def test_what_meta_signed_is_verified_as_pywa_does(body: bytes, secret: str) -> None:
    from pywa.utils import webhook_updates_validator  # only here: it takes a while

    signed = signature(body, secret)
    assert webhook_updates_validator(secret, body, signed)
    assert Hub(Secret(secret), None).verify(posted(body, signed))


BODY = b'{"object":"page","entry":[]}'


@pytest.mark.parametrize(
    "inbound",
    [
        pytest.param(posted(BODY), id="none"),
        pytest.param(posted(BODY, ""), id="empty"),
        pytest.param(posted(BODY, signature(BODY, "another")), id="of-another-app"),
        pytest.param(posted(BODY + b" ", signature(BODY)), id="of-another-body"),
        pytest.param(posted(BODY, signature(BODY)[:-1]), id="cut"),
        pytest.param(posted(BODY, signature(BODY).upper()), id="in-capitals"),
        pytest.param(posted(BODY, signature(BODY).removeprefix("sha256=")), id="without-its-kind"),
        pytest.param(posted(BODY, signature(BODY).replace("sha256", "sha1")), id="of-another-kind"),
        pytest.param(posted(BODY, "é\udcff\x00"), id="no-ascii"),
        pytest.param(
            Inbound(
                method="PUT",
                url="https://b.example/",
                headers={"x-hub-signature-256": signature(BODY)},
                body=BODY,
            ),
            id="of-a-put",
        ),
    ],
)
def test_what_meta_did_not_sign_is_refused(inbound: Inbound) -> None:
    assert HUB.verify(posted(BODY, signature(BODY)))
    assert HUB.verify(inbound) is False


def test_without_a_secret_nothing_is_believed() -> None:
    assert NOTHING.verify(posted(BODY, signature(BODY, ""))) is False
    assert Hub(None, Secret("wort")).verify(posted(BODY, signature(BODY, "wort"))) is False


# ---- the handshake -----------------------------------------------------------------------------------------


def test_the_challenge_comes_back_to_who_shows_the_token() -> None:
    inbound = asked(mode="subscribe", verify_token="wort", challenge="1158201444")
    assert HUB.verify(inbound)
    assert challenge(inbound) == Reading(answer=b"1158201444", answer_type="text/plain")


@pytest.mark.parametrize(
    "inbound",
    [
        pytest.param(asked(), id="nothing"),
        pytest.param(asked(mode="subscribe", challenge="1"), id="no-token"),
        pytest.param(asked(mode="subscribe", verify_token="", challenge="1"), id="an-empty-token"),
        pytest.param(asked(mode="subscribe", verify_token="Wort", challenge="1"), id="another-token"),
        pytest.param(asked(mode="subscribe", verify_token="wört\udcff", challenge="1"), id="no-ascii"),
        pytest.param(asked(mode="unsubscribe", verify_token="wort", challenge="1"), id="another-mode"),
        pytest.param(asked(verify_token="wort", challenge="1"), id="no-mode"),
    ],
)
def test_the_challenge_comes_back_to_nobody_else(inbound: Inbound) -> None:
    assert HUB.verify(inbound) is False


def test_without_a_verify_token_there_is_no_handshake() -> None:
    hub = Hub(Secret(APP_SECRET), None)
    for token in ("", APP_SECRET):
        assert hub.verify(asked(mode="subscribe", verify_token=token, challenge="1")) is False


def test_a_challenge_is_given_back_whatever_it_is() -> None:
    assert challenge(asked()).answer == b""
    assert challenge(asked(challenge="é\udcff")).answer == "é?".encode()


# ---- settings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["", "two words", "a\nb", "wört"], ids=ascii)
@pytest.mark.parametrize("name", ["app_secret", "verify_token"])
def test_a_secret_that_cannot_be_one_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: "):
        Hub(**{"app_secret": None, "verify_token": None, name: Secret(value)})


@pytest.mark.parametrize("hub", [NOTHING, Hub(Secret("a"), None), Hub(None, Secret("a"))], ids=repr)
def test_the_first_step_is_to_set_both(hub: Hub) -> None:
    assert "verify_token" in hub.first_step
    assert HUB.first_step == ""
    assert APP_SECRET not in repr(HUB)
